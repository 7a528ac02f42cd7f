"""A project's records, opened for reading: the state of every run, what it says of itself, its metrics."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

from .here import Here
from .index import Entry, Index
from .index_place import index_place
from .index_refresh import Known, record_of, refresh
from .metrics import Declarations, Series, planned_declarations, read_metrics
from .records import RunRecord, read_attempt, read_run
from .reducers import reduce, summary
from .states import ProcessEvidence, State, state_of
from .submissions import queued_rows

T = TypeVar("T")
_ID: Final = re.compile(rb'\[\s*"([0-9a-f]+)"')


class Store:
    """What the run folders of *project* say. It is a picture of one moment: ``refresh`` takes a new one."""

    def __init__(
        self,
        project: Path,
        environ: Mapping[str, str] = os.environ,
        evidence: ProcessEvidence | None = None,
        *,
        rescan: bool = False,
    ) -> None:
        self.project = project
        self._evidence = evidence or Here()
        self._index = Index(project, index_place(project, environ))
        self._plans: dict[str, Mapping[str, Any]] = {}
        self._declared: dict[str, Declarations] = {}
        self._by_build: dict[tuple[str, str], tuple[Declarations, str]] = {}
        self._read: set[str] = set()
        self._live: dict[tuple[str, str], dict[str, Series]] = {}
        self.refresh(rescan=rescan)

    def refresh(self, *, rescan: bool = False) -> None:
        """Look at everything that may have changed."""
        self._queued = frozenset(queued_runs(self.project))
        self._known = self._look(rescan)
        self._states: dict[tuple[str, str], State] = {}
        self._records: dict[tuple[str, str], RunRecord | None] = {}
        self._read.clear()
        self._live.clear()

    def _look(self, rescan: bool) -> Known:
        try:
            return refresh(self._index, self.project, self._queued, rescan=rescan)
        except sqlite3.Error as error:  # files are the truth
            self._index.recover(error)
            return refresh(self._index, self.project, self._queued)

    def _from_index(self, ask: Callable[[], T]) -> T:
        """Give what *ask* gets from the index; if that is damaged or held by another, once more with a new one."""
        try:
            return ask()
        except sqlite3.Error as error:
            self._index.recover(error)
            self.refresh()
            return ask()

    def close(self) -> None:
        self._index.close()

    # -------------------------------------------------------------- runs

    def experiments(self) -> Iterable[str]:
        """Give the experiments that have a run folder."""
        return self._known.keys()

    def ids(self, experiment: str) -> Iterable[str]:
        """Give the runs of an experiment that have a folder, in the order of their ids."""
        return sorted(self._known.get(experiment, {}))

    def state(self, experiment: str, id: str) -> State:
        """Give the state of a run by its own records, this host's processes and live submissions."""
        key = experiment, id
        if key not in self._states:
            entry = self._known.get(experiment, {}).get(id)
            if entry is not None and entry.state == "done":
                self._states[key] = "done"
            else:
                self._states[key] = state_of(self.record(experiment, id), self._evidence, key in self._queued)
        return self._states[key]

    def state_of(self, record: RunRecord) -> State:
        """Give the state of one attempt by its own record and this host's processes."""
        return state_of(record, self._evidence)

    def record(self, experiment: str, id: str) -> RunRecord | None:
        """Give what a run wrote of itself, without values and command; nothing if it never began."""
        key = experiment, id
        if key not in self._records:
            entry = self._known.get(experiment, {}).get(id)
            self._records[key] = None if entry is None else record_of(entry, self.project)
        return self._records[key]

    def whole_record(self, experiment: str, id: str) -> RunRecord | None:
        """Read a run's journal, values and command included."""
        return read_run(self.folder(experiment, id))

    def earlier(self, experiment: str, id: str) -> list[RunRecord]:
        """Read the attempts of a run before its last one, oldest first."""
        last = self.record(experiment, id)
        found = (
            read_attempt(self.folder(experiment, id), n) for n in range(1, last.attempt if last is not None else 1)
        )
        return [record for record in found if record is not None]

    def folder(self, experiment: str, id: str) -> str:
        return os.path.join(self.project, "runs", experiment, id)

    def claimed(self, experiment: str) -> dict[str, dict[str, Any]]:
        """Give the values of all ended runs of an experiment by id, as they claimed them."""
        return self._from_index(lambda: self._index.claimed(experiment))

    def broken(self) -> list[RunRecord]:
        """Give the records that can't be read."""
        live = (e for runs in self._known.values() for e in runs.values() if e.state is None)
        found = (self.record(entry.experiment, entry.id) for entry in live)
        return [record for record in found if record is not None and record.broken is not None]

    # -------------------------------------------------------------- metrics

    def declare(self, experiment: str, declared: Declarations) -> None:
        """Say by which declarations the metrics of an experiment are read; else by those of each run's build."""
        if self._declared.get(experiment) != declared:
            self._declared[experiment] = declared
            self._by_build = {key: found for key, found in self._by_build.items() if key[0] != experiment}
            self._read.discard(experiment)

    def declarations(self, experiment: str, id: str) -> Declarations:
        """Give the declarations by which a run's metrics are read."""
        return self._declarations_in(experiment, self._build_of(experiment, id))[0]

    def _build_of(self, experiment: str, id: str) -> str:
        record = self.record(experiment, id)
        build = record.claim.get("build") if record is not None else None
        return build if isinstance(build, str) else ""

    def _declarations_in(self, experiment: str, build: str) -> tuple[Declarations, str]:
        """Give the declarations for the runs of one build, and their digest."""
        if (experiment, build) not in self._by_build:
            plan = self._plan(build)
            declared = self._declared.get(experiment)
            if declared is None:
                declared = planned_declarations(plan, experiment)
            elif plan:
                declared = Declarations(declared.metrics, declared.files, plan["snapshot"]["prefix"])
            self._by_build[experiment, build] = declared, declared.digest
        return self._by_build[experiment, build]

    def _plan(self, build: str) -> Mapping[str, Any]:
        if build not in self._plans:
            try:
                with open(os.path.join(self.project, ".xpc", "builds", build, "plan.json"), "rb") as file:
                    plan = json.load(file)
            except (OSError, ValueError):
                plan = {}  # a build that is gone: then nothing is declared
            known = isinstance(plan, dict) and plan.get("schema") == "xpc.plan/1"
            self._plans[build] = plan if known else {}
        return self._plans[build]

    def metric_names(self, experiment: str) -> list[str]:
        """Give the names of all metrics that a run of the experiment has logged or printed."""
        names = dict.fromkeys(self._from_index(lambda: self._names(experiment)))
        for (of, _), series in self._live.items():
            if of == experiment:
                names.update(dict.fromkeys(series))
        return list(names)

    def reduced(self, experiment: str, name: str, reducer: str) -> dict[str, float | int | None]:
        """Give a metric, reduced to a number (see `reducers`), by run; runs that lack it are left out."""
        found = self._from_index(lambda: self._summaries_of(experiment, name, reducer))
        for (of, id), series in self._live.items():
            if of == experiment and name in series:
                found[id] = reduce(series[name], reducer)
        return found

    def series(self, experiment: str, id: str, attempt: int | None = None) -> dict[str, Series]:
        """Read all series of the last attempt of a run, or of that one, from its files."""
        record = self.record(experiment, id)
        if record is None:
            return {}
        return read_metrics(record.folder, attempt or record.attempt, self.declarations(experiment, id))

    def _names(self, experiment: str) -> list[str]:
        self._read_metrics(experiment)
        return self._index.metric_names(experiment)

    def _summaries_of(self, experiment: str, name: str, reducer: str) -> dict[str, float | int | None]:
        self._read_metrics(experiment)
        return self._index.summaries(experiment, name, reducer)

    def _read_metrics(self, experiment: str) -> None:
        """Read the metrics of runs that go on, and of ended ones that were not read by these declarations."""
        if experiment in self._read:
            return
        fresh: dict[str, list[Entry]] = {}
        for entry in self._known.get(experiment, {}).values():
            if entry.attempt == 0:
                continue
            if entry.state is None:
                self._live[experiment, entry.id] = self.series(experiment, entry.id)
                continue
            digest = self._declarations_in(experiment, self._build_of(experiment, entry.id))[1]
            if entry.declared != digest:
                fresh.setdefault(digest, []).append(entry)
        for digest, entries in fresh.items():
            self._index.save_summaries(experiment, digest, [e.id for e in entries], self._summaries(entries))
            for entry in entries:
                entry.declared = digest
        self._read.add(experiment)

    def _summaries(self, entries: Iterable[Entry]) -> Iterator[tuple[object, ...]]:
        for entry in entries:
            for name, series in self.series(entry.experiment, entry.id).items():
                yield (name, entry.id, *summary(series))


def queued_runs(project: Path) -> Iterator[tuple[str, str]]:
    """Give experiment and id of each run that a live submission holds."""
    rows: dict[str, list[tuple[int, str]]] = {}
    for build, experiment, row in queued_rows(project):
        rows.setdefault(build, []).append((row, experiment))
    for build, found in rows.items():
        ids = _ids(project / ".xpc" / "builds" / build)
        for row, experiment in found:
            if row in ids:
                yield experiment, ids[row]


def _ids(build: Path) -> dict[int, str]:
    """Give the ids of a build's rows; none if the build is gone."""
    try:
        offsets = (build / "points.idx").read_bytes()
        points = (build / "points.jsonl").read_bytes()
    except OSError:
        return {}
    found: dict[int, str] = {}
    for row in range(len(offsets) // 8 - 1):
        match = _ID.match(points, struct.unpack_from("<Q", offsets, 8 * row)[0])
        if match is not None:
            found[row] = match[1].decode()
    return found
