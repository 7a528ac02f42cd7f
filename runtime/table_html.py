"""A result to a plain HTML table, to be pasted into a page: no scripts, no styles but the side of the numbers."""

from __future__ import annotations

from html import escape
from typing import Final

from .cell_text import TextColumn, text_column
from .query.result import Result

RIGHT: Final = ' style="text-align: right"'


def html(result: Result) -> str:
    """Give a `<table>`; the best values are `<strong>`, every text is escaped."""
    columns = [text_column(column) for column in result.columns]
    caption = [f"<caption>{escape(result.title)}</caption>"] if result.title else []
    heading = "".join(f"<th{RIGHT if column.right else ''}>{escape(column.name)}</th>" for column in columns)
    rows = ["<tr>" + "".join(_cell(column, row) for column in columns) + "</tr>" for row in range(result.size)]
    head = ["<thead>", f"<tr>{heading}</tr>", "</thead>"]
    return "\n".join(["<table>", *caption, *head, "<tbody>", *rows, "</tbody>", "</table>"])


def _cell(column: TextColumn, row: int) -> str:
    error = column.error[row] if column.error is not None else ""
    text = escape(f"{column.cells[row]} ± {error}" if error else column.cells[row])
    inner = f"<strong>{text}</strong>" if row in column.best else text
    return f"<td{RIGHT if column.right else ''}>{inner}</td>"
