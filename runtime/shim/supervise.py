"""One program from its start to its end: limits enforced, warnings and signals passed on, the lease renewed."""

from __future__ import annotations

import os
import signal
import time
from typing import List, NamedTuple, Optional, Tuple

from . import claim, killwait, processes, program, warden
from .attempt import Attempt, Usage
from .signals import WARNINGS, Signals
from .timetable import Timetable
from .verdict import Cause, not_started

SAMPLE = 1.0  # seconds between two looks at the processes
GRACE = 10.0  # seconds from TERM to KILL
LISTEN = 0.3  # seconds between the first and the last process of a task that its scheduler signals
LISTEN_KILLED = 3.0  # the same where it kills at once, one process after the other: then we do not live to see it


class Ended(NamedTuple):
    """What ``Attempt.finish`` wants: the wait status, what was used, why we ended it, whether it was warned."""

    status: Optional[int]
    usage: Usage
    cause: Optional[Cause] = None
    warned: bool = False


class Supervisor:
    """Runs one claimed attempt. *until* is when its task's time is up (monotonic), *grace* how long a program may take
    to leave after TERM."""

    def __init__(self, attempt: Attempt, signals: Signals, until: Optional[float] = None, grace: float = GRACE) -> None:
        self._attempt = attempt
        self._signals = signals
        self._until = until
        self._grace = grace
        self._cause: Optional[Cause] = None
        self._kill_at: Optional[float] = None
        self._pid: Optional[int] = None  # until the program has started
        self._peak = 0
        self._lease = claim.Lease(attempt.folder, attempt.number, attempt.place.lease) if attempt.clustered else None
        self._times = Timetable(None, attempt.checkpoint)
        self._site: Optional[killwait.KillWait] = None

    def run(self, extra: "Optional[dict[str, str]]" = None, gpus: Optional[List[str]] = None) -> Ended:
        """Start the program and wait for its end. Raises `WorkdirError` and ``OSError`` where it can't be prepared."""
        left = None if self._until is None else max(0.0, self._until - time.monotonic())
        launch = self._attempt.prepare(extra, left)
        processes.adopt_orphans()
        self._obey()
        if self._cause is not None:
            return Ended(None, Usage(0.0, 0), self._cause)  # told to stop before there was anything to stop
        keeper = warden.Warden(self._attempt.mark, launch.remove) if self._attempt.clustered else None
        try:
            child = program.start(launch)
        except OSError as error:
            if keeper is not None:
                keeper.dismiss()
            return Ended(None, Usage(0.0, 0), not_started(error, launch.argv[0], launch.cwd))
        self._pid = child.pid
        if keeper is not None:
            keeper.watch(child.pid)
        try:
            self._attempt.started(child.pid, gpus)
        except OSError as error:
            self._end(Cause("failed", "its start can't be recorded: %s" % (error.strerror or error)))
        status, cpu = self._wait(child.pid)
        child.returncode = 0  # reaped here, with its usage; the object must not try again
        self._clean_up(child.pid, status, launch.remove, [] if keeper is None else [keeper.pid])
        if keeper is not None:
            keeper.dismiss()
        return Ended(status, Usage(cpu, self._peak), self._cause, self._times.warned)

    def _clean_up(self, pid: int, status: int, remove: Optional[List[str]], known: List[int]) -> None:
        """Leave nothing running, but for *known* children, and find out whether the whole task was told to end."""
        if self._attempt.clustered and (status or remove is not None):
            killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
            self._listen(
                LISTEN_KILLED if killed else LISTEN
            )  # podman gives 0 for a container whose monitor was told to end
        if remove is None:
            if processes.has_children(known):
                processes.kill_strays(pid, self._attempt.mark)
        elif self._cause is not None or status:
            program.run_quietly(remove)

    def _listen(self, patience: float) -> None:
        """Wait a moment for a signal of ours: a scheduler signals everything at once, and the program may be first."""
        until = time.monotonic() + patience
        while self._cause is None and time.monotonic() < until:
            self._signals.wait(until - time.monotonic())
            self._obey()

    def _wait(self, program: int) -> Tuple[int, float]:
        limit = self._attempt.request.get("time")
        begun = time.monotonic()
        ends = [end for end in (begun + limit if limit else None, self._until) if end is not None]
        self._times.end = min(ends, default=None)
        sampled = begun
        while True:
            pid, status, usage = os.wait4(program, os.WNOHANG)
            if pid:
                self._peak = max(self._peak, usage.ru_maxrss * 1024)
                return status, usage.ru_utime + usage.ru_stime
            self._obey()
            now = time.monotonic()
            if now - sampled >= SAMPLE:
                self._sample(program)
                sampled = now
            self._check_time(now, begun)
            due = [
                sampled + SAMPLE,
                self._kill_at,
                *([] if self._cause else [self._times.warn_at, self._times.leave_at]),
            ]
            self._signals.wait(min(time for time in due if time is not None) - now)

    # -------------------------------------------------------------- time

    def _check_time(self, now: float, begun: float) -> None:
        """Warn, end and kill when it is time to."""
        if self._kill_at is not None:
            patience = None if self._site is None else self._site.answer()
            if now >= (self._kill_at if patience is None else patience):
                self._signal(signal.SIGKILL)
                self._kill_at = None
        if self._cause is not None:
            return
        if self._times.warn_at is not None and now >= self._times.warn_at:
            self._warn()
        if self._times.leave_at is not None and now >= self._times.leave_at:
            assert self._times.end is not None
            whole = round(self._times.end - begun, 3)
            self._end(Cause("timeout", "over the time limit of %g s" % whole), self._times.grace(self._grace))

    def _warn(self) -> None:
        self._times.warned = True
        if self._times.end is None and self._times.before is not None:
            self._times.end = time.monotonic() + self._times.before  # nobody says when, but for the scheduler's warning
        if self._pid is not None:
            self._attempt.warn(self._pid)

    # -------------------------------------------------------------- signals

    def _obey(self) -> None:
        """Act on the signals that the task got."""
        for number in self._signals.take():
            if number in WARNINGS:
                if not self._times.warned and self._cause is None:
                    self._warn()
            elif self._cause is None:
                self._stop(number)
            elif not self._attempt.clustered:
                self._signal(signal.SIGKILL)  # whoever asks twice does not wait; a scheduler repeats itself
        if self._signals.stopped is not None and self._cause is None:
            self._stop(self._signals.stopped)

    def _stop(self, number: int) -> None:
        by = "task" if self._attempt.clustered else None
        if number == signal.SIGINT:
            cause = Cause("cancelled", "interrupted", by=by)
        else:
            cause = Cause("killed", "the task got %s" % signal.Signals(number).name, by=by)
        self._end(cause)
        if self._attempt.scheduler_kind == "slurm":
            self._site = killwait.KillWait(time.monotonic())

    def _end(self, cause: Cause, grace: Optional[float] = None) -> None:
        """End the program for a reason of ours: TERM, then KILL."""
        self._cause = cause
        self._kill_at = time.monotonic() + (self._grace if grace is None else grace)
        self._signal(signal.SIGTERM)

    def _signal(self, number: int) -> None:
        if self._pid is not None:
            self._attempt.signal(self._pid, number)

    # -------------------------------------------------------------- once a second

    def _sample(self, program: int) -> None:
        table = processes.table()
        limit = self._attempt.request.get("memory")
        used = processes.memory_of(self._attempt.members(program, table), table, limit)
        self._peak = max(self._peak, used)
        if limit is not None and used > limit and self._cause is None:
            self._cause = Cause("oom", "used %d MiB of %d MiB" % (used >> 20, limit >> 20))
            self._signal(signal.SIGKILL)
        found = self._lease.renew(time.monotonic()) if self._lease is not None else claim.KEPT
        if found == claim.LOST:
            self._cause = Cause("lost", "another attempt has taken over, or its journal is out of reach")
            self._signal(signal.SIGKILL)
        elif found == claim.ASKED and (self._cause is None or self._cause.state != "lost"):
            self._cause = Cause("killed", "its task was started again on another node", by="task")
            self._signal(signal.SIGKILL)
