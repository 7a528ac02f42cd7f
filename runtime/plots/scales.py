"""Values to the axis that suits them: its unit, logarithmic or not, the places that it marks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Final

from ..cell_text import NOTHING, plain
from ..query.aggregates import distinct
from ..query.planned import Value
from ..query.values import frozen, kind, order_key
from .figure import NAN, Axis, Scale

_DURATIONS: Final = (("d", 86400.0), ("h", 3600.0), ("min", 60.0), ("s", 1.0))
_SIZES: Final = (("TiB", 2.0**40), ("GiB", 2.0**30), ("MiB", 2.0**20), ("KiB", 2.0**10), ("B", 1.0))
LARGEST: Final = 1e100  # differences and squares of larger numbers, and of smaller ones than 1e-100, are no floats
FEW: Final = 12  # values that are marked one by one
_EVEN: Final = 3.0  # the largest gap may be so many times the smallest
_LEAST_RANGE: Final = 4.0
_DECADES: Final = 100.0  # many values are on a logarithmic axis if they span two decades
_MANY_DECADES: Final = 1000.0


def numbers(values: Iterable[Value]) -> list[float]:
    """Give numbers as floats; what is no number, or too large to be drawn, is NaN, what is too small is 0."""
    return [_number(value) for value in values]


def _number(value: Value) -> float:
    if kind(value) != "number":
        return NAN
    try:
        found = float(value)
    except OverflowError:
        return NAN
    if not abs(found) <= LARGEST:
        return NAN
    return found if abs(found) >= 1 / LARGEST else 0.0


def timestamps(values: Iterable[Value]) -> list[float]:
    """Give the times of records in seconds since 1970."""
    return [_timestamp(value) for value in values]


def _timestamp(value: Value) -> float:
    try:
        return datetime.fromisoformat(value).timestamp() if isinstance(value, str) else NAN
    except (ValueError, OverflowError):
        return NAN


def unit_scale(values: Iterable[float], unit: str) -> tuple[str, float]:
    """Give the unit in which durations (seconds) or sizes (bytes) have handy numbers, and how much one of it is."""
    units = {"duration": _DURATIONS, "size": _SIZES}.get(unit)
    if units is None:
        return "", 1.0
    most = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    return next(((name, amount) for name, amount in units if most >= 2 * amount), units[-1])


def numeric_axis(label: str, values: Iterable[float], unit: str = "", direction: str | None = None) -> Axis:
    """Give the axis of numbers that were measured: a logarithmic one for three decades, too, however they lie."""
    known = [value for value in values if math.isfinite(value)]
    wide = bool(known) and min(known) > 0 and max(known) / min(known) >= _MANY_DECADES
    scale: Scale = "log" if wide else scale_of(known)
    return Axis(label, unit, scale, direction=direction, whole=all(value.is_integer() for value in known))


def setting_axis(label: str, values: Iterable[float], unit: str = "") -> Axis:
    """Give the axis of numbers that somebody chose: if they are few, each of them is marked."""
    known = sorted({value for value in values if math.isfinite(value)})
    ticks = tuple((value, number_text(value)) for value in known) if len(known) <= FEW else ()
    return Axis(label, unit, scale_of(known), ticks)


def categories(label: str, values: Sequence[Value]) -> tuple[Axis, list[float]]:
    """Give the axis of the different values and the place of each value on it: numbers by size, others as they come.

    Null stands last.
    """
    ordered = distinct(values)
    if all(kind(value) in ("number", "null") for value in ordered):
        ordered.sort(key=lambda value: (value is None, order_key(value)))
    else:
        ordered.sort(key=lambda value: value is None)
    places = {frozen(value): float(place) for place, value in enumerate(ordered)}
    ticks = tuple((float(place), value_text(value)) for place, value in enumerate(ordered))
    return Axis(label, "", "category", ticks), [places[frozen(value)] for value in values]


def scale_of(values: Iterable[float]) -> Scale:
    """Say whether numbers are spaced geometrically. What has a zero or a negative number is not."""
    known = sorted({value for value in values if math.isfinite(value)})
    if len(known) < 2 or known[0] <= 0:
        return "linear"
    low, high = known[0], known[-1]
    if len(known) > FEW:
        middle = known[len(known) // 2]
        geometric = abs(math.log(middle / low) / math.log(high / low) - 0.5)
        return "log" if high / low >= _DECADES and geometric < abs((middle - low) / (high - low) - 0.5) else "linear"
    if len(known) == 2:
        return "log" if high / low >= 10 else "linear"
    even = _unevenness([b - a for a, b in pairwise(known)])
    ratios = _unevenness([math.log(b / a) for a, b in pairwise(known)])
    fits = high / low >= _LEAST_RANGE * (1 - 1e-9) and ratios <= _EVEN and ratios * 1.5 < even
    return "log" if fits else "linear"


def _unevenness(gaps: Sequence[float]) -> float:
    return max(gaps) / min(gaps)


def number_text(value: float) -> str:
    """Write a number shortly and exactly: `0.1`, `64`, `1e-05`."""
    if value.is_integer() and abs(value) < 1e5:
        return f"{value:.0f}"
    return f"{value:.6g}"


def value_text(value: Value) -> str:
    """Write a value as a label."""
    if value is None:
        return NOTHING
    return number_text(float(value)) if kind(value) == "number" and abs(value) < 1e300 else plain(value)
