"""A target's throttle to the shares of the arrays that may run at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from .plan_arrays import Array
from .plan_resources import Requests

UNKNOWN: Final = 3600  # seconds, for work without a time limit


def share(
    arrays: Sequence[Array], whole: Sequence[int], classes: Sequence[Requests], throttle: int | None
) -> tuple[tuple[Array, ...], int]:
    """Give the arrays, each with its share, and how many of them may run at once (0 without a throttle).

    *whole* gives for each, as bits, those that have ended before any of its tasks starts. Of arrays that may run at
    once each gets one task, and the rest goes by their work: so they end together, and never more tasks run than the
    throttle says, if there are not more such arrays.
    """
    if throttle is None:
        return tuple(arrays), 0
    below = _below(whole)
    work = [one.tasks * (classes[one.resources][0].time or UNKNOWN) for one in arrays]
    sums: dict[int, int] = {}
    shared: list[Array] = []
    at_once = 0
    for number, one in enumerate(arrays):
        apart = whole[number] | below[number]
        count = len(work) - apart.bit_count()
        at_once = max(at_once, count)
        if apart not in sums:
            sums[apart] = sum(amount for other, amount in enumerate(work) if not apart >> other & 1)
        rest = max(0, throttle - count) * work[number] // sums[apart]
        shared.append(one.replace(throttle=1 + rest))
    return tuple(shared), at_once


def _below(whole: Sequence[int]) -> list[int]:
    """Give for each array, as bits, those that start only when all of it has ended."""
    below = [0] * len(whole)
    for number, bits in enumerate(whole):
        while bits:
            lowest = bits & -bits
            below[lowest.bit_length() - 1] |= 1 << number
            bits ^= lowest
    return below
