"""One live attempt: its processes, its time and memory limits, and how it is ended."""

from __future__ import annotations

import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from subprocess import Popen

from ..shim import processes
from ..shim.attempt import Attempt, Launch
from ..shim.processes import Process
from ..shim.timetable import Timetable
from ..shim.verdict import Cause
from .gpus import Device
from .room import Need


@dataclass(slots=True, eq=False)
class Running:
    """An attempt whose program has been started. *kill_at* is a time of the monotonic clock."""

    row: int
    attempt: Attempt
    launch: Launch
    need: Need
    devices: tuple[Device, ...]
    program: Popen[bytes]
    times: Timetable
    kill_at: float | None = None
    cause: Cause | None = None
    peak: int = 0

    @property
    def pid(self) -> int:
        return self.program.pid

    @property
    def memory(self) -> int | None:
        limit = self.attempt.request["memory"]
        assert limit is None or isinstance(limit, int)
        return limit

    def stop(self, cause: Cause, grace: float) -> None:
        """Ask all its processes to leave; the first reason to do so is the one that is recorded."""
        if self.cause is None:
            self.cause = cause
        if self.kill_at is None:
            self.kill_at = time.monotonic() + grace
            self._send(signal.SIGTERM)

    def kill(self, cause: Cause | None = None) -> None:
        if self.cause is None:
            self.cause = cause
        self.kill_at = None
        self._send(signal.SIGKILL)

    def check_time(self, now: float, grace: float) -> None:
        """Enforce the time limit, and the end of the grace that a stopped program has."""
        if self.kill_at is not None:
            if now >= self.kill_at:
                self.kill()
            return
        if self.cause is not None or self.times.end is None:
            return
        if self.times.warn_at is not None and now >= self.times.warn_at:
            self.times.warned = True
            self.attempt.warn(self.pid)
        if self.times.leave_at is not None and now >= self.times.leave_at:
            limit = self.attempt.request["time"]
            self.stop(Cause("timeout", f"over the time limit of {limit:g} s"), self.times.grace(grace))

    def next_check(self) -> float | None:
        """Give when something is to be done about its time."""
        if self.kill_at is not None or self.cause is not None:
            return self.kill_at
        return self.times.leave_at if self.times.warn_at is None else self.times.warn_at

    def check_memory(self, table: Mapping[int, Process]) -> None:
        """Sample what all its processes use together; what several share counts once before anything is killed."""
        own = self.attempt.members(self.pid, dict(table))
        used = processes.memory_of(own, dict(table), self.memory)
        self.peak = max(self.peak, used)
        if self.memory is not None and used > self.memory and self.cause is None:
            self.kill(Cause("oom", f"used {used >> 20} MiB of {self.memory >> 20} MiB"))

    def _send(self, number: int) -> None:
        self.attempt.signal(self.pid, number)
