"""``xpc list``: the runs that the Experimentfile describes now, one a row. Builds nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from xpc.compiler.values import Absent, dotted

from . import options
from .output import columns, count, json_text, print_diagnostics
from .session import Session, find_folder

if TYPE_CHECKING:
    from xpc.compiler.table import Table
    from xpc.compiler.values import Path as Key

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
    session.checked()
    standings = Standings(session.folder)
    names = session.experiments(experiments)
    chosen = chosen_rows(session, names, where, standings)
    if as_json:
        click.echo(json_text(list(records(session, standings, chosen))))
        return
    print_diagnostics(session.diagnostics)
    for line in lines(session, standings, chosen, show_command=show_command):
        click.echo(line)
    shown = sum(map(len, chosen.values()))
    click.echo(f"{shown:,} of {count(sum(session.tables[name].count for name in names), 'run')}.")


def lines(
    session: Session, standings: Standings, chosen: Mapping[str, Sequence[int]], *, show_command: bool
) -> Iterator[str]:
    """Give a table for each experiment, with as few columns as tell its runs apart."""
    from xpc.compiler.describe import id_length, varying

    length = id_length(session.tables.values())
    commands = Commands(session) if show_command else None
    for name, rows in chosen.items():
        table = session.tables[name]
        if not rows:
            continue
        keys: Sequence[Key] = () if show_command else varying([(table, rows)])
        body = [
            [table.id(row)[:length], standings.state(name, table.id(row)), *cells(table, keys, row)] for row in rows
        ]
        right = [False, False, *(all(is_number(table.value(key, row)) for row in rows) for key in keys)]
        laid = columns([["id", "status", *map(dotted, keys)], *body], right).split("\n")
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


def records(session: Session, standings: Standings, chosen: Mapping[str, Sequence[int]]) -> Iterator[dict[str, object]]:
    """Give the shape of `xpc list --json`, a run at a time."""
    commands = Commands(session)
    for name, rows in chosen.items():
        table = session.tables[name]
        for row in rows:
            run = table.id(row)
            record = standings.store.record(name, run)
            above = [(p.experiment, parent) for p in table.parents for parent in p.of(row)]
            yield {
                "id": run,
                "experiment": name,
                "status": standings.state(name, run),
                "stale": standings.state(name, run) == "done" and standings.is_stale(name, run, now(session, name)),
                "attempt": record.attempt if record is not None else 0,
                "config": {dotted(key): value for key, value in table.values(row).items()},
                "command": commands.of(name, row),
                "parents": [session.tables[experiment].id(parent) for experiment, parent in above],
                "folder": f"runs/{name}/{run}",
            }


def now(session: Session, experiment: str) -> dict[str, str]:
    """Give the fingerprint that the runs of an experiment would have if they were built now."""
    from .tally import fingerprint_fields

    return fingerprint_fields(session.pinned_plan.experiments[experiment])
