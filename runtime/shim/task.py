"""One task of an array: its run, or the runs that are packed into it, one after another or side by side."""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from . import devices, left_alone, processes, scheduler, withdrawn
from .again import OAR_AGAIN, Again, growth
from .attempt import Attempt, Usage
from .build_folder import Run
from .place import Place
from .said import tell
from .signals import Signals
from .supervise import Ended, Supervisor
from .verdict import not_prepared
from .workdir import WorkdirError

DONE, FAILED, NO_RECORD, HELD, NOT_READY, WITHDRAWN, UNUSABLE = 0, 1, 74, 75, 76, 77, 78
OAR_SPARE = 10.0  # seconds before its limit that OAR, which kills at once, is left for the end lines; at most a tenth


class Result(NamedTuple):
    """How a run ended: the exit status it stands for, and whether its task is to be started again for it."""

    status: int
    again: bool = False


class Task:
    """Runs the rows of one task. *job* names it, *signals* are what it gets."""

    def __init__(self, place: Place, array: str, index: int, signals: Signals) -> None:
        self._place = place
        self._array = place.build.array(array)
        target = place.build.plan["target"]
        rows = place.build.rows_of_task(array, index)
        if len(rows) > 1:  # what its submit left alone is not run because it shares a task
            rows = left_alone.without(rows, place.project, scheduler.token(target["kind"], os.environ))
        self._runs = [place.build.run(row) for row in rows]
        self._signals = signals
        self._job = scheduler.identify(target["kind"], os.environ, array, index)
        self._begun = time.monotonic()
        self._again = Again(self._job, target["options"], self._begun)
        self._until = self._end_of_task(array)

    def run(self) -> int:
        """Run everything that is not done; give the exit status."""
        folders = [self._place.run_folder(run) for run in self._runs]
        before = withdrawn.cancelled_as(self._place.project, self._job, folders)
        if before is not None:
            name = "%s, task %d" % (self._job["array"], self._job["index"])
            tell("%s: cancelled as job %s, and started again by OAR: nothing is run" % (name, before))
            return WITHDRAWN
        if len(self._runs) == 1:
            return self._status([self._alone(self._runs[0])])
        if self._array.get("side_by_side"):
            return self._status(self._beside_each_other())
        return self._status(self._one_by_one())

    def _status(self, results: List[Result]) -> int:
        """Give the worst exit status. A task of several runs goes back to the queue when all that it can do is done,
        but not if it was told to end: SLURM would start a cancelled one again."""
        worst = max((result.status for result in results), default=DONE)
        if not any(result.again for result in results):
            return worst
        if len(self._runs) > 1 and self._signals.stopped is not None:
            return worst or FAILED
        if self._job["kind"] == "oar":
            return OAR_AGAIN
        if len(self._runs) > 1:
            self._signals.shut()
            self._again.put_back({})
        return worst or FAILED

    def _end_of_task(self, array: str) -> Optional[float]:
        """Give when the task's time is up, by the monotonic clock; nothing if nobody limits it."""
        if self._job["kind"] == "local":
            return None
        limit = scheduler.time_limit(self._job["kind"], os.environ)
        if limit is not None:
            return self._begun + limit - min(OAR_SPARE, limit / 10)
        asked = self._place.build.task_request(array).get("time")
        return None if asked is None else self._begun + asked

    # -------------------------------------------------------------- one run

    def _alone(self, run: Run) -> Result:
        return self._attempt(run, alone=True)

    def _attempt(self, run: Run, alone: bool, shelf: Optional[List[str]] = None) -> Result:
        """Run one run; silent when it goes well. *shelf*: the GPUs of this run alone, where several share a task."""
        attempt = Attempt(self._place, run, self._job, durable=True)
        try:
            missing = attempt.guard(None if self._until is None else self._until - time.monotonic())
        except OSError as error:
            return self._say(attempt, NOT_READY, "the records of its parents can't be read: %s" % error)
        if missing is not None:
            return self._say(attempt, NOT_READY, "its parent in %s is not done" % self._relative(missing))
        try:
            verdict = attempt.claim()
        except OSError as error:
            return self._say(attempt, NO_RECORD, "can't be claimed: %s" % error)
        if verdict == "held":
            return self._say(attempt, HELD, "attempt %d is held by %s" % (attempt.number, attempt.holder))
        if verdict == "done":
            return Result(DONE)
        if alone:
            attempt.limit_memory(scheduler.memory(self._job["kind"], os.environ))
        try:
            ended = self._supervise(attempt, shelf)
            if ended.cause is not None and ended.cause.state == "lost":
                return self._say(attempt, HELD, ended.cause.reason)
            return self._finish(attempt, ended, alone)
        except OSError as error:
            return self._say(attempt, NO_RECORD, "its end can't be recorded: %s" % error)

    def _supervise(self, attempt: Attempt, shelf: Optional[List[str]]) -> Ended:
        extra = None if shelf is None else devices.environment(shelf)
        try:
            return Supervisor(attempt, self._signals, self._until).run(extra, shelf)
        except (WorkdirError, OSError) as error:
            return Ended(None, Usage(0.0, 0), not_prepared(error))

    def _finish(self, attempt: Attempt, ended: Ended, alone: bool) -> Result:
        end = attempt.finish(
            ended.status, ended.usage, ended.cause, ended.warned, lambda line: self._goes_back(attempt, line, alone)
        )
        if end["state"] == "done":
            return Result(DONE)
        why = end["reason"] or "exit status %s" % end["exit"]
        again = bool(end.get("requeued"))
        more = "; it goes back to the queue" if again else ""
        status = HELD if ended.cause is not None and end.get("by") and "started again" in ended.cause.reason else FAILED
        folder = self._relative(attempt.folder)
        return self._say(attempt, status, "%s: %s (%s)%s" % (end["state"], why, folder, more), again)

    def _goes_back(self, attempt: Attempt, line: Dict[str, Any], alone: bool) -> bool:
        """Tell whether the task is to be started again for this run; a task of one run is put back at once, so that
        its end line tells what came of it."""
        if line.get("checkpointed"):
            wanted = self._again.may_go_on(attempt, line)
            grown = (growth(attempt) or {}) if alone else {}
        else:
            wanted = self._again.may_retry(attempt, line, alone)
            grown = growth(attempt) or {}
        if not wanted or not alone or self._job["kind"] != "slurm":
            return wanted
        self._signals.shut()  # SLURM tells a task to end that is put back: not before its end is on record
        return self._again.put_back(grown)

    def _say(self, attempt: Attempt, status: int, text: str, again: bool = False) -> Result:
        attempt.tell(text)
        return Result(status, again)

    def _relative(self, folder: str) -> str:
        return os.path.relpath(folder, self._place.project)

    # -------------------------------------------------------------- several

    def _one_by_one(self) -> List[Result]:
        """Run one after another, as long as the next one fits into the time that is left."""
        results: List[Result] = []
        for number, run in enumerate(self._runs):
            if number and self._is_over(run):
                left = len(self._runs) - number
                tell("%d of %d runs are left" % (left, len(self._runs)))
                results.append(Result(FAILED, self._was_warned()))
                break
            results.append(self._attempt(run, alone=False))
        return results

    def _is_over(self, run: Run) -> bool:
        """Tell whether there is no time for another run."""
        if self._signals.stopped is not None or self._signals.warned:
            return True
        need: Optional[float] = self._place.build.request(run, 1).get("time")
        return need is not None and self._until is not None and time.monotonic() + need > self._until

    def _was_warned(self) -> bool:
        """Tell whether the task was warned of its end, so that what is left of it goes back to the queue."""
        return self._signals.warned and self._signals.stopped is None and self._again.allowed

    def _beside_each_other(self) -> List[Result]:
        """Give each run a process of its own, with its own share of the task's GPUs, and wait for all."""
        shelves = devices.divide(os.environ, len(self._runs))
        pids: Dict[int, Run] = {}
        for run, shelf in zip(self._runs, shelves):
            pid = os.fork()
            if not pid:
                self._run_child(run, shelf)
            pids[pid] = run
        return self._wait_for(pids)

    def _run_child(self, run: Run, shelf: Optional[List[str]]) -> None:
        """Be the process of one run, to its end."""
        code = UNUSABLE
        try:
            self._signals = Signals()
            result = self._attempt(run, alone=False, shelf=shelf)
            code = OAR_AGAIN if result.again else result.status
        finally:
            sys.stderr.flush()
            os._exit(code)  # the task's own end is its parent's

    def _wait_for(self, pids: Dict[int, Run]) -> List[Result]:
        """Wait for the processes of all runs, and pass on to them what the task is told."""
        processes.adopt_orphans()
        results: List[Result] = []
        while pids:
            pid, status = _reap()
            run = pids.pop(pid, None)
            if run is not None:
                results.append(self._of_child(run, status))
            if pid:
                continue
            for number in self._signals.take():
                processes.send(pids, number)
            self._signals.wait(1.0)
        return results

    def _of_child(self, run: Run, status: int) -> Result:
        if os.WIFSIGNALED(status):
            folder = os.path.join(self._place.project, "runs", run.experiment, run.id)
            processes.send(processes.of_run(folder), signal.SIGKILL)  # what its warden may not have seen
            return Result(FAILED)
        code = os.WEXITSTATUS(status)
        return Result(FAILED, again=True) if code == OAR_AGAIN else Result(code)


def _reap() -> Tuple[int, int]:
    """Give a child that has ended and its wait status; 0 if there is none."""
    try:
        return os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return 0, 0
