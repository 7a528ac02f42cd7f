"""Two values and an operator to a value: arithmetic with units, typed comparisons, membership.

Numbers are 64-bit integers and finite floats; every computed float is rounded to 12 significant digits.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any, Final

from ..grammar import tree
from ..grammar.source import Span
from .fault import fault
from .types import label, named
from .values import Duration, Size, Value

LEAST: Final = -(2**63)
MOST: Final = 2**63 - 1
LONGEST_TEXT: Final = 1_000_000
LONGEST_LIST: Final = 10_000_000

_KINDS: Final[dict[type, str]] = {
    bool: "bool",
    dict: "map",
    Duration: "duration",
    float: "number",
    int: "number",
    list: "list",
    Size: "size",
    str: "text",
    type(None): "null",
}

_PLAIN: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
}

_RESULTS: Final[dict[tuple[str, str], str]] = {
    ("+", "size size"): "size",
    ("-", "size size"): "size",
    ("*", "size number"): "size",
    ("*", "number size"): "size",
    ("/", "size number"): "size",
    ("/", "size size"): "number",
    ("//", "size number"): "size",
    ("//", "size size"): "whole",
    ("%", "size size"): "size",
    ("+", "duration duration"): "duration",
    ("-", "duration duration"): "duration",
    ("*", "duration number"): "duration",
    ("*", "number duration"): "duration",
    ("/", "duration number"): "duration",
    ("/", "duration duration"): "number",
    ("//", "duration number"): "duration",
    ("//", "duration duration"): "whole",
    ("%", "duration duration"): "duration",
}

_VERBS: Final = {
    "+": "cannot add {right} to {left}",
    "-": "cannot subtract {right} from {left}",
    "*": "cannot multiply {left} by {right}",
    "/": "cannot divide {left} by {right}",
    "//": "cannot divide {left} by {right}",
    "%": "cannot take {left} modulo {right}",
    "**": "cannot raise {left} to the power of {right}",
}


def kind(value: Value) -> str:
    """Give what arithmetic and comparisons ask of a value: numbers are one kind, sizes and durations their own."""
    return _KINDS[type(value)]


def rounded(value: float) -> float:
    """Give a computed float as it is kept: 12 significant digits."""
    return float(f"{value:.12g}")


def checked(value: int | float, span: Span) -> Value:
    """Give a computed number, or fail where it leaves the range of numbers."""
    if isinstance(value, int):
        if LEAST <= value <= MOST:
            return value
        raise fault(
            "XP028", span, "the result does not fit into 64 bits", "too large", help="write a float, such as `1e20`"
        )
    if not math.isfinite(value):
        raise fault("XP028", span, "the result is not a finite number", "too large")
    return rounded(value)


def arithmetic(name: str, left: Value, right: Value, expr: tree.Binary) -> Value:
    """Give ``left name right`` for one of ``+ - * / // % **``."""
    pair = kind(left) + " " + kind(right)
    if pair == "number number":
        return checked(_compute(name, left, right, expr), expr.span)
    result = _RESULTS.get((name, pair))
    if result is not None:
        return _with_unit(result, _compute(name, left, right, expr), expr)
    if name == "+" and pair in ("text text", "list list"):
        return _bounded(left, right, expr)
    if name == "*" and pair in ("text number", "list number", "number text", "number list"):
        return _repeated(left, right, expr)
    return _refuse(name, left, right, expr)


def _compute(name: str, left: Any, right: Any, expr: tree.Binary) -> int | float:
    if name == "**":
        return _power(left, right, expr)
    try:
        result: int | float = _PLAIN[name](left, right)
    except ZeroDivisionError:
        raise fault(
            "XP028", expr.span, "division by zero", "this divides by zero", labels=[(expr.right.span, "0")]
        ) from None
    except OverflowError:
        raise fault("XP028", expr.span, "the result is not a finite number", "too large") from None
    return result


def _power(base: int | float, exponent: int | float, expr: tree.Binary) -> int | float:
    if isinstance(base, int) and isinstance(exponent, int) and exponent > 64 and abs(base) > 1:
        raise fault(
            "XP028",
            expr.span,
            "the result does not fit into 64 bits",
            "too large",
            help="write a float, such as `10.0 ** 20`",
        )
    try:
        result = base**exponent
    except ZeroDivisionError:
        raise fault("XP028", expr.span, "zero cannot be raised to a negative power", "this divides by zero") from None
    except OverflowError:
        raise fault("XP028", expr.span, "the result is not a finite number", "too large") from None
    if isinstance(result, complex):
        raise fault("XP028", expr.span, "a negative number has no fractional power", "no real number")
    return result


def _with_unit(result: str, value: int | float, expr: tree.Binary) -> Value:
    if not math.isfinite(value):
        raise fault("XP028", expr.span, "the result is not a finite number", "too large")
    match result:
        case "size":
            whole = checked(round(value), expr.span)
            return Size(whole)  # type: ignore[arg-type]  # checked gives back an int for an int
        case "duration":
            return Duration(rounded(value))
        case "whole":
            return int(value)
        case _:
            return checked(float(value), expr.span)


def _bounded(left: Any, right: Any, expr: tree.Binary) -> Value:
    limit = LONGEST_TEXT if isinstance(left, str) else LONGEST_LIST
    _check_length(len(left) + len(right), limit, expr)
    return left + right  # type: ignore[no-any-return]  # two texts or two lists


def _repeated(left: Any, right: Any, expr: tree.Binary) -> Value:
    if not isinstance(right, int):
        left, right = right, left
    if not isinstance(right, int):
        return _refuse("*", left, right, expr)
    limit = LONGEST_TEXT if isinstance(left, str) else LONGEST_LIST
    _check_length(len(left) * right, limit, expr)
    return left * right  # type: ignore[no-any-return]  # a text or a list


def _check_length(length: int, limit: int, expr: tree.Binary) -> None:
    if length > limit:
        raise fault("XP030", expr.span, f"this would be {length:,} long, and {limit:,} is the most", "too long")


def _refuse(name: str, left: Value, right: Value, expr: tree.Binary) -> Value:
    message = _VERBS[name].format(left=named(left), right=named(right))
    pair = {kind(left), kind(right)}
    help: tuple[str, ...] = ()
    if "text" in pair and name == "+":
        help = ('texts are put together by placeholders: `"model-{seed}"`',)
    elif pair == {"size", "number"}:
        help = ("give the number a unit, such as `1GiB`",)
    elif pair == {"duration", "number"}:
        help = ("give the number a unit, such as `30min`",)
    elif "null" in pair:
        help = ("a key that a point lacks is null: ask `is not null` first",)
    labels = [(expr.left.span, label(left)), (expr.right.span, label(right))]
    raise fault("XP026", expr.operator_span, message, labels=labels, help=help)


# ------------------------------------------------------------------ comparisons


def equal(left: Value, right: Value) -> bool:
    """Tell whether two values are one: 1 and 1.0 are; true, 1, "1" and null are four."""
    if kind(left) != kind(right):
        return False
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(equal, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(equal(left[name], right[name]) for name in left)
    return left == right


_ORDERS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def compare(name: str, left: Value, right: Value, expr: tree.Binary) -> bool:
    """Give ``left name right`` for a comparison; one with null is false, one of two kinds fails."""
    if left is None or right is None:
        return False
    if kind(left) != kind(right):
        labels = [(expr.left.span, label(left)), (expr.right.span, label(right))]
        message = f"{named(left)} is never equal to {named(right)}"
        if name in _ORDERS:
            message = f"{named(left)} has no order with {named(right)}"
        raise fault("XP027", expr.operator_span, message, labels=labels, help=_comparable(left, right, expr))
    if name == "==":
        return equal(left, right)
    if name == "!=":
        return not equal(left, right)
    if kind(left) in ("bool", "list", "map"):
        what = {"bool": "true and false have", "list": "lists have", "map": "maps have"}[kind(left)]
        raise fault("XP027", expr.operator_span, f"{what} no order", "compares by size")
    return _ORDERS[name](left, right)


def _comparable(left: Value, right: Value, expr: tree.Binary) -> tuple[str, ...]:
    pair = {kind(left), kind(right)}
    for value, side in ((left, expr.left), (right, expr.right)):
        if isinstance(value, str) and isinstance(side, tree.Text) and pair in ({"text", "number"}, {"text", "bool"}):
            return (f"write `{value}` without quotes",)
    if pair == {"size", "number"}:
        return ("give the number a unit, such as `1GiB`",)
    if pair == {"duration", "number"}:
        return ("give the number a unit, such as `30min`",)
    return ()


def contains(element: Value, whole: Value, expr: tree.Binary) -> bool:
    """Give ``element in whole``; *whole* is a list, a text or a map."""
    match whole:
        case list():
            if whole and not any(kind(item) in (kind(element), "null") for item in whole):
                labels = [(expr.left.span, label(element)), (expr.right.span, f"a list of {kind(whole[0])}s")]
                raise fault("XP027", expr.operator_span, f"{named(element)} is never in this list", labels=labels)
            return any(equal(element, item) for item in whole)
        case str() if isinstance(element, str):
            return element in whole
        case dict() if isinstance(element, str):
            return element in whole
        case _:
            labels = [(expr.left.span, label(element)), (expr.right.span, label(whole))]
            raise fault("XP027", expr.operator_span, f"{named(element)} cannot be in {named(whole)}", labels=labels)


def truth(value: Value, span: Span) -> bool:
    """Give a condition's outcome: true, false, or null, which counts as false."""
    if value is None:
        return False
    if isinstance(value, bool):
        return value
    compared = {"text": ' == ""', "list": "", "number": " == 0"}.get(kind(value), "")
    help = f"compare it, such as `… {compared.strip()}`" if compared else "a condition is a comparison, or a bool"
    raise fault("XP053", span, f"a condition is true or false, but this is {named(value)}", label(value), help=help)
