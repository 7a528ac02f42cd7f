"""What must hold on a cluster: as on this machine, but for what a scheduler says of runs that left no end line."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from .clusters import ClusterProject
from .journals import Run, read_runs
from .oracle import GOING_ON, Oracle, counts_of
from .violation import Violation
from .witness import alive

BY_SCHEDULER: Final = frozenset(("cancelled", "killed", "lost", "timeout", "oom"))
SETTLED: Final = 30.0  # seconds after which a scheduler has said all that it will say of what has ended
LATE: Final = 330.0  # seconds after which a task that its scheduler does not know is lost, as the manual says, and some


class ClusterOracle(Oracle):
    """An oracle of a study on a cluster."""

    more = ()

    def __init__(self, project: ClusterProject, *, may: Collection[str] = (), overlaps: bool = False) -> None:
        super().__init__(project, may=may, overlaps=overlaps)
        self.cluster = project

    def truth(self, run: Run, folders: Collection[str], pids: Collection[int], *, live: bool) -> frozenset[str]:
        if run.done:
            return frozenset(("done",))
        if not run.attempts:
            return self._nothing(live=live)
        last = run.attempts[-1]
        waits = frozenset(GOING_ON)
        if last.end is None:
            return waits | BY_SCHEDULER | (self.may & {"broken"})
        end = next(line for line in last.lines if line.get("event") == "end")
        outside = end.get("by") == "task" or end.get("signal") == "SIGKILL" or end.get("requeued")
        return waits | {last.end} | (BY_SCHEDULER if outside else frozenset())

    def _nothing(self, *, live: bool) -> frozenset[str]:
        return frozenset(("planned", "skipped", "queued", "running", "cancelled", "lost", "killed"))

    def _release(self, ids: Sequence[str]) -> None:
        """Nodes are other hosts, too; of them the scheduler says whether anything goes on."""

    def _check_counts(self, status: Mapping[str, Any], told: Mapping[str, str]) -> None:
        """A scheduler may know more of what has just ended by the second command: then both are asked again."""
        limit = time.monotonic() + SETTLED
        while counts_of(status) != Counter(told.values()) and time.monotonic() < limit:
            if {*counts_of(status), *told.values()} & set(GOING_ON):
                return
            status = json.loads(self.project.xpc("status", "--json").out)
            rows = json.loads(self.project.xpc("query", "show id, status", "--format", "json").out)
            told = {row["id"]: str(row["status"]) for row in rows}
        super()._check_counts(status, told)

    def complete(self) -> None:
        """Wait until nothing goes on; type what the manual says; demand that everything is done then."""
        self.cluster.settle()
        told = self.told_at_last()
        self._help(told)
        self.cluster.settle()
        self._submit_all()
        self._wait_for_all()
        told = self.look()
        if set(told.values()) != {"done"}:
            raise Violation(f"a second submit left {dict(Counter(told.values()))}{self._last_words()}")
        self.nothing_to_do()
        self._wait_for_quiet()
        self.check_leftovers()

    def told_at_last(self) -> dict[str, str]:
        """Ask until nothing is told as going on that the scheduler does not have: it may take five minutes."""
        limit = time.monotonic() + LATE
        while True:
            told = self.look()
            if self.cluster.jobs() or not set(told.values()) & set(GOING_ON):
                return told
            if time.monotonic() > limit:
                raise Violation(f"nothing goes on, and yet {dict(Counter(told.values()))} after {LATE:g} s")
            time.sleep(2)

    def _wait_for_all(self, deadline: float = 300) -> None:
        limit = time.monotonic() + deadline
        while sum(bool(run.done) for run in read_runs(self.project.folder).values()) < self.total:
            if not self.cluster.jobs() and not alive(self.project.folder):
                self.cluster.settle()
                if sum(bool(run.done) for run in read_runs(self.project.folder).values()) < self.total:
                    told = Counter(self.look().values())
                    raise Violation(f"a second submit left {dict(told)}{self._last_words()}\n{self.cluster.log()}")
            if time.monotonic() > limit:
                raise Violation(f"not all done after {deadline:g} s: {self.cluster.jobs()}\n{self.cluster.log()}")
            time.sleep(0.5)

    def _wait_for_quiet(self) -> None:
        """A task needs a moment after its run's end line to end itself."""
        self.project.until(lambda: not self.cluster.jobs(), 60, "the end of all jobs")
