"""Looking again and again, gently: often while something changes, seldom while nothing does."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

FIRST, LAST = 1.0, 10.0  # seconds between two looks at records alone
FIRST_ASKED, LAST_ASKED = 5.0, 60.0  # between two looks that ask a scheduler
SLOWER: Final = 1.5


def rest(seconds: float) -> None:
    time.sleep(seconds)


class Pace:
    """Waits between looks; none of the waits goes beyond *timeout* seconds from now."""

    def __init__(self, timeout: float | None = None, sleep: Callable[[float], None] | None = None) -> None:
        self._until = None if timeout is None else time.monotonic() + timeout
        self._sleep = sleep or rest
        self._last: object = None
        self._pause = 0.0

    def wait(self, shown: object, *, asks: bool) -> bool:
        """Wait after a look that has *shown* something; say whether there is time for another one.

        *asks*: a look asks a scheduler, which has more to do than to answer us.
        """
        first, last = (FIRST_ASKED, LAST_ASKED) if asks else (FIRST, LAST)
        self._pause = first if shown != self._last else min(max(self._pause * SLOWER, first), last)
        self._last = shown
        left = None if self._until is None else self._until - time.monotonic()
        if left is not None and left <= 0:
            return False
        self._sleep(self._pause if left is None else min(self._pause, left))
        return True
