"""Whether a run that has ended goes back to the scheduler's queue by itself, and how its task puts it there."""

from __future__ import annotations

import subprocess
import time
from typing import Any, Dict, List, Mapping, Optional, Sequence

from . import journal, scheduler
from .attempt import Attempt
from .said import tell

RETRIED = ("failed", "timeout", "oom")  # ends after which an experiment's `retries` count
MAX_REQUEUES = 50
OAR_AGAIN = 99  # the exit status after which OAR starts an idempotent job again,
OAR_LEAST = 60.0  # if it ran longer than this, in seconds
PATIENCE = 30.0  # seconds for one command of the scheduler
TRIES = 3
GROWS = {"memory": "MinMemoryNode", "disk": "MinTmpDiskNode"}  # what an ordinary user may change of a pending job
MEBI = 1 << 20


class Again:
    """Decides for one task. *options* are the target's; *begun* is when the task began (monotonic)."""

    def __init__(self, job: Mapping[str, Any], options: Mapping[str, Any], begun: float) -> None:
        self._job = job
        self.allowed = options.get("requeue", True) and job["kind"] != "local"
        self._most = int(options.get("max_requeues") or MAX_REQUEUES)
        self._begun = begun

    def may_go_on(self, attempt: Attempt, end: Dict[str, Any]) -> bool:
        """Tell whether an attempt that was checkpointed is followed by another one of this task. The reason of one that
        is the last says so."""
        if not self.allowed:
            return False
        before = self._checkpoints(attempt)
        if before >= self._most:
            others = "1 attempt" if before == 1 else "%d attempts" % before
            end["reason"] = "%s, after %s that did too" % (end["reason"], others)
            del end["checkpointed"]  # it makes no progress: the same again would end the same
            return False
        return self._job["kind"] == "slurm" or time.monotonic() - self._begun > OAR_LEAST

    def may_retry(self, attempt: Attempt, end: Mapping[str, Any], alone: bool) -> bool:
        """Tell whether a failed attempt is repeated by this task: on SLURM, where the request stays the same, or grows
        in what a task (*alone*: with one run) may ask for itself."""
        if not self.allowed or self._job["kind"] != "slurm" or end["state"] not in RETRIED or end.get("by"):
            return False
        if self._failures(attempt) >= attempt.run.plan["retries"]:
            return False
        grown = growth(attempt)
        return grown is not None and (alone or not grown)

    def put_back(self, grown: Mapping[str, int]) -> bool:
        """Put the task back into SLURM's queue, with a greater request; false, and nothing done, if that is refused."""
        name = "%s_%s" % (self._job["job"], self._job["task"]) if self._job["task"] is not None else self._job["job"]
        if not call(["scontrol", "requeue", name]):
            return False
        if grown:
            asked = ["%s=%d" % (GROWS[what], -(-size // MEBI)) for what, size in sorted(grown.items())]
            if not call(["scontrol", "update", "JobId=%s" % name, *asked]):
                call(["scancel", name])  # with less than it asks for it would fail once more
                return False
        return True

    def _checkpoints(self, attempt: Attempt) -> int:
        """Count the attempts right before this one that were checkpointed and went on by themselves."""
        count = 0
        for end in reversed(self._earlier(attempt)):
            if not (end.get("checkpointed") and end.get("requeued")):
                break
            count += 1
        return count

    def _failures(self, attempt: Attempt) -> int:
        """Count the attempts of this job before this one that failed."""
        ends = self._earlier(attempt)
        return sum(end.get("state") in RETRIED and not end.get("checkpointed") for end in ends)

    def _earlier(self, attempt: Attempt) -> List[journal.Record]:
        """Give the end lines of this job's earlier attempts; an empty one for those that have none."""
        found = []
        for reading in journal.read_attempts(attempt.folder)[: attempt.number - 1]:
            claim = reading.records[0] if reading.records else {}
            if scheduler.is_same_job(claim.get("scheduler") or {}, self._job):
                found.append(next((one for one in reading.records if one.get("event") == "end"), {}))
        return found


def growth(attempt: Attempt) -> Optional[Dict[str, int]]:
    """Give what the next attempt asks for more than this one; nothing if a task can't ask for that itself."""
    build, run = attempt.place.build, attempt.run
    now, then = build.request(run, attempt.number), build.request(run, attempt.number + 1)
    changed = {name for name in then if then[name] != now.get(name)}
    if changed - set(GROWS) or any(then[name] is None for name in changed):
        return None
    return {name: then[name] for name in changed}


def call(command: Sequence[str]) -> bool:
    """Make a call of the scheduler; what it says when it refuses goes into the task's log."""
    for left in range(TRIES, 0, -1):
        try:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            _tell(command, str(error))
            return False
        if not done.returncode:
            return True
        said = done.stdout.decode("utf-8", "replace").strip()
        if left == 1 or not _is_passing(said):
            _tell(command, said or "exit status %d" % done.returncode)
            return False
        time.sleep(1.0)  # the controller is busy with this very job
    return False


def _is_passing(said: str) -> bool:
    return any(word in said.lower() for word in ("timed out", "unable to contact", "try again", "temporarily"))


def _tell(command: Sequence[str], said: str) -> None:
    tell("%s: %s" % (" ".join(command), said))
