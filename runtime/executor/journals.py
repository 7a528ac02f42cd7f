"""End lines that the disk may not have yet: brought there once a second, all at once."""

from __future__ import annotations

import os


class Journals:
    """Paths of journals that have got their end line since the last ``flush``."""

    def __init__(self) -> None:
        self._written: list[str] = []

    def add(self, path: str) -> None:
        self._written.append(path)

    def flush(self) -> None:
        """Wait until the disk has them; a run's folder that somebody removed meanwhile needs nothing."""
        written, self._written = self._written, []
        for path in written:
            try:
                file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                continue
            try:
                os.fsync(file)
            finally:
                os.close(file)
