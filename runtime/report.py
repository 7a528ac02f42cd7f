"""A `report` of the Experimentfile to its results: one for each `show`."""

from __future__ import annotations

from collections.abc import Sequence

from ..grammar import tree
from ..grammar.diagnostic import Diagnostics
from .query import Result, View, evaluate


def run_report(report: tree.Report, view: View, diagnostics: Diagnostics) -> list[Result]:
    """Answer every `show` of a report; one with a mistake is missing, and has been reported."""
    title = next((clause.text.plain for clause in report.clauses if isinstance(clause, tree.Title)), None)
    results = [evaluate(query, view, diagnostics, title) for query in queries(report)]
    return [result for result in results if result is not None]


def queries(report: tree.Report) -> list[tree.Query]:
    """Part a report into queries: clauses above the first `show` hold for all, those after a `show` for it alone.

    A clause of its own replaces the shared one of the same kind.
    """
    starts = [at for at, clause in enumerate(report.clauses) if isinstance(clause, tree.Show)]
    if not starts:
        return [tree.Query(report.clauses, report.span)]
    shared = report.clauses[: starts[0]]
    found = []
    for start, end in zip(starts, [*starts[1:], len(report.clauses)], strict=True):
        own = report.clauses[start:end]
        found.append(tree.Query((*_kept(shared, own), *own), report.span))
    return found


def _kept(shared: Sequence[tree.Clause], own: Sequence[tree.Clause]) -> list[tree.Clause]:
    replaced = {type(clause) for clause in own}
    return [clause for clause in shared if type(clause) not in replaced]
