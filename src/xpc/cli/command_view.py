"""``xpc view``: a tree of links for people who browse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import options
from .failure import AT_FAULT, FINE
from .output import count, print_diagnostics
from .session import Session, find_folder

if TYPE_CHECKING:
    from .standing import Standings


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@options.experiments
@click.option("--by", "keys", metavar="KEY,…", required=True, help="The keys (or fields, as in a query), in order.")
@options.where
@options.rescan
def command(folder: Path, experiments: tuple[str, ...], keys: str, where: str | None) -> int:
    """Make a tree of links in FOLDER that leads to the runs by the values of some keys.

    Made again, it is brought up to date: links of its own that are stale go, anything else stays.

    \b
    Example:  xpc view by-rate --by optimizer.lr,seed --where "status == done"
    """
    from xpc.runtime.view_tree import link, placed

    from .selecting import chosen_rows
    from .standing import Standings

    session = Session(find_folder(Path.cwd()))
    session.checked()
    standings = Standings(session.folder)
    names = session.experiments(experiments)
    rows = chosen_rows(session, names, where, standings)
    store = standings.store
    asked = valued(session, standings, rows, keys.split(","))
    found = [run for run in asked if Path(store.folder(run[0], run[1])).is_dir()]
    session.stop_if_failed()
    done = link(session.folder, folder, placed(found, several=len(names) > 1), session.diagnostics)
    if done is None:
        print_diagnostics(session.diagnostics)
        return AT_FAULT
    removed = f", {done.removed:,} removed" if done.removed else ""
    click.echo(f"{count(done.made + done.kept, 'link')} in {folder}: {done.made:,} made, {done.kept:,} kept{removed}.")
    without = sum(map(len, rows.values())) - len(found)
    if without:
        click.echo(f"{count(without, 'run')} left out: not started, or packed.")
    return FINE


def valued(
    session: Session, standings: Standings, rows: Mapping[str, Sequence[int]], keys: Sequence[str]
) -> list[tuple[str, str, list[Any]]]:
    """Give experiment, id and the values of the keys of the chosen rows; a key with a mistake is reported."""
    from xpc.grammar.parser import parse_expression
    from xpc.grammar.source import Source
    from xpc.runtime.query.context import context_of
    from xpc.runtime.query.rows import RunRows
    from xpc.runtime.query.view import Runs

    from .viewing import view_of

    view, names = view_of(session, standings), list(rows)
    every = Runs(view, names)
    frame = RunRows(context_of(view, names, session.diagnostics), every, range(every.size))
    parsed = [parse_expression(Source("--by", key.strip()), session.diagnostics) for key in keys]
    columns = [frame.evaluate(expr) for expr in parsed if expr is not None]
    known = [column for column in columns if column is not None]
    found: list[tuple[str, str, list[Any]]] = []
    start = 0
    for name in names:
        ids = view.ids(name)
        found += [(name, ids[row], [column[start + row] for column in known]) for row in rows[name]]
        start += len(ids)
    return found
