"""What submits that were cut left open: each call looked up by its token, and the held jobs let go at last."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from ..calls import OPEN, Call
from ..submissions import CLUSTERS, Submission, SubmissionWriter, read_submissions
from .cluster_call import Jobs, Scheduler, Silent
from .cluster_send import LATE


@dataclass(slots=True)
class Resumed:
    """Submits that were cut, and that are known again: *held* are the jobs to release, by scheduler."""

    submissions: list[Submission] = field(default_factory=list)
    held: dict[str, list[str]] = field(default_factory=dict)


def unfinished(project: Path) -> list[Submission]:
    """Give the cluster submits without an end. For whoever has the submit lock: none of them goes on."""
    return [found for found in read_submissions(project) if found.kind in CLUSTERS and not found.ended]


def look_up(
    cut: Sequence[Submission],
    writer: SubmissionWriter,
    scheduler_of: Callable[[str], Scheduler],
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> Resumed | tuple[Submission, str]:
    """Find what became of each open call, and write it down; or give where nobody can say, and why."""
    resumed = Resumed()
    for submission in cut:
        scheduler = scheduler_of(submission.kind)
        jobs = [call.jobs for call in submission.calls if call.outcome == "sent" and call.jobs]
        for call in submission.calls:
            if call.outcome != OPEN:
                continue
            found = _find(call, scheduler, sleep)
            if isinstance(found, Silent):
                return submission, found.said
            if found is None:
                writer.absent(submission.name, call.number)
            else:
                writer.adopted(submission.name, call.number, found)
                jobs.append(found)
        resumed.submissions.append(submission)
        if scheduler.holds and not submission.released:
            resumed.held.setdefault(submission.kind, []).extend(first for of in jobs for first, _ in of)
    return resumed


def _find(call: Call, scheduler: Scheduler, sleep: Callable[[float], None]) -> Jobs | Silent | None:
    """Look for a call; while it is young its command may still be on its way."""
    deadline = time.monotonic() + LATE - _age(call.time)
    while True:
        left = deadline - time.monotonic()
        found = scheduler.find(call.token, call.tasks, last=left <= 0)
        if found is not None or left <= 0:
            return found
        sleep(min(1.0, left))


def _age(time: str) -> float:
    """Give how long ago that was, in seconds, `LATE` at most; another host's clock may be ahead of ours."""
    try:
        then = datetime.fromisoformat(time.replace("Z", "+00:00"))
    except ValueError:
        return LATE
    return min(LATE, max(0.0, (datetime.now(UTC) - then).total_seconds()))
