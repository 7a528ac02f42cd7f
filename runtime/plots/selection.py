"""The clauses that hold for a plot, and a view, to the runs that it draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ...grammar import tree
from ...grammar.diagnostic import Diagnostics
from ..query.context import context_of, experiments_of
from ..query.evaluate import evaluate
from ..query.expressions import Context
from ..query.lookup import Field
from ..query.parts import Parts, gather
from ..query.rows import RunRows
from ..query.view import Runs, View

_CHOOSING: Final = (tree.Having, tree.Keep, tree.Limit, tree.SortBy)


@dataclass(frozen=True, slots=True)
class Selection:
    """The *rows*, a row a run, that a plot draws, in order; *parts* are its clauses."""

    parts: Parts
    rows: RunRows

    @property
    def context(self) -> Context:
        return self.rows.context


def select_runs(clauses: Sequence[tree.Clause], view: View, diagnostics: Diagnostics) -> Selection | None:
    """Give the runs behind the rows that the same clauses show as a table; nothing if they are wrong: it is reported.

    Where no clause leaves rows out or orders them, these are simply the runs for which `where` holds.
    """
    parts = gather(clauses)
    experiments = experiments_of(parts, view, diagnostics)
    if experiments is None:
        return None
    context = context_of(view, experiments, diagnostics, past=parts.past)
    runs = Runs(view, experiments, past=parts.past, attempts=parts.attempts)
    rows: Sequence[int] = range(runs.size)
    if parts.where is not None:
        found = RunRows(context, runs, rows).condition(parts.where.condition)
        if found is None:
            return None
        rows = [row for row in rows if found[row]]
    if any(isinstance(clause, _CHOOSING) for clause in clauses):
        table = evaluate(tree.Query(tuple(clauses), clauses[0].span.to(clauses[-1].span)), view, diagnostics)
        if table is None:
            return None
        rows = _among([id for ids in table.sources for id in ids], runs, rows)
    return Selection(parts, RunRows(context, runs, rows))


def _among(table: Sequence[str], runs: Runs, rows: Sequence[int]) -> list[int]:
    """Give those of *rows* that are behind a row of the table, in the table's order."""
    order: dict[str, int] = {}
    for id in table:
        order.setdefault(id, len(order))
    ids = runs.column(Field("id"))
    return sorted((row for row in rows if ids[row] in order), key=lambda row: order[ids[row]])
