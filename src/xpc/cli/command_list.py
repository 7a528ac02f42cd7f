"""``xpc list``: the runs that the Experimentfile describes now, one a row. Builds nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import click

from xpc.compiler.values import Absent, dotted
from xpc.grammar.screen import visible

from . import options
from .output import columns, count, json_text, print_diagnostics
from .session import Session, find_folder

if TYPE_CHECKING:
    from xpc.compiler.table import Table
    from xpc.compiler.values import Path as Key
    from xpc.runtime.states import State

    from .freshness import Freshness
    from .standing import Standings


@click.command()
@options.rescan
@options.experiments
@options.settings
@options.where
@click.option("--command", "show_command", is_flag=True, help="Show each run's command line.")
@options.as_json
def command(
    experiments: tuple[str, ...],
    settings: tuple[str, ...],
    where: str | None,
    show_command: bool,
    as_json: bool,
) -> None:
    """List the runs that the Experimentfile describes now: id, status, and the keys that differ. Builds nothing.

    \b
    Example:  xpc list train --where "seed == 0"
    """
    from .selecting import chosen_rows
    from .standing import Standings

    session = Session(find_folder(Path.cwd()), settings)
    session.writes = False
    session.checked()
    standings = Standings(session.folder)
    names = session.experiments(experiments)
    chosen = chosen_rows(session, names, where, standings)
    why = Why(session, standings)
    if as_json:
        click.echo(json_text(list(records(session, standings, chosen, why))))
        return
    print_diagnostics(session.diagnostics)
    for line in lines(session, standings, chosen, why, show_command=show_command):
        click.echo(line)
    shown = sum(map(len, chosen.values()))
    click.echo(f"{shown:,} of {count(sum(session.tables[name].count for name in names), 'run')}.")


def lines(
    session: Session,
    standings: Standings,
    chosen: Mapping[str, Sequence[int]],
    why: Why,
    *,
    show_command: bool = False,
    called: Callable[[State, str], str] = lambda state, _: state,
) -> Iterator[str]:
    """Give a table for each experiment, with as few columns as tell its runs apart.

    *called* gives the word for a state with its reason.
    """
    from xpc.compiler.describe import id_length, varying
    from xpc.runtime.query.view import View

    length = id_length(session.tables.values())
    commands = Commands(session) if show_command else None
    view = View(session.tables, standings.store)
    for name, rows in chosen.items():
        table = session.tables[name]
        if not rows:
            continue
        keys: Sequence[Key] = () if show_command else varying([(table, rows)])
        states = [view.states(name)[row] for row in rows]
        reasons = [why.of(name, table.id(row), state) for row, state in zip(rows, states, strict=True)]
        told = ["why"] if any(reasons) else []
        body = [
            [table.id(row)[:length], called(state, reason), *cells(table, keys, row), *([reason] if told else [])]
            for row, state, reason in zip(rows, states, reasons, strict=True)
        ]
        right = [False, False, *(all(is_number(table.value(key, row)) for row in rows) for key in keys)]
        right += [False for _ in told]
        laid = columns([["id", "status", *map(dotted, keys), *told], *body], right).split("\n")
        if len(chosen) > 1:
            yield f"{name}:"
        if commands is None:
            yield from laid
        else:
            width = max(map(len, laid))
            yield from (
                f"{line:{width}}  {commands.written(name, row)}" for line, row in zip(laid[1:], rows, strict=True)
            )


def cells(table: Table, keys: Sequence[Key], row: int) -> list[str]:
    """Give the values of some keys as they are shown; empty where the point lacks one."""
    from xpc.compiler.format import format_value

    values = [table.value(key, row) for key in keys]
    return ["" if isinstance(value, Absent) else format_value(value) for value in values]


def is_number(value: object) -> bool:
    return isinstance(value, int | float | Absent) and not isinstance(value, bool)


class Why:
    """Why runs stand as they do: what has changed since for those that are stale, how others ended.

    Who knows the freshness of the runs already gives it.
    """

    def __init__(self, session: Session, standings: Standings, freshness: Freshness | None = None) -> None:
        self._session = session
        self._standings = standings
        self._given = freshness

    def of(self, experiment: str, id: str, state: State) -> str:
        """Give what there is to say of a run; nothing of most."""
        if state == "done":
            why = self.stale(experiment, id)
            return f"stale: {why}" if why else ""
        if state == "planned":
            return ""
        reason = self._standings.store.field(experiment, [id], "reason")[0]
        return visible(reason) if isinstance(reason, str) else ""

    def stale(self, experiment: str, id: str) -> str:
        """Give what has changed since a run was done, if the code can be looked at. Only then it is."""
        found = self._freshness.why(experiment).get(id) if self._freshness is not None else None
        return found.why if found is not None else ""

    @cached_property
    def _freshness(self) -> Freshness | None:
        from .freshness import Freshness

        if self._given is not None:
            return self._given
        if not self._session.may_pin():
            return None
        return Freshness(self._session, self._standings, self._session.pinned_plan)


class Commands:
    """The command lines of a study's runs, as one would type them, with paths relative to the project."""

    def __init__(self, session: Session) -> None:
        self.plan = session.plan(pinned=False)
        self._places = {
            name: {planned.row(index): index for index in range(planned.runs)}
            for name, planned in self.plan.experiments.items()
        }

    def of(self, experiment: str, row: int) -> list[str] | str:
        """Give the words of a command, or the text of a script."""
        from xpc.compiler.plan_command import command_of

        return command_of(self.plan, experiment, self._places[experiment][row])

    def written(self, experiment: str, row: int) -> str:
        import shlex

        found = self.of(experiment, row)
        return found if isinstance(found, str) else shlex.join(found)


def records(
    session: Session, standings: Standings, chosen: Mapping[str, Sequence[int]], why: Why
) -> Iterator[dict[str, object]]:
    """Give the shape of `xpc list --json`, a run at a time."""
    from xpc.runtime.query.view import View

    commands = Commands(session)
    view = View(session.tables, standings.store)
    for name, rows in chosen.items():
        table = session.tables[name]
        for row in rows:
            run = table.id(row)
            record = standings.store.record(name, run)
            state = view.states(name)[row]
            above = [(p.experiment, parent) for p in table.parents for parent in p.of(row)]
            yield {
                "id": run,
                "experiment": name,
                "status": state,
                "stale": state == "done" and bool(why.stale(name, run)),
                "why": why.of(name, run, state) or None,
                "attempt": record.attempt if record is not None else 0,
                "config": {dotted(key): value for key, value in table.values(row).items()},
                "command": commands.of(name, row),
                "parents": [session.tables[experiment].id(parent) for experiment, parent in above],
                "folder": f"runs/{name}/{run}",
            }
