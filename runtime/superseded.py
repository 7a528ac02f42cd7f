"""Done runs that are to be run again: their folders get another name, `<id>.v1`, and stay as they are, byte for byte.

Whoever looks for a run then finds none: it is planned. Nothing is ever put over anything else, and a cut at any moment
leaves each run either done or planned, with all its results.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .cluster_runs import ClusterRuns
from .evidence_files import EvidenceWriter, superseded
from .records import RunRecord, read_run
from .shim import packs
from .store import Store

_VERSION: Final = re.compile(r"([0-9a-f]{16})\.v([1-9]\d*)")

Run = tuple[str, str]  # experiment and id
Step = Callable[[str], object]
"""Told before each step; tests stop there."""


@dataclass(frozen=True, slots=True)
class Version:
    """An earlier result of the run *id*, which has been run again since; *number* 1 is the oldest."""

    id: str
    number: int
    folder: str
    record: RunRecord | None


class SupersedeError(Exception):
    """The folder of *run* can't be set aside: *error* says why. Those before it were."""

    def __init__(self, run: Run, error: OSError) -> None:
        super().__init__(f"{run}: {error}")
        self.run = run
        self.error = error


def supersede(store: Store, runs: Iterable[Run], step: Step = lambda _: None) -> list[Run]:
    """Set the folders of *runs* aside, in their order, and give those that were. For whoever has the submit lock.

    Raises `SupersedeError` where the system refuses; what was set aside until then is planned, and stays so.
    """
    project = Path(store.project)
    by_experiment: dict[str, list[str]] = {}
    for experiment, id in runs:
        by_experiment.setdefault(experiment, []).append(id)
    forget(store.clusters, project, ((name, id) for name, ids in by_experiment.items() for id in ids))
    done: list[Run] = []
    for experiment, ids in by_experiment.items():
        home = os.path.join(project, "runs", experiment)
        take_from_packs(home, experiment, ids, step)
        last = _last_versions(home)
        for id in ids:
            step("rename")
            folder = os.path.join(home, id)
            try:
                os.rename(folder, f"{folder}.v{last.get(id, 0) + 1}")
            except OSError as error:
                raise SupersedeError((experiment, id), error) from error
            done.append((experiment, id))
    return done


def take_from_packs(home: str, experiment: str, ids: Iterable[str], step: Step) -> None:
    """Give runs that lie in packs their folders back, and note that they don't count there any more."""
    gone: dict[str, int] = {}
    for id in ids:
        folder = os.path.join(home, id)
        found = packs.find(folder)
        if found is None:
            continue
        gone[id] = packs.number(found.pack)
        try:
            if not os.path.isdir(folder):
                step("restore")
                packs.restore(folder)
        except OSError as error:
            raise SupersedeError((experiment, id), error) from error
    if gone:
        step("note")
        try:
            note_superseded(home, gone)
        except OSError as error:
            raise SupersedeError((experiment, next(iter(gone))), error) from error


def note_superseded(home: str, runs: Mapping[str, int]) -> None:
    """Note of *runs* of an experiment's folder the last pack in which they do not count any more."""
    gone = {**packs.superseded(home), **runs}
    path = os.path.join(home, packs.FOLDER, packs.SUPERSEDED)
    aside = f"{path}.{os.getpid()}"
    with open(aside, "w", encoding="utf-8") as file:
        json.dump({"schema": packs.SUPERSEDED_SCHEMA, "runs": gone}, file, separators=(",", ":"))
        file.flush()
        os.fsync(file.fileno())
    os.replace(aside, path)


def _last_versions(home: str) -> dict[str, int]:
    """Give the highest number that each run's earlier results have."""
    found: dict[str, int] = {}
    for id, number in _versions(home):
        found[id] = max(number, found.get(id, 0))
    return found


def _versions(home: str) -> Iterator[tuple[str, int]]:
    try:
        names = os.listdir(home)
    except OSError:
        return
    for name in names:
        match = _VERSION.fullmatch(name)
        if match is not None:
            yield match[1], int(match[2])


def forget(clusters: ClusterRuns, project: Path, runs: Iterable[Run]) -> None:
    """Note that what schedulers said of the runs' tasks is about earlier results: the runs are planned."""
    if not clusters.any:
        return
    known = ((run, clusters.held.get(run)) for run in runs)
    marks = [superseded(run, held.key if held is not None else None) for run, held in known]
    EvidenceWriter(project).ended(marks)


def versions(project: str | os.PathLike[str], experiment: str, id: str) -> list[Version]:
    """Give the earlier results of a run, oldest first."""
    return all_versions(project, experiment, id).get(id, [])


def all_versions(project: str | os.PathLike[str], experiment: str, only: str | None = None) -> dict[str, list[Version]]:
    """Give the earlier results of an experiment's runs (of *only* that run) by id, oldest first."""
    home = os.path.join(project, "runs", experiment)
    found: dict[str, list[Version]] = {}
    for id, number in sorted(_versions(home)):
        if only is None or id == only:
            folder = os.path.join(home, f"{id}.v{number}")
            found.setdefault(id, []).append(Version(id, number, folder, read_run(folder)))
    return found
