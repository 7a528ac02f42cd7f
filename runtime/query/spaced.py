"""Bounds and a number to a list of numbers between them, as the same functions of an Experimentfile give it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from .arithmetic import rounded
from .planned import Value

LONGEST: Final = 1_000_000  # numbers of a list; a longer one has no result


def numbers(*bounds: float) -> Value:
    """Give the integers of Python's ``range``; null where a bound is none, or there are too many."""
    whole = [int(bound) for bound in bounds]
    if whole != list(bounds):
        return None
    found = range(*whole)
    if not found:
        return []
    return list(found) if abs(found[-1] - found[0]) // abs(found.step) < LONGEST else None


def linspace(start: float, stop: float, num: float) -> Value:
    """Give *num* numbers in equal steps, both ends included."""
    return _spaced(start, stop, num, lambda i, last: start + (stop - start) * i / last)


def geomspace(start: float, stop: float, num: float) -> Value:
    """Give *num* numbers in equal ratios, both ends included; null unless both have one sign."""
    if start * stop <= 0:
        return None
    low, high = math.log(abs(start)), math.log(abs(stop))
    return _spaced(start, stop, num, lambda i, last: math.copysign(math.exp(low + (high - low) * i / last), start))


def logspace(start: float, stop: float, num: float, base: float = 10.0) -> Value:
    """Give *num* powers of *base*, their exponents in equal steps."""
    if base <= 0:
        return None
    return _spaced(base**start, base**stop, num, lambda i, last: base ** (start + (stop - start) * i / last))


def _spaced(low: float, high: float, num: float, middle: Callable[[int, int], float]) -> Value:
    """Both ends are exact; what lies between them is computed, and so rounded."""
    count = int(num)
    if count != num or not 0 <= count <= LONGEST:
        return None
    inner = [middle(place, count - 1) for place in range(1, count - 1)]
    return rounded([float(value) for value in [low, *inner, high][:count]])
