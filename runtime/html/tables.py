"""A result to a table of the page: texts as a terminal shows them, values to sort by, the runs behind each cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from ...grammar.screen import visible
from .. import quantities
from ..cell_text import TextColumn, text_column
from ..query.result import Result, ResultColumn
from ..tables import notes
from .catalog import Catalog, number
from .sources import Sources, numbers_in

STATIC: Final = 500  # rows that are there without the script


@dataclass(frozen=True, slots=True)
class Cell:
    text: str
    error: str
    best: bool


@dataclass(frozen=True, slots=True)
class PageTable:
    """One table: *columns* with their names and sides, the rows that stand in the HTML, and all for the script.

    *undone* says beside a row how many of its runs are not done; *notes* stand below. *sources* are run numbers by row.
    """

    name: str
    columns: Sequence[TextColumn]
    rows: Sequence[tuple[Sequence[Cell], str]]
    marked: bool
    total: int
    notes: Sequence[str]
    sources: Sequence[Sequence[int]]
    shown: Mapping[str, Any]


def page_table(name: str, result: Result, runs: Catalog) -> PageTable:
    """Lay out a result; *name* tells the table from the page's others."""
    columns = [_sided(text_column(column), result) for column in result.columns]
    marks = [quantities.states(undone) for undone in result.undone] if any(result.undone) else []
    rows = [
        (
            [
                Cell(column.cells[row], column.error[row] if column.error else "", row in column.best)
                for column in columns
            ],
            marks[row] if marks else "",
        )
        for row in range(min(result.size, STATIC))
    ]
    sources = Sources(runs)
    traced = [sources.row(result.provenance(row)) for row in range(result.size)]
    shown = {
        "columns": [
            {
                "name": text.name,
                "right": text.right,
                "key": text.key,
                "cells": text.cells,
                "error": text.error,
                "values": _sortable(column),
                "best": sorted(text.best),
            }
            for column, text in zip(result.columns, columns, strict=True)
        ],
        "undone": marks,
        "names": [visible(column.name) for column in result.columns],
        "rows": traced,
    }
    behind = [numbers_in(row["runs"]) for row in traced]
    return PageTable(name, columns, rows, bool(marks), result.size, notes(result), behind, shown)


def _sided(column: TextColumn, result: Result) -> TextColumn:
    """Put the keys of groups flush left, as the terminal does."""
    return replace(column, right=column.right and not (result.grouped and column.key))


def _sortable(column: ResultColumn) -> list[Any] | None:
    """Give what a column sorts by where that is not its texts: numbers, null where there is none."""
    values = column.values
    if all(v is None or (isinstance(v, (int, float)) and not isinstance(v, bool)) for v in values):
        return [number(value) for value in values]
    return None
