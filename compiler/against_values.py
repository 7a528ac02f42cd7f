"""Two tables of one experiment to the keys whose values differ between them."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence

from ..grammar.node import Node
from .identity import canonical
from .table import NONE_HERE, Table
from .values import Absent, Path, Value

Used = Mapping[str, Value]
"""Values by their canonical text, in the order in which rows have them."""


class ValueChange(Node):
    """What a key was and is; nothing on a side that does not know the key."""

    key: Path
    before: tuple[Value, ...] | None
    now: tuple[Value, ...] | None

    @property
    def added(self) -> tuple[Value, ...]:
        return _without(self.now or (), self.before or ())

    @property
    def dropped(self) -> tuple[Value, ...]:
        return _without(self.before or (), self.now or ())


def value_changes(
    before: tuple[Table, Sequence[int]], now: tuple[Table, Sequence[int]], told: Container[ValueChange] = ()
) -> tuple[ValueChange, ...]:
    """Give the keys that have other values in the rows of the one table than in those of the other.

    What is in *told* (of the experiments that this one comes after) is left out.
    """
    found = []
    for key in dict.fromkeys([*now[0].order, *before[0].order]):
        old, new = used(*before, key), used(*now, key)
        if old.keys() != new.keys() or (key in before[0].order) != (key in now[0].order):
            was = tuple(old.values()) if key in before[0].order else None
            change = ValueChange(key, was, tuple(new.values()) if key in now[0].order else None)
            if change not in told:
                found.append(change)
    return tuple(found)


def used(table: Table, rows: Sequence[int], key: Path) -> Used:
    """Give the values that a key has in some rows."""
    column = table.columns.get(key)
    if column is None:
        value = table.value(key, 0) if rows else None
        return {} if isinstance(value, Absent) or not rows else {canonical(value): value}
    whole = len(rows) == table.count
    codes = dict.fromkeys(column.codes if whole else (column.codes[row] for row in rows))
    return {canonical(column.pool[code]): column.pool[code] for code in codes if code != NONE_HERE}


def _without(values: Sequence[Value], others: Sequence[Value]) -> tuple[Value, ...]:
    known = set(map(canonical, others))
    return tuple(value for value in values if canonical(value) not in known)
