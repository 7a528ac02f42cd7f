"""Differences of pairs to the p-value of Wilcoxon's signed-rank test, two-sided."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Final

LARGEST_EXACT: Final = 50  # differences
SIGNIFICANT: Final = 12  # digits of the larger value of a pair that its difference is told by


def p_value(pairs: Sequence[tuple[float, float]]) -> float | None:
    """Give the probability of signed ranks as uneven as these if there were no difference; null if all are equal.

    Wilcoxon, Individual Comparisons by Ranking Methods (1945): pairs of equal values are left out, differences of one
    size share the mean of their ranks. Up to 50 differences the distribution of the rank sum, given these ranks, is
    counted out (Hollander, Wolfe and Chicken, Nonparametric Statistical Methods, 3.1, comment 11). Of more it is taken
    for normal, the variance corrected for ties, without a correction for continuity.
    """
    differences = [value for value in (difference(left, right) for left, right in pairs) if value]
    if not differences:
        return None
    sizes = Counter(map(abs, differences))
    rank = _ranks(sizes)
    positive = sum(rank[abs(value)] for value in differences if value > 0)
    whole = sum(rank[size] * same for size, same in sizes.items())
    least = min(positive, whole - positive)
    if len(differences) <= LARGEST_EXACT:
        return _exact(tuple(rank[abs(value)] for value in differences), least)
    return _normal(len(differences), sizes, least / 2)


def difference(left: float, right: float) -> float:
    """Give ``left - right`` without the noise of binary fractions: 0.3 - 0.2 and 0.2 - 0.1 are one difference.

    Otherwise noise would decide what is a tie. R's ``wilcox.test`` has ``digits.rank`` for this.
    """
    found = left - right
    largest = max(abs(left), abs(right))
    if isinstance(found, int) or not found or not math.isfinite(largest):
        return found
    return round(found, SIGNIFICANT - 1 - math.floor(math.log10(largest)))


def _ranks(sizes: Counter[float]) -> dict[float, int]:
    """Give each size twice its rank from 1, so that the mean of the ranks of equal ones is whole."""
    found: dict[float, int] = {}
    before = 0
    for size in sorted(sizes):
        found[size] = 2 * before + sizes[size] + 1
        before += sizes[size]
    return found


def _exact(ranks: Sequence[int], least: int) -> float:
    """Give the share of all choices of signs for these ranks whose smaller sum is *least* or below."""
    ways = [1] + [0] * least  # by sum, how many choices of positive ranks have it
    for rank in ranks:
        for total in range(least, rank - 1, -1):
            ways[total] += ways[total - rank]
    return min(1.0, math.ldexp(sum(ways), 1 - len(ranks)))


def _normal(count: int, sizes: Counter[float], least: float) -> float:
    ties = sum(same**3 - same for same in sizes.values())
    variance = count * (count + 1) * (2 * count + 1) / 24 - ties / 48
    return math.erfc((count * (count + 1) / 4 - least) / math.sqrt(2 * variance))
