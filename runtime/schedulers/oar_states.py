"""What ``oarstat`` prints, to the phase and end of each job."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from .exits import of_exit

if TYPE_CHECKING:
    from ..states import State
    from .evidence import Ask, Look, Seen, Task

Job = Mapping[str, Any]

QUEUED: Final = frozenset(("Waiting", "Hold", "toLaunch", "toAckReservation"))
RUNNING: Final = frozenset(("Launching", "Running", "Finishing", "Suspended", "Resuming", "toError"))
ENDED: Final[dict[str, State]] = {
    "WALLTIME": "timeout",
    "BESTEFFORT_KILL": "killed",
    "FRAG_JOB_REQUEST": "cancelled",
}
"""By event, the first one that a job has: walltime and preemption ask for the job's end as well."""
TECHNICAL: Final = frozenset(
    (
        *("SWITCH_INTO_ERROR_STATE", "SEND_KILL_JOB", "SWITCH_INTO_TERMINATE_STATE"),
        *("HOLD_WAITING_JOB", "HOLD_RUNNING_JOB", "RESUME_JOB", "RESUBMIT_JOB_AUTOMATICALLY"),
    )
)
"""Events that tell nothing of why a job ended."""

_REQUEST: Final = re.compile(r"^R=\d+,W=[^ ]*")


def look_oar(asked: Sequence[Task], names: Mapping[str, str], run: Ask) -> Look:
    """Look at the jobs, and at those that OAR has put in their place."""
    from .evidence import Look

    numbers = sorted({int(job) for job, _ in asked if job.isdecimal()})
    # A job that OAR starts again has a new number, and the old one's array.
    whose = f"array_id IN (SELECT array_id FROM jobs WHERE {condition(numbers)})"  # noqa: S608  # numbers alone
    answer = run(["oarstat", "-f", "-J", "--sql", whose])
    if not answer.fine:
        return Look(False, answer.said)
    jobs = read_jobs(answer.out)
    if jobs is None:
        return Look(False, "oarstat answered with something that is not a list of jobs")
    last = {key: found for key in asked if (found := _last(key[0], jobs, names)) is not None}
    seen = {key: seen_of(jobs[job], restarts) for key, (job, restarts) in last.items()}
    return Look(True, "", seen, now={key: job for key, (job, restarts) in last.items() if restarts})


def condition(numbers: Sequence[int]) -> str:
    """Give the SQL that names the jobs: ranges, since the jobs of an array follow one another."""
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    single = [str(first) for first, last in ranges if first == last]
    parts = [f"job_id BETWEEN {first} AND {last}" for first, last in ranges if first != last]
    if single:
        parts.append(f"job_id IN ({','.join(single)})")
    return " OR ".join(parts) or "job_id = 0"


def read_jobs(text: str) -> dict[str, Job] | None:
    """Read what ``oarstat -J`` printed; nothing if it is something else. It prints nothing at all for no jobs."""
    if not text.strip():
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    return {str(number): job for number, job in found.items() if isinstance(job, dict)}


def _last(job: str, jobs: Mapping[str, Job], names: Mapping[str, str]) -> tuple[str, int] | None:
    """Give the last job that stands in the place of one, and how often that was started again."""
    found = jobs.get(job)
    if found is None or found.get("name") != names.get(job, found.get("name")):
        return None
    successors = {str(other.get("resubmit_job_id") or ""): number for number, other in jobs.items()}
    restarts, seen = 0, {job}
    while (following := successors.get(job)) is not None and following not in seen:
        job, restarts = following, restarts + 1
        seen.add(job)
    return job, restarts


def seen_of(job: Job, restarts: int = 0) -> Seen:
    """Give the meaning of a job as ``oarstat -f -J`` tells it."""
    from .evidence import Seen

    state = str(job.get("state", ""))
    if state in QUEUED:
        return Seen("queued", None, _waits(job, state), restarts)
    if state in RUNNING:
        return Seen("running", None, "" if state == "Running" else state, restarts)
    if state == "Terminated":
        return _terminated(job, restarts)
    if state != "Error":
        return Seen("ended", "lost", state or "no state", restarts)
    events = _events(job)
    asked = _asked_to_end(job, events, restarts)
    if asked is not None:
        return asked
    telling = [event for event in events if event not in TECHNICAL and not event.startswith("SCHEDULER_")]
    return Seen("ended", "lost", " ".join(telling) or "Error", restarts)


def _terminated(job: Job, restarts: int) -> Seen:
    from .evidence import Seen

    status = job.get("exit_code")
    if not isinstance(status, int):
        return Seen("ended", "lost", "Terminated without an exit status", restarts)
    state, words = of_exit(status >> 8 & 0xFF, status & 0x7F)
    events = _events(job)
    if state != "done" and "SEND_KILL_JOB" in events:  # its shim was just quick enough to leave before it was killed
        asked = _asked_to_end(job, events, restarts)
        if asked is not None:
            return asked
    return Seen("ended", state, f"Terminated {words}".strip(), restarts)


def _asked_to_end(job: Job, events: Sequence[str], restarts: int) -> Seen | None:
    """Say what OAR was asked to end a job for; nothing if it was not asked to."""
    from .evidence import Seen

    for event, meaning in ENDED.items():
        if event in events:
            return Seen("ended", meaning, _words(event, job), restarts)
    return None


def _words(event: str, job: Job) -> str:
    """Say who asked for the job's end, where OAR tells it."""
    if event != "FRAG_JOB_REQUEST":
        return event
    for entry in job.get("events") or ():
        told = str(entry.get("description", "")) if isinstance(entry, dict) and entry.get("type") == event else ""
        who = re.search(r"User (\S+) requested", told)
        if who is not None:
            return f"{event} by {who[1]}"
    return event


def _events(job: Job) -> list[str]:
    found = job.get("events")
    entries = found if isinstance(found, list) else []
    return [str(entry.get("type")) for entry in entries if isinstance(entry, dict)]


def _waits(job: Job, state: str) -> str:
    """Say why a job waits, as short as it can be told."""
    if state != "Waiting":
        return state
    message = _REQUEST.sub("", str(job.get("message") or "")).strip()
    if job.get("dependencies") or "due to dependency" in message:
        return "Dependency"
    return re.sub(r"\s*\(?Karma.*", "", message).strip() or "Waiting"
