"""A result to text: a table for people, CSV and JSON for machines, GitHub and LaTeX for papers."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Sequence
from typing import Any, Final, Literal

from ..grammar.screen import printable_json
from . import quantities
from .cell_text import text_column
from .query.baseline import Comparison
from .query.result import Result
from .table_html import html
from .table_latex import latex
from .table_text import table

Format = Literal["table", "csv", "json", "github", "latex", "html"]
FORMATS: Final = ("table", "csv", "json", "github", "latex", "html")
WIDTH: Final = 100
_MARKDOWN: Final = re.compile(r"[\\|*`\[~]|(?<!\w)_|_(?!\w)")  # inside a word an underscore is only that


def render(result: Result, format: str, width: int = WIDTH, *, color: bool = False, hint: str = "") -> str:
    """Give a result in one of ``FORMATS``, without a newline at the end.

    With *color* the best values of a table are bold. *hint* follows the line that says what a table leaves out.
    """
    match format:
        case "table":
            return "\n".join(filter(None, (table(result, width, color=color), *notes(result, hint))))
        case "csv":
            return _csv(result)
        case "json":
            return as_json(json_rows(result))
        case "html":
            return html(result)
        case "github":
            return _github(result)
        case "latex":
            return latex(result)
    raise ValueError(f"no such format: {format}")


def json_rows(result: Result) -> list[dict[str, Any]]:
    """Give the rows with values that JSON has."""
    return [{name: json_value(value) for name, value in row.items()} for row in result.records()]


def as_json(value: Any) -> str:
    """Write JSON for people and machines."""
    return printable_json(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))


def notes(result: Result, hint: str = "") -> list[str]:
    """Give the lines under a table: what it does not show, and why."""
    lines = []
    if result.size < result.total:
        lines.append(f"The first {result.size:,} of {result.total:,} rows.")
    if result.unkept:
        lines.append(f"Nothing to keep for {result.unkept:,} combination{'' if result.unkept == 1 else 's'}: no value.")
    if result.left_out:
        lines.append(f"Left out: {quantities.states(result.left_out)}.")
    if result.waiting:
        lines.append(f"Not done: {quantities.states(result.waiting)}.")
    if hint and (result.left_out or result.waiting):
        lines[-1] += f" {hint}"
    if result.missing:
        listed = ", ".join(f"`{name}` in {quantities.runs(number)}" for name, number in result.missing.items())
        lines.append(f"Done without a value: {listed}.")
    if result.beyond:
        lines.append(f"Numbers too large to reckon with: {', '.join(f'`{name}`' for name in result.beyond)}.")
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
    rows = ([_csv_value(values[row]) for values in columns.values()] for row in range(result.size))
    return "\n".join(map(_csv_line, (list(columns), *rows)))


def _csv_line(cells: Sequence[str]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(cells)  # by the two characters that it ends a line with it knows what to quote
    return text.getvalue().removesuffix("\r\n")


def _csv_value(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, (bool, list, dict)):
        return json.dumps(json_value(value), ensure_ascii=False)
    return value if isinstance(value, str) else repr(value)


def json_value(value: Any) -> Any:
    """Give a value that JSON has; it has no infinity and no NaN."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, (list, tuple)):
        return [json_value(element) for element in value]
    if isinstance(value, dict):
        return {name: json_value(element) for name, element in value.items()}
    return value


def _github(result: Result) -> str:
    from tabulate import tabulate

    columns = [text_column(column) for column in result.columns]
    rows: list[Sequence[str]] = []
    for row in range(result.size):
        pairs = ((column.cells[row], column.error[row] if column.error else "") for column in columns)
        texts = [_pipe(f"{cell} ± {error}" if error else cell) for cell, error in pairs]
        rows.append([f"**{t}**" if row in c.best else t for t, c in zip(texts, columns, strict=True)])
    sides = ["right" if column.right else "left" for column in columns]
    return tabulate(
        rows,
        headers=[_pipe(column.name) for column in columns],
        tablefmt="pipe",
        disable_numparse=True,
        colalign=sides if rows else None,
    )


def _pipe(text: str) -> str:
    """Write a text so that GitHub's Markdown shows just these characters."""
    return _MARKDOWN.sub(r"\\\g<0>", text.replace("&", "&amp;")).replace("<", "&lt;")
