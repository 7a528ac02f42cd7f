"""A series to one number: the dotted suffixes of queries. NaN is left out, but by ``last``, ``first`` and ``count``."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final

from .metrics import Series

Number = float | int | None
Numbers = Sequence[float]


def last(steps: Numbers, values: Numbers) -> Number:
    """The value logged last; null if that is NaN."""
    return _known(values[-1])


def first(steps: Numbers, values: Numbers) -> Number:
    """The value logged first; null if that is NaN."""
    return _known(values[0])


def count(steps: Numbers, values: Numbers) -> Number:
    """How many values there are, NaN included."""
    return len(values)


def least(steps: Numbers, values: Numbers) -> Number:
    return min(values)


def most(steps: Numbers, values: Numbers) -> Number:
    return max(values)


def mean(steps: Numbers, values: Numbers) -> Number:
    return _known(_sum(values) / len(values))


def total(steps: Numbers, values: Numbers) -> Number:
    return _known(_sum(values))


def median(steps: Numbers, values: Numbers) -> Number:
    """The middle value, or the mean of the two middle ones."""
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else _known((ordered[middle - 1] + ordered[middle]) / 2)


def argmin(steps: Numbers, values: Numbers) -> Number:
    """The step of the smallest value; of equals the first."""
    return _step(steps[values.index(min(values))])


def argmax(steps: Numbers, values: Numbers) -> Number:
    """The step of the largest value; of equals the first."""
    return _step(steps[values.index(max(values))])


def auc(steps: Numbers, values: Numbers) -> Number:
    """The area under the values over their steps, by the trapezoidal rule (numpy's ``trapezoid``)."""
    sides = zip(steps, steps[1:], values, values[1:], strict=False)
    return _known(_sum([(right - left) * (low + high) / 2 for left, right, low, high in sides]))


REDUCERS: Final[dict[str, Callable[[Numbers, Numbers], Number]]] = {
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

RAW: Final = frozenset(("last", "first", "count"))  # to these a NaN is a value


def at(series: Series, step: float) -> Number:
    """The value at that step: the last one if the step was logged several times, null if it was not."""
    for index in range(len(series.steps) - 1, -1, -1):
        if series.steps[index] == step:
            return _known(series.values[index])
    return None


def tail(series: Series, length: float) -> Number:
    """The mean of the last *length* values, or of all if there are fewer."""
    values = [value for value in series.values[-int(length) :] if not math.isnan(value)] if length >= 1 else []
    return mean((), values) if values else None


WITH_ARGUMENT: Final[dict[str, Callable[[Series, float], Number]]] = {"at": at, "tail": tail}


def reduce(series: Series, name: str) -> Number:
    """Give what the reducer of that name makes of a series."""
    steps, values = (series.steps, series.values) if name in RAW else _known_ones(series)
    return REDUCERS[name](steps, values) if values else None


def summary(series: Series) -> tuple[Number, ...]:
    """Give what every reducer without an argument makes of a series, in the order of ``REDUCERS``."""
    steps, values = _known_ones(series)
    return tuple(
        reducer(series.steps, series.values) if name in RAW else reducer(steps, values) if values else None
        for name, reducer in REDUCERS.items()
    )


def _known_ones(series: Series) -> tuple[Numbers, Numbers]:
    """Give steps and values without NaN; infinities stay."""
    if not any(map(math.isnan, series.values)):
        return series.steps, series.values
    kept = [i for i, value in enumerate(series.values) if not math.isnan(value)]
    return [series.steps[i] for i in kept], [series.values[i] for i in kept]


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def _sum(values: Numbers) -> float:
    try:
        return math.fsum(values)
    except (ValueError, OverflowError):
        return sum(values)  # infinities of both signs, or a sum beyond all floats


def _step(step: float) -> Number:
    return int(step) if step.is_integer() else step
