"""What ``squeue`` and ``sacct`` print, to the phase and end of each task."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from .exits import of_exit

if TYPE_CHECKING:
    from ..states import State
    from .evidence import Ask, Look, Phase, Seen, Task

QUEUE_FIELDS: Final = "ArrayJobID:|,ArrayTaskID:|,State:|,Reason:|,RestartCnt:|,exit_code:|,Name:"
ACCOUNT_FIELDS: Final = "JobID,State,ExitCode,Reason,JobName"
LONGEST: Final = 100_000  # bytes of one argument; the kernel takes 128 KiB
UNNAMED: Final = ("", "allocation")  # how a job is called in the accounting before its name arrives

QUEUED: Final = frozenset(("PENDING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "SPECIAL_EXIT", "RESV_DEL_HOLD"))
RUNNING: Final = frozenset(
    ("RUNNING", "COMPLETING", "CONFIGURING", "RESIZING", "SIGNALING", "STAGE_OUT", "STOPPED", "SUSPENDED")
)
ENDED: Final[dict[str, State]] = {
    "CANCELLED": "cancelled",
    "TIMEOUT": "timeout",
    "DEADLINE": "timeout",
    "OUT_OF_MEMORY": "oom",
    "PREEMPTED": "killed",
    "NODE_FAIL": "lost",
    "BOOT_FAIL": "lost",
    "LAUNCH_FAILED": "lost",
    "RECONFIG_FAIL": "lost",
    "REVOKED": "lost",
}
NEVER: Final = "DependencyNeverSatisfied"
LAUNCH: Final = 53  # the signal that stands for a job that could not be launched

_ID: Final = re.compile(r"(\d+)(?:_(?:(\d+)|\[([^\]]*)\]?))?")


class Row(NamedTuple):
    """A line of either program. *tasks*: the one that it is about, or all that are folded in it (none: the rest)."""

    job: str
    tasks: Sequence[int] | None
    state: str
    exit: tuple[int, int]
    reason: str
    name: str
    restarts: int = 0


def look_slurm(asked: Sequence[Task], names: Mapping[str, str], ended: Container[Task], run: Ask) -> Look:
    """Look at the queue, and in the accounting for what the queue does not tell."""
    from .evidence import Look

    jobs = sorted({job for job, _ in asked}, key=lambda job: (len(job), job))
    listed = ",".join(jobs)
    chosen = ["-j", listed] if len(listed) < LONGEST else []
    queue = run(["squeue", "-h", "-r", "-t", "all", "-O", QUEUE_FIELDS, *chosen])
    if not queue.fine and "Invalid job id" not in queue.err:
        return Look(False, queue.said)
    rows = read_queue(queue.out)
    if rows is None:
        return Look(False, "squeue answered with something that is not a list of jobs")
    told = by_task(rows, asked, names)
    seen = {task: one for task, one in told.items() if one.phase != "ended" or task not in ended}
    missing = [task for task in asked if task not in ended and task not in told]
    cancelled = [task for task, one in seen.items() if one.state == "cancelled"]
    if not missing and not cancelled:
        return Look(True, "", seen)
    accounts = run(["sacct", "-n", "-X", "-P", "-D", "-o", ACCOUNT_FIELDS, "-j", _bounded([*missing, *cancelled])])
    if not accounts.fine:  # no accounting here: what the queue does not have can't wait or run, and nobody knows more
        return Look(True, accounts.said, seen, frozenset(missing))
    late = by_task(read_accounts(accounts.out), [*missing, *cancelled], names)
    for task, one in late.items():
        # The queue is never late, the accounting is: it only adds who cancelled, and what the queue has forgotten.
        if one.phase == "ended" and (task not in seen or seen[task].state == one.state):
            seen[task] = one
    return Look(True, "", seen)


def _bounded(tasks: Iterable[Task]) -> str:
    """Give the jobs as one argument; what does not fit is asked for when something else has ended."""
    text = ",".join(dict.fromkeys(job for job, _ in tasks))
    return text if len(text) < LONGEST else text[: text.rindex(",", 0, LONGEST)]


# ------------------------------------------------------------------ lines


def read_queue(text: str) -> list[Row] | None:
    """Read what ``squeue`` printed; nothing if it is something else."""
    rows: list[Row] = []
    for line in text.splitlines():
        if not line.strip():
            continue
        fields = line.split("|", 6)
        if len(fields) != 7 or not fields[0].strip().isdecimal():
            return None
        job, task, state, reason, restarts, status, name = (field.strip() for field in fields)
        tasks = [int(task)] if task.isdecimal() else []
        code = int(status) if status.isdecimal() else 0
        count = int(restarts) if restarts.isdecimal() else 0
        rows.append(Row(job, tasks, state, (code >> 8, code & 0x7F), reason, name, count))
    return rows


def read_accounts(text: str) -> list[Row]:
    """Read what ``sacct`` printed. A line that is none (of a step, of a federation) tells nothing."""
    rows: list[Row] = []
    rest: list[Row] = []
    for line in text.splitlines():
        fields = line.split("|", 4)
        found = _ID.fullmatch(fields[0].strip())
        if len(fields) != 5 or found is None:
            continue
        job, one, folded = found.groups()
        tasks: Sequence[int] | None = [int(one)] if one else [] if folded is None else unfold(folded)
        state, status, reason, name = (field.strip() for field in fields[1:])
        if state == "CANCELLED" and reason in ("Dependency", "None"):  # by nobody: SLURM itself took it out
            reason = NEVER
        if tasks == [] and state.startswith("CANCELLED"):
            # What had not begun of an array, if it was cancelled after the others did, has lost its indices.
            rest.append(Row(job, None, state, _exit(status), reason, name))
        else:
            rows.append(Row(job, tasks, state, _exit(status), reason, name))
    return rows + rest


def unfold(text: str) -> Sequence[int] | None:
    """Give the tasks of `0-3,7,9-15:2%4`; nothing if the list is cut off or no such list."""
    found: list[int] = []
    for part in text.split("%")[0].split(","):
        match = re.fullmatch(r"(\d{1,8})(?:-(\d{1,8})(?::(\d{1,8}))?)?", part.strip())
        if match is None:
            return None
        first, last, step = int(match[1]), int(match[2] or match[1]), int(match[3] or 1)
        if last - first > 4_000_000 or step < 1:
            return None
        found.extend(range(first, last + 1, step))
    return found


def _exit(text: str) -> tuple[int, int]:
    code, _, by_signal = text.strip().partition(":")
    return (int(code) if code.isdecimal() else 0), (int(by_signal) if by_signal.isdecimal() else 0)


# ------------------------------------------------------------------ what they say


def by_task(rows: Iterable[Row], asked: Sequence[Task], names: Mapping[str, str]) -> dict[Task, Seen]:
    """Give what the rows say of the tasks asked for; a later row is of a later start of the same task."""
    wanted: dict[str, dict[int | None, None]] = {}
    for job, task in asked:
        wanted.setdefault(job, {})[task] = None
    found: dict[Task, Seen] = {}
    starts: dict[Task, int] = {}
    for row in rows:
        mine = wanted.get(row.job)
        if mine is None or not _is_ours(row, names):
            continue
        for task in _tasks(row, mine, found):
            key = row.job, task
            found[key] = seen_of(row, max(row.restarts, starts.get(key, 0)))
            starts[key] = starts.get(key, 0) + 1
    return found


def _is_ours(row: Row, names: Mapping[str, str]) -> bool:
    return row.name in UNNAMED or names.get(row.job, row.name) == row.name


def _tasks(row: Row, mine: Mapping[int | None, None], found: Mapping[Task, Seen]) -> Iterator[int | None]:
    if row.tasks is None:  # a list that was cut off: it is about whoever has no line of its own
        yield from (task for task in mine if (row.job, task) not in found)
    elif not row.tasks:
        yield from (task for task in mine if task is None)
    else:
        yield from (task for task in row.tasks if task in mine)


def seen_of(row: Row, restarts: int = 0) -> Seen:
    """Give the meaning of a row: SLURM's word for the state, its exit status, its reason."""
    return _meaning(row.state, row.exit, row.reason, restarts)


@lru_cache(maxsize=1 << 10)
def _meaning(state: str, exit: tuple[int, int], given: str, restarts: int) -> Seen:
    from .evidence import Seen

    word = state.split(" ")[0].rstrip("+")
    reason = "" if given in ("None", "(null)") else given
    phase: Phase = "queued" if word in QUEUED else "running" if word in RUNNING else "ended"
    if phase != "ended":
        if reason == NEVER:
            return Seen("ended", "skipped", NEVER, restarts)
        return Seen(phase, None, reason or ("" if word in ("PENDING", "RUNNING") else word.capitalize()), restarts)
    return Seen("ended", *_end(word, state, exit, reason), restarts)


def _end(word: str, state: str, exit: tuple[int, int], reason: str) -> tuple[State, str]:
    if word == "CANCELLED":
        return ("skipped", NEVER) if reason == NEVER else ("cancelled", state)
    if word in ENDED:
        return ENDED[word], state
    if word == "COMPLETED":
        return "done", word
    if word != "FAILED":
        return "lost", state
    code, by_signal = exit
    if by_signal == LAUNCH:
        return "lost", f"JobLaunchFailure 0:{LAUNCH}"
    found, words = of_exit(code, by_signal)
    return (found if found != "done" else "failed"), f"FAILED {words}".strip()
