"""The executor's loop: starts what is ready and fits, waits for something to happen, records how runs end."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from ..shim import processes, program
from ..shim.attempt import Attempt, Launch, Usage
from ..shim.claim import CLAIMED, DONE
from ..shim.place import Place
from ..shim.timetable import Timetable
from ..shim.verdict import DISK, STARVED, Cause, not_prepared, not_started
from ..shim.workdir import WorkdirError
from .devices import Devices, lock_folder
from .failures import describe
from .gpus import Device
from .journals import Journals
from .leftovers import Parked, devices_of, find_leftovers, open_processes
from .limits import Limits
from .outcome import Outcome
from .queue import Queue
from .reporter import Reporter
from .room import Need, Room
from .running import Running
from .signals import Signals
from .work import Work

AGAIN: Final = ("failed", "timeout", "oom")  # ends after which an experiment's `retries` count
SYSTEM: Final = "XS000"  # the code of what the system refuses
SCHEDULER: Final = {"kind": "local", "job": None, "array": None, "task": None, "restart": 0}


@dataclass(frozen=True, slots=True)
class Rules:
    """How runs are watched: *grace* from TERM to KILL and *sample* between two looks at memory, in seconds.

    *keep* renews whatever lets us run here, and says whether it still does; it is called once a *sample*.
    """

    jobs: int | None = None
    grace: float = 10.0
    sample: float = 1.0
    keep: Callable[[], bool] = lambda: True


class Loop:
    """Runs the rows of *place*'s build; ``run`` gives what became of them."""

    def __init__(self, place: Place, rows: Sequence[int], limits: Limits, reporter: Reporter, rules: Rules) -> None:
        self._place = place
        self._rules = rules
        self._reporter = reporter
        self._limits = limits
        self._work = Work(place, rows, limits)
        self._graph = self._work.graph()
        self._room = Room.of(limits, rules.jobs)
        self._queue = Queue()
        self._devices = Devices(limits.gpus.devices, lock_folder(place.environ))
        self._running: dict[int, Running] = {}
        self._parked: dict[int, Parked] = {}
        self._lacking: list[tuple[int, Need]] = []  # other executors have the devices that these need
        self._tried: dict[int, int] = {}
        self._journals = Journals()
        self._outcome = Outcome()
        self._stopping = False
        self._warned = False
        self._altered: set[str] = set()

    def run(self) -> Outcome:
        began = time.monotonic()
        processes.adopt_orphans()
        with Signals() as signals:
            self._signals = signals
            self._reporter.begin(self._work.totals(), self._room.slots)
            self._park_leftovers()
            for row in self._graph.ready():
                self._add(row)
            try:
                self._go_on()
            finally:
                for running in self._running.values():  # none, but for a fault of ours: nothing runs unattended
                    running.kill()
                    running.program.wait()
                self._journals.flush()
        self._count_planned()
        self._reporter.finish(self._outcome, time.monotonic() - began)
        return self._outcome

    def _go_on(self) -> None:
        sampled = drawn = time.monotonic()
        while True:
            self._start_what_fits()
            if not self._running and (self._stopping or not self._expects()):
                return
            numbers, files = self._signals.wait(self._pause(sampled, drawn))
            for number in numbers:
                if number != signal.SIGCHLD:
                    self._on_stop(number)
            self._unpark(files)
            self._reap()
            now = time.monotonic()
            for running in list(self._running.values()):
                running.check_time(now, self._rules.grace)
            if now - sampled >= self._rules.sample:
                sampled = now
                self._every_sample()
            if self._reporter.interval is not None and now - drawn >= self._reporter.interval:
                drawn = now
                self._reporter.tick()

    def _expects(self) -> bool:
        return bool(self._queue or self._parked or self._lacking)

    def _pause(self, sampled: float, drawn: float) -> float:
        """Give the seconds until something is due."""
        due = [sampled + self._rules.sample]
        if self._reporter.interval is not None:
            due.append(drawn + self._reporter.interval)
        due += [at for running in self._running.values() if (at := running.next_check()) is not None]
        return max(0.0, min(due) - time.monotonic())

    def _every_sample(self) -> None:
        if self._running:
            table = processes.table()
            for running in list(self._running.values()):
                running.check_memory(table)
        self._journals.flush()
        for row, need in self._lacking:
            self._queue.add_first(row, need)
        self._lacking.clear()
        if not self._rules.keep() and not self._stopping:
            self._stopping = True
            self._reporter.say("Somebody else has taken the submit lock: nothing more is started here.")

    # ------------------------------------------------------------------ starting

    def _add(self, row: int) -> None:
        need = self._work.need(row)
        if need.alone and not self._warned:
            self._warned = True
            name = self._work.experiment(row)
            self._reporter.say(f"warning: runs of `{name}` ask for more than this machine has; they run alone")
        self._queue.add(row, need)

    def _start_what_fits(self) -> None:
        while not self._stopping and (taken := self._queue.take(self._room)) is not None:
            row, need = taken
            if row in self._parked:
                self._parked[row].wanted = True
                continue
            devices = self._devices.take(len(self._limits.gpus.devices) if need.alone and need.gpus else need.gpus)
            if devices is None:
                self._lacking.append(taken)
                continue
            if not self._start(row, need, devices):
                self._devices.give_back(devices)

    def _start(self, row: int, need: Need, devices: tuple[Device, ...]) -> bool:
        """Start a row's next attempt; say whether something runs now."""
        attempt = Attempt(self._place, self._work.run(row), SCHEDULER)
        if attempt.guard() is not None:
            self._set_aside(row, "skipped")
            return False
        try:
            verdict = attempt.claim()
        except OSError as refused:
            if not os.path.isdir(attempt.folder) or refused.errno in DISK:
                self._refuse(f"{attempt.folder}: {refused.strerror or refused}")
                self._queue.add_first(row, need)
            else:  # somebody has closed this one folder; the others are no worse for that
                self._reporter.say(f"error[{SYSTEM}]: {attempt.folder}: {refused.strerror or refused}")
                self._set_aside(row, "lost")
            return False
        if verdict == DONE:
            self._finish_row(row, "done")
            return False
        if verdict != CLAIMED:
            self._reporter.say(f"{attempt.run.experiment} {attempt.run.id[:7]} is held by {attempt.holder}; left to it")
            self._set_aside(row, "held")
            return False
        self._reporter.started(attempt.run.experiment)
        return self._launch(row, attempt, need, devices)

    def _launch(self, row: int, attempt: Attempt, need: Need, devices: tuple[Device, ...]) -> bool:
        hidden = need.gpus > 0 and not devices  # there is nothing to choose from: what was inherited stays
        try:
            launch = attempt.prepare({} if hidden else self._limits.gpus.environment(devices))
        except (WorkdirError, OSError) as error:
            if isinstance(error, OSError) and error.errno in STARVED:
                self._refuse(f"{attempt.folder}: {error.strerror}")
            self._record(row, attempt, None, None, Usage(0.0, 0), not_prepared(error))
            return False
        try:
            child = program.start(launch)
        except OSError as error:
            if error.errno in STARVED:
                self._refuse(f"nothing can be started: {error.strerror}")
            cause = not_started(error, launch.argv[0], launch.cwd)
            self._record(row, attempt, launch, None, Usage(0.0, 0), cause)
            return False
        limit = attempt.request["time"]
        times = Timetable(None if limit is None else time.monotonic() + limit, attempt.checkpoint)
        running = self._running[child.pid] = Running(row, attempt, launch, need, devices, child, times)
        self._room.take(need)
        try:
            attempt.started(child.pid, [device.name for device in devices])
        except OSError as refused:
            running.kill(Cause("failed", f"its start can't be recorded: {refused.strerror or refused}"))
        return True

    # ------------------------------------------------------------------ ending

    def _reap(self) -> None:
        """Collect all children that have ended: programs, and orphans that came back to us."""
        while True:
            try:
                pid, status, used = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            running = self._running.pop(pid, None)
            if running is not None:
                peak = max(running.peak, used.ru_maxrss * 1024)
                self._end(running, status, Usage(used.ru_utime + used.ru_stime, peak))

    def _end(self, running: Running, status: int, usage: Usage) -> None:
        running.program.returncode = status  # reaped above, with its usage: the object must not try again
        if running.launch.remove is not None:
            if running.cause is not None or os.WIFSIGNALED(status):
                program.run_quietly(running.launch.remove)
        elif has_strangers(self._running):
            processes.kill_strays(running.pid, running.attempt.mark)
        self._room.give_back(running.need)
        self._devices.give_back(running.devices)
        self._record(running.row, running.attempt, running.launch, status, usage, running.cause, running.times.warned)

    def _record(
        self,
        row: int,
        attempt: Attempt,
        launch: Launch | None,
        status: int | None,
        usage: Usage,
        cause: Cause | None,
        warned: bool = False,
    ) -> None:
        """Write how an attempt ended, and go on from there: children, another attempt, or neither."""
        experiment = attempt.run.experiment
        try:
            end = attempt.finish(status, usage, cause, warned)
        except OSError as refused:
            self._reporter.ended(experiment, "lost", None, False)
            what = f"the end of {experiment} {attempt.run.id[:7]} can't be recorded: {refused.strerror or refused}"
            if refused.errno in DISK:
                self._refuse(what)
            else:  # its own program has removed or closed its folder
                self._reporter.say(f"error[{SYSTEM}]: {what}")
            self._finish_row(row, "lost", told=True)
            return
        self._journals.add(attempt.journal)
        if end["witness"] == "altered" and experiment not in self._altered:
            self._altered.add(experiment)
            self._reporter.say(
                f"warning: the snapshot was written to while `{experiment}` ran, as only a superuser can; runs may have"
                f' seen each other\'s files. `writable "DIR"` in the experiment gives each run a folder of its own'
            )
        state = str(end["state"])
        tried = self._tried.get(row, 0) + 1
        again = (
            state in AGAIN and not end.get("checkpointed") and tried <= self._work.retries(row) and not self._stopping
        )
        failure = None if state in ("done", "cancelled") else describe(attempt, launch, end)
        self._reporter.ended(experiment, state, failure, again)
        if again:
            self._tried[row] = tried
            self._queue.add_first(row, self._work.need(row))
            return
        if failure is not None:
            self._outcome.failures.append(failure)
        self._finish_row(row, state, told=True)

    def _finish_row(self, row: int, state: str, told: bool = False) -> None:
        """Count a row's final state and free or drop the rows that wait for it."""
        experiment = self._work.experiment(row)
        self._outcome.count(experiment, state)
        if not told:
            self._reporter.set_aside(experiment, state)
        if state == "done":
            for child in self._graph.done(row):
                self._add(child)
        elif state != "held":
            for child in self._graph.drop(row):
                self._outcome.count(self._work.experiment(child), "skipped")
                self._reporter.set_aside(self._work.experiment(child), "skipped")

    def _set_aside(self, row: int, state: str) -> None:
        self._finish_row(row, state)

    # ------------------------------------------------------------------ stopping

    def _on_stop(self, number: int) -> None:
        """Stop starting and ask all programs to leave; the second time, kill them."""
        name = signal.Signals(number).name
        cause = Cause("cancelled", "interrupted" if number == signal.SIGINT else f"the submit got {name}")
        if self._outcome.signal is None:
            self._outcome.signal = number
            self._stopping = True
            count = len(self._running)
            if count:
                what = "1 run has" if count == 1 else f"{count} runs have"
                self._reporter.say(f"Stopping: {what} {self._rules.grace:g} s to leave; Ctrl-C again kills at once.")
            for running in list(self._running.values()):
                running.stop(cause, self._rules.grace)
        else:
            for running in list(self._running.values()):
                running.kill(cause)

    def _refuse(self, what: str) -> None:
        """The machine refuses records or processes: nothing more is started, what runs may end."""
        self._stopping = True
        self._outcome.refused = what
        self._reporter.say(f"error[{SYSTEM}]: {what}")

    def _count_planned(self) -> None:
        left = [*self._queue, *self._graph.waiting(), *self._parked, *(row for row, _ in self._lacking)]
        for row in left:
            self._outcome.count(self._work.experiment(row), "planned")

    # ------------------------------------------------------------------ leftovers

    def _park_leftovers(self) -> None:
        """Find programs of these rows that run without us; each takes its room, and its row waits for it."""
        found = find_leftovers()
        if not found:
            return
        for row in self._work.rows:
            run = self._work.run(row)
            folder = self._place.run_folder(run)
            pids = found.get(os.path.realpath(folder), ())
            files = open_processes(pids)
            if files:
                need = self._work.need(row)
                self._room.take(need)
                devices = self._devices.reserve(devices_of(folder))
                self._parked[row] = Parked(row, need, devices, files)
                for file in files:
                    self._signals.watch(file)
                self._reporter.say(
                    f"{run.experiment} {run.id[:7]} still runs (process {', '.join(map(str, pids))}), left by a submit"
                    " that was killed; it is run again when that has ended"
                )

    def _unpark(self, ended: Sequence[int]) -> None:
        for file in ended:
            for parked in list(self._parked.values()):
                if file in parked.files:
                    self._signals.forget(file)
                    os.close(file)
                    parked.files.remove(file)
                    self._leave_parking(parked)

    def _leave_parking(self, parked: Parked) -> None:
        if parked.files:
            return
        del self._parked[parked.row]
        self._room.give_back(parked.need)
        self._devices.give_back(parked.devices)
        if parked.wanted:
            self._queue.add_first(parked.row, self._work.need(parked.row))


def has_strangers(running: dict[int, Running]) -> bool:
    """Tell whether we have children that are no programs of ours: orphans that an ended program left to us."""
    try:
        with open(f"/proc/self/task/{os.getpid()}/children", "rb") as file:
            return any(int(pid) not in running for pid in file.read().split())
    except OSError:
        return True  # the kernel doesn't tell: look at all processes
