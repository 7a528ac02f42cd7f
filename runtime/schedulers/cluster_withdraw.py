"""Queued and running tasks, cancelled in few calls, and written down: `cancelled` then needs no accounting."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ..cluster_states import Held
from ..owner import Owner
from ..submissions import SubmissionWriter, ranges, read_submissions
from .cluster_call import Scheduler


def by_sender(jobs: Iterable[Held], project: Path) -> dict[str, list[Held]]:
    """Share jobs out by the user who sent them, this user's first: schedulers let nobody cancel another's."""
    users = {submission.name: submission.owner.user for submission in read_submissions(project)}
    found: dict[str, list[Held]] = {Owner.here().user: []}
    for job in jobs:
        found.setdefault(users.get(job.submission, ""), []).append(job)
    return {user: sent for user, sent in found.items() if sent}


def withdraw(
    jobs: Iterable[Held], flying: Iterable[Held], writer: SubmissionWriter, scheduler_of: Callable[[str], Scheduler]
) -> str | None:
    """Cancel the tasks of *jobs*; give what went wrong. What was cancelled is noted by build, kind by kind.

    *flying* are all tasks that are queued or run: where all of a job's are meant, the job is named without them.
    """
    jobs = list(jobs)
    chosen = {(job.kind, *job.key) for job in jobs}
    partly = {(job.kind, job.job) for job in flying if (job.kind, *job.key) not in chosen}
    by_kind: dict[str, list[Held]] = {}
    for job in jobs:
        by_kind.setdefault(job.kind, []).append(job)
    for kind, found in by_kind.items():
        tasks = _tasks(found).items()
        wrong = scheduler_of(kind).cancel((id, those if (kind, id) in partly else None) for id, those in tasks)
        if wrong is not None:
            return wrong
        for build in dict.fromkeys(job.build for job in found):
            here = [job for job in found if job.build == build]
            # By both of its numbers, where OAR has started one again: as what it was sent, and as what was cancelled.
            both = _tasks([*here, *(replace(job, now="") for job in here if job.now)])
            named: list[object] = [[id, [] if tasks is None else ranges(tasks)] for id, tasks in both.items()]
            writer.cancel(build, named, _indices(here))
    return None


def _tasks(jobs: Iterable[Held]) -> Mapping[str, Sequence[int] | None]:
    """Give the tasks of each job, ascending; none for a job that is one by itself."""
    found: dict[str, set[int] | None] = {}
    for job in jobs:
        if job.task is None:
            found[job.newest] = None
        else:
            known = found.setdefault(job.newest, set())
            if known is not None:
                known.add(job.task)
    return {id: None if tasks is None else sorted(tasks) for id, tasks in found.items()}


def _indices(jobs: Iterable[Held]) -> dict[str, list[tuple[int, int]]]:
    """Give the indices that were cancelled, by array."""
    found: dict[str, set[int]] = {}
    for job in jobs:
        if job.index is not None:
            found.setdefault(job.array, set()).add(job.index)
    return {array: ranges(sorted(indices)) for array, indices in found.items()}
