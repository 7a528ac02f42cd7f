"""A series to one number: the dotted suffixes of queries. NaN is left out, but by ``last`` and ``first``."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Sequence
from typing import Final

from .metrics import Series

Number = float | int | None


def last(series: Series) -> Number:
    """The value logged last; null if that is NaN."""
    return _known(series.values[-1])


def first(series: Series) -> Number:
    return _known(series.values[0])


def least(series: Series) -> Number:
    return min(_finite(series)[1], default=None)


def most(series: Series) -> Number:
    return max(_finite(series)[1], default=None)


def mean(series: Series) -> Number:
    values = _finite(series)[1]
    return _known(_sum(values) / len(values)) if values else None


def total(series: Series) -> Number:
    values = _finite(series)[1]
    return _known(_sum(values)) if values else None


def median(series: Series) -> Number:
    values = sorted(_finite(series)[1])
    if not values:
        return None
    middle = len(values) // 2
    return values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) / 2


def count(series: Series) -> Number:
    """How many values there are, NaN included."""
    return len(series.values)


def argmin(series: Series) -> Number:
    """The step of the smallest value; of equals the first."""
    steps, values = _finite(series)
    return _step(steps[values.index(min(values))]) if values else None


def argmax(series: Series) -> Number:
    steps, values = _finite(series)
    return _step(steps[values.index(max(values))]) if values else None


def auc(series: Series) -> Number:
    """The area under the values over their steps, by the trapezoidal rule (numpy's ``trapezoid``)."""
    steps, values = _finite(series)
    if not values:
        return None
    parts = [(steps[i] - steps[i - 1]) * (values[i] + values[i - 1]) / 2 for i in range(1, len(values))]
    return _known(_sum(parts))


def at(series: Series, step: float) -> Number:
    """The value at that step; the last one if the step was logged several times, null if it was not."""
    for index in range(len(series.steps) - 1, -1, -1):
        if series.steps[index] == step:
            return _known(series.values[index])
    return None


def tail(series: Series, length: float) -> Number:
    """The mean of the last *length* values, or of all if there are fewer."""
    if length < 1:
        return None
    values = [value for value in series.values[-int(length) :] if not math.isnan(value)]
    return _known(_sum(values) / len(values)) if values else None


REDUCERS: Final[dict[str, Callable[[Series], Number]]] = {
    "last": last,
    "first": first,
    "min": least,
    "max": most,
    "mean": mean,
    "median": median,
    "sum": total,
    "count": count,
    "argmin": argmin,
    "argmax": argmax,
    "auc": auc,
}
"""Those that take nothing; the index keeps what they give."""

RAW: Final = ("last", "first", "count")  # to these a NaN is a value

WITH_ARGUMENT: Final[dict[str, Callable[[Series, float], Number]]] = {"at": at, "tail": tail}


def summary(series: Series) -> tuple[Number, ...]:
    """Give what every reducer without an argument makes of a series, in the order of ``REDUCERS``."""
    steps, values = _finite(series)
    known = series if values is series.values else Series(array("d", steps), array("d", values))
    return tuple(reduce(series if name in RAW else known) for name, reduce in REDUCERS.items())


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def _finite(series: Series) -> tuple[Sequence[float], Sequence[float]]:
    """Give steps and values without NaN; infinities stay."""
    if not any(map(math.isnan, series.values)):
        return series.steps, series.values
    kept = [i for i, value in enumerate(series.values) if not math.isnan(value)]
    return [series.steps[i] for i in kept], [series.values[i] for i in kept]


def _sum(values: Sequence[float]) -> float:
    try:
        return math.fsum(values)
    except (ValueError, OverflowError):
        return sum(values)  # infinities of both signs, or a sum beyond all floats


def _step(step: float) -> Number:
    return int(step) if step.is_integer() else step
