"""Planned calls to jobs: each bracketed by an intent and a result line, held until all are sent, or all taken back."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ..submissions import SubmissionWriter
from .cluster_call import Accepted, Jobs, Order, Refused, Scheduler, Silent, Unclear
from .cluster_plan import PlannedCall

LATE: Final = 10.0  # seconds: as long may a scheduler take to show a job that it was asked for


@dataclass(frozen=True, slots=True)
class SentCall:
    call: PlannedCall
    jobs: Jobs


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a submit did not come to its end. *call*: the one that was refused; *undone*: all that was sent was taken
    back. *lost*: so was the submit lock, by another. *whose*: the user who alone may do what was refused."""

    said: str
    call: PlannedCall | None = None
    request: Mapping[str, Any] | None = None
    undone: bool = True
    lost: bool = False
    whose: str = ""


class Sender:
    """Sends the calls of one build, in order, while the submit lock is *held*. What it writes lets another submit go on
    wherever it is cut."""

    def __init__(
        self,
        scheduler: Scheduler,
        writer: SubmissionWriter,
        project: Path,
        build: str,
        plan: Mapping[str, Any],
        *,
        held: Callable[[], bool] = lambda: True,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._scheduler = scheduler
        self._writer = writer
        self._project = project
        self._build = build
        self._plan = plan
        self._arrays = {array["name"]: array for array in plan["arrays"]}
        self._held = held
        self._sleep = sleep
        self._name = f"xpc-{Path(build).name[:7]}-{secrets.token_hex(4)}"
        self.sent: list[SentCall] = []
        self._jobs: dict[int, Jobs] = {}
        self._indices: dict[int, Sequence[int]] = {}

    def send(self, calls: Sequence[PlannedCall], prepare: Callable[[str, PlannedCall], object]) -> Failure | None:
        """Send the calls; *prepare* is told each token before. After a refusal nothing of them is left."""
        for planned in calls:
            if not self._held():
                return Failure("another submit has taken the lock over", undone=False, lost=True)
            order = self._order(planned)
            prepare(order.token, planned)
            names = planned.array, order.token
            self._writer.intent(planned.number, *names, planned.indices, planned.request, planned.leave)
            began = time.monotonic()
            said = self._scheduler.send(order)
            answer = self._look(order, said, began) if isinstance(said, Unclear) else said
            if isinstance(answer, Silent):
                return Failure(answer.said, undone=False)
            if isinstance(answer, Refused):
                self._writer.refused(planned.number, answer.exit, answer.said)
                wrong = self.take_back()
                return Failure(wrong or answer.said, None if wrong else planned, order.request, undone=wrong is None)
            self._writer.result(planned.number, answer.jobs)
            self._jobs[planned.number], self._indices[planned.number] = answer.jobs, planned.indices
            self.sent.append(SentCall(planned, answer.jobs))
        return None

    def take_back(self) -> str | None:
        """Cancel all that was sent; give what went wrong."""
        if not self.sent:
            return None
        ids = self.sent[::-1]  # children first: a parent's end would set them going on OAR
        wrong = self._scheduler.cancel((id, None) for sent in ids for id in _handles(self._scheduler, sent))
        if wrong is None:
            self._writer.cancelled([sent.call.number for sent in self.sent])
        return wrong

    def held(self) -> list[str]:
        """Give the jobs that wait until they are released."""
        if not self._scheduler.holds:
            return []
        return [sent.jobs[0][0] for sent in self.sent if not sent.call.waits.here]

    def _order(self, planned: PlannedCall) -> Order:
        array = self._arrays[planned.array]
        requests = self._plan["resources"][array["resources"]]
        return Order(
            planned,
            f"{self._name}-{planned.number}",
            self._project,
            self._build,
            array["script"],
            requests[min(planned.request, len(requests)) - 1],
            requests[0],
            self._jobs,
            self._indices,
            _umask(),
        )

    def _look(self, order: Order, unclear: Unclear, began: float) -> Accepted | Refused | Silent:
        """Find out whether a call was made that gave no clear answer."""
        while True:
            left = LATE - (time.monotonic() - began)
            found = self._scheduler.find(order.token, len(order.call.indices), last=left <= 0)
            if isinstance(found, Silent):
                return found
            if found is not None:
                return Accepted(found)
            if left <= 0:
                return Refused(1, unclear.said)
            self._sleep(min(1.0, left))


def _umask() -> int:
    """Give this process's umask; asking the kernel for it the usual way would change it for a moment."""
    try:
        with open("/proc/self/status") as file:
            return next(int(line.split()[1], 8) for line in file if line.startswith("Umask:"))
    except (OSError, StopIteration, ValueError):
        mask = os.umask(0o077)
        os.umask(mask)
        return mask


def _handles(scheduler: Scheduler, sent: SentCall) -> list[str]:
    """Give the ids by which all of a call is cancelled."""
    if scheduler.kind == "slurm":
        return [sent.jobs[0][0]]
    return [str(int(first) + step) for first, count in sent.jobs for step in range(count)]
