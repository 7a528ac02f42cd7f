"""Which rows of the tables a command is about: named experiments, `--where`, and the parents that those need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from xpc.compiler.table import Table

if TYPE_CHECKING:
    from .session import Session
    from .standing import Standings


def rows_where(
    session: Session, names: Sequence[str], where: str | None, standings: Standings
) -> dict[str, Sequence[int]] | None:
    """Give the chosen rows of each table with those that they come after; nothing if that is all there is."""
    if where is None and set(names) == set(session.tables):
        return None
    chosen: dict[str, Sequence[int]] = {name: range(session.tables[name].count) for name in names}
    if where is not None:
        from .viewing import matching

        chosen = matching(session, chosen, where, standings)
    return with_ancestors(session.tables, chosen)


def with_ancestors(tables: Mapping[str, Table], chosen: Mapping[str, Sequence[int]]) -> dict[str, Sequence[int]]:
    """Add to the chosen rows all rows that these come after, however far up."""
    wanted = {name: set(rows) for name, rows in chosen.items()}
    for name in reversed(list(tables)):
        for parents in tables[name].parents:
            above = wanted.setdefault(parents.experiment, set())
            for row in wanted.get(name, ()):
                above.update(parents.of(row))
    return {name: sorted(wanted[name]) for name in tables if wanted.get(name)}
