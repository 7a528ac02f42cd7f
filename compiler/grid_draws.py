"""What stands after ``~`` to a checked distribution, and the whole numbers that grids take."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import EllipsisType
from typing import TYPE_CHECKING, Final

from ..grammar import tree
from ..grammar.diagnostic import Label
from ..grammar.node import Node
from ..grammar.source import Span
from .context import Context
from .keys import Set, Unknown
from .nearest import did_you_mean
from .study import Distribution
from .types import NAMED, common, label, named
from .values import Path, Type, Value, dotted

if TYPE_CHECKING:
    from .resolve_grid import GridResolver


class Shape(Node):
    """A distribution's arguments, the type of what it draws, and what its arguments must hold."""

    arguments: tuple[str, ...]
    draws: Type
    holds: Callable[[Sequence[float]], bool]
    rule: str


DISTRIBUTIONS: Final[dict[str, Shape]] = {
    "choice": Shape(("values",), "any", lambda _: True, ""),
    "loguniform": Shape(("low", "high"), "float", lambda a: 0 < a[0] < a[1], "0 < low < high"),
    "logint": Shape(("low", "high"), "int", lambda a: 0 < a[0] <= a[1], "0 < low <= high"),
    "lognormal": Shape(("mean", "std"), "float", lambda a: a[1] >= 0, "std >= 0"),
    "normal": Shape(("mean", "std"), "float", lambda a: a[1] >= 0, "std >= 0"),
    "randint": Shape(("low", "high"), "int", lambda a: a[0] <= a[1], "low <= high"),
    "uniform": Shape(("low", "high"), "float", lambda a: a[0] < a[1], "low < high"),
}


def read_distribution(expr: tree.Expr, path: Path, grid: GridResolver) -> tuple[Distribution, Type] | None:
    """Give a distribution and the type of its key; nothing if it has a fault, which is reported."""
    diagnostics = grid.context.diagnostics
    if isinstance(expr, tree.Broken):
        grid.context.diagnostics.errors += 1
        return None
    if not isinstance(expr, tree.Call):
        message = "a distribution is needed after `~`"
        diagnostics.error("XP048", expr.span, message, "no distribution", help=f"such as {', '.join(DISTRIBUTIONS)}")
        return None
    name = ".".join(expr.function.path)
    shape = DISTRIBUTIONS.get(name)
    if shape is None:
        help = did_you_mean(name, DISTRIBUTIONS) or (f"there are {', '.join(DISTRIBUTIONS)}",)
        diagnostics.error("XP048", expr.function.span, f"unknown distribution `{name}`", "unknown", help=help)
        return None
    arguments = _arguments(expr, name, shape, grid)
    if arguments is None:
        return None
    if name == "choice":
        return _choice(expr, arguments[0], path, grid)
    return _numbers(expr, name, shape, arguments, path, grid)


def _arguments(expr: tree.Call, name: str, shape: Shape, grid: GridResolver) -> list[tuple[Value, Span]] | None:
    usage = f"write `{name}({', '.join(shape.arguments)})`"
    slots: dict[str, tree.Expr] = {}
    for index, argument in enumerate(expr.arguments):
        slot = argument.name.text if argument.name else (*shape.arguments, "")[min(index, len(shape.arguments))]
        if slot in slots or slot not in shape.arguments:
            grid.context.diagnostics.error("XP048", argument.span, f"`{name}` takes no such argument", help=usage)
            return None
        slots[slot] = argument.value
    if len(slots) < len(shape.arguments):
        missing = next(slot for slot in shape.arguments if slot not in slots)
        grid.context.diagnostics.error("XP048", expr.span, f"`{name}` lacks its `{missing}`", help=usage)
        return None
    found: list[tuple[Value, Span]] = []
    for slot in shape.arguments:
        value = grid.context.constant(slots[slot], "a distribution", grid.scope)
        if not isinstance(value, EllipsisType):
            found.append((value, slots[slot].span))
    return found if len(found) == len(shape.arguments) else None


def _choice(
    expr: tree.Call, argument: tuple[Value, Span], path: Path, grid: GridResolver
) -> tuple[Distribution, Type] | None:
    values, span = argument
    if not isinstance(values, list) or not values:
        what = ", not an empty list" if values == [] else f", but this is {named(values)}"
        message = f"`choice` takes a list of values{what}"
        grid.context.diagnostics.error("XP048", span, message, "no values", help="write `choice([…, …])`")
        return None
    whole = expr.arguments[0].value
    spans = [item.span for item in whole.items] if isinstance(whole, tree.ListOf) else []
    if isinstance(whole, tree.Values):
        spans = [whole.element_span(i) for i in range(len(values))]
    found = [
        grid.fitted(Set(path, span, value, at)) for value, at in zip(values, spans or [span] * len(values), strict=True)
    ]
    if any(isinstance(value, Unknown) for value in found):
        return None
    if path not in grid.table.drafts:
        found = list(common(values))
    return Distribution("choice", (found,), expr.span), grid.type(path)  # type: ignore[arg-type]


def _numbers(
    expr: tree.Call,
    name: str,
    shape: Shape,
    arguments: list[tuple[Value, Span]],
    path: Path,
    grid: GridResolver,
) -> tuple[Distribution, Type] | None:
    diagnostics = grid.context.diagnostics
    for value, span in arguments:
        if type(value) is not int and (type(value) is not float or shape.draws == "int"):
            wanted = "an int" if shape.draws == "int" else "a number"
            message = f"`{name}` takes {wanted} here, but this is {named(value)}"
            diagnostics.error("XP048", span, message, label(value))
            return None
    values = tuple(value for value, _ in arguments)
    if not shape.holds(values):  # type: ignore[arg-type]  # numbers, as was checked above
        diagnostics.error("XP048", expr.span, f"`{name}` needs {shape.rule}", "does not hold")
        return None
    wanted = grid.type(path)
    if wanted == "any":
        return Distribution(name, values, expr.span), shape.draws
    drawn: Value = 0 if shape.draws == "int" else 0.5
    if wanted not in ("int", "float"):
        drawn_type = "an int" if shape.draws == "int" else "a float"
        message = f"`{dotted(path)}` is {NAMED[wanted]}, but `{name}` draws {drawn_type}"
        labels = [Label(grid.table.drafts[path].first, "it was first given here")]
        help = "`choice([…, …])` draws from values of any type"
        diagnostics.error("XP034", expr.span, message, shape.draws, labels=labels, help=help)
        return None
    if isinstance(grid.fitted(Set(path, expr.span, drawn, expr.span)), Unknown):
        return None
    return Distribution(name, values, expr.span), wanted


def whole_number(expr: tree.Expr, what: str, least: int, most: int, context: Context) -> int | None:
    """Give a constant int within bounds; nothing if it is none, which is reported."""
    value = context.constant(expr, what)
    if isinstance(value, EllipsisType):
        return None
    if type(value) is not int:
        message = f"{what} is an int, but this is {named(value)}"
        context.diagnostics.error("XP045", expr.span, message, label(value))
        return None
    if not least <= value <= most:
        bound = f"at least {least}" if value < least else f"at most {most:,}"
        context.diagnostics.error("XP045", expr.span, f"{what} is {bound}, not {value:,}", "out of bounds")
        return None
    return value
