"""Columns of codes and what can be done with whole frames of them: multiply, select, join together, reorder.

A frame is what a grid has made so far: a row a point, a column a key that the grid sets. Nothing here looks at a row
by itself; a million rows cost a few array operations. Pools never change once they are in a frame, frames share them.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import compress
from typing import Final, NamedTuple, cast

from ..grammar.source import Span
from .identity import canonical
from .study import Code
from .table import NONE_HERE
from .values import Path, Value

Cell = Value | Code
"""What a pool may hold while a grid is expanded: a late value is still its code."""

HIDDEN: Final = "\0"
"""First segment of columns that are no keys: where a row came from, which constraints wait for it."""


_HASHED: Final = frozenset((float, int, str))


class Cells:
    """One column. Without *codes* every row has the only value of the pool."""

    __slots__ = ("codes", "pool")

    def __init__(self, pool: Sequence[Cell], codes: array[int] | None) -> None:
        self.pool = pool
        self.codes = codes

    def spread(self, count: int) -> array[int]:
        """Give one code a row, for *count* rows."""
        return array("I", bytes(4 * count)) if self.codes is None else self.codes


class Origin(NamedTuple):
    """Who has set a key: an ``axis``, a ``value`` (``key = expr``), an ``overlay`` (a config), a ``parent``."""

    kind: str
    span: Span
    grid: str


def plain(cell: Cell) -> Value:
    """Give a cell of a resolved column, which holds no code."""
    return cast("Value", cell)


class Pool:
    """Distinct values in the order in which they first came. 1 and 1.0 are one; true, 1, "1" and null are four."""

    __slots__ = ("codes", "values")

    def __init__(self) -> None:
        self.values: list[Cell] = []
        self.codes: dict[object, int] = {}

    def code(self, value: Cell) -> int:
        key = value if type(value) in _HASHED else sameness(value)
        found = self.codes.get(key)
        if found is None:
            found = self.codes[key] = len(self.values)
            self.values.append(value)
        return found


def sameness(value: Cell) -> object:
    """Give something hashable that is equal for equal values only."""
    match value:
        case bool():
            return (value,)  # as a key of a dictionary, true would be 1
        case None | str() | int() | float():
            return value
        case Code():
            return (id(value), "code")
        case _:
            return (canonical(value), "json")


class Frame:
    """*count* points with the *columns* that they have so far; *origins* tells who has set each key.

    *factors* are the sizes that were multiplied, for the message about too many points.
    """

    __slots__ = ("columns", "count", "factors", "origins")

    def __init__(
        self,
        count: int,
        columns: dict[Path, Cells],
        origins: dict[Path, Origin],
        factors: tuple[tuple[str, int], ...] = (),
    ) -> None:
        self.count = count
        self.columns = columns
        self.origins = origins
        self.factors = factors

    def paths(self) -> Iterator[Path]:
        """Give the keys that rows have, in the order in which they were set."""
        return (path for path in self.columns if path[0] != HIDDEN)

    def with_columns(self, columns: Mapping[Path, Cells], origins: Mapping[Path, Origin] | None = None) -> Frame:
        return Frame(self.count, {**self.columns, **columns}, {**self.origins, **(origins or {})}, self.factors)

    def without(self, *paths: Path) -> Frame:
        columns = {path: cells for path, cells in self.columns.items() if path not in paths}
        return Frame(self.count, columns, self.origins, self.factors)

    def repeated(self, times: int) -> Frame:
        """Give each row *times* times in a row."""
        return self.each(lambda codes: repeat_each(codes, times), self.count * times)

    def select(self, mask: bytes | bytearray, count: int) -> Frame:
        """Give the *count* rows where *mask* is not 0."""
        if count == self.count:
            return self
        return self.each(lambda codes: array("I", compress(codes, mask)), count)

    def reordered(self, rows: Sequence[int]) -> Frame:
        """Give the rows with these numbers, in this order."""
        return self.each(lambda codes: array("I", map(codes.__getitem__, rows)), len(rows))

    def each(self, change: Callable[[array[int]], array[int]], count: int) -> Frame:
        """Give the frame with every array of codes changed; columns that share an array go on sharing one."""
        done: dict[int, array[int]] = {}
        columns: dict[Path, Cells] = {}
        for path, cells in self.columns.items():
            codes = cells.codes
            if codes is not None:
                codes = done.get(id(codes)) or done.setdefault(id(codes), change(codes))
            columns[path] = Cells(cells.pool, codes)
        return Frame(count, columns, self.origins, self.factors)


def one_row() -> Frame:
    """Give the point that nothing has been set in: what a product begins with."""
    return Frame(1, {}, {})


def repeat_each(codes: array[int], times: int) -> array[int]:
    """Give every code *times* times in a row."""
    if times == 1 or not codes:
        return codes
    if times > len(codes):
        return array("I", b"".join([codes[i : i + 1].tobytes() * times for i in range(len(codes))]))
    found = array("I", bytes(4 * len(codes) * times))
    for i in range(times):
        found[i::times] = codes
    return found


def overlay(top: Cells, bottom: Cells, count: int) -> Cells:
    """Give *top*, and *bottom* where *top* has nothing."""
    if top.codes is None or NONE_HERE not in top.codes:
        return top
    pool = Pool()
    above = [pool.code(value) for value in top.pool]
    below = {NONE_HERE: NONE_HERE, **{i: pool.code(value) for i, value in enumerate(bottom.pool)}}
    pairs = zip(top.codes, bottom.spread(count), strict=True)
    codes = array("I", [above[t] if t != NONE_HERE else below[b] for t, b in pairs])
    return Cells(pool.values, codes)


def union(frames: Sequence[Frame]) -> Frame:
    """Give the rows of all frames, one frame after the other; a key that one lacks is absent in its rows."""
    if len(frames) == 1:
        return frames[0]
    count = sum(frame.count for frame in frames)
    paths = dict.fromkeys(path for frame in frames for path in frame.columns)
    columns = {path: _stacked([(frame.columns.get(path), frame.count) for frame in frames]) for path in paths}
    origins = {path: origin for frame in reversed(frames) for path, origin in frame.origins.items()}
    ordered = {path: origins[path] for path in paths if path in origins}
    return Frame(count, columns, ordered, ((" + ".join(f"{frame.count:,}" for frame in frames), count),))


def _stacked(parts: Sequence[tuple[Cells | None, int]]) -> Cells:
    first = parts[0][0]
    if first is not None and all(cells is not None and cells.pool is first.pool for cells, _ in parts):
        if all(cells is not None and cells.codes is None for cells, _ in parts):
            return first
        codes = array("I")
        for cells, count in parts:
            codes.extend((cells or first).spread(count))
        return Cells(first.pool, codes)
    pool = Pool()
    codes = array("I")
    for cells, count in parts:
        if cells is None:
            codes.extend(array("I", [NONE_HERE]) * count)
            continue
        renamed = {NONE_HERE: NONE_HERE, **{i: pool.code(value) for i, value in enumerate(cells.pool)}}
        codes.extend(map(renamed.__getitem__, cells.spread(count)))
    return Cells(pool.values, codes)


def in_order_of(parts: Sequence[Frame], path: Path) -> Frame:
    """Join frames together, sorted by the codes of a hidden column, which is dropped; equal ones stay as they stand."""
    full = [part for part in parts if part.count] or parts[:1]
    frame = union(full)
    codes = frame.columns[path].spread(frame.count)
    rest = frame.without(path)
    if len(full) == 1:
        return rest
    return rest.reordered(sorted(range(frame.count), key=codes.__getitem__))
