"""Questions to an expression's form: what is in it, whether it reduces over runs, whether two are the same."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Final

from ...grammar import tree
from .aggregates import USAGE
from .lookup import Ancestor, Catalog, Config, Field, Metric, Path, Ref

PLANNED: Final = ("id", "experiment", "config", "tags")
"""The fields that a run has before it begins."""


def children(expr: tree.Expr) -> tuple[tree.Expr, ...]:
    """Give the expressions directly inside *expr*."""
    match expr:
        case tree.Unary():
            return (expr.operand,)
        case tree.Binary():
            return (expr.left, expr.right)
        case tree.IsNull():
            return (expr.operand,)
        case tree.Conditional():
            return (expr.condition, expr.then, expr.otherwise)
        case tree.Index():
            return (expr.base, expr.index)
        case tree.Member():
            return (expr.base,)
        case tree.Call():
            return tuple(argument.value for argument in expr.arguments)
        case tree.ListOf():
            return expr.items
        case tree.MapOf():
            return tuple(value for _, value in expr.items)
        case _:
            return ()


def parts(expr: tree.Expr) -> Iterator[tree.Expr]:
    """Give *expr* and everything inside it."""
    yield expr
    for child in children(expr):
        yield from parts(child)


def reduces(expr: tree.Expr) -> bool:
    """Say whether *expr* is a call of a function over runs."""
    if not isinstance(expr, tree.Call) or len(expr.function.path) > 1:
        return False
    name = expr.function.path[0]
    return name in USAGE and not (name in ("min", "max") and len(expr.arguments) != 1)


def has_reduction(expr: tree.Expr) -> bool:
    return any(map(reduces, parts(expr)))


def is_condition(expr: tree.Expr) -> bool:
    """Say whether *expr* can be nothing but true or false."""
    match expr:
        case tree.IsNull() | tree.Unary(operator="not"):
            return True
        case tree.Binary():
            return expr.operator in ("and", "or", "==", "!=", "<", "<=", ">", ">=", "in", "not in", "matches")
        case _:
            return False


def has_name(expr: tree.Expr) -> bool:
    """Say whether *expr* reads anything of the runs."""
    return any(isinstance(part, tree.Name) or reduces(part) for part in parts(expr))


def is_planned(expr: tree.Expr, catalog: Catalog) -> bool:
    """Say whether *expr* is made of numbers and keys of the config alone, as expressions of an Experimentfile are."""
    return all(
        not reduces(part)
        and (not isinstance(part, tree.Name) or all(isinstance(ref, Config) for ref in catalog.find(part.path)))
        and not (isinstance(part, tree.Call) and len(part.function.path) > 1)
        for part in parts(expr)
    )


def is_given(expr: tree.Expr, catalog: Catalog) -> bool:
    """Say whether *expr* is a key of the config or a field of the run, be it an ancestor's: what is shown as it is."""
    found = catalog.find(expr.path) if isinstance(expr, tree.Name) else []
    ref = found[0] if len(found) == 1 else None
    return isinstance(ref.ref if isinstance(ref, Ancestor) else ref, (Config, Field))


def ancestors_in(expr: tree.Expr, catalog: Catalog) -> list[str]:
    """Give the experiments of the ancestors that *expr* reads."""
    paths = [part.path for part in parts(expr) if isinstance(part, tree.Name)]
    paths += [p.function.path[:-1] for p in parts(expr) if isinstance(p, tree.Call) and len(p.function.path) > 1]
    refs = [ref for path in paths for ref in catalog.find(path)]
    return list(dict.fromkeys(ref.experiment for ref in refs if isinstance(ref, Ancestor)))


def is_recorded(expr: tree.Expr, catalog: Catalog) -> bool:
    """Say whether *expr* is a value that a run, or its ancestor, has only once it has begun."""
    if isinstance(expr, tree.Call):
        return len(expr.function.path) > 1
    found = catalog.find(expr.path) if isinstance(expr, tree.Name) else []
    ref = found[0] if len(found) == 1 else None
    if isinstance(ref, Ancestor):
        ref = ref.ref
    return isinstance(ref, Metric) or (isinstance(ref, Field) and ref.name not in PLANNED)


def name_path(expr: tree.Expr) -> Path | None:
    return expr.path if isinstance(expr, tree.Name) else None


def field_of(expr: tree.Expr, catalog: Catalog) -> str | None:
    """Give the run field that a name is, be it an ancestor's; nothing for all else."""
    path = name_path(expr)
    found = catalog.find(path) if path is not None else []
    ref: Ref | None = found[0] if len(found) == 1 else None
    if isinstance(ref, Ancestor):
        ref = ref.ref
    return ref.name if isinstance(ref, Field) else None


def shape(expr: tree.Expr, catalog: Catalog) -> Hashable:
    """Give what is equal for two expressions that say the same, wherever they stand."""
    match expr:
        case tree.Name():
            found = catalog.find(expr.path)
            return ("name", found[0] if len(found) == 1 else expr.path)
        case tree.Number() | tree.Constant() | tree.Quantity():
            return (type(expr).__name__, type(expr.value).__name__, expr.value)
        case tree.Text():
            return ("text", expr.plain)
        case tree.Values():
            return ("values", *expr.values)
        case tree.Unary() | tree.Binary():
            own: Hashable = expr.operator
        case tree.IsNull():
            own = expr.negated
        case tree.Call():
            own = (expr.function.path, tuple(a.name.text if a.name else None for a in expr.arguments))
        case tree.Member():
            own = expr.name.text
        case tree.MapOf():
            own = tuple(key.path for key, _ in expr.items)
        case _:
            own = None
    return (type(expr).__name__, own, *(shape(child, catalog) for child in children(expr)))
