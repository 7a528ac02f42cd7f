"""Logged series to as many points as a drawing can show."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from ...grammar.screen import visible
from ..metrics import Series

SERIES: Final = 24  # of one run
POINTS: Final = 200  # of one series, or fewer, so that all of the page have
ALL_POINTS: Final = 1_000_000
FEWEST: Final = 20
DIGITS: Final = 6  # significant ones of a value, which is finer than any screen


class Steps:
    """Lists of steps, each kept once: runs of one experiment mostly log at the same steps."""

    def __init__(self) -> None:
        self.lists: list[Sequence[float | int]] = []
        self._known: dict[tuple[float | int, ...], int] = {}

    def number(self, steps: Sequence[float | int]) -> int:
        """Give the place of a list of steps."""
        key = tuple(steps)
        if key not in self._known:
            self._known[key] = len(self.lists)
            self.lists.append(list(steps))
        return self._known[key]


def points_of(runs: int, metrics: int) -> int:
    """Give how many points a series may have on a page that draws so many runs."""
    return max(FEWEST, min(POINTS, ALL_POINTS // max(1, runs * min(metrics, SERIES))))


def curves(found: Mapping[str, Series], steps: Steps, most: int = POINTS) -> dict[str, Any]:
    """Give each series of two points or more as [place of its steps, values, how many points it had].

    At most *most* points of each are kept.
    """
    drawn: dict[str, Any] = {}
    long = [(name, series) for name, series in found.items() if len(series.values) > 1]
    for name, series in long[:SERIES]:
        kept = thin(series.values, most)
        values = [_rounded(series.values[at]) for at in kept]
        drawn[visible(name)] = [steps.number([_step(series.steps[at]) for at in kept]), values, len(series.values)]
    return drawn


def thin(values: Sequence[float], most: int) -> list[int]:
    """Give the places of at most *most* points that keep a series' looks: all of them, if they are not more.

    Otherwise first and last, and of equal stretches between them the least and the greatest value: no spike is lost.
    """
    count = len(values)
    if count <= most:
        return list(range(count))
    stretches = (most - 2) // 2
    kept = {0, count - 1}
    for stretch in range(stretches):
        low = 1 + stretch * (count - 2) // stretches
        high = 1 + (stretch + 1) * (count - 2) // stretches
        finite = [at for at in range(low, high) if math.isfinite(values[at])]
        if finite:
            kept.add(min(finite, key=values.__getitem__))
            kept.add(max(finite, key=values.__getitem__))
        else:
            kept.add(low)  # a gap stays a gap
    return sorted(kept)


def _rounded(value: float) -> float | int | None:
    """Give a value for JSON; what is not finite is a gap."""
    if not math.isfinite(value):
        return None
    short = float(f"{value:.{DIGITS}g}")
    return int(short) if short.is_integer() and abs(short) < 1e15 else short


def _step(step: float) -> float | int:
    if not math.isfinite(step):
        return 0
    return int(step) if step.is_integer() and abs(step) < 2**53 else step
