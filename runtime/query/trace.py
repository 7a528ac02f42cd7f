"""A finished evaluation to the provenance of its rows, made when somebody asks for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from .fields import TRACED
from .lookup import Field
from .provenance import CellSource, Inputs, RowSource, RunSource
from .view import Runs

_FIELDS = ("id", "experiment", "status", "attempt", "started", "ended", "commit", "dirty", "accepted", *TRACED)


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
        self._targets: dict[str, tuple[Runs, Mapping[str, int]]] = {}

    def row(self, row: int) -> RowSource:
        """Give the runs behind a row of the result."""
        group = self._groups[row]
        cells = {name: self._cell(self._order[row], group, inputs) for name, inputs in self._inputs.items()}
        return RowSource(self._at(group), self._of(self._absent[row]), cells)

    def places(self) -> list[int]:
        """Give the rows of the frame that are behind the rows of the result, in their order."""
        return [self._rows[place] for group in self._groups for place in group]

    def _cell(self, row: int, group: Sequence[int], inputs: Inputs) -> CellSource:
        used, missing, alone, partners = set[int](), set[int](), dict[int, None](), dict[int, None]()
        for column in inputs.columns:
            used.update(place for place in group if column[place] is not None)
            missing.update(place for place in group if column[place] is None)
        for pairing in inputs.pairings:
            paired = {own for own, _ in pairing.pairs[row]}
            used |= paired
            missing.update(place for place in group if place not in paired and place not in pairing.unpaired[row])
            alone |= dict.fromkeys(pairing.unpaired[row])
            partners |= dict.fromkeys(other for _, other in pairing.pairs[row])
        if not inputs.columns and not inputs.pairings:
            used.update(group)
        return CellSource(
            used=self._at(place for place in group if place in used),
            missing=self._at(place for place in group if place in missing),
            baseline=self._of(partners),
            unpaired=self._at(alone),
            above=self._above([place for place in group if place in used], inputs.ancestors),
        )

    def _above(self, places: Sequence[int], targets: Iterable[str]) -> tuple[RunSource, ...]:
        """Give the runs of *targets* that those at some places came after."""
        found: dict[tuple[str, str], None] = {}
        experiments, ids = (self._runs.column(Field(name)) for name in ("experiment", "id"))
        for target in targets:
            for place in places:
                row = self._rows[place]
                above = self._runs.view.ancestors_of(experiments[row], ids[row], target)
                found |= {(target, id): None for id in above}
        return tuple(source for source in map(self._ancestor, found) if source is not None)

    def _ancestor(self, run: tuple[str, str]) -> RunSource | None:
        target, id = run
        if target not in self._targets:
            runs = Runs(self._runs.view, [target], past=True)
            self._targets[target] = runs, {id: row for row, id in enumerate(runs.column(Field("id")))}
        runs, rows = self._targets[target]
        return _source(runs, rows[id]) if id in rows else None

    def _at(self, places: Iterable[int]) -> tuple[RunSource, ...]:
        return self._of(self._rows[place] for place in places)

    def _of(self, rows: Iterable[int]) -> tuple[RunSource, ...]:
        return tuple(self._source(row) for row in rows)

    def _source(self, row: int) -> RunSource:
        if row not in self._known:
            self._known[row] = _source(self._runs, row)
        return self._known[row]


def _source(runs: Runs, row: int) -> RunSource:
    values = {name: runs.column(Field(name))[row] for name in _FIELDS}
    values["state"] = values.pop("status")
    return RunSource(**values, version=runs.earlier_version(row))
