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
    throttle says, if there are not more such arrays. What is left by rounding goes to those that it cut most.
    """
    if throttle is None:
        return tuple(arrays), 0
    below = _below(whole)
    work = [one.tasks * (classes[one.resources][0].time or UNKNOWN) for one in arrays]
    apart = [before | after for before, after in zip(whole, below, strict=True)]
    sums = {bits: _sum_beside(bits, work) for bits in set(apart)}
    counts = [len(work) - bits.bit_count() for bits in apart]
    parts = [divmod(max(0, throttle - count) * w, sums[b]) for count, w, b in zip(counts, work, apart, strict=True)]
    shares = [1 + whole_part for whole_part, _ in parts]
    cut_most = sorted(range(len(parts)), key=lambda number: -parts[number][1] / sums[apart[number]])
    _give_the_rest(shares, [one.tasks for one in arrays], apart, throttle, cut_most)
    shared = tuple(one.replace(throttle=count) for one, count in zip(arrays, shares, strict=True))
    return shared, max(counts, default=0)


def _sum_beside(apart: int, amounts: Sequence[int]) -> int:
    """Add up the amounts of those whose bits are not in *apart*."""
    return sum(amount for number, amount in enumerate(amounts) if not apart >> number & 1)


def _give_the_rest(
    shares: list[int], tasks: Sequence[int], apart: Sequence[int], throttle: int, order: Sequence[int]
) -> None:
    """Raise the shares one by one, up to the arrays' tasks, as long as those that may run beside any array stay within
    the throttle."""
    loads = {bits: _sum_beside(bits, shares) for bits in set(apart)}
    raised = True
    while raised:
        raised = False
        for number in order:
            beside = [bits for bits in loads if not bits >> number & 1]
            if shares[number] < tasks[number] and all(loads[bits] < throttle for bits in beside):
                shares[number] += 1
                for bits in beside:
                    loads[bits] += 1
                raised = True


def _below(whole: Sequence[int]) -> list[int]:
    """Give for each array, as bits, those that start only when all of it has ended."""
    below = [0] * len(whole)
    for number, bits in enumerate(whole):
        while bits:
            lowest = bits & -bits
            below[lowest.bit_length() - 1] |= 1 << number
            bits ^= lowest
    return below
