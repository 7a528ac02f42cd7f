"""Signals as events: they arrive through a pipe, so that the loop handles them one after the other."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Callable
from types import FrameType
from typing import Final

STOPPING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
Handler = Callable[[int, FrameType | None], object] | int | None


class Signals:
    """While open, a child's end and the signals that stop us wake ``wait`` and do nothing else.

    What was ignored before (`nohup` ignores SIGHUP) stays ignored.
    """

    def __init__(self) -> None:
        self._before: dict[signal.Signals, Handler] = {}

    def __enter__(self) -> Signals:
        self._read, self._write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._wakeup = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        for number in (signal.SIGCHLD, *STOPPING):
            if number != signal.SIGCHLD and signal.getsignal(number) is signal.SIG_IGN:
                continue
            self._before[number] = signal.signal(number, _note)
        self._poll = select.poll()
        self._poll.register(self._read, select.POLLIN)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        signal.set_wakeup_fd(self._wakeup)
        os.close(self._read)
        os.close(self._write)

    def watch(self, file: int) -> None:
        """Let *file* wake ``wait`` too when it is readable (a pidfd is when its process has ended)."""
        self._poll.register(file, select.POLLIN)

    def forget(self, file: int) -> None:
        self._poll.unregister(file)

    def wait(self, seconds: float | None) -> tuple[list[int], list[int]]:
        """Wait for something to happen; give the signals that came, in order, and the watched files that are ready."""
        ready = self._poll.poll(None if seconds is None else max(0, int(seconds * 1000 + 0.999)))
        files = [file for file, _ in ready if file != self._read]
        if len(files) == len(ready):
            return [], files
        return list(os.read(self._read, 4096)), files


def _note(number: int, frame: FrameType | None) -> None:
    """Do nothing: the number is in the pipe already."""
