"""Which runs wait for which: a run is ready when its parents are done, and is skipped when one of them can't be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence


class Graph:
    """The rows that are to be run here; *parents* gives, for rows that have some, those among the rows."""

    def __init__(self, rows: Iterable[int], parents: Mapping[int, Sequence[int]]) -> None:
        self._waits = {row: len(above) for row, above in parents.items() if above}
        self._children: dict[int, list[int]] = {}
        for row, above in parents.items():
            for parent in above:
                self._children.setdefault(parent, []).append(row)
        self._ready = [row for row in rows if row not in self._waits]

    def ready(self) -> Sequence[int]:
        """Give the rows that wait for nothing from the beginning, in order."""
        return self._ready

    def done(self, row: int) -> list[int]:
        """Note that *row* is done; give the rows that waited for nothing else."""
        freed = []
        for child in self._children.pop(row, ()):
            if child in self._waits:
                self._waits[child] -= 1
                if not self._waits[child]:
                    del self._waits[child]
                    freed.append(child)
        return freed

    def drop(self, row: int) -> list[int]:
        """Note that *row* will not be done; give all rows that need it, nearest first."""
        dropped: list[int] = []
        below = [row]
        for parent in below:
            for child in self._children.pop(parent, ()):
                if self._waits.pop(child, None) is not None:
                    dropped.append(child)
                    below.append(child)
        return dropped

    def waiting(self) -> Sequence[int]:
        """Give the rows that still wait."""
        return list(self._waits)
