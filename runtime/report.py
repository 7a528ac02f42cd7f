"""A report to results: clauses above the first `show` hold for all of its tables, those after a `show` for it alone."""

from __future__ import annotations

from collections.abc import Sequence

from ..grammar import tree
from ..grammar.diagnostic import Diagnostics
from .query.evaluate import evaluate
from .query.result import Result
from .query.view import View


def run_report(report: tree.Report, view: View, diagnostics: Diagnostics) -> list[Result]:
    """Give a result for each `show` of a report; for a report without one, that of its clauses alone."""
    found = []
    for query in queries(report):
        result = evaluate(query, view, diagnostics)
        if result is not None:
            found.append(result)
    return found


def queries(report: tree.Report) -> list[tree.Query]:
    """Part a report into the queries that it stands for; a table's own clause replaces a shared one of its kind."""
    shared: list[tree.Clause] = []
    tables: list[list[tree.Clause]] = []
    for clause in report.clauses:
        if isinstance(clause, tree.Show):
            tables.append([clause])
        elif tables:
            tables[-1].append(clause)
        else:
            shared.append(clause)
    return [tree.Query(tuple(_merged(shared, own)), report.span) for own in tables or [[]]]


def _merged(shared: Sequence[tree.Clause], own: Sequence[tree.Clause]) -> list[tree.Clause]:
    kinds = {type(clause) for clause in own}
    return [*(clause for clause in shared if type(clause) not in kinds), *own]
