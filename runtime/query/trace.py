"""A finished evaluation to the provenance of its rows, made when somebody asks for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from .fields import TRACED
from .lookup import Field
from .provenance import CellSource, Inputs, RowSource, RunSource
from .view import Runs

_FIELDS = ("id", "experiment", "status", "attempt", "started", "ended", "commit", "dirty", *TRACED)


class RunTrace:
    """Tells of each row its runs.

    *groups* are, row by row, places in *rows*, which are rows of *runs*; *absent* are rows of *runs*. *inputs* are by
    column name, their values by place; *order* gives for each row its place before rows were sorted and left out.
    """

    def __init__(
        self,
        runs: Runs,
        rows: Sequence[int],
        order: Sequence[int],
        groups: Sequence[Sequence[int]],
        absent: Sequence[Sequence[int]],
        inputs: Mapping[str, Inputs],
    ) -> None:
        self._runs = runs
        self._rows = rows
        self._order = order
        self._groups = groups
        self._absent = absent
        self._inputs = inputs
        self._known: dict[int, RunSource] = {}

    def row(self, row: int) -> RowSource:
        """Give the runs behind a row of the result."""
        group = self._groups[row]
        cells = {name: self._cell(self._order[row], group, inputs) for name, inputs in self._inputs.items()}
        return RowSource(self._at(group), self._of(self._absent[row]), cells)

    def _cell(self, row: int, group: Sequence[int], inputs: Inputs) -> CellSource:
        if inputs.pairings:
            pairs = {pair: None for pairing in inputs.pairings for pair in pairing.pairs[row]}
            alone = {place: None for pairing in inputs.pairings for place in pairing.unpaired[row]}
            return CellSource(
                used=self._at(dict.fromkeys(own for own, _ in pairs)),
                missing=(),
                baseline=self._of(dict.fromkeys(other for _, other in pairs)),
                unpaired=self._at(alone),
            )
        if not inputs.columns:
            return CellSource(self._at(group))
        used = [place for place in group if any(column[place] is not None for column in inputs.columns)]
        missing = [place for place in group if any(column[place] is None for column in inputs.columns)]
        return CellSource(self._at(used), self._at(missing))

    def _at(self, places: Iterable[int]) -> tuple[RunSource, ...]:
        return self._of(self._rows[place] for place in places)

    def _of(self, rows: Iterable[int]) -> tuple[RunSource, ...]:
        return tuple(self._source(row) for row in rows)

    def _source(self, row: int) -> RunSource:
        if row not in self._known:
            values = {name: self._runs.column(Field(name))[row] for name in _FIELDS}
            values["state"] = values.pop("status")
            self._known[row] = RunSource(**values)
        return self._known[row]
