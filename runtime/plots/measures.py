"""An expression over groups of runs to numbers beside their errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ...grammar import tree
from ..query.aggregates import deviation, mean
from ..query.cells import label as text_of
from ..query.expressions import Column
from ..query.planned import Value
from ..query.rows import GroupRows, RunRows, direction_of
from ..query.values import finite, kind, named
from ..query.walk import children, has_reduction, reduces
from ..query.walk import parts as parts_of
from .channels import is_spread, middle, subject

_NUMBERS: Final = {int, float, type(None)}
SPREAD: Final = "standard deviation"
_ERRORS: Final = {
    "std": SPREAD,
    "sem": "standard error",
    "ci95": "95 % interval",
    "bootstrap95": "95 % bootstrap interval",
}


@dataclass(frozen=True, slots=True)
class Measure:
    """Numbers beside their bounds, a value a row. *error* names what the bounds are; empty: there are none."""

    values: list[Value]
    low: list[Value]
    high: list[Value]
    n: list[int]
    error: str = ""


def measure(expr: tree.Expr, groups: GroupRows) -> Measure | None:
    """Give an expression over groups of runs: what has no function over runs is taken as its mean and deviation."""
    if has_reduction(expr):
        return _explicit(expr, groups)
    if is_spread(expr):
        message = "each side of a `±` is a function over runs"
        groups.context.diagnostics.error("XQ016", expr.span, message, help=f"write `y = {_mean_text(middle(expr))}`")
        return None
    column = numeric(expr, groups.runs)
    if column is None:
        return None
    known = [[column[i] for i in group if column[i] is not None] for group in groups.groups]
    means = [mean(values) for values in known]
    errors = [deviation(values) for values in known]
    return Measure(*_bounds(means, errors), [len(values) for values in known], SPREAD)


def _mean_text(expr: tree.Expr) -> str:
    text = text_of(expr)
    return f"mean({text}) ± std({text})"


def _explicit(expr: tree.Expr, groups: GroupRows) -> Measure | None:
    groups.begin()
    values = groups.evaluate(middle(expr))
    pairings = groups.taken().pairings
    errors = groups.evaluate(expr.right) if isinstance(expr, tree.Binary) and is_spread(expr) else None
    if values is None or (is_spread(expr) and errors is None):
        return None
    if not _are_numbers(values, middle(expr), groups):
        return None
    n = [len(pairs) for pairs in pairings[0].pairs] if pairings else _counts(expr, groups)
    if errors is None or not isinstance(expr, tree.Binary):
        return Measure(values, [], [], n)
    pairs = all(isinstance(error, list) for error in errors if error is not None)
    if not pairs and not _are_numbers(errors, expr.right, groups):
        return None
    right = expr.right
    name = _ERRORS.get(right.function.path[-1]) if isinstance(right, tree.Call) else None
    return Measure(*_bounds(values, errors), n, name or text_of(right))


def numeric(expr: tree.Expr, rows: RunRows | GroupRows) -> Column | None:
    """Give a column of numbers and nulls; anything else in it is reported."""
    column = rows.evaluate(expr)
    return column if column is not None and _are_numbers(column, expr, rows) else None


def _are_numbers(column: Column, expr: tree.Expr, rows: RunRows | GroupRows) -> bool:
    if set(map(type, column)) <= _NUMBERS:
        return True
    wrong = next((value for value in column if kind(value) not in ("null", "number")), None)
    if wrong is not None:
        message = f"a plot measures numbers, and this is {named(wrong)}"
        rows.context.diagnostics.error("XQ007", expr.span, message, kind(wrong))
    return wrong is None


def _counts(expr: tree.Expr, groups: GroupRows) -> list[int]:
    """Count the runs of each group that have what the first function over runs takes."""
    call = next((part for part in parts_of(expr) if reduces(part)), None)
    column = groups.runs.evaluate(children(call)[0]) if call is not None and children(call) else None
    if column is None:
        return [len(group) for group in groups.groups]
    return [sum(column[i] is not None for i in group) for group in groups.groups]


def _bounds(values: Sequence[Value], errors: Sequence[Value]) -> tuple[list[Value], list[Value], list[Value]]:
    """Give values, lower and upper bounds; an error that is a pair is the bounds; without one both are the value."""
    low: list[Value] = []
    high: list[Value] = []
    for value, error in zip(values, errors, strict=True):
        if isinstance(error, list) and len(error) == 2:
            low.append(error[0])
            high.append(error[1])
        else:
            half = error if error is not None else 0.0
            low.append(None if value is None else finite(value - half))
            high.append(None if value is None else finite(value + half))
    return list(values), low, high


def direction(expr: tree.Expr, rows: RunRows) -> str | None:
    return direction_of(subject(expr), rows.context)
