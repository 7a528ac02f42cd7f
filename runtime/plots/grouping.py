"""What tells the traces of a plot apart, and the groups of runs behind each of its points."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Final

from ...grammar import tree
from ..query.cells import label as text_of
from ..query.expressions import Column
from ..query.lookup import Field
from ..query.parts import Parts
from ..query.rows import GroupRows, RunRows
from ..query.values import frozen
from ..query.walk import shape
from .scales import value_text

_PLAIN: Final = {int, float, str, type(None)}


@dataclass(frozen=True, slots=True)
class Grouping:
    """Columns that are the same in a group; *keys*: their expressions, *combinations*: what is the same, row by row."""

    keys: tuple[tree.Expr, ...]
    columns: tuple[Column, ...]
    combinations: Sequence[tuple[Hashable, ...]]

    @property
    def legend(self) -> str:
        return ", ".join(text_of(key) for key in self.keys)

    def label(self, row: int) -> str:
        return ", ".join(value_text(column[row]) for column in self.columns)

    def groups(self, rows: Sequence[int]) -> list[list[int]]:
        """Part *rows*, in the order in which the combinations come first."""
        found: dict[tuple[Hashable, ...], list[int]] = {}
        combinations = self.combinations
        for row in rows:
            found.setdefault(combinations[row], []).append(row)
        return list(found.values())

    def with_more(self, other: Grouping) -> Grouping:
        """Give the groups by both."""
        both = [(*own, *more) for own, more in zip(self.combinations, other.combinations, strict=True)]
        return Grouping((*self.keys, *other.keys), (*self.columns, *other.columns), both)


def group_by(keys: Sequence[tree.Expr], rows: RunRows) -> Grouping | None:
    """Evaluate the keys; nothing if one is wrong, which has been reported."""
    columns = [rows.key(key) for key in keys]
    known = tuple(column for column in columns if column is not None)
    if len(known) < len(keys):
        return None
    return Grouping(tuple(keys), known, list(zip(*map(_hashable, known), strict=True)) if known else [()] * rows.size)


def _hashable(column: Column) -> Sequence[Hashable]:
    """Give values that are equal where those of the column are the same; plain ones stand for themselves."""
    return column if set(map(type, column)) <= _PLAIN else [frozen(value) for value in column]


def trace_keys(plot: tree.Plot, parts: Parts, rows: RunRows, taken: Sequence[tree.Expr]) -> tuple[tree.Expr, ...]:
    """Give what a plot is `by`: what it says, else what its clauses group by and no channel has *taken*."""
    if plot.by or parts.group_by is None:
        return plot.by
    catalog = rows.context.catalog
    used = {shape(expr, catalog) for expr in taken}
    return tuple(key for key in parts.group_by.keys if shape(key, catalog) not in used)


def over(rows: RunRows, groups: Sequence[Sequence[int]], keys: Sequence[Grouping]) -> GroupRows:
    """Give the groups as rows, so that functions over runs can be taken of them."""
    catalog = rows.context.catalog
    columns = {
        shape(key, catalog): [column[group[0]] for group in groups]
        for grouping in keys
        for key, column in zip(grouping.keys, grouping.columns, strict=True)
    }
    return GroupRows(rows, groups, columns)


def run_ids(rows: RunRows, group: Sequence[int]) -> tuple[str, ...]:
    """Give the ids of the runs in a group, each once."""
    ids = rows.runs.column(Field("id"))
    return tuple(dict.fromkeys(ids[rows.rows[i]] for i in group))
