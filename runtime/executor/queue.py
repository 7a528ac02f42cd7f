"""Runs that are ready to start, first come first served; small ones may pass a big one, but not for ever."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from .room import Need, Room

PATIENCE = 16  # how many may pass a run that waits for room, before nothing more starts until it fits


class Queue:
    """Rows by what they need: looking for one that fits costs a step a kind of need, not a step a row."""

    def __init__(self, patience: int = PATIENCE) -> None:
        self._patience = patience
        self._lines: dict[Need, deque[tuple[int, int]]] = {}  # (ticket, row), lowest ticket first
        self._ticket = 0
        self._passed = 0
        self._first: int | None = None  # the ticket of the oldest one, while it waits for room

    def __len__(self) -> int:
        return sum(map(len, self._lines.values()))

    def __iter__(self) -> Iterator[int]:
        """Give all rows, oldest first."""
        return (row for _, row in sorted(entry for line in self._lines.values() for entry in line))

    def add(self, row: int, need: Need) -> None:
        self._lines.setdefault(need, deque()).append((self._ticket, row))
        self._ticket += 1

    def add_first(self, row: int, need: Need) -> None:
        """Put *row* before all others: a run that goes on with its next attempt."""
        oldest = min((line[0][0] for line in self._lines.values() if line), default=0)
        self._lines.setdefault(need, deque()).appendleft((min(oldest, 0) - 1, row))

    def take(self, room: Room) -> tuple[int, Need] | None:
        """Take the oldest row that fits into *room*; nothing if none does or an older one has waited enough."""
        fronts = sorted((line[0][0], need) for need, line in self._lines.items() if line)
        if not fronts:
            return None
        oldest = fronts[0][0]
        if self._first != oldest:
            self._first, self._passed = oldest, 0
        for ticket, need in fronts:
            if ticket != oldest and self._passed >= self._patience:
                return None
            if room.fits(need):
                self._passed += ticket != oldest
                _, row = self._lines[need].popleft()
                return row, need
        return None
