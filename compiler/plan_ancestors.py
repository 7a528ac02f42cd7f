"""A run table and those above it to the ancestors of each run, in any experiment that it comes after."""

from __future__ import annotations

from array import array
from collections.abc import Mapping

from .table import Parents, Table


class Ancestry:
    """The ancestors of one experiment's runs; each experiment's are found when they are first asked for."""

    def __init__(self, table: Table, tables: Mapping[str, Table]) -> None:
        self.table = table
        self.tables = tables
        self._found: dict[str, Parents] = {}

    def of(self, experiment: str) -> Parents:
        """Give the rows of *experiment*'s table that each run comes after, near or far, each once."""
        if experiment not in self._found:
            self._found[experiment] = _above(self.table, experiment, self.tables)
        return self._found[experiment]

    def is_single(self, experiment: str) -> bool:
        """Tell whether each run has exactly one ancestor there."""
        return self.of(experiment).offsets is None


def _above(table: Table, experiment: str, tables: Mapping[str, Table]) -> Parents:
    ways: list[Parents] = []
    for parents in table.parents:
        if parents.experiment == experiment:
            ways.append(parents)
        elif parents.experiment in tables:
            further = _above(tables[parents.experiment], experiment, tables)
            if further.rows or further.offsets is None:
                ways.append(_through(parents, further))
    if not ways:
        return Parents(experiment, array("I"), array("Q", bytes(8 * (table.count + 1))))
    found = ways[0]
    for way in ways[1:]:
        found = _both(found, way, table.count)
    return found


def _through(parents: Parents, above: Parents) -> Parents:
    """Give the ancestors that the parents' ancestors are."""
    if above.offsets is None:
        rows = array("I", map(above.rows.__getitem__, parents.rows))
        if parents.offsets is None:
            return Parents(above.experiment, rows)
        return _gathered(
            above.experiment, [rows[a:b] for a, b in zip(parents.offsets, parents.offsets[1:], strict=False)]
        )
    count = len(parents.rows) if parents.offsets is None else len(parents.offsets) - 1
    return _gathered(
        above.experiment, [[far for near in parents.of(i) for far in above.of(near)] for i in range(count)]
    )


def _both(left: Parents, right: Parents, count: int) -> Parents:
    """Give what either way leads to; where both lead to the same, that."""
    if left.offsets is None and right.offsets is None and left.rows == right.rows:
        return left
    return _gathered(left.experiment, [[*left.of(i), *right.of(i)] for i in range(count)])


def _gathered(experiment: str, lists: list[array[int]] | list[list[int]]) -> Parents:
    rows, offsets = array("I"), array("Q", [0])
    for found in lists:
        rows.extend(dict.fromkeys(found))
        offsets.append(len(rows))
    return Parents(experiment, rows, offsets)
