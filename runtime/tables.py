"""A result to text: a table for people, CSV and JSON for machines, GitHub and LaTeX for papers."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence
from typing import Any, Final, Literal

from . import quantities
from .cell_text import text_column
from .query.baseline import Comparison
from .query.result import Result
from .table_latex import latex
from .table_text import table

Format = Literal["table", "csv", "json", "github", "latex"]
FORMATS: Final = ("table", "csv", "json", "github", "latex")
WIDTH: Final = 100


def render(result: Result, format: str, width: int = WIDTH) -> str:
    """Give a result in one of ``FORMATS``, without a newline at the end."""
    match format:
        case "table":
            return "\n".join(filter(None, (table(result, width), *notes(result))))
        case "csv":
            return _csv(result)
        case "json":
            return json.dumps(_json_value(result.records()), indent=2, ensure_ascii=False, allow_nan=False)
        case "github":
            return _github(result)
        case "latex":
            return latex(result)
    raise ValueError(f"no such format: {format}")


def notes(result: Result) -> list[str]:
    """Give the lines under a table: what it does not show, and why."""
    lines = []
    if result.size < result.total:
        lines.append(f"The first {result.size:,} of {result.total:,} rows.")
    if result.left_out:
        lines.append(f"Left out: {quantities.states(result.left_out)}.")
    if result.waiting:
        lines.append(f"Not done: {quantities.states(result.waiting)}.")
    if result.missing:
        listed = ", ".join(f"`{name}` in {quantities.runs(number)}" for name, number in result.missing.items())
        lines.append(f"Done without a value: {listed}.")
    lines += map(_comparison, result.comparisons)
    if result.broken:
        more = f" and {len(result.broken) - 3:,} more" if len(result.broken) > 3 else ""
        lines.append(f"Records that can't be read: {', '.join(result.broken[:3])}{more}.")
    return lines


def _comparison(comparison: Comparison) -> str:
    """Say what a baseline is, how runs were paired with it, and by which test."""
    undone = f", {comparison.undone:,} of them not done" if comparison.undone else ""
    by = f", paired by {', '.join(comparison.by)}" if comparison.by else ""
    parts = [f"Baseline `{comparison.condition}`: {quantities.runs(comparison.runs)}{undone}{by}"]
    if comparison.unpaired:
        parts.append(f"{quantities.runs(len(comparison.unpaired))} left out for want of a partner")
    if comparison.tested:
        parts.append("p-values are of the two-sided Wilcoxon signed-rank test")
    return "; ".join(parts) + "."


def _csv(result: Result) -> str:
    columns = result.flat()
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for row in range(result.size):
        writer.writerow([_csv_value(values[row]) for values in columns.values()])
    return text.getvalue().removesuffix("\n")


def _csv_value(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, (bool, list, dict)):
        return json.dumps(_json_value(value), ensure_ascii=False)
    return value if isinstance(value, str) else repr(value)


def _json_value(value: Any) -> Any:
    """Give a value that JSON has; it has no infinity and no NaN."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, list):
        return [_json_value(element) for element in value]
    if isinstance(value, dict):
        return {name: _json_value(element) for name, element in value.items()}
    return value


def _github(result: Result) -> str:
    from tabulate import tabulate

    columns = [text_column(column) for column in result.columns]
    rows: list[Sequence[str]] = []
    for row in range(result.size):
        pairs = ((column.cells[row], column.error[row] if column.error else "") for column in columns)
        rows.append([_pipe(f"{cell} ± {error}" if error else cell) for cell, error in pairs])
    sides = ["right" if column.right else "left" for column in columns]
    return tabulate(
        rows,
        headers=[_pipe(column.name) for column in columns],
        tablefmt="pipe",
        disable_numparse=True,
        colalign=sides if rows else None,
    )


def _pipe(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
