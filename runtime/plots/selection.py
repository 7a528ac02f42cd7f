"""The clauses that hold for a plot, and a view, to the runs that it draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ...grammar import tree
from ...grammar.diagnostic import Diagnostics
from ..query.chosen import chosen
from ..query.context import context_of, experiments_of
from ..query.evaluate import evaluate
from ..query.expressions import Context
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
    runs = Runs(view, experiments, past=parts.past, attempts=parts.attempts, superseded=parts.superseded)
    before = len(diagnostics.found)
    rows, _ = chosen(parts, runs, context)
    if any(finding.severity == "error" for finding in diagnostics.found[before:]):
        return None
    if any(isinstance(clause, _CHOOSING) for clause in clauses):
        table = evaluate(tree.Query(tuple(clauses), clauses[0].span.to(clauses[-1].span)), view, diagnostics)
        if table is None:
            return None
        # The table has a frame of its own, with the same runs in the same places.
        rows = list(dict.fromkeys(table.trace.places() if table.trace is not None else ()))
    return Selection(parts, RunRows(context, runs, rows))
