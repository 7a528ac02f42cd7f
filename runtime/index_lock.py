"""Who has an index open, and who may replace it: only one that nobody else has open.

SQLite finds the journal of a file by the file's name. A writer whose file was replaced meanwhile would leave its
journal beside the new one, where the next reader takes it for that one's, and damages it.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

PATIENCE: Final = 2.0  # seconds for those who open, or replace, an index just now
PAUSE: Final = 0.01


class IndexLock:
    """The lock of the index at *place*, a file beside it; a process that dies lets go of it."""

    def __init__(self, place: str) -> None:
        self._path = f"{place}.lock"
        self._shared: int | None = None

    def share(self) -> bool:
        """Keep the index from being replaced, until `release`; tell whether that came to pass."""
        if self._shared is None:
            self._shared = _locked(self._path, fcntl.LOCK_SH)
        return self._shared is not None

    def release(self) -> None:
        if self._shared is not None:
            os.close(self._shared)
            self._shared = None

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Tell whether nobody else has the index open, nor opens it until the end of the block."""
        self.release()
        found = _locked(self._path, fcntl.LOCK_EX)
        try:
            yield found is not None
        finally:
            if found is not None:
                os.close(found)


def _locked(path: str, kind: int) -> int | None:
    """Give a descriptor that has the lock; nothing if others keep it for too long. Raises ``OSError``."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    limit = time.monotonic() + PATIENCE
    try:
        while True:
            try:
                fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
                kept, descriptor = descriptor, -1
                return kept
            except BlockingIOError:
                if time.monotonic() > limit:
                    return None
                time.sleep(PAUSE)
    finally:
        if descriptor >= 0:
            os.close(descriptor)
