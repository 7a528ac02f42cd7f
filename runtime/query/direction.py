"""An expression to whether less or more of it is better, as far as the declaration of a metric says so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ...grammar import tree
from .lookup import Ancestor, Catalog, Metric, Ref

Directions = Mapping[tuple[str, str], str]
"""`minimize` or `maximize`, by ancestor (empty: the runs themselves) and metric."""

KEEPING: Final = frozenset(("mean", "median", "min", "max", "iqm", "quantile", "best", "diff"))
"""Of these a metric's direction stays what it is."""

STEPS: Final = frozenset(("argmin", "argmax", "count"))
"""These make of a metric what has no direction."""

_OTHER: Final = {"minimize": "maximize", "maximize": "minimize"}


def direction(expr: tree.Expr, catalog: Catalog, directions: Directions) -> str | None:
    """Give the direction of a metric, of its means, of `a ± b` by its left side, of `100 * a`, of `1 - a` the other."""
    match expr:
        case tree.Name():
            found = catalog.find(expr.path)
            return _of(found[0], directions) if len(found) == 1 else None
        case tree.Unary() if expr.operator in ("+", "-"):
            return _turned(direction(expr.operand, catalog, directions), expr.operator == "-")
        case tree.Binary():
            return _of_operation(expr, catalog, directions)
        case tree.Call() if not expr.arguments:
            return None
        case tree.Call() if len(expr.function.path) > 1:
            found = catalog.find(expr.function.path[:-1])
            return _of(found[0], directions) if len(found) == 1 else None
        case tree.Call() if expr.function.path[0] in KEEPING:
            return direction(expr.arguments[0].value, catalog, directions)
        case _:
            return None


def _of(ref: Ref, directions: Directions) -> str | None:
    ancestor = ref.experiment if isinstance(ref, Ancestor) else ""
    inner = ref.ref if isinstance(ref, Ancestor) else ref
    if not isinstance(inner, Metric) or inner.reducer in STEPS:
        return None
    return directions.get((ancestor, inner.name))


def _of_operation(expr: tree.Binary, catalog: Catalog, directions: Directions) -> str | None:
    left, right = _number(expr.left), _number(expr.right)
    match expr.operator:
        case "±":
            return direction(expr.left, catalog, directions)
        case "+" | "-" if right is not None:
            return direction(expr.left, catalog, directions)
        case "+" | "-" if left is not None:
            return _turned(direction(expr.right, catalog, directions), expr.operator == "-")
        case "*" | "/" if right:
            return _turned(direction(expr.left, catalog, directions), right < 0)
        case "*" if left:
            return _turned(direction(expr.right, catalog, directions), left < 0)
        case _:
            return None


def _number(expr: tree.Expr) -> float | None:
    """Give the value of a number that is written out."""
    if isinstance(expr, tree.Unary) and expr.operator == "-":
        inner = _number(expr.operand)
        return None if inner is None else -inner
    return expr.value if isinstance(expr, tree.Number) else None


def _turned(found: str | None, turn: bool) -> str | None:
    return _OTHER[found] if turn and found is not None else found
