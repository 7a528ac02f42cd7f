"""``xpc accept``: keep results though something has changed since, and say so on record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import options
from .build_summary import REASONS
from .failure import FINE
from .output import count, json_text, print_diagnostics
from .session import Session, find_folder

if TYPE_CHECKING:
    from xpc.runtime.accepted import Acceptance

    from .standing import Standings


@click.command()
@options.experiments
@options.settings
@options.where
@click.option(
    "--rename", "renames", metavar="OLD=NEW", multiple=True, help="An experiment or a key has another name now."
)
@click.option("--reason", metavar="TEXT", help="Why the results still hold; `xpc show` tells it.")
@click.option("--yes", is_flag=True, help="Do it; without this nothing is written.")
@options.as_json
def command(
    experiments: tuple[str, ...],
    settings: tuple[str, ...],
    where: str | None,
    renames: tuple[str, ...],
    reason: str | None,
    yes: bool,
    as_json: bool,
) -> int:
    """Keep the results of stale runs, as after a change of a comment: they count as those of the present code.

    Nothing of a run is changed. Who accepted it, when and why is kept in `.xpc/accepted`, and `xpc show` tells it.
    With --rename the runs that ended under an old name are moved to where the new one puts them, and then accepted.
    Without --yes it says what it would do.

    \b
    Example:  xpc accept train --reason "only a comment" --yes
              xpc accept --rename optimizer.lr=opt.lr --yes
    """
    session = Session(find_folder(Path.cwd()), settings)
    session.writes = yes
    session.checked()
    if renames:
        if experiments or where is not None:
            raise click.UsageError("--rename moves all runs of an old name; leave out the experiments and --where.")
        return _rename(session, renames, reason, yes=yes, as_json=as_json)
    from .selecting import chosen_rows
    from .standing import Standings

    standings = Standings(session.folder)
    chosen = chosen_rows(session, session.experiments(experiments), where, standings)
    found = acceptances(session, standings, chosen, reason)
    print_diagnostics(session.diagnostics)
    if yes:
        _write(session, found)
    click.echo(json_text(to_json(found, done=yes)) if as_json else "\n".join(told(found, done=yes)))
    return FINE


def _rename(session: Session, texts: Sequence[str], reason: str | None, *, yes: bool, as_json: bool) -> int:
    """Move what ended under old names, and accept what is stale of it for that alone: its command names other keys."""
    from . import renaming
    from .standing import Standings

    moves = renaming.moves_of(session, renaming.renames_of(session, texts))
    standings = Standings(session.folder)
    if not yes:
        found = renaming.look(standings.store, moves)
        if as_json:
            click.echo(json_text(to_json([], done=False) | {"moved": renaming.to_json(found)}))
            return FINE
        lines = renaming.told(found, done=False) or ["Nothing to move: no run has ended under that name."]
        end = (
            ["", "Nothing was written. `--yes` moves them, and accepts what is stale for the new names alone."]
            if found.moves
            else []
        )
        click.echo("\n".join([*lines, *end]))
        return FINE
    _ = session.pinned_plan  # what it finds fault with comes before the first move
    found = renaming.carry_out(session, moves)
    standings.store.refresh()
    chosen = renaming.moved_rows(session.tables, standings.store, found.moves, moves)
    stale = acceptances(session, standings, chosen, reason or f"renamed: {', '.join(texts)}")
    accepted = [each for each in stale if renaming.is_of_names(each)]
    print_diagnostics(session.diagnostics)
    _write(session, accepted)
    if as_json:
        click.echo(json_text(to_json(accepted, done=True) | {"moved": renaming.to_json(found)}))
        return FINE
    lines = renaming.told(found, done=True) or ["Nothing to move: no run has ended under that name."]
    left = [each for each in stale if not renaming.is_of_names(each)]
    if left:
        lines += [*told(left, done=False)[:-2], "`xpc accept` keeps what is stale for more than the new names."]
    click.echo("\n".join([*lines, *(told(accepted, done=True) if accepted else [])]))
    return FINE


def _write(session: Session, found: Sequence[Acceptance]) -> None:
    if found:
        from xpc.runtime.accepted import signed, write_accepted

        write_accepted(session.folder, [signed(each) for each in found])


def acceptances(
    session: Session, standings: Standings, chosen: Mapping[str, Sequence[int]], reason: str | None
) -> list[Acceptance]:
    """Give what to accept of the chosen rows: the stale runs, grouped by what they ran with and what changed."""
    from xpc.runtime.accepted import Acceptance

    from .freshness import Freshness
    from .stale_causes import fingerprint_fields

    plan = session.pinned_plan
    freshness = Freshness(session, standings, plan)
    found: list[Acceptance] = []
    for name, rows in chosen.items():
        if name not in plan.experiments or not rows:
            continue
        why, wanted = freshness.why(name), {session.tables[name].id(row) for row in rows}
        groups: dict[tuple[str, str], list[str]] = {}
        for id, stale in why.items():
            if id in wanted and isinstance(stale.recorded, dict):
                groups.setdefault((stale.kind, json_text(stale.recorded)), []).append(id)
        now = fingerprint_fields(plan.experiments[name])
        for (kind, _), ids in groups.items():
            lineage = {id: why[id].lineage for id in ids if why[id].lineage}
            recorded, tree = why[ids[0]].recorded, session.snapshot.tree
            found.append(Acceptance(name, tuple(ids), recorded, now, tree, lineage, reason, kind))
    return found


def told(found: Sequence[Acceptance], *, done: bool) -> list[str]:
    """Say which runs, and what has changed since they ran."""
    if not found:
        return ["Nothing to accept: no run is stale."]
    verb = "accepted" if done else "stale"
    groups: dict[tuple[str, str], int] = {}
    for each in found:
        groups[each.experiment, each.what] = groups.get((each.experiment, each.what), 0) + len(each.runs)
    reasons = [(name, what, runs) for (name, what), runs in groups.items()]
    lines = [f"{verb}: {count(runs, 'run')} of {name}: {what}" for name, what, runs in reasons[:REASONS]]
    if more := reasons[REASONS:]:
        lines.append(f"{verb}: {count(sum(runs for *_, runs in more), 'run')} more")
    total = sum(len(each.runs) for each in found)
    if done:
        return [*lines, "", f"{count(total, 'run')} {'counts' if total == 1 else 'count'} as done by the present code."]
    return [*lines, "", "Nothing was written. `xpc accept --yes` keeps these results as those of the present code."]


def to_json(found: Sequence[Acceptance], *, done: bool) -> dict[str, object]:
    """Give the shape of `xpc accept --json`."""
    groups = [{"experiment": each.experiment, "runs": list(each.runs), "why": each.what} for each in found]
    return {"schema": "xpc.accept/1", "done": done, "accepted": groups}
