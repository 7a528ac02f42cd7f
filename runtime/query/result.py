"""What a query gives: columns of values, and what was left out of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .planned import Value
from .provenance import RowSource, Trace

if TYPE_CHECKING:
    import pandas as pd

    from .baseline import Comparison

_EXACT = 2**53  # up to here floats have all integers


@dataclass(frozen=True, slots=True)
class ResultColumn:
    """One column; with *error* it is two in data formats (`acc`, `acc_err`).

    *unit* is `duration` (seconds), `size` (bytes) or nothing; a *key* is what groups or tells apart the rows.
    *direction* is `minimize` or `maximize` where a metric's declaration says which values are better.
    """

    name: str
    values: Sequence[Value]
    error: Sequence[Value] | None = None
    error_name: str = ""
    unit: str = ""
    key: bool = False
    direction: str | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """The answer to a query.

    *total*: rows before `limit`. *sources*: the ids of the runs that each row is made of. *undone*: for each row how
    many of its runs are not done, by state, those included that `where` left out for their state; which *left_out*
    counts in all, as *waiting* counts the others. *missing*: how many done runs lack a value, by what was asked for.
    *unkept*: combinations of which `keep` found no row with a value. *comparisons* are those with a baseline.
    *beyond*: what has numbers that are too large to reckon with. *broken*: folders of records that can't be read.
    """

    columns: tuple[ResultColumn, ...]
    size: int
    total: int
    grouped: bool
    sources: tuple[Sequence[str], ...] = ()
    undone: tuple[Mapping[str, int], ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)
    waiting: Mapping[str, int] = field(default_factory=dict)
    missing: Mapping[str, int] = field(default_factory=dict)
    comparisons: tuple[Comparison, ...] = ()
    unkept: int = 0
    beyond: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()
    title: str | None = None
    trace: Trace | None = field(default=None, repr=False, compare=False)

    def provenance(self, row: int) -> RowSource:
        """Give the runs behind a row and each of its cells; it is looked up when it is asked for."""
        return self.trace.row(row) if self.trace is not None else RowSource((), (), {})

    def flat(self) -> dict[str, Sequence[Value]]:
        """Give the columns of data formats, by name."""
        found: dict[str, Sequence[Value]] = {}
        for column in self.columns:
            found[column.name] = column.values
            if column.error is not None:
                found[column.error_name] = column.error
        return found

    def records(self) -> list[dict[str, Any]]:
        """Give a row a map of column to value."""
        columns = self.flat()
        return [{name: values[row] for name, values in columns.items()} for row in range(self.size)]

    def frame(self) -> pd.DataFrame:
        """Give the rows as a DataFrame; numbers are numbers, null in them is NaN."""
        import pandas as pd

        columns = self.flat()
        return pd.DataFrame({name: _series(values) for name, values in columns.items()}, columns=list(columns))


def _series(values: Sequence[Value]) -> pd.Series[Any]:
    """Numbers are `int64` or `float64`; integers that a float would change are `Int64`, or Python's own."""
    import pandas as pd

    known = [value for value in values if value is not None]
    kinds = set(map(type, known))
    if kinds and kinds <= {int, float}:
        if kinds == {int} and all(-(2**63) <= value < 2**63 for value in known):
            if len(known) == len(values):
                return pd.Series(values, dtype="int64")
            if any(abs(value) > _EXACT for value in known):
                return pd.Series([pd.NA if value is None else value for value in values], dtype="Int64")
        if all(type(value) is float or abs(value) <= _EXACT for value in known):
            return pd.Series([float("nan") if value is None else value for value in values], dtype="float64")
    if kinds == {bool} and len(known) == len(values):
        return pd.Series(list(values), dtype="bool")
    return pd.Series(list(values), dtype="object")
