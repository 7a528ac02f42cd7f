"""When a program is warned of its time limit, and when it is made to leave. Times are of the monotonic clock."""

from __future__ import annotations

from typing import Any, Mapping, Optional

MARGIN = 20.0  # seconds before a limit by which a program that was warned is made to leave; a quarter of the warning


class Timetable:
    """The times of one program. *end* is its limit, *checkpoint* how it is warned, if it is."""

    __slots__ = ("before", "end", "warned")

    def __init__(self, end: Optional[float], checkpoint: Optional[Mapping[str, Any]]) -> None:
        self.end = end
        self.before = float(checkpoint["before"]) if checkpoint is not None else None
        self.warned = False

    @property
    def warn_at(self) -> Optional[float]:
        """When to warn it, if that is still to be done."""
        if self.end is None or self.before is None or self.warned:
            return None
        return self.end - self.before

    @property
    def leave_at(self) -> Optional[float]:
        """When to end it."""
        if self.end is None:
            return None
        return self.end - self.margin if self.warned else self.end

    @property
    def margin(self) -> float:
        return min(MARGIN, (self.before or 0.0) / 4)

    def grace(self, usual: float) -> float:
        """Give how long it may take to leave then, in seconds: one that was warned has had its time."""
        return self.margin / 2 if self.warned and self.before is not None else usual
