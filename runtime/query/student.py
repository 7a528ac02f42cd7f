"""The inverse of Student's t distribution, without a library: how wide an interval of confidence is."""

from __future__ import annotations

import math
from typing import Final

STEPS: Final = 200
TINY: Final = 1e-300


def quantile(p: float, freedom: float) -> float:
    """Give the *p*-quantile of Student's t distribution with *freedom* degrees of freedom (0 < p < 1).

    Bisection in the cumulative distribution, which is the regularized incomplete beta function (Abramowitz and Stegun,
    26.7.1), computed by its continued fraction (Press et al., Numerical Recipes, 6.4). Good to 1e-12 relatively.
    """
    if not 0 < p < 1 or freedom <= 0:
        raise ValueError("a quantile is of 0 < p < 1 and more than 0 degrees of freedom")
    if p < 0.5:
        return -quantile(1 - p, freedom)
    if p == 0.5:
        return 0.0
    tail = 2 * (1 - p)
    low, high = 0.0, 1.0
    while two_tails(high, freedom) > tail:
        low, high = high, 2 * high
    for _ in range(STEPS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if two_tails(middle, freedom) > tail:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def two_tails(t: float, freedom: float) -> float:
    """Give the probability of a value beyond *t* on either side."""
    return incomplete_beta(freedom / 2, 0.5, freedom / (freedom + t * t))


def incomplete_beta(a: float, b: float, x: float) -> float:
    """Give the regularized incomplete beta function I_x(a, b)."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(a, b, x) / a
    return 1 - front * _fraction(b, a, 1 - x) / b


def _fraction(a: float, b: float, x: float) -> float:
    """Evaluate the continued fraction of the incomplete beta function by Lentz's method."""
    c, d = 1.0, 1 / _not_zero(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, 10_000):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for step in (even, odd):
            d = 1 / _not_zero(1 + step * d)
            c = _not_zero(1 + step / c)
            value *= c * d
        if abs(c * d - 1) < 1e-16:
            break
    return value


def _not_zero(value: float) -> float:
    return value if abs(value) > TINY else TINY
