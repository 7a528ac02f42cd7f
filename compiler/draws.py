"""A distribution, a seed, a key and a number to a value: draw *i* of key *k* depends on (seed, *k*, *i*) alone.

The random bits are BLAKE2b of that triple, so that a new key or more points move no draw, on any machine. A redraw
(for a constraint) adds the number of the attempt: other points and other keys stay where they are.
"""

from __future__ import annotations

from hashlib import blake2b
from math import exp, log
from typing import Final, cast

from .identity import canonical
from .operators import rounded
from .values import Path, Value, dotted

_BITS: Final = 64
_PERSON: Final = b"xpc.draw"


def bits(seed: int, path: Path, index: int, attempt: int = 0) -> int:
    """Give the 64 random bits of one draw."""
    which: list[Value] = [seed, dotted(path), index]
    if attempt:
        which.append(attempt)
    data = canonical(which).encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(data, digest_size=8, person=_PERSON).digest(), "big")


def draw(name: str, arguments: tuple[Value, ...], seed: int, path: Path, index: int, attempt: int = 0) -> Value:
    """Give draw *index* of key *path* from the distribution *name*; *arguments* have been checked.

    Integers come from their whole range, both ends included; floats have 12 significant digits.
    """
    random = bits(seed, path, index, attempt)
    if name == "choice":
        (options,) = arguments
        choices = cast("list[Value]", options)
        return choices[random * len(choices) >> _BITS]
    first, second = (_number(argument) for argument in arguments)
    match name:
        case "randint":
            low, high = int(first), int(second)
            return low + (random * (high - low + 1) >> _BITS)
        case "logint":
            low, high = int(first), int(second)
            found = rounded(exp(_between(log(low), log(high + 1), random)))
            return min(max(int(found), low), high)
        case "uniform":
            return _clamped(_between(first, second, random), first, second)
        case "loguniform":
            return _clamped(exp(_between(log(first), log(second), random)), first, second)
        case "normal":
            return rounded(_normal(first, second, random))
        case "lognormal":
            return rounded(exp(_normal(first, second, random)))
        case _:
            raise ValueError(f"no distribution is called {name}")


def _number(value: Value) -> int | float:
    return cast("int | float", value)


def _between(low: float, high: float, random: int) -> float:
    return low + (high - low) * ((random >> 11) * 2.0**-53)


def _clamped(value: float, low: float, high: float) -> float:
    """Round, without leaving the range that the user wrote."""
    return min(max(rounded(value), float(low)), float(high))


def _normal(mean: float, deviation: float, random: int) -> float:
    if deviation == 0:
        return mean
    from statistics import NormalDist

    return NormalDist(mean, deviation).inv_cdf(((random >> 12) + 0.5) * 2.0**-52)
