"""What is asked of a whole column at once: by the types in it, most columns need no look at each value."""

from __future__ import annotations

import operator
from collections.abc import Collection, Hashable, Sequence
from itertools import compress
from typing import Final

from .planned import Value
from .values import frozen, kind

NUMBERS: Final = frozenset((int, float))
PLAIN: Final = frozenset((int, float, str, type(None)))  # equal ones are the same, and each can be a key


def types(column: Sequence[Value]) -> set[type]:
    return set(map(type, column))


def first_other(column: Sequence[Value], kinds: Collection[str]) -> Value:
    """Give the first value whose kind is not among *kinds* (`null` is); nothing if there is none."""
    if kinds == ("null", "number") and types(column) <= NUMBERS | {type(None)}:
        return None
    return next((value for value in column if kind(value) not in kinds), None)


def frozen_column(column: Sequence[Value]) -> Sequence[Hashable]:
    """Give each value as a key; see `values.frozen`."""
    return column if types(column) <= PLAIN else list(map(frozen, column))


def grouped(columns: Sequence[Sequence[Value]], size: int) -> dict[tuple[Hashable, ...], list[int]]:
    """Give the rows of each combination of values, in the order in which these come first."""
    if not columns:
        return {(): list(range(size))} if size else {}
    found: dict[tuple[Hashable, ...], list[int]] = {}
    keys = zip(*map(frozen_column, columns), strict=True)
    for row, key in enumerate(keys):
        rows = found.get(key)
        if rows is None:
            found[key] = [row]
        else:
            rows.append(row)
    return found


def known_at(column: Sequence[Value], rows: Sequence[int]) -> list[Value]:
    """Give the values at some rows, less nulls."""
    values = list(map(column.__getitem__, rows))
    return [value for value in values if value is not None] if None in values else values


def are_equal(left: Sequence[Value], right: Sequence[Value]) -> list[bool] | None:
    """Compare row by row; nothing if there are kinds for which equality is more than Python's."""
    both = types(left) | types(right)
    return list(map(operator.eq, left, right)) if both <= NUMBERS or both == {str} else None


def where(rows: Sequence[int], holds: Sequence[bool]) -> list[int]:
    """Give those of ascending *rows* for which it holds; *holds* has a value for every row that there is."""
    if len(rows) == len(holds):
        return list(compress(rows, holds))
    return [row for row in rows if holds[row]]
