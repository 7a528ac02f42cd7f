"""A run on a cluster to its state: what its records say, beside what the scheduler says of its task.

The table stands in docs/states.md; each function here is one part of it. The run's own end line comes first, and
nothing is guessed into `failed`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from .records import RunRecord
from .states import State, said

if TYPE_CHECKING:
    from .schedulers.evidence import Seen, Task

REFINING: Final = frozenset(("cancelled", "timeout", "oom", "killed", "lost"))
"""What the scheduler can know better than a shim that was only told to stop."""
PROOFLESS: Final = frozenset(("done", "failed", "skipped"))
"""What the scheduler says of the shim's exit status: no proof of what became of a run that left no end line."""


def name_of(task: Task) -> str:
    """Give a task as its scheduler's commands name it."""
    job, index = task
    return job if index is None else f"{job}_{index}"


@dataclass(frozen=True, slots=True)
class Held:
    """What a cluster was given for a run. *cancelled*: `xpc cancel` took it back; *packed*: the task has other runs.

    *array* and *index* name the task on OAR, where a task that is started again gets another job: *now*, if it did.
    """

    kind: str
    job: str
    task: int | None
    array: str = ""
    index: int | None = None
    build: str = ""
    submission: str = ""
    time: str = ""
    cancelled: bool = False
    packed: bool = False
    now: str = ""

    @property
    def key(self) -> Task:
        return self.job, self.task

    @property
    def name(self) -> str:
        """The task as its scheduler's commands name it."""
        return name_of(self.key)

    @property
    def newest(self) -> str:
        """The job that stands for it by now: the one to cancel, and to wait for."""
        return self.now or self.job

    def claimed(self, record: RunRecord) -> bool:
        """Tell whether the last attempt was made by this task."""
        scheduler = record.claim.get("scheduler")
        if not isinstance(scheduler, Mapping) or scheduler.get("kind") != self.kind:
            return False
        job = str(scheduler.get("job"))
        if self.kind == "slurm":
            return (job, scheduler.get("task")) == self.key
        if (scheduler.get("array"), scheduler.get("index")) != (self.array, self.index):
            return False
        return job.isdecimal() and self.job.isdecimal() and int(job) >= int(self.job)


@dataclass(frozen=True, slots=True)
class Told:
    """The state of a run and why it is so. *final*: the scheduler need not be asked about its task again."""

    state: State
    reason: str = ""
    final: bool = False


def of_cluster(record: RunRecord | None, held: Held, seen: Seen | None, *, gone: bool = False) -> Told:
    """Give the state of a run whose newest task is *held*; *seen* is none if the scheduler says nothing about it.

    *gone*: the scheduler answered, and surely has no such task any more.
    """
    if record is None:
        return _never_began(held, seen, gone=gone)
    if record.broken is not None:
        return Told("broken", record.broken, final=True)
    if record.end is not None and record.end["state"] == "done":
        return Told("done", final=True)
    if record.claim and not held.claimed(record):
        return _of_earlier(record, held, seen, gone=gone)
    if record.end is not None:
        return _with_end(record, record.end, held, seen, gone=gone)
    return _without_end(held, seen, gone=gone)


def needs_no_word(record: RunRecord, held: Held) -> bool:
    """Tell whether the run's own end line says all, as long as its task is not started again."""
    end = record.end
    return end is not None and held.claimed(record) and not end.get("requeued") and not from_outside(end)


def from_outside(end: Mapping[str, Any]) -> bool:
    """Tell whether something outside ended an attempt, which its scheduler may know more about: its task was told to
    leave, or its program was killed. A scheduler that kills everything at once may well kill the program first."""
    return end.get("by") == "task" or (end.get("state") == "killed" and end.get("signal") == "SIGKILL")


def _never_began(held: Held, seen: Seen | None, *, gone: bool) -> Told:
    """
    ==========================  ==========================================
    waits, or says nothing      `queued`, with the scheduler's reason
    runs                        `running`; in a pack `queued`
    was cancelled               `cancelled`
    exit 0, or parents undone   `planned` (and then `skipped`, if a parent ended and is not done)
    ended otherwise             what the scheduler says, else `lost`; in a pack `planned`
    is not known any more       `lost`; `cancelled` if `xpc cancel` took it back; in a pack `planned`
    ==========================  ==========================================
    """
    if seen is None:
        if held.cancelled:
            return Told("cancelled", "xpc cancel", final=gone)
        if not gone:
            return Told("queued")
        return Told("planned", final=True) if held.packed else Told("lost", _unknown(held), final=True)
    if seen.phase == "queued" or (seen.phase == "running" and held.packed):
        return Told("queued", seen.reason if seen.phase == "queued" else "its task runs")
    if seen.phase == "running":
        return Told("running", seen.reason)
    assert seen.state is not None
    if seen.state == "cancelled":
        return Told("cancelled", seen.reason, final=True)
    if seen.state in ("done", "skipped") or held.packed:
        return Told("planned", seen.reason, final=True)
    return Told("lost" if seen.state == "failed" else seen.state, seen.reason, final=True)


def _without_end(held: Held, seen: Seen | None, *, gone: bool) -> Told:
    """
    ==========================  ==========================================
    waits (again)               `queued`
    runs, or says nothing       `running`
    ended                       what the scheduler says; `lost` where that is about the exit status alone
    is not known any more       `lost`
    ==========================  ==========================================
    """
    if seen is None:
        return Told("lost", _unknown(held), final=True) if gone else Told("running")
    if seen.phase != "ended":
        return Told("queued" if seen.phase == "queued" else "running", seen.reason)
    assert seen.state is not None
    if seen.state in PROOFLESS:
        return Told("lost", f"{seen.reason}, and no end line", final=True)
    return Told(seen.state, seen.reason, final=True)


def _with_end(record: RunRecord, end: Mapping[str, Any], held: Held, seen: Seen | None, *, gone: bool) -> Told:
    """
    ==================================  ==========================================
    waits                               `queued`
    runs, and the end says `requeued`,  `running`; in a pack `queued`
    or it was started again since
    says nothing, `requeued`            `queued`
    ended, `by: "task"`, SIGKILL or     `cancelled timeout oom killed lost` if it says so, else what the end line says
    `requeued`
    all else                            what the end line says
    ==================================  ==========================================
    """
    requeued, by_task = bool(end.get("requeued")), from_outside(end)
    own = Told(said(end), str(end.get("reason") or ""))
    if seen is None:
        if not (requeued or by_task):
            return Told(own.state, own.reason, final=True)
        if held.cancelled:
            return Told("cancelled", "xpc cancel", final=gone)
        return Told("queued") if requeued and not gone else Told(own.state, own.reason, final=gone)
    if seen.phase == "queued":
        return Told("queued", seen.reason)
    if seen.phase == "running":
        if requeued or seen.restarts > restarts(record):
            return Told("queued" if held.packed else "running", seen.reason)
        return Told("cancelled", "xpc cancel") if by_task and held.cancelled else own
    if (requeued or by_task) and seen.state in REFINING and not (by_task and _only_killed(seen)):
        return Told(seen.state, seen.reason, final=True)
    return Told(own.state, own.reason, final=True)


def _only_killed(seen: Seen) -> bool:
    """Tell whether the scheduler knows no more than that the task got a signal, which the end line says better."""
    return seen.state == "lost" or (seen.state == "killed" and "SIG" in seen.reason)


def _of_earlier(record: RunRecord, held: Held, seen: Seen | None, *, gone: bool) -> Told:
    """
    ==========================  ==========================================
    waits, or says nothing      `queued`
    runs                        `running`; in a pack `queued`
    has ended, or is not known  what the earlier attempt's end line says, else `lost`
    ==========================  ==========================================
    """
    over = gone if seen is None else seen.phase == "ended"
    if not over:
        running = seen is not None and seen.phase == "running" and not held.packed
        return Told("running" if running else "queued", seen.reason if seen is not None else "")
    if record.end is not None:
        return Told(said(record.end), str(record.end.get("reason") or ""), final=True)
    return Told("lost", seen.reason if seen is not None else _unknown(held), final=True)


def restarts(record: RunRecord) -> int:
    """Give how often the task of the last attempt had been put back into the queue before."""
    scheduler = record.claim.get("scheduler")
    found = scheduler.get("restart") if isinstance(scheduler, Mapping) else 0
    return found if isinstance(found, int) else 0


def _unknown(held: Held) -> str:
    return f"{'SLURM' if held.kind == 'slurm' else 'OAR'} does not know {held.name} any more"
