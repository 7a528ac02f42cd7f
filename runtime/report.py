"""A `report` of the Experimentfile to its results: one for each `show`."""

from __future__ import annotations

from collections.abc import Sequence

from ..grammar import tree
from ..grammar.diagnostic import Diagnostics
from .query import Result, View, evaluate


def run_report(report: tree.Report, view: View, diagnostics: Diagnostics) -> list[Result]:
    """Answer every `show` of a report; one with a mistake is missing, and has been reported."""
    results = [evaluate(query, view, diagnostics, title_of(query)) for query in queries(report)]
    return [result for result in results if result is not None]


def queries(report: tree.Report) -> list[tree.Query]:
    """Part a report into queries: clauses above the first `show` hold for all, those after a `show` for it alone.

    A clause of its own replaces the shared one of the same kind. A report of plots alone has no table.
    """
    starts = [at for at, clause in enumerate(report.clauses) if isinstance(clause, tree.Show)]
    if not starts:
        plots = any(isinstance(clause, tree.Plot) for clause in report.clauses)
        return [] if plots else [tree.Query(report.clauses, report.span)]
    shared = _of_table(report.clauses[: starts[0]])
    found = []
    for start, end in zip(starts, [*starts[1:], len(report.clauses)], strict=True):
        own = _of_table(report.clauses[start:end])
        found.append(tree.Query((*still_shared(shared, own), *own), report.span))
    return found


def title_of(query: tree.Query) -> str | None:
    """Give the title among a query's clauses: its own, else the one that was shared."""
    titles = [clause.text.plain for clause in query.clauses if isinstance(clause, tree.Title)]
    return titles[-1] if titles else None


def _of_table(clauses: Sequence[tree.Clause]) -> list[tree.Clause]:
    """Leave out plots, and titles that name plots: those with a plot before the next `show` below them."""
    plots = [at for at, clause in enumerate(clauses) if isinstance(clause, tree.Plot)]
    titles = [at for at, clause in enumerate(clauses) if isinstance(clause, tree.Title)]
    for_plots = {max(at for at in titles if at < plot) for plot in plots if any(at < plot for at in titles)}
    return [clause for at, clause in enumerate(clauses) if not isinstance(clause, tree.Plot) and at not in for_plots]


def still_shared(shared: Sequence[tree.Clause], own: Sequence[tree.Clause]) -> list[tree.Clause]:
    """Give the shared clauses that hold beside those after a `show`: of what these have none."""
    replaced = set(map(_kind, own))
    return [clause for clause in shared if _kind(clause) not in replaced]


def _kind(clause: tree.Clause) -> tuple[type, str]:
    """Tell clauses apart that replace each other; `with past` and `with all attempts` do not."""
    return type(clause), clause.what if isinstance(clause, tree.With) else ""
