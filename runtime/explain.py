"""A result to where its numbers come from: the runs behind each row and cell, for people and as data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Any, Final

from ..grammar.screen import visible
from . import quantities
from .cell_text import plain, prefix_length, text_column
from .query.provenance import CellSource, RowSource, RunSource
from .query.result import Result
from .tables import json_rows

MOST: Final = 40  # runs of one row that are listed one by one
FEW: Final = 6  # ids of one cell that are named
INDENT: Final = "  "


def explain(result: Result) -> str:
    """Give, row by row, the values, the runs behind them and what each cell lacks."""
    sources = [result.provenance(row) for row in range(result.size)]
    ids = [run.id for source in sources for run in _all_runs(source)]
    short = prefix_length(ids)
    codes = {run.code for source in sources for run in source.runs}
    headings = row_names(result)
    blocks = (
        "\n".join([heading, *_cells(result, row, source, short), *_runs(source, short, codes=len(codes) > 1)])
        for row, (heading, source) in enumerate(zip(headings, sources, strict=True))
    )
    return "\n\n".join(blocks)


def row_names(result: Result) -> list[str]:
    """Name each row by its keys: `optimizer.lr 0.1, model.name mlp`; by its number where it has none."""
    keys = [column for column in result.columns if column.key]
    names = [", ".join(f"{column.name} {plain(column.values[row])}" for column in keys) for row in range(result.size)]
    if result.size == 1 and not keys:
        return ["all runs" if len(result.sources[:1]) and len(result.sources[0]) != 1 else "row 1"]
    return [name or f"row {row + 1}" for row, name in enumerate(names)]


def _all_runs(source: RowSource) -> Iterator[RunSource]:
    yield from source.runs
    yield from source.absent
    for cell in source.cells.values():
        yield from cell.baseline
        yield from cell.above


# ------------------------------------------------------------------ cells


def _cells(result: Result, row: int, source: RowSource, short: int) -> list[str]:
    """Say of each cell how many runs it is of; neighbours of the same runs share a line."""
    texts = {column.name: text_column(column) for column in result.columns if not column.key}
    lines = []
    for said, group in groupby(
        ((name, _said(cell, short)) for name, cell in source.cells.items() if name in texts), key=lambda pair: pair[1]
    ):
        shown = []
        for name, _ in group:
            text = texts[name]
            error = text.error[row] if text.error is not None else ""
            shown.append(f"{text.name} {text.cells[row]}" + (f" ± {error}" if error else ""))
        lines.append(f"{INDENT}{', '.join(shown)}: {said}")
    return lines


def _said(cell: CellSource, short: int) -> str:
    parts = [f"n = {cell.n:,}"]
    if cell.missing:
        parts.append(f"without a value {_named(cell.missing, short)}")
    if cell.baseline:
        parts.append(f"beside {quantities.runs(len(cell.baseline))} of the baseline ({_named(cell.baseline, short)})")
    if cell.unpaired:
        parts.append(f"without a partner {_named(cell.unpaired, short)}")
    for experiment in dict.fromkeys(run.experiment for run in cell.above):
        above = [run for run in cell.above if run.experiment == experiment]
        parts.append(f"after {quantities.runs(len(above))} of {experiment} ({_named(above, short)})")
    return "; ".join(parts)


def _named(runs: Sequence[RunSource], short: int) -> str:
    more = f" and {len(runs) - FEW:,} more" if len(runs) > FEW else ""
    return ", ".join(run.shown(short) for run in runs[:FEW]) + more


# ------------------------------------------------------------------ runs


def _runs(source: RowSource, short: int, *, codes: bool) -> list[str]:
    """List the runs of a row, those last that it lacks."""
    listed = [(run, "") for run in source.runs] + [(run, "left out") for run in source.absent]
    experiments = len({run.experiment for run, _ in listed}) > 1
    rows = [_line(run, note, short, codes=codes, experiment=experiments) for run, note in listed[:MOST]]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        INDENT + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True) if width).rstrip()
        for row in rows
    ]
    if len(listed) > MOST:
        lines.append(f"{INDENT}… and {len(listed) - MOST:,} more; `--format json` has them all")
    return lines


def _line(run: RunSource, note: str, short: int, *, codes: bool, experiment: bool) -> list[str]:
    attempt = f"attempt {run.attempt}" if run.attempt is not None and run.attempt > 1 else ""
    when = run.ended or run.started
    told = [
        f"snapshot {run.snapshot[:7]}" if run.snapshot else "",
        f"code {run.code[:7]}" if codes and run.code else "",
        _commit(run),
        when[:16].replace("T", " ") if when else "",
        run.witness if run.witness not in (None, "stamp") else "",
        run.accepted or "",
        note,
    ]
    head = [run.shown(short), run.experiment if experiment else "", run.state, attempt]
    return [*head, *(visible(text or "") for text in told)]


def _commit(run: RunSource) -> str:
    if not run.commit:
        return ""
    return f"{'kept in commit' if run.dirty else 'commit'} {run.commit[:7]}"


# ------------------------------------------------------------------ as data


def explained(result: Result) -> list[dict[str, Any]]:
    """Give a map a row: `values`, `planned`, `runs` and `absent` with all that is known of each, `cells` by column.

    A cell has `n` and the ids of the runs that it is of (`used`), that lack a value (`missing`), of its partners
    (`baseline`), of those without one (`unpaired`), and of the ancestors whose values it has (`above`).
    """
    found = []
    for row, values in enumerate(json_rows(result)):
        source = result.provenance(row)
        found.append(
            {
                "values": values,
                "planned": source.planned,
                "runs": [asdict(run) for run in source.runs],
                "absent": [asdict(run) for run in source.absent],
                "cells": {name: _cell(cell) for name, cell in source.cells.items()},
            }
        )
    return found


def _cell(cell: CellSource) -> dict[str, Any]:
    parts = {"used": cell.used, "missing": cell.missing, "baseline": cell.baseline, "unpaired": cell.unpaired}
    parts["above"] = cell.above
    return {"n": cell.n, **{name: _ids(runs) for name, runs in parts.items()}}


def _ids(runs: Iterable[RunSource]) -> list[str]:
    return [run.name for run in runs]
