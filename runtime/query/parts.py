"""The clauses of a query by kind: each at most once, in whatever order they were written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ...grammar import tree


@dataclass(slots=True)
class Parts:
    """The clauses that a query has."""

    from_: tree.From | None = None
    where: tree.Where | None = None
    group_by: tree.GroupBy | None = None
    show: tree.Show | None = None
    having: tree.Having | None = None
    keep: tree.Keep | None = None
    sort_by: tree.SortBy | None = None
    limit: tree.Limit | None = None
    past: bool = False
    attempts: bool = False
    superseded: bool = False

    @property
    def cells(self) -> Sequence[tree.Cell]:
        return self.show.cells if self.show is not None else ()


def gather(clauses: Iterable[tree.Clause]) -> Parts:
    """Sort clauses by kind. Of one that stands twice, which has been reported, the last counts."""
    parts = Parts()
    for clause in clauses:
        match clause:
            case tree.From():
                parts.from_ = clause
            case tree.Where():
                parts.where = clause
            case tree.GroupBy():
                parts.group_by = clause
            case tree.Show():
                parts.show = clause
            case tree.Having():
                parts.having = clause
            case tree.Keep():
                parts.keep = clause
            case tree.SortBy():
                parts.sort_by = clause
            case tree.Limit():
                parts.limit = clause
            case tree.With():
                parts.past = parts.past or clause.what == "past"
                parts.attempts = parts.attempts or clause.what == "all attempts"
                parts.superseded = parts.superseded or clause.what == "superseded"
            case tree.Title() | tree.Plot():
                continue
    return parts
