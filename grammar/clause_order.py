"""Each clause of a query at most once."""

from __future__ import annotations

from collections.abc import Iterable

from . import tree
from .diagnostic import Diagnostics, Label
from .node import Node
from .plot_form import check_plot

_NAMES: dict[type[Node], str] = {
    tree.From: "from",
    tree.Where: "where",
    tree.GroupBy: "group by",
    tree.Show: "show",
    tree.Having: "having",
    tree.Keep: "keep",
    tree.SortBy: "sort by",
    tree.Limit: "limit",
    tree.Title: "title",
}


def check_clauses(clauses: Iterable[Node], report: Diagnostics, *, restart_at_show: bool = False) -> None:
    """Report each clause that was given before. In a report every ``show`` begins anew; a ``plot`` may be titled."""
    given: dict[str, Node] = {}
    for clause in clauses:
        if isinstance(clause, tree.Plot):
            check_plot(clause, report)
            given.pop("title", None)
            continue
        name = f"with {clause.what}" if isinstance(clause, tree.With) else _NAMES[type(clause)]
        if restart_at_show and name == "show":
            given.clear()
        first = given.setdefault(name, clause)
        if first is clause:
            continue
        cure = {"where": "join the conditions by `and`", "having": "join the conditions by `and`"}
        first_word = first.span.sub(0, len(name))  # type: ignore[attr-defined]
        report.error(
            "XQ002",
            clause.span.sub(0, len(name)),  # type: ignore[attr-defined]
            f"`{name}` is given twice",
            "",
            labels=[Label(first_word, "first given here")],
            help=cure.get(name, f"write one `{name}`"),
        )
