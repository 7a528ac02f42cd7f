"""The signals that a task gets, kept until whoever runs its program looks at them."""

from __future__ import annotations

import os
import select
import signal
from types import FrameType
from typing import List, Optional

STOPS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
WARNINGS = (signal.SIGUSR1, signal.SIGUSR2)  # SLURM's --signal=B:USR1@90, OAR's --checkpoint and its default signal


class Signals:
    """Catches what a scheduler sends. *stopped* is the first signal to end everything, *warned* whether one came that
    announces the end; both stay for the whole task."""

    def __init__(self) -> None:
        self.stopped: Optional[int] = None
        self.warned = False
        self._got: List[int] = []
        self._woken, wake = os.pipe()
        os.set_blocking(wake, False)
        os.set_blocking(self._woken, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, _only_wake)
        for number in (*STOPS, *WARNINGS):
            signal.signal(number, self._keep)

    def _keep(self, number: int, frame: Optional[FrameType]) -> None:
        if number in WARNINGS:
            self.warned = True
        elif self.stopped is None:
            self.stopped = number
        self._got.append(number)

    def take(self) -> List[int]:
        """Give what came since the last call, in its order."""
        got, self._got = self._got, []
        return got

    def wait(self, seconds: float) -> None:
        """Wait for a signal, a child's end included."""
        select.select([self._woken], [], [], max(0.0, seconds))
        try:
            os.read(self._woken, 4096)
        except BlockingIOError:
            return

    def shut(self) -> None:
        """From now on nothing may interrupt: the last lines of a record are being written."""
        for number in (*STOPS, *WARNINGS):
            signal.signal(number, signal.SIG_IGN)


def _only_wake(number: int, frame: Optional[FrameType]) -> None:
    """A child has ended; that is seen when it is waited for."""
