"""Which rows of the tables a command is about: named experiments, `--where`, and the parents that those need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NoReturn

from xpc.compiler.table import Table

from .failure import refuse

if TYPE_CHECKING:
    from .session import Session
    from .standing import Standings


def rows_where(
    session: Session, names: Sequence[str], where: str | None, standings: Standings
) -> dict[str, Sequence[int]] | None:
    """Give the chosen rows of each table with those that they come after; nothing if that is all there is."""
    if where is None and set(names) == set(session.tables):
        return None
    return with_ancestors(session.tables, chosen_rows(session, names, where, standings))


def chosen_rows(
    session: Session, names: Sequence[str], where: str | None, standings: Standings
) -> dict[str, Sequence[int]]:
    """Give the rows of the named experiments for which *where* holds (none: all)."""
    chosen: dict[str, Sequence[int]] = {name: range(session.tables[name].count) for name in names}
    if where is None:
        return chosen
    from .viewing import matching

    return matching(session, chosen, where, standings)


def rows_named(session: Session, prefixes: Sequence[str]) -> dict[str, Sequence[int]]:
    """Give the rows of the runs that ids, or their beginnings, name; a command ends if one names none or several."""
    from xpc.compiler.describe import rows_of

    found: dict[str, list[int]] = {}
    for prefix in prefixes:
        hits = [(name, row) for name, table in session.tables.items() for row in rows_of(table, prefix)]
        if len(hits) != 1:
            refuse_run(prefix, [f"{session.tables[name].id(row)} of {name}" for name, row in hits])
        name, row = hits[0]
        found.setdefault(name, []).append(row)
    return {name: sorted(set(rows)) for name, rows in found.items()}


def refuse_run(prefix: str, hits: Sequence[str]) -> NoReturn:
    """End the command: no run, or several, have ids that begin with *prefix*."""
    if hits:
        refuse(f"{len(hits)} runs begin with `{prefix}`", help="write more digits: " + ", ".join(hits[:5]))
    refuse(f"no run begins with `{prefix}`", help="`xpc list` shows the ids")


def with_ancestors(tables: Mapping[str, Table], chosen: Mapping[str, Sequence[int]]) -> dict[str, Sequence[int]]:
    """Add to the chosen rows all rows that these come after, however far up."""
    wanted = {name: set(rows) for name, rows in chosen.items()}
    for name in reversed(list(tables)):
        for parents in tables[name].parents:
            above = wanted.setdefault(parents.experiment, set())
            for row in wanted.get(name, ()):
                above.update(parents.of(row))
    return {name: sorted(wanted[name]) for name in tables if wanted.get(name)}
