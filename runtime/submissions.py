"""What has been submitted: one file a submit with one writer, and the union of all files that readers take."""

from __future__ import annotations

import errno
import json
import os
import re
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from .build_rows import Tasks, read_plan, row_ids
from .calls import OPEN, Call, Ranges, Verdict, read_calls, read_ranges, read_verdicts, settle, task_jobs
from .lock import holder
from .owner import Owner
from .shim.journal import write_all
from .shim.regular import read_regular

SCHEMA: Final = "xpc.submission/1"
FOLDER: Final = ".xpc/submissions"
BUILDS: Final = ".xpc/builds"
_BUILD: Final = re.compile(r"[\w-]+", re.ASCII)
CLUSTERS: Final = frozenset(("slurm", "oar"))

Task = tuple[str, int | None]  # a job, and SLURM's index of its task


@dataclass(frozen=True, slots=True)
class Submission:
    """One submit as its file tells it: *rows* are ranges of the build's table by experiment (local), *calls* what the
    scheduler was asked for (clusters). *released*: the jobs that it sent were let go."""

    path: Path
    time: str
    owner: Owner
    build: str
    target: str
    kind: str
    ended: bool
    torn: bool
    rows: Mapping[str, Ranges] = field(default_factory=dict)
    calls: tuple[Call, ...] = ()
    released: bool = False

    @property
    def name(self) -> str:
        return self.path.name

    def live(self, project: Path, here: Owner) -> bool:
        """Say whether a local submit still goes on; one on another host does while it has the lock."""
        if self.ended:
            return False
        seen = self.owner.seen_from(here)
        return seen == "alive" or (seen == "unknown" and holder(project) == self.owner)


class SubmissionWriter:
    """The file of the submit that goes on just now; of `xpc cancel`, if its *event* is `cancels`."""

    def __init__(self, project: Path, build: str, target: str, kind: str, event: str = "submit") -> None:
        here = Owner.here()
        time = _now()
        folder = project / FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"{time.replace(':', '').replace('-', '')}-{here.host}-{here.pid}.jsonl"
        self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o666)
        fields = here.fields()
        self._write(
            {
                "schema": SCHEMA,
                "event": event,
                "time": time,
                **fields,
                "build": build,
                "target": target,
                "kind": kind,
            }
        )

    def runs(self, experiment: str, rows: Sequence[int]) -> None:
        """Note that *rows* (ascending) of an experiment are now queued here."""
        self._write({"event": "runs", "experiment": experiment, "rows": ranges(rows)})

    def intent(
        self, call: int, array: str, token: str, indices: Sequence[int], request: int, leave: Sequence[int] = ()
    ) -> None:
        """Note that the scheduler is asked for tasks of an array just now; they will be found by the token. The rows to
        *leave* (ascending) are not run by them."""
        fields: dict[str, object] = {"call": call, "array": array, "token": token, "indices": ranges(indices)}
        fields |= {"request": request, **({"leave": ranges(leave)} if leave else {})}
        self._write({"event": "intent", **fields, "time": _now()})

    def result(self, call: int, jobs: Sequence[tuple[str, int]]) -> None:
        self._write({"event": "result", "call": call, "jobs": jobs})

    def refused(self, call: int, exit: int, said: str) -> None:
        self._write({"event": "refused", "call": call, "exit": exit, "said": said})

    def cancelled(self, calls: Sequence[int]) -> None:
        """Note that this submit took back what it had sent by these calls."""
        self._write({"event": "cancelled", "calls": list(calls), "time": _now(), "user": Owner.here().user})

    def adopted(self, file: str, call: int, jobs: Sequence[tuple[str, int]]) -> None:
        """Note the jobs of a call of a submit that was cut."""
        self._write({"event": "adopted", "file": file, "call": call, "jobs": jobs})

    def absent(self, file: str, call: int) -> None:
        """Note that a call of a submit that was cut was never made."""
        self._write({"event": "absent", "file": file, "call": call})

    def completed(self, file: str) -> None:
        """Note that a submit that was cut is complete: what it sent is known, and released."""
        self._write({"event": "completed", "file": file})

    def released(self) -> None:
        self._write({"event": "released", "time": _now()})

    def cancel(self, build: str, jobs: Sequence[object], arrays: Mapping[str, Ranges]) -> None:
        """Note that jobs of a build were cancelled: each with ranges of its tasks, or none; and the same by array."""
        self._write({"event": "cancel", "jobs": jobs, "arrays": arrays, "build": build, "time": _now()})

    def end(self) -> None:
        self._write({"event": "end", "time": _now()})
        self.close()

    def close(self) -> None:
        """Leave the file as it is; without an end, the submit was cut."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _write(self, line: Mapping[str, object]) -> None:
        write_all(self._file, json.dumps(line, separators=(",", ":")).encode() + b"\n")
        os.fsync(self._file)


def ranges(rows: Sequence[int]) -> Ranges:
    """Put ascending rows together: `[0, 1, 2, 7]` is `[(0, 3), (7, 1)]`."""
    found: Ranges = []
    for row in rows:
        if found and sum(found[-1]) == row:
            found[-1] = (found[-1][0], found[-1][1] + 1)
        else:
            found.append((row, 1))
    return found


def read_submissions(project: Path) -> list[Submission]:
    """Give all submits of the project, oldest first. A line counts when it ends and parses; a torn tail is marked."""
    return _read_all(project)[0]


def cancelled_tasks(project: Path) -> dict[Task, str]:
    """Give the tasks that `xpc cancel` or a retry took back, and when it last did."""
    return _read_all(project)[1]


def _read_all(project: Path) -> tuple[list[Submission], dict[Task, str]]:
    """Give the submits, and when each task was cancelled that ever was."""
    submissions: list[Submission] = []
    verdicts: dict[str, dict[int, Verdict]] = {}
    cancelled: dict[Task, str] = {}
    completed: set[str] = set()
    for path in _files(project / FOLDER):
        lines, torn = _lines(_content(path))
        found = _read(path, lines, torn=torn)
        if found is not None:
            submissions.append(found)
        for verdict in read_verdicts(lines):
            verdicts.setdefault(verdict.file, {})[verdict.call] = verdict
        cancelled.update(_cancelled(lines))
        completed.update(str(line.get("file")) for line in lines if line.get("event") == "completed")
    return [_as_others_know(found, verdicts.get(found.name, {}), completed) for found in submissions], cancelled


def _as_others_know(found: Submission, verdicts: Mapping[int, Verdict], completed: Container[str]) -> Submission:
    """Add what later submits found out about one that was cut, and did for it."""
    if verdicts:
        found = replace(found, calls=settle(found.calls, verdicts))
    return replace(found, ended=True, released=True) if found.name in completed else found


def queued_rows(project: Path) -> Iterator[tuple[str, str, int]]:
    """Give the build, the experiment and the row of each run that a live local submit holds.

    Some of them run or have ended since: the run's own records say so.
    """
    here = Owner.here()
    for submission in read_submissions(project):
        if submission.kind == "local" and submission.live(project, here):
            for experiment, found in submission.rows.items():
                for first, count in found:
                    for row in range(first, first + count):
                        yield submission.build, experiment, row


@dataclass(frozen=True, slots=True)
class SentJob:
    """A run that a submit handed over to a cluster, and the job (on SLURM: the array's job and the task) it became.

    *cancelled*: `xpc cancel` took it back, or the submit itself, after a refusal. *beside*: the task has other runs,
    which it was told to leave alone.
    """

    experiment: str
    run: str
    kind: str
    job: str
    task: int | None
    submission: str
    time: str
    index: int
    array: str
    build: str
    cancelled: bool
    beside: bool = False


def sent_jobs(project: Path, skip: Container[str] = ()) -> Iterator[SentJob]:
    """Give the runs that were handed over to clusters, newest last; the submissions called so are left out.

    A run that was sent twice comes twice. What is known of no build is left out, and so are tasks that SLURM held until
    their submit took them back: they never could start.
    """
    submissions, cancelled = _read_all(project)
    builds: dict[str, tuple[dict[str, Tasks], list[str]]] = {}
    for submission in submissions:
        if submission.kind not in CLUSTERS or submission.name in skip:
            continue
        if submission.build not in builds:
            builds[submission.build] = _tasks_and_ids(project / BUILDS / submission.build)
        tasks, ids = builds[submission.build]
        for call in submission.calls:
            gone = call.outcome == "cancelled"
            if call.array not in tasks or (gone and submission.kind == "slurm"):
                continue
            array = tasks[call.array]
            leave = {row for first, count in call.leave for row in range(first, min(first + count, len(ids)))}
            for index, job, task in task_jobs(call, submission.kind):
                taken_back = gone or cancelled.get((job, task), "") > call.time
                rows = [row for row in array.rows(index) if row not in leave]
                beside = len(rows) < len(array.rows(index))
                for row in rows:
                    yield SentJob(
                        array.experiment,
                        ids[row],
                        submission.kind,
                        job,
                        task,
                        submission.name,
                        call.time,
                        index,
                        array.name,
                        submission.build,
                        taken_back,
                        beside,
                    )


def _tasks_and_ids(build: Path) -> tuple[dict[str, Tasks], list[str]]:
    plan, ids = read_plan(build), row_ids(build)
    if plan is None or not ids:
        return {}, []
    return {array["name"]: Tasks(array) for array in plan["arrays"]}, ids


def _cancelled(lines: Sequence[Mapping[str, Any]]) -> Iterator[tuple[Task, str]]:
    """Give the tasks that the lines of a file say were cancelled, and when."""
    for line in lines:
        match line:
            case {"event": "cancel", "jobs": list(jobs), "time": str(time)}:
                for entry in jobs:
                    match entry:
                        case [str(job), list(indices)] if indices:
                            for first, count in read_ranges(indices):
                                yield from (((job, index), time) for index in range(first, first + count))
                        case [str(job), *_]:
                            yield (job, None), time


@dataclass(frozen=True, slots=True)
class Cut:
    """A submit to a cluster that was cut: *open* calls of unknown outcome, jobs *held* that nobody released."""

    submission: Submission
    open: tuple[Call, ...]
    held: tuple[str, ...]


def cut_submissions(project: Path) -> list[Cut]:
    """Give the cluster submits that did not end, and go on no more."""
    here = Owner.here()
    found: list[Cut] = []
    for submission in read_submissions(project):
        if submission.kind not in CLUSTERS or submission.ended or submission.live(project, here):
            continue
        opened = tuple(call for call in submission.calls if call.outcome == OPEN)
        sent = (call.jobs for call in submission.calls if call.outcome == "sent" and not submission.released)
        held = tuple(job for jobs in sent if submission.kind == "slurm" for job, _ in jobs or ())
        found.append(Cut(submission, opened, held))
    return found


def _read(path: Path, lines: Sequence[Mapping[str, Any]], *, torn: bool) -> Submission | None:
    if not lines or lines[0].get("event") != "submit":
        return None
    first = lines[0]
    owner = Owner.read(first)
    if owner is None:
        return None
    rows: dict[str, Ranges] = {}
    for line in lines[1:]:
        if line.get("event") == "runs":
            rows.setdefault(str(line.get("experiment")), []).extend(read_ranges(line.get("rows")))
    texts = [str(first.get(name, "")) for name in ("time", "build", "target", "kind")]
    if not _BUILD.fullmatch(texts[1]):
        texts[1] = ""  # no name of a folder of builds, and so of none that there is
    events = {event for line in lines if isinstance(event := line.get("event"), str)}
    return Submission(
        path,
        texts[0],
        owner,
        texts[1],
        texts[2],
        texts[3],
        "end" in events,
        torn,
        rows,
        read_calls(lines),
        "released" in events,
    )


def _files(folder: Path) -> list[Path]:
    """Give the files of all submits; raises ``PermissionError`` where nobody may look: there may be queued runs."""
    try:
        names = os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [folder / name for name in sorted(names) if name.endswith(".jsonl")]


def _content(path: Path) -> bytes:
    """Give what a file of a submit holds; of one that is no file, nothing."""
    try:
        return read_regular(str(path))
    except OSError as error:
        if error.errno in (errno.EINVAL, errno.EISDIR, errno.EFBIG):
            return b""
        raise


def _lines(data: bytes) -> tuple[list[dict[str, Any]], bool]:
    """Give the whole lines, and whether there is something else among them."""
    *whole, rest = data.split(b"\n")
    found: list[dict[str, Any]] = []
    torn = bool(rest.strip())
    for line in whole:
        try:
            fields = json.loads(line)
        except (ValueError, RecursionError):
            torn = True
            continue
        if isinstance(fields, dict):
            found.append(fields)
    return found, torn


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
