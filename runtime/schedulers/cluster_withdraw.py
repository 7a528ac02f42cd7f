"""Queued and running tasks, cancelled in few calls, and written down: `cancelled` then needs no accounting."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from ..cluster_states import Held
from ..submissions import SubmissionWriter, ranges
from .cluster_call import Scheduler


def withdraw(jobs: Iterable[Held], writer: SubmissionWriter, scheduler_of: Callable[[str], Scheduler]) -> str | None:
    """Cancel the tasks of *jobs*; give what went wrong. What was cancelled is noted by build, kind by kind."""
    by_kind: dict[str, list[Held]] = {}
    for job in jobs:
        by_kind.setdefault(job.kind, []).append(job)
    for kind, found in by_kind.items():
        wrong = scheduler_of(kind).cancel(_tasks(found).items())
        if wrong is not None:
            return wrong
        for build in dict.fromkeys(job.build for job in found):
            here = [job for job in found if job.build == build]
            named: list[object] = [[id, [] if tasks is None else ranges(tasks)] for id, tasks in _tasks(here).items()]
            writer.cancel(build, named, _indices(here))
    return None


def _tasks(jobs: Iterable[Held]) -> Mapping[str, Sequence[int] | None]:
    """Give the tasks of each job, ascending; none for a job that is one by itself."""
    found: dict[str, set[int] | None] = {}
    for job in jobs:
        if job.task is None:
            found[job.job] = None
        else:
            known = found.setdefault(job.job, set())
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
