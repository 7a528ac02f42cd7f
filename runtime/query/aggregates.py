"""Values of many runs to one: the functions that reduce over runs. Nulls have been left out before."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Final

from . import student
from .bulk import NUMBERS, types
from .planned import Value
from .values import frozen, order_key

RESAMPLES: Final = 10_000
SEED: Final = 20_261_121

Numbers = Sequence[float]

_SQUARED: Final = 2**480  # squares of larger integers leave the floats
_SMALLEST: Final = 1e-280  # variances below it have lost digits


def mean(values: Numbers) -> float | None:
    """The sum over n. Numbers are added as if with unlimited digits (Python's ``math.fsum``), so it is rounded once."""
    if not values:
        return None
    whole = total(values)
    if math.isfinite(whole) or not _bounded(values):
        return whole / len(values)
    return float(sum(map(Fraction, values)) / len(values))  # the sum is beyond all floats; the mean is not


def total(values: Numbers) -> float:
    """The sum; 0 of no values, and of integers an integer."""
    return sum(values) if values and _whole(values) else _sum(values)


def variance(values: Numbers) -> float | None:
    """The unbiased estimate: squared distances from the mean over n - 1; null for fewer than two values.

    In two passes, less what the rounding of the mean adds (Chan, Golub and LeVeque 1983, 1.7); of integers exactly.
    """
    count, middle = len(values), mean(values)
    if middle is None or count < 2:
        return None
    if _whole(values) and max(map(abs, values)) < _SQUARED:
        return (count * sum(value * value for value in values) - sum(values) ** 2) / (count * (count - 1))
    if min(values) == max(values):
        return 0.0 if math.isfinite(middle) else math.nan
    distances = [value - middle for value in values]
    squares = _sum([distance * distance for distance in distances])
    return max(0.0, squares - _sum(distances) ** 2 / count) / (count - 1) if squares < math.inf else squares


def deviation(values: Numbers) -> float | None:
    """The square root of the variance with n - 1."""
    found, middle = variance(values), mean(values)
    if found is None or middle is None:
        return None
    if math.isnan(found) or _SMALLEST < found < math.inf or min(values) == max(values):
        return math.sqrt(found)
    # Squares of such distances are no floats any more; the distances are.
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
        return float(low) if float(low) == low else low  # an integer that no float is stays one
    if share == 0.5 and _whole((low, high)):
        return (low + high) / 2
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

    10,000 resamples, a fixed seed: the same values, in whatever order, give the same interval. Infinities give none.
    """
    if not values or not all(map(math.isfinite, values)):
        return None
    import numpy as np

    # The old generator, since its numbers are promised never to change.
    draw = np.random.RandomState(SEED)
    array = np.asarray(sorted(values), dtype=float)
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
    **{name: f"{name}(x, baseline = (CONDITION))" for name in ("diff", "ratio", "p_value")},
}


def _sum(values: Numbers) -> float:
    try:
        return math.fsum(values)
    except ValueError:  # infinities of both signs
        return math.nan
    except OverflowError:  # some partial sum is beyond all floats; the whole need not be
        return _nearest(sum(map(Fraction, values))) if _bounded(values) else sum(values)


def _nearest(exact: Fraction | int) -> float:
    try:
        return float(exact)
    except OverflowError:
        return math.inf if exact > 0 else -math.inf


def _bounded(values: Numbers) -> bool:
    return all(map(math.isfinite, values))


def _whole(values: Numbers) -> bool:
    return all(type(value) is int for value in values)
