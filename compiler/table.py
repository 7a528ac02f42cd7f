"""The run table: every run of an experiment, column by column. No object stands for a run.

A column is a pool of distinct values and one code a row. A key that has one value in all rows is a constant and has
no column; the rows of a key that a point lacks have the code ``NONE_HERE``.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from .study import Experiment
from .values import ABSENT, Absent, Path, Value

NONE_HERE: Final = 0xFFFFFFFF


@dataclass(slots=True)
class Column:
    """*codes* is an ``array('I')``, a row a code; ``pool[code]`` is the value."""

    pool: list[Value]
    codes: array[int]

    def value(self, row: int) -> Value | Absent:
        code = self.codes[row]
        return ABSENT if code == NONE_HERE else self.pool[code]


@dataclass(slots=True)
class Parents:
    """Which rows of *experiment*'s table each row comes after.

    Without *offsets* each row has one parent, ``rows[i]``; with them row *i* has ``rows[offsets[i]:offsets[i + 1]]``.
    """

    experiment: str
    rows: array[int]  # 'I'
    offsets: array[int] | None = None  # 'Q', one more than there are rows

    def of(self, row: int) -> Sequence[int]:
        if self.offsets is None:
            return (self.rows[row],)
        return self.rows[self.offsets[row] : self.offsets[row + 1]]


@dataclass(slots=True)
class Table:
    """All runs of one experiment.

    *order* is every key in config order (group axes' labels included), *constants* and *columns* share them out.
    *axes* are the keys that grids, repeats and parents' points gave (what joins and listings look at first), in order.
    *digests* holds 8 bytes a row: the run ids, as ``identity`` makes them.
    """

    experiment: Experiment
    count: int
    order: tuple[Path, ...]
    constants: Mapping[Path, Value]
    columns: Mapping[Path, Column]
    axes: tuple[Path, ...]
    parents: tuple[Parents, ...] = ()
    digests: bytes = b""
    _ids: list[str] = field(default_factory=list, repr=False)

    def id(self, row: int) -> str:
        """Give the 16 hex digits of the run in *row*."""
        return self.digests[8 * row : 8 * row + 8].hex()

    def ids(self) -> Iterator[str]:
        whole = self.digests.hex()
        return (whole[i : i + 16] for i in range(0, len(whole), 16))

    def value(self, path: Path, row: int) -> Value | Absent:
        """Give the value of a key in a row; ``ABSENT`` where the point lacks it or nobody knows it."""
        if path in self.constants:
            return self.constants[path]
        column = self.columns.get(path)
        return ABSENT if column is None else column.value(row)

    def values(self, row: int) -> dict[Path, Value]:
        """Give the resolved values of one row by key, in order, absent ones left out."""
        found: dict[Path, Value] = {}
        for path in self.order:
            value = self.value(path, row)
            if not isinstance(value, Absent):
                found[path] = value
        return found


RunTables = Mapping[str, Table]
"""By experiment, parents before children."""
