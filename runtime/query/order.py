"""Which rows stay, and in what order: `having`, `keep`, `sort by`, `limit`."""

from __future__ import annotations

from collections.abc import Sequence

from ...grammar import tree
from .parts import Parts
from .planned import Value
from .rows import GroupRows, RunRows, direction_of
from .values import frozen, order_key


def arrange(parts: Parts, rows: RunRows | GroupRows) -> list[int]:
    """Give the rows that stay, in order, before `limit`."""
    kept = list(range(rows.size))
    if parts.having is not None:
        found = rows.condition(parts.having.condition)
        kept = [row for row in kept if found is None or found[row]]
    if parts.keep is not None:
        kept = _keep(parts.keep, parts, rows, kept)
    return _sort(parts.sort_by, rows, kept)


def _keep(clause: tree.Keep, parts: Parts, rows: RunRows | GroupRows, kept: Sequence[int]) -> list[int]:
    """Keep the row with the best value for each combination of keys; of equals the first. Null is never kept."""
    column = rows.key(clause.expr)
    keys = [rows.key(key) for key in clause.by]
    which = _which(clause, parts, rows)
    if column is None or which is None or any(key is None for key in keys):
        return list(kept)
    best: dict[tuple[object, ...], int] = {}
    combinations = set()
    for row in kept:
        combination = tuple(frozen(key[row]) for key in keys if key is not None)
        combinations.add(combination)
        if column[row] is None:
            continue
        before = best.get(combination)
        if before is None or _is_better(column[row], column[before], which):
            best[combination] = row
    rows.context.unkept = len(combinations) - len(best)
    return sorted(best.values())


def _is_better(value: Value, than: Value, which: str) -> bool:
    return order_key(value) < order_key(than) if which == "min" else order_key(value) > order_key(than)


def _which(clause: tree.Keep, parts: Parts, rows: RunRows | GroupRows) -> str | None:
    if clause.which != "best":
        return clause.which
    direction = direction_of(aliased(clause.expr, parts), rows.context)
    if direction is not None:
        return "min" if direction == "minimize" else "max"
    if rows.evaluate(clause.expr) is not None:
        text = clause.expr.span.text
        rows.context.diagnostics.error(
            "XQ010",
            clause.expr.span,
            f"nobody knows whether less or more of `{text}` is best",
            help=f"declare `metric NAME minimize` in the experiment, or write `keep min {text}` or `keep max {text}`",
        )
    return None


def aliased(expr: tree.Expr, parts: Parts) -> tree.Expr:
    """Give the expression that an alias of `show` stands for."""
    if isinstance(expr, tree.Name) and len(expr.path) == 1:
        for cell in parts.cells:
            if cell.alias is not None and cell.alias.text == expr.path[0]:
                return cell.expr
    return expr


def _sort(clause: tree.SortBy | None, rows: RunRows | GroupRows, kept: list[int]) -> list[int]:
    """Sort by the last key first: each sort keeps the order of equals. Null comes last, whatever the direction."""
    for key in reversed(clause.keys if clause is not None else ()):
        expr = key.expr
        if isinstance(expr, tree.Binary) and expr.operator == "±":
            expr = expr.left
        column = rows.key(expr)
        if column is None:
            continue
        known = [row for row in kept if column[row] is not None]
        known.sort(key=lambda row, column=column: order_key(column[row]), reverse=key.descending)  # type: ignore[misc]
        kept = known + [row for row in kept if column[row] is None]
    return kept
