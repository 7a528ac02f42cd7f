"""`xpc build --against REV`: the study as it was at REV beside the present one; what lies between them is printed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from xpc.compiler.against import Comparison, Side, compare
from xpc.compiler.against_revision import Revision, find_revision, is_shallow

from .against_session import PastSession
from .failure import refuse
from .freshness import Freshness
from .output import print_diagnostics
from .selecting import rows_where
from .standing import Standings

if TYPE_CHECKING:
    from xpc.compiler.against import Change

    from .session import Session

FORMATS = ("text", "json", "markdown")


@dataclass(frozen=True, slots=True)
class Standing:
    """Runs of one experiment that are done: of the added ones, of the dropped ones, and those that the change makes
    stale, by their ids."""

    added: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """All that is said of a comparison. *new_study*: the revision has no Experimentfile."""

    session: Session
    revision: Revision
    new_study: bool
    comparison: Comparison
    standings: Mapping[str, Standing] = field(default_factory=dict)

    @property
    def changed(self) -> list[Change]:
        return [change for change in self.comparison.changes if change.status != "unchanged"]


def against(
    session: Session, names: Sequence[str], where: str | None, revision: str, format: str, *, verbose: bool
) -> None:
    """Compare and print; nothing is written."""
    from .against_json import to_json
    from .against_markdown import to_markdown
    from .against_text import to_text
    from .output import json_text

    told = _compared(session, names, where, revision)
    if format == "json":
        click.echo(json_text(to_json(told)))
        return
    print_diagnostics(session.diagnostics)
    click.echo(to_markdown(told) if format == "markdown" else to_text(told, verbose=verbose))


def _compared(session: Session, names: Sequence[str], where: str | None, name: str) -> Told:
    session.checked()
    revision = _revision(session, name)
    past = PastSession(session, revision)
    old = past if past.has_study else None
    if old is not None:
        old.checked()
    standings = Standings(session.folder)
    known = dict.fromkeys([*session.tables, *(old.tables if old is not None else ())])
    chosen = [n for n in names if n in known] if set(names) <= known.keys() else session.experiments(names)
    before = _side(old, chosen, where, standings) if old is not None else None
    now = _side(session, chosen, where, standings)
    comparison = compare(before, now)
    freshness = Freshness(session, standings, now.plan)
    earlier = Freshness(old, standings, before.plan) if old is not None and before is not None else None
    found = {change.name: _standing(change, standings, freshness, earlier) for change in comparison.changes}
    return Told(session, revision, old is None, comparison, found)


def _revision(session: Session, name: str) -> Revision:
    repository = session.snapshot.repository
    found = find_revision(repository, name)
    if found is not None:
        return found
    help = "`git branch -a`, `git tag` and `git log --oneline` list what there is"
    if is_shallow(repository):
        help = "this clone is shallow: `git fetch --unshallow` gets the rest (actions/checkout: `fetch-depth: 0`)"
    return refuse(f"no commit, branch, tag or snapshot is called `{name}`", help=help)


def _side(session: Session, names: Sequence[str], where: str | None, standings: Standings) -> Side:
    wanted = [name for name in names if name in session.tables] if names else list(session.tables)
    rows = rows_where(session, wanted, where, standings)
    plan = session.plan(rows)
    snapshot, study = session.snapshot, session.checked()
    return Side(plan, lambda patterns: snapshot.code_files(patterns, study.sources))


def _standing(change: Change, standings: Standings, now: Freshness, then: Freshness | None) -> Standing:
    name = change.name
    if not standings.any(name):
        return Standing()

    def done(ids: Sequence[str]) -> tuple[str, ...]:
        return tuple(id for id in ids if standings.state(name, id) == "done")

    stale: tuple[str, ...] = ()
    if then is not None and change.kept and change.status == "altered":
        before = then.why(name)
        stale = tuple(id for id in change.kept if id in now.why(name) and id not in before)
    return Standing(done(change.added), done(change.dropped), stale)
