"""Two columns and an operator to a column. What has no result is null; what does not fit together is said."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from .bulk import are_equal
from .planned import Value
from .values import LARGEST, equal, finite, kind, shown

ARITHMETIC: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": operator.pow,
}
ORDER: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
ORDERED: Final = frozenset(("number", "text"))
DIGITS: Final = 12  # significant ones of a float that an Experimentfile computes


class MisfitError(Exception):
    """Inside a query only: two values that an operator can't bring together."""

    def __init__(self, left: Value, right: Value) -> None:
        super().__init__()
        self.left, self.right = left, right


def compute(name: str, left: Sequence[Value], right: Sequence[Value]) -> list[Value]:
    """Give ``left name right`` for each row; raises `MisfitError`."""
    function = ARITHMETIC[name]
    return [_compute(function, name, a, b) for a, b in zip(left, right, strict=True)]


def _compute(function: Callable[[Any, Any], Any], name: str, left: Value, right: Value) -> Value:
    if left is None or right is None:
        return None
    both = kind(left), kind(right)
    if both != ("number", "number") and not (name == "+" and both == ("text", "text")):
        raise MisfitError(left, right)
    if name == "**" and isinstance(left, int) and isinstance(right, int) and left.bit_length() * right > LARGEST:
        return None
    try:
        found = function(left, right)
    except (ZeroDivisionError, OverflowError, ValueError):
        return None
    return None if isinstance(found, complex) else finite(found)


def rounded(column: Sequence[Value]) -> list[Value]:
    """Give computed values as an Experimentfile keeps them: floats to 12 significant digits, so ``0.1 * 3 == 0.3``."""
    return [float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value for value in column]


def compare(name: str, left: Sequence[Value], right: Sequence[Value]) -> list[Value]:
    """Compare for each row; with null it is false. Raises `MisfitError` where an order is asked of what has none."""
    if name == "==":
        return are_equal(left, right) or [equal(a, b) for a, b in zip(left, right, strict=True)]
    if name == "!=":
        return [a is not None and b is not None and not equal(a, b) for a, b in zip(left, right, strict=True)]
    function = ORDER[name]
    return [_before(function, a, b) for a, b in zip(left, right, strict=True)]


def _before(function: Callable[[Any, Any], bool], left: Value, right: Value) -> bool:
    if left is None or right is None:
        return False
    both = kind(left)
    if both != kind(right) or both not in ORDERED:
        raise MisfitError(left, right)
    return function(left, right)


def contains(left: Sequence[Value], right: Sequence[Value], negated: bool) -> list[Value]:
    """Say for each row whether a value is in a list, or a text in a text; null is in nothing, and not in nothing."""
    return [False if a is None or b is None else _in(a, b) != negated for a, b in zip(left, right, strict=True)]


def _in(value: Value, container: Value) -> bool:
    if isinstance(container, list):
        return any(equal(value, element) for element in container)
    if isinstance(container, str) and isinstance(value, str):
        return value in container
    raise MisfitError(value, container)


def matches(left: Sequence[Value], pattern: re.Pattern[str]) -> list[Value]:
    """Say for each row whether a text holds a match; another value is searched as it is written."""
    return [value is not None and pattern.search(shown(value)) is not None for value in left]
