"""A `where` to the runs that it leaves, those that it would leave were they done, and those of a baseline."""

from __future__ import annotations

from ...grammar import tree
from .expressions import Context
from .lookup import Field
from .parts import Parts
from .rows import RunRows
from .view import Runs
from .walk import field_of, is_recorded
from .walk import parts as parts_of


def chosen(parts: Parts, runs: Runs, context: Context) -> tuple[list[int], list[int]]:
    """Give the rows of *runs* for which `where` holds, and those for which it could, were they done.

    These are the runs that only a condition on the state leaves out, and those not done that have no value yet to
    compare. A baseline is found among all runs, but for those that a condition on the state leaves out: the *context*
    is told. A condition that is wrong, which is reported, leaves out nothing.
    """
    everything = list(range(runs.size))
    if parts.where is None:
        return everything, everything
    rows = RunRows(context, runs, everything)
    kept = candidates = eligible = everything
    for conjunct in _conjuncts(parts.where.condition):
        found = rows.condition(conjunct)
        if found is None:
            continue
        kept = [row for row in kept if found[row]]
        if any(field_of(part, context.catalog) == "status" for part in parts_of(conjunct)):
            eligible = [row for row in eligible if found[row]]
            continue
        waits = _waiting(conjunct, rows)
        candidates = [row for row in candidates if found[row] or waits[row]]
    context.eligible = None if eligible is everything else frozenset(eligible)
    return kept, candidates


def _conjuncts(expr: tree.Expr) -> list[tree.Expr]:
    if isinstance(expr, tree.Binary) and expr.operator == "and":
        return [*_conjuncts(expr.left), *_conjuncts(expr.right)]
    return [expr]


def _waiting(condition: tree.Expr, rows: RunRows) -> list[bool]:
    """Say for each run whether it is not done, and lacks a value that *condition* asks for."""
    catalog = rows.context.catalog
    recorded = [part for part in parts_of(condition) if is_recorded(part, catalog)]
    columns = [column for column in map(rows.evaluate, recorded) if column is not None]
    if not columns:
        return [False] * rows.size
    states = rows.runs.column(Field("status"))
    return [state != "done" and None in values for state, *values in zip(states, *columns, strict=True)]
