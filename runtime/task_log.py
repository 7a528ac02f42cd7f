"""The log that a scheduler kept of an array, to the lines about one run: what is there when a run wrote nothing."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .cluster_states import Held
from .executor.last_words import plain
from .records import RunRecord
from .shim.regular import open_regular
from .submissions import BUILDS

MOST: Final = 1 << 24  # bytes that are searched, from the end
SHOWN: Final = 7  # digits of the id by which the shim names a run

_JOB: Final = re.compile(r"\bJOB (\d+)\b|\bStepId=(\d+)")
_RUN: Final = re.compile(r"^\S+ ([0-9a-f]{7}): ")


@dataclass(frozen=True, slots=True)
class TaskLog:
    """*lines* about the run; *shared*: they name no task of the array at all, and may be of any."""

    path: str
    lines: tuple[str, ...]
    shared: bool = False


def log_of_task(project: Path, id: str, held: Held, record: RunRecord | None) -> TaskLog | None:
    """Give what the log of a task's array says about a run; nothing if there is no such log."""
    if not held.build or not held.array:
        return None
    folder = f"{BUILDS}/{held.build}/logs"
    own = _names(id, held, record)
    shared: TaskLog | None = None
    for name in _names_of_logs(project / folder, held):
        path = f"{folder}/{name}"
        try:
            with open_regular(str(project / path)) as file:
                file.seek(max(0, file.seek(0, 2) - MOST))
                lines = [plain(line) for line in file.read().decode("utf-8", "replace").split("\n")]
        except OSError:
            continue
        mine = [line for line in lines if _named(line) & own]
        if mine:
            return TaskLog(path, tuple(mine))
        others = dict.fromkeys(line for line in lines if line.strip() and not _named(line))
        shared = shared or TaskLog(path, tuple(others), shared=True)
    return shared


def _names_of_logs(folder: Path, held: Held) -> list[str]:
    """Give the names that the log may have: on OAR each user who sent tasks of an array has one."""
    if held.kind == "slurm":
        return [f"{held.array}-{held.job}.out"]
    more = re.compile(re.escape(held.array) + r"\.\d+\.out")
    try:
        return [f"{held.array}.out", *sorted(filter(more.fullmatch, os.listdir(folder)))]
    except OSError:
        return []


def _names(id: str, held: Held, record: RunRecord | None) -> frozenset[str]:
    """Give the names by which a line may be about the run: the run's own, and its job's."""
    scheduler = record.claim.get("scheduler") if record is not None else None
    raw = scheduler.get("raw") if isinstance(scheduler, Mapping) else None  # SLURM numbers each task of an array too
    job = raw if held.kind == "slurm" and held.task is not None else held.job
    return frozenset((id[:SHOWN], *([str(job)] if job is not None else ())))


def _named(line: str) -> frozenset[str]:
    """Give the runs and jobs that a line names."""
    run = _RUN.match(line)
    found = [name for match in _JOB.finditer(line) for name in match.groups() if name is not None]
    oar = re.search(r"^## OAR \[.*\] Job (\d+) ", line)
    return frozenset((*([run[1]] if run else ()), *found, *([oar[1]] if oar else ())))
