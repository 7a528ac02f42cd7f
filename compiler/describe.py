"""Tables to what a person looks for in them: the keys that tell runs apart, and the run that a short id means."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

from .identity import canonical
from .table import NONE_HERE, Table
from .values import Path

SHORTEST_ID: Final = 7


def differing_keys(table: Table) -> tuple[Path, ...]:
    """Give the keys whose values differ between the rows of a table, or that some rows lack; axes first."""
    axes = [path for path in table.axes if path in table.columns]
    return tuple(dict.fromkeys([*axes, *(path for path in table.order if path in table.columns)]))


def varying(selection: Iterable[tuple[Table, Sequence[int]]]) -> tuple[Path, ...]:
    """Give the keys whose values differ between the chosen rows of some tables; axes first.

    A key that some of the tables lack altogether differs only if it does so in the others.
    """
    chosen = [(table, rows) for table, rows in selection if rows]
    axes = dict.fromkeys(path for table, _ in chosen for path in table.axes)
    order = dict.fromkeys([*axes, *(path for table, _ in chosen for path in table.order)])
    return tuple(path for path in order if _differs(path, chosen))


def _differs(path: Path, chosen: Sequence[tuple[Table, Sequence[int]]]) -> bool:
    found: set[str | None] = set()
    for table, rows in chosen:
        column = table.columns.get(path)
        if column is not None:
            codes = {column.codes[row] for row in rows}
            found.update(None if code == NONE_HERE else canonical(column.pool[code]) for code in codes)
        elif path in table.constants:
            found.add(canonical(table.constants[path]))
        if len(found) > 1:
            return True
    return False


def rows_of(table: Table, prefix: str) -> list[int]:
    """Give the rows whose id begins with *prefix* (hex digits, in any case)."""
    whole, wanted = table.digests.hex(), prefix.lower()
    found: list[int] = []
    at = whole.find(wanted) if wanted else -1
    while at >= 0:
        row, inside = divmod(at, 16)
        if not inside and len(wanted) <= 16:
            found.append(row)
        at = whole.find(wanted, at + 1)
    return found


def row_of(table: Table, prefix: str) -> int | None:
    """Give the one row whose id begins with *prefix*; nothing if there is none, or more than one."""
    rows = rows_of(table, prefix)
    return rows[0] if len(rows) == 1 else None


def id_length(tables: Iterable[Table]) -> int:
    """Give how many digits, 7 or more, tell all ids of some tables apart."""
    ids = sorted(one for table in tables for one in table.ids())
    longest = SHORTEST_ID
    for before, after in pairwise(ids):
        if before != after and before[:longest] == after[:longest]:
            longest = 1 + next(i for i in range(16) if before[i] != after[i])
    return longest
