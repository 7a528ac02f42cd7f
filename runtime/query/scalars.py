"""The functions of one row: values to a value. Null gives null, and so does what has no result (`log(-1)`)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final

from ...grammar.node import Node
from . import spaced
from .planned import Value
from .values import finite, order_key, shown

FARTHEST: Final = 400  # places of decimals


class Scalar(Node):
    """*takes*: the kinds that its first argument may be of; *most* None: any number of arguments."""

    apply: Callable[..., Value]
    usage: str
    takes: tuple[str, ...] = ("number",)
    least: int = 1
    most: int | None = 1


def _round(value: float, digits: float = 0) -> Value:
    """Round half to even, as Python does; more digits than a float has change nothing."""
    places = int(max(-FARTHEST, min(FARTHEST, digits)))
    return round(value, places) if places else round(value)


def _int(value: Value) -> Value:
    return int(float(value)) if isinstance(value, str) and not value.strip("+-").isdigit() else int(value)


def _least(*values: Value) -> Value:
    return min(values, key=order_key)


def _most(*values: Value) -> Value:
    return max(values, key=order_key)


SCALARS: Final[dict[str, Scalar]] = {
    "abs": Scalar(abs, "abs(x)"),
    "sqrt": Scalar(math.sqrt, "sqrt(x)"),
    "exp": Scalar(math.exp, "exp(x)"),
    "log": Scalar(math.log, "log(x)"),
    "log2": Scalar(math.log2, "log2(x)"),
    "log10": Scalar(math.log10, "log10(x)"),
    "floor": Scalar(math.floor, "floor(x)"),
    "ceil": Scalar(math.ceil, "ceil(x)"),
    "round": Scalar(_round, "round(x, [digits])", most=2),
    "int": Scalar(_int, "int(x)", ("number", "text", "bool")),
    "float": Scalar(float, "float(x)", ("number", "text")),
    "str": Scalar(shown, "str(x)", ("number", "text", "bool", "list", "map")),
    "len": Scalar(len, "len(x)", ("text", "list", "map")),
    "range": Scalar(spaced.numbers, "range([start], stop, [step])", most=3),
    "linspace": Scalar(spaced.linspace, "linspace(start, stop, num)", least=3, most=3),
    "geomspace": Scalar(spaced.geomspace, "geomspace(start, stop, num)", least=3, most=3),
    "logspace": Scalar(spaced.logspace, "logspace(start, stop, num, [base])", least=3, most=4),
    "min": Scalar(_least, "min(x, y, …)", ("number", "text"), 2, None),
    "max": Scalar(_most, "max(x, y, …)", ("number", "text"), 2, None),
}


def apply(function: Scalar, values: Sequence[Value]) -> Value:
    """Call a function; null for nulls, and where there is no result."""
    if any(value is None for value in values):
        return None
    try:
        found = function.apply(*values)
    except (ValueError, OverflowError, ZeroDivisionError):
        return None
    return finite(found)
