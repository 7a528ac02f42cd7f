"""One program from its start to its end, alone: limits enforced, signals passed on, the lease renewed."""

from __future__ import annotations

import os
import select
import signal
import time
from types import FrameType
from typing import Optional, Tuple

from . import claim, processes, program
from .attempt import Attempt, Usage
from .verdict import Cause, not_started

SAMPLE = 1.0  # seconds between two looks at the processes
GRACE = 10.0  # seconds from TERM to KILL


class Supervisor:
    """Runs one prepared attempt. *grace* is how long a program may take to leave after TERM."""

    def __init__(self, attempt: Attempt, grace: float = GRACE) -> None:
        self._attempt = attempt
        self._grace = grace
        self._cause: Optional[Cause] = None
        self._kill_at: Optional[float] = None
        self._pid: Optional[int] = None  # until the program has started
        self._peak = 0
        self._lease = claim.Lease(attempt.folder, attempt.number) if attempt.clustered else None
        self._renewed = time.monotonic()

    def run(self) -> Tuple[Optional[int], Usage, Optional[Cause]]:
        """Start the program and wait for its end; give what ``Attempt.finish`` wants."""
        launch = self._attempt.prepare()
        processes.adopt_orphans()
        woken, wake = os.pipe()
        os.set_blocking(wake, False)
        os.set_blocking(woken, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        if self._cause is not None:
            return None, Usage(0.0, 0), self._cause  # told to stop before there was anything to stop
        try:
            child = program.start(launch)
        except OSError as error:
            return None, Usage(0.0, 0), not_started(error, launch.argv[0], launch.cwd)
        self._pid = child.pid
        if self._cause is not None:
            self._signal(signal.SIGTERM)  # the signal came while the program was starting
        self._attempt.started(child.pid)
        status, cpu = self._wait(child.pid, woken)
        child.returncode = 0  # reaped here, with its usage; the object must not try again
        processes.kill_strays(child.pid, self._attempt.run.id)
        return status, Usage(cpu, self._peak), self._cause

    def _wait(self, program: int, woken: int) -> Tuple[int, float]:
        limit = self._attempt.request.get("time")
        deadline = time.monotonic() + limit if limit else None
        sampled = 0.0
        while True:
            pid, status, usage = os.wait4(program, os.WNOHANG)
            if pid:
                self._peak = max(self._peak, usage.ru_maxrss * 1024)
                return status, usage.ru_utime + usage.ru_stime
            now = time.monotonic()
            if now - sampled >= SAMPLE:
                self._sample(program)
                sampled = now
            if limit is not None and deadline is not None and now >= deadline and self._cause is None:
                self.end(Cause("timeout", "over the time limit of %g s" % limit))
            if self._kill_at is not None and now >= self._kill_at:
                self._signal(signal.SIGKILL)
                self._kill_at = None
            select.select([woken], [], [], 0.05 if now - sampled > SAMPLE else SAMPLE / 4)
            try:
                os.read(woken, 4096)
            except BlockingIOError:
                continue

    def end(self, cause: Cause) -> None:
        """End the program for a reason of ours: TERM, then KILL."""
        self._cause = cause
        self._kill_at = time.monotonic() + self._grace
        self._signal(signal.SIGTERM)

    def _on_signal(self, number: int, frame: Optional[FrameType]) -> None:
        name = signal.Signals(number).name
        if self._cause is not None:
            self._signal(signal.SIGKILL)
        elif number == signal.SIGINT:
            self.end(Cause("cancelled", "interrupted"))
        else:
            self.end(Cause("killed", "the task got %s" % name))

    def _signal(self, number: int) -> None:
        if self._pid is not None:
            processes.signal_tree(self._pid, self._attempt.run.id, number)

    def _sample(self, program: int) -> None:
        table = processes.table()
        limit = self._attempt.request.get("memory")
        used = processes.memory_of(processes.tree(program, self._attempt.run.id, table), table, limit)
        self._peak = max(self._peak, used)
        if limit is not None and used > limit and self._cause is None:
            self._cause = Cause("oom", "used %d MiB of %d MiB" % (used >> 20, limit >> 20))
            self._signal(signal.SIGKILL)
        if self._lease is not None and time.monotonic() - self._renewed >= claim.LEASE:
            self._renewed = time.monotonic()
            if not self._lease.renew() and self._cause is None:
                self._cause = Cause("lost", "another attempt has taken over")
                self._signal(signal.SIGKILL)
