"""A task that OAR has started again, to whether a person cancelled it before that: the project's submissions tell it.

OAR starts a besteffort job again that it has killed for another one, also where it was told to delete it just before.
"""

# A node may have Python 3.8.

from __future__ import annotations

import json
import os
from typing import Any, Iterable, Mapping, Optional, Set

from . import journal, scheduler
from .regular import read_regular

SUBMISSIONS = os.path.join(".xpc", "submissions")


def cancelled_as(project: str, job: Mapping[str, Any], folders: Iterable[str]) -> Optional[str]:
    """Give the earlier job of this task that was cancelled; nothing if none was, or nobody can tell.

    *job* is the present one, as claims name it; *folders* are those of the task's runs.
    """
    if job["kind"] != "oar":
        return None  # SLURM's tasks keep their number, and what is cancelled stays so
    earlier = {number for folder in folders for number in _jobs_before(folder, job)}
    if not earlier:
        return None
    return next(iter(sorted(earlier & _cancelled(os.path.join(project, SUBMISSIONS)))), None)


def _jobs_before(folder: str, job: Mapping[str, Any]) -> Iterable[str]:
    """Give the other jobs that this task was, by the claims of a run."""
    try:
        attempts = journal.read_attempts(folder)
    except OSError:
        return
    for reading in attempts:
        claimed = (reading.records[0] if reading.records else {}).get("scheduler")
        if isinstance(claimed, dict) and claimed.get("job") != job["job"] and scheduler.is_same_job(claimed, job):
            yield str(claimed["job"])


def _cancelled(folder: str) -> Set[str]:
    """Give the jobs that `xpc cancel`, or a retry, has taken back."""
    found: Set[str] = set()
    try:
        names = [name for name in os.listdir(folder) if name.endswith(".jsonl")]
    except OSError:
        return found
    for name in names:
        try:
            lines = read_regular(os.path.join(folder, name)).split(b"\n")
        except OSError:
            continue
        for line in lines:
            if b'"cancel"' in line:
                found.update(_jobs_in(line))
    return found


def _jobs_in(line: bytes) -> Iterable[str]:
    try:
        said = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError):
        return
    if isinstance(said, dict) and said.get("event") == "cancel" and isinstance(said.get("jobs"), list):
        for entry in said["jobs"]:
            if isinstance(entry, list) and entry:
                yield str(entry[0])
