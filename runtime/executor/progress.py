"""How far the runs of each experiment are, counted as they start and end, and how long the rest may take."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

ENOUGH: Final = 3  # ended runs of an experiment, before anything is said about the time left


@dataclass(slots=True)
class Share:
    """One experiment's runs. Times are a monotonic clock's seconds."""

    total: int
    running: int = 0
    ended: Counter[str] = field(default_factory=Counter)
    began: float | None = None

    @property
    def over(self) -> int:
        return self.ended.total()

    @property
    def failed(self) -> int:
        return self.over - self.ended["done"] - self.ended["skipped"] - self.ended["cancelled"]

    def left(self, now: float) -> float | None:
        """Give the seconds that the rest may take, by how fast runs have ended so far."""
        tried = self.over - self.ended["skipped"]
        if self.began is None or tried < ENOUGH or self.over >= self.total:
            return None
        return (now - self.began) / tried * (self.total - self.over)


class Progress:
    """All experiments' shares, in the order of the plan."""

    def __init__(self, totals: Mapping[str, int]) -> None:
        self.shares = {experiment: Share(total) for experiment, total in totals.items()}

    def started(self, experiment: str, now: float) -> None:
        share = self.shares[experiment]
        share.running += 1
        if share.began is None:
            share.began = now

    def ended(self, experiment: str, state: str, again: bool) -> None:
        """Count the end of an attempt; a run that is tried *again* has not ended."""
        share = self.shares[experiment]
        share.running -= 1
        if not again:
            share.ended[state] += 1

    def set_aside(self, experiment: str, state: str, by: int = 1) -> None:
        """Count runs that were never started here."""
        self.shares[experiment].ended[state] += by


def about(seconds: float) -> str:
    """Write a duration as one would say it: `40 s`, `3 min`, `2 h 10 min`, `3 d 4 h`."""
    if seconds < 59.5:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"
