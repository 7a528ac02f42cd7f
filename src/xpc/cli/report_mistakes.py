"""The reports of a study to what is wrong with them before there is any record: experiments and functions unknown.

What keys and metrics runs will have is known from their records alone, so `xpc report` tells the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from xpc.grammar import tree
from xpc.grammar.nearest import nearest
from xpc.grammar.node import Node

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from xpc.grammar.diagnostic import Diagnostics

OVER_RUNS: Final = [
    "count",
    "mean",
    "sum",
    "std",
    "sem",
    "var",
    "median",
    "iqm",
    "ci95",
    "bootstrap95",
    "min",
    "max",
    "unique",
    "quantile",
    "argmin",
    "argmax",
    "best",
    "diff",
    "ratio",
    "p_value",
]
OF_ONE_RUN: Final = [
    "abs",
    "sqrt",
    "exp",
    "log",
    "log2",
    "log10",
    "floor",
    "ceil",
    "round",
    "int",
    "float",
    "str",
    "len",
    "range",
    "linspace",
    "geomspace",
    "logspace",
    "min",
    "max",
]
"""The functions of queries; their names stand here because what evaluates them takes longer to load than a check."""


def check_reports(
    reports: Mapping[str, tree.Report], experiments: Collection[str] | None, diagnostics: Diagnostics
) -> None:
    """Add an error for each experiment and function that a report names and that there is not.

    Without *experiments* these are not known, for other mistakes; nor are those of the past, which are records.
    """
    for report in reports.values():
        past = any(isinstance(clause, tree.With) and clause.what == "past" for clause in report.clauses)
        for node in _nodes(report.clauses):
            if isinstance(node, tree.From) and experiments is not None and not past:
                _check_from(node, experiments, diagnostics)
            elif isinstance(node, tree.Call) and len(node.function.path) == 1:
                _check_function(node, diagnostics)


def _check_from(clause: tree.From, experiments: Collection[str], diagnostics: Diagnostics) -> None:
    for word in clause.experiments:
        if word.text not in experiments:
            close = nearest(word.text, experiments)
            help = f"did you mean `{close}`?" if close else f"there is {_listed(experiments)}"
            diagnostics.error("XQ005", word.span, f"there is no experiment `{word.text}`", help=help)


def _check_function(call: tree.Call, diagnostics: Diagnostics) -> None:
    name = call.function.path[0]
    known = [*OF_ONE_RUN, *OVER_RUNS]
    if name not in known:
        close = nearest(name, known)
        help = f"did you mean `{close}`?" if close else f"functions over runs are {_listed(OVER_RUNS)}"
        diagnostics.error("XQ008", call.function.span, f"there is no function `{name}`", help=help)


def _listed(names: Collection[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _nodes(value: object) -> Iterator[Node]:
    """Give the nodes of a tree that are clauses, expressions or parts of these."""
    if isinstance(value, tuple):
        for part in value:
            yield from _nodes(part)
    elif isinstance(value, Node):
        yield value
        names: tuple[str, ...] = type(value).__match_args__
        for field in names:
            yield from _nodes(getattr(value, field))
