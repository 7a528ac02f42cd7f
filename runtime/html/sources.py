"""The provenance of a row and its cells to what the page's script gets: run numbers, in few words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...grammar.screen import visible
from ..query.provenance import CellSource, RowSource, RunSource
from .catalog import Catalog, seconds

Shown = list[list[Any]]
"""Runs: [first number, how many], and for an attempt before a run's last one, or a result before its present one,
[number, attempt, state, started, ended, snapshot, code, version]: no version of an attempt."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Writes the runs behind cells, by the numbers of a catalog."""

    runs: Catalog

    def row(self, source: RowSource) -> dict[str, Any]:
        """Give the runs of a row, those left out for their state, and for each cell what differs from its row."""
        runs = self._shown(source.runs)
        cells = {visible(name): self._cell(cell, runs) for name, cell in source.cells.items()}
        shown: dict[str, Any] = {"runs": runs}
        if source.absent:
            shown["absent"] = self._shown(source.absent)
        if any(cells.values()):
            shown["cells"] = {name: cell for name, cell in cells.items() if cell}
        return shown

    def _cell(self, cell: CellSource, row: Shown) -> Mapping[str, Shown]:
        used = self._shown(cell.used)
        parts = {"missing": cell.missing, "baseline": cell.baseline, "unpaired": cell.unpaired}
        others = {name: self._shown(runs) for name, runs in parts.items() if runs}
        return others if used == row else {"used": used, **others}

    def _shown(self, sources: Iterable[RunSource]) -> Shown:
        last: set[int] = set()
        earlier: Shown = []
        for run in sources:
            number = self.runs.numbers.get(run.id)
            if number is None:
                continue
            attempt = self.runs.attempt(number)
            tried = run.attempt is not None and attempt is not None and run.attempt < attempt
            if tried or run.version is not None:
                times = seconds(run.started), seconds(run.ended)
                version = [] if run.version is None else [run.version]
                earlier.append([number, run.attempt, run.state, *times, run.snapshot, run.code, *version])
            else:
                last.add(number)
        return [*_ranges(sorted(last)), *earlier]


def _ranges(numbers: Sequence[int]) -> Shown:
    found: Shown = []
    for number in numbers:
        if found and number == sum(found[-1]):
            found[-1][1] += 1
        else:
            found.append([number, 1])
    return found


def numbers_in(shown: Shown) -> list[int]:
    """Give the numbers of all runs, each once."""
    found = (range(item[0], item[0] + (item[1] if len(item) == 2 else 1)) for item in shown)
    return list(dict.fromkeys(number for numbers in found for number in numbers))
