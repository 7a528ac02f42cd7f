"""Values of many runs to one: the functions that reduce over runs. Nulls have been left out before."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from functools import lru_cache
from typing import Final

from . import student
from .bulk import NUMBERS, types
from .planned import Value
from .values import frozen, order_key

RESAMPLES: Final = 10_000
SEED: Final = 20_261_121

Numbers = Sequence[float]


def mean(values: Numbers) -> float | None:
    """The sum over n, rounded once: numbers are added as if with unlimited digits (Python's ``math.fsum``)."""
    if not values:
        return None
    whole = total(values)
    if whole is None or not math.isfinite(whole):  # the sum is beyond all floats; the mean need not be
        return _sum([value / len(values) for value in values])
    return whole / len(values)


def total(values: Numbers) -> float | None:
    """The sum; 0 of no values, and of integers an integer."""
    if all(type(value) is int for value in values):
        return sum(values) if values else 0.0
    return _sum(values)


def variance(values: Numbers) -> float | None:
    """The unbiased estimate: squared distances from the mean over n - 1; null for fewer than two values."""
    found = deviation(values)
    return None if found is None else found * found


def deviation(values: Numbers) -> float | None:
    """The square root of the squared distances from the mean over n - 1; null for fewer than two values.

    In two passes, so that no digits cancel; the root is taken without squares that are too large or too small.
    """
    middle = mean(values)
    if middle is None or len(values) < 2:
        return None
    return math.hypot(*(value - middle for value in values)) / math.sqrt(len(values) - 1)


def standard_error(values: Numbers) -> float | None:
    """The standard error of the mean: the deviation over the square root of n."""
    found = deviation(values)
    return None if found is None else found / math.sqrt(len(values))


def quantile(values: Numbers, q: float) -> float | None:
    """The *q*-quantile, linear between the two neighbours (Hyndman and Fan's type 7, numpy's default)."""
    if not values:
        return None
    ordered = sorted(values)
    place = (len(ordered) - 1) * q
    below = math.floor(place)
    share = place - below
    low, high = ordered[below], ordered[min(below + 1, len(ordered) - 1)]
    if share == 0 or low == high:
        return _floating(low)
    if share == 0.5 and type(low) is type(high) is int:
        return (low + high) / 2 if abs(low + high) <= _EXACT else _floating_half(low + high)
    step = high - low
    return low + step * share if math.isfinite(step) else low * (1 - share) + high * share


def median(values: Numbers) -> float | None:
    return quantile(values, 0.5)


def interquartile_mean(values: Numbers) -> float | None:
    """The mean without the lowest and the highest quarter, each rounded down to whole values.

    As in Agarwal et al., Deep Reinforcement Learning at the Edge of the Statistical Precipice (2021), who take scipy's
    ``trim_mean(x, 0.25)``.
    """
    cut = len(values) // 4
    return mean(sorted(values)[cut : len(values) - cut])


def confidence(values: Numbers) -> float | None:
    """Half the width of the 95 % interval of the mean by Student's t with n - 1 degrees of freedom."""
    error = standard_error(values)
    return None if error is None else error * _t(len(values) - 1)


@lru_cache(maxsize=1024)
def _t(freedom: int) -> float:
    return student.quantile(0.975, freedom)


def bootstrap(values: Numbers) -> list[float] | None:
    """The 95 % interval of the mean by the percentile bootstrap (Efron and Tibshirani 1993, 13.3), as [low, high].

    10,000 resamples with a fixed seed: the same values in the same order give the same interval.
    """
    if not values:
        return None
    import numpy as np

    # The old generator, since its numbers are promised never to change.
    draw = np.random.RandomState(SEED)
    array = np.asarray(values, dtype=float)
    means = np.empty(RESAMPLES)
    chunk = max(1, 1_000_000 // len(array))
    for start in range(0, RESAMPLES, chunk):
        stop = min(start + chunk, RESAMPLES)
        means[start:stop] = array[draw.randint(0, len(array), size=(stop - start, len(array)))].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return [float(low), float(high)]


def least(values: Sequence[Value]) -> Value:
    return min(values, key=None if types(values) <= NUMBERS else order_key, default=None)


def most(values: Sequence[Value]) -> Value:
    return max(values, key=None if types(values) <= NUMBERS else order_key, default=None)


def distinct(values: Sequence[Value]) -> list[Value]:
    """The different values, in row order."""
    found: dict[Hashable, Value] = {}
    for value in values:
        found.setdefault(frozen(value), value)
    return list(found.values())


NUMERIC: Final[dict[str, Callable[[Numbers], Value]]] = {
    "mean": mean,
    "sum": total,
    "std": deviation,
    "sem": standard_error,
    "var": variance,
    "median": median,
    "iqm": interquartile_mean,
    "ci95": confidence,
    "bootstrap95": bootstrap,
}
"""Those of one argument that take numbers alone."""

ORDERED: Final[dict[str, Callable[[Sequence[Value]], Value]]] = {"min": least, "max": most, "unique": distinct}
"""Those of one argument that take anything that can be ordered, or told apart."""

USAGE: Final[dict[str, str]] = {
    "count": "count()",
    **{name: f"{name}(x)" for name in (*NUMERIC, *ORDERED)},
    "quantile": "quantile(x, q)",
    "argmin": "argmin(x, id)",
    "argmax": "argmax(x, id)",
    "best": "best(x)",
}
LOCATIONS: Final = frozenset(("mean", "median", "min", "max", "iqm", "quantile", "best"))
"""Of these a metric's direction stays what it is."""


def _sum(values: Numbers) -> float:
    try:
        return math.fsum(values)
    except (ValueError, OverflowError):
        return sum(values)
