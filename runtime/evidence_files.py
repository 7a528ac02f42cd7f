"""What schedulers said of tasks that ended, kept beside the records: they forget, and need not be asked again."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from .owner import Owner
from .shim.regular import read_regular
from .states import STATES, State

if TYPE_CHECKING:
    from .schedulers.evidence import Task

SCHEMA: Final = "xpc.evidence/1"
FOLDER: Final = ".xpc/evidence"

Run = tuple[str, str]  # experiment and id

SUPERSEDED: Final = "superseded"
"""The reason of runs that were done and have been set aside since: what was said before is not about them any more."""


@dataclass(frozen=True, slots=True)
class Kept:
    """How a task ended, as its scheduler told it. *attempt*: the run's last one then; 0: it had not begun."""

    attempt: int
    task: Task
    state: State
    reason: str


@dataclass(slots=True)
class Evidence:
    """*ended* by run, oldest first. *settled*: submissions all of whose runs have ended. *missing*: since when (UTC)
    the scheduler has not known a task that nobody saw end."""

    ended: dict[Run, list[Kept]] = field(default_factory=dict)
    settled: set[str] = field(default_factory=set)
    missing: dict[Task, str] = field(default_factory=dict)

    def of(self, run: Run, attempt: int, task: Task) -> Kept | None:
        """Give what is kept of a task that *run* had in that attempt."""
        for kept in reversed(self.ended.get(run, ())):
            if (kept.attempt, kept.task) == (attempt, task):
                return kept
        return None


def read_evidence(project: Path) -> Evidence:
    """Give all that is kept. A line that is torn or makes no sense counts for nothing."""
    found = Evidence()
    for path in sorted((project / FOLDER).glob("*.jsonl")):
        try:
            data = read_regular(str(path))
        except OSError:
            continue  # somebody else's, and not for us: their scheduler will tell us too
        for line in data.split(b"\n")[:-1]:
            try:
                fields = json.loads(line)
            except (ValueError, RecursionError):
                continue
            _take(found, fields)
    return found


def _take(found: Evidence, fields: Any) -> None:
    match fields:
        case {"event": "ended", "experiment": str(experiment), "run": str(run), "job": str(job), "state": str(state)}:
            attempt, task = fields.get("attempt"), fields.get("task")
            if state in STATES and isinstance(attempt, int) and isinstance(task, int | None):
                kept = Kept(attempt, (job, task), _state(state), str(fields.get("reason") or ""))
                if kept.state == "planned" and kept.reason == SUPERSEDED:
                    found.ended.pop((experiment, run), None)
                found.ended.setdefault((experiment, run), []).append(kept)
        case {"event": "settled", "submission": str(name)}:
            found.settled.add(name)
        case {"event": "missing", "job": str(job), "time": str(time)}:
            task = fields.get("task")
            if isinstance(task, int | None):
                found.missing.setdefault((job, task), time)


def superseded(run: Run, task: Task | None) -> tuple[Run, Kept]:
    """Give the word that a run is planned again, and its newest task, if one is known, nothing of it."""
    return run, Kept(0, task or ("", None), "planned", SUPERSEDED)


def _state(name: str) -> State:
    return next(state for state in STATES if state == name)


class EvidenceWriter:
    """The file to which one command adds what it was told; it is made when there is something to keep."""

    def __init__(self, project: Path) -> None:
        self._folder = project / FOLDER
        self._path: Path | None = None

    def ended(self, runs: Iterable[tuple[Run, Kept]]) -> None:
        self._write(
            {
                "event": "ended",
                "experiment": experiment,
                "run": run,
                "attempt": kept.attempt,
                "job": kept.task[0],
                "task": kept.task[1],
                "state": kept.state,
                "reason": kept.reason,
                "time": now(),
            }
            for (experiment, run), kept in runs
        )

    def settled(self, submissions: Iterable[str]) -> None:
        self._write({"event": "settled", "submission": name, "time": now()} for name in submissions)

    def missing(self, tasks: Iterable[Task]) -> None:
        self._write({"event": "missing", "job": job, "task": task, "time": now()} for job, task in tasks)

    def _write(self, lines: Iterable[Mapping[str, object]]) -> None:
        """Add lines at once; in a project that is not ours to write to nothing is kept, and asked again next time."""
        found: Sequence[Mapping[str, object]] = list(lines)
        if not found:
            return
        if self._path is None:
            found = [{"schema": SCHEMA} | dict(found[0]), *found[1:]]
        text = "".join(json.dumps(line, separators=(",", ":"), ensure_ascii=False) + "\n" for line in found)
        try:
            with open(self._place(), "ab") as file:
                file.write(text.encode())
        except OSError:
            return

    def _place(self) -> Path:
        if self._path is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            here = Owner.here()
            stamp = now().replace(":", "").replace("-", "")
            self._path = self._folder / f"{stamp}-{here.host}-{os.getpid()}.jsonl"
        return self._path


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
