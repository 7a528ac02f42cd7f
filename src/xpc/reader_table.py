"""The answer to a query as a table: a DataFrame, or a text for a paper, a page, a notebook."""

from __future__ import annotations

from functools import cached_property
from html import escape
from typing import TYPE_CHECKING

from xpc.runtime.query.result import Result
from xpc.runtime.tables import notes, render

if TYPE_CHECKING:
    import pandas as pd


class Table:
    """What a query gives. ``print`` shows it as `xpc query` does; a notebook shows it as HTML."""

    def __init__(self, result: Result) -> None:
        self.result = result

    @cached_property
    def frame(self) -> pd.DataFrame:
        """The rows as a DataFrame; a `±` cell is two columns (`acc`, `acc_err`), null in numbers is NaN."""
        return self.result.frame()

    @property
    def title(self) -> str | None:
        return self.result.title

    @property
    def notes(self) -> list[str]:
        """What the table leaves out, a line each: runs that are not done, rows beyond `limit`."""
        return notes(self.result)

    def runs(self, row: int) -> list[str]:
        """Give the ids of the runs that a row is made of."""
        return list(self.result.sources[row])

    def to_latex(self) -> str:
        """Give a LaTeX `tabular`."""
        return render(self.result, "latex")

    def to_markdown(self) -> str:
        """Give a table for GitHub."""
        return render(self.result, "github")

    def to_csv(self) -> str:
        """Give CSV: full precision, a `±` cell in two columns."""
        return render(self.result, "csv") + "\n"

    def to_html(self) -> str:
        """Give a `<table>` in which every text is escaped."""
        return render(self.result, "html")

    def __len__(self) -> int:
        return self.result.size

    def __str__(self) -> str:
        return render(self.result, "table")

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        below = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        return self.to_html() + below
