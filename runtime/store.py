"""A project's records, opened for reading: the state of every run, what it says of itself, its metrics."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import struct
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any, Final, TypeVar

from .accepted import ACCEPTED, Acceptance, Accepted, read_accepted
from .cluster_runs import FILLED, ClusterRuns
from .cluster_states import Told
from .here import Here
from .index import Index, MovedError
from .index_columns import to_json
from .index_place import index_place
from .index_refresh import Known, refresh
from .index_shelves import Pile
from .metrics import Declarations, Series, planned_declarations, read_metrics
from .records import RunRecord, read_attempt, read_run
from .reducers import summary
from .roster import Places, Roster
from .series_roster import SeriesRoster
from .shim.regular import read_regular
from .states import ProcessEvidence, State, state_of
from .submissions import queued_rows

T = TypeVar("T")
Value = Any
TRIES: Final = 3  # looks at an index that others keep rearranging
BATCH: Final = 10_000  # runs whose series are read before they are saved
SETTLED: Final = frozenset(("done", "planned"))
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
        self._rosters: dict[str, SeriesRoster] = {}
        self._clusters: ClusterRuns | None = None
        self._ended: dict[tuple[str, bool], State] = {}
        self._accepted: Accepted | None = None
        self.refresh(rescan=rescan)

    def refresh(self, *, rescan: bool = False) -> None:
        """Look at everything that may have changed."""
        self._queued = frozenset(queued_runs(self.project))
        self._known = self._look(rescan)
        self._states: dict[tuple[str, str], State] = {}
        self._ended.clear()
        self._rosters.clear()
        self._clusters = None
        self._accepted = None

    def _look(self, rescan: bool) -> Known:
        for _ in range(TRIES):
            try:
                return refresh(self._index, self.project, self._queued, rescan=rescan)
            except MovedError:
                continue
            except sqlite3.Error as error:  # files are the truth
                self._index.recover(error)
                rescan = False
        return refresh(self._index, self.project, self._queued)

    def _from_index(self, ask: Callable[[], T]) -> T:
        """Give what *ask* gets from the index; if that is damaged or held by another, once more with a new one."""
        for _ in range(TRIES):
            try:
                return ask()
            except MovedError:
                self.refresh()
            except sqlite3.Error as error:
                self._index.recover(error)
                self.refresh()
        return ask()

    def close(self) -> None:
        self._index.close()

    # -------------------------------------------------------------- clusters

    @property
    def clusters(self) -> ClusterRuns:
        """What clusters hold; their schedulers are asked when that is first needed, once for a picture."""
        if self._clusters is None:
            self._clusters = ClusterRuns(self.project, self)
        return self._clusters

    def told(self, experiment: str, id: str) -> Told | None:
        """Give what a cluster's scheduler adds to a run's records; nothing where they say all."""
        return None if (experiment, id) in self._queued else self.clusters.of(experiment).get(id)

    def end_of(self, experiment: str, id: str) -> str | None:
        """Give how a run ended by its own records alone; nothing if it goes on or never began."""
        runs = self._known.get(experiment)
        return None if runs is None else runs.state(id)

    def live(self) -> Iterable[tuple[str, str]]:
        """Give the runs that began and have no end."""
        found = ((entry.experiment, entry.id) for runs in self._known.values() for entry in runs.live())
        return [run for run in found if self.record(*run) is not None]

    # -------------------------------------------------------------- runs

    def experiments(self) -> Iterable[str]:
        """Give the experiments that have a run folder."""
        return self._known.keys()

    def ids(self, experiment: str) -> Iterable[str]:
        """Give the runs of an experiment that have a folder or are packed, in the order of their ids."""
        runs = self._known.get(experiment)
        return sorted(runs.ids) if runs is not None else []

    def state(self, experiment: str, id: str) -> State:
        """Give the state of a run by its own records, this host's processes and live submissions."""
        key = experiment, id
        if key not in self._states:
            self._states[key] = self._from_index(lambda: self._state(experiment, id))
        return self._states[key]

    def _state(self, experiment: str, id: str) -> State:
        runs = self._known.get(experiment)
        if runs is not None and runs.state(id) == "done":
            return "done"
        told = self.told(experiment, id)
        if told is not None:
            return told.state
        return state_of(self.record(experiment, id), self._evidence, (experiment, id) in self._queued)

    def states(self, experiment: str, ids: Sequence[str]) -> list[State]:
        """Give the states of many runs of an experiment, as `state` does one by one."""
        return self._from_index(lambda: self._many_states(experiment, ids))

    def _many_states(self, experiment: str, ids: Sequence[str]) -> list[State]:
        told = self.clusters.of(experiment)
        states = self._own_states(experiment, ids)
        if not told:
            return states
        here = {id for of, id in self._queued if of == experiment}
        return [told[id].state if id in told and id not in here else own for id, own in zip(ids, states, strict=True)]

    def _own_states(self, experiment: str, ids: Sequence[str]) -> list[State]:
        queued = {id for of, id in self._queued if of == experiment}
        runs = self._known.get(experiment)
        if runs is None:
            return ["queued" if id in queued else "planned" for id in ids]
        said: list[str] = runs.places.pick(ids, runs.column("state"), "planned")
        if not queued and set(said) <= SETTLED:
            return said  # type: ignore[return-value]  # both are states
        return [
            "done" if state == "done" else self._said(experiment, id, state, id in queued)
            for id, state in zip(ids, said, strict=True)
        ]

    def _said(self, experiment: str, id: str, said: str | None, queued: bool) -> State:
        """Give the state of a run that ended so; of all that did, submitted again or not, it is the same."""
        if said is None:
            return self.state(experiment, id)
        if said == "planned":
            return "queued" if queued else "planned"
        if (said, queued) not in self._ended:
            self._ended[said, queued] = state_of(self.record(experiment, id), self._evidence, queued)
        return self._ended[said, queued]

    def state_of(self, record: RunRecord) -> State:
        """Give the state of one attempt: by its own record, by what was kept of it, by this host's processes."""
        last = self.record(record.experiment, record.id)
        if record.end is not None or last is None:
            return state_of(record, self._evidence)
        if last.attempt == record.attempt:
            return self.state(record.experiment, record.id)
        kept = self.clusters.kept.ended.get((record.experiment, record.id), ())
        return next((found.state for found in kept if found.attempt == record.attempt), "lost")

    def record(self, experiment: str, id: str) -> RunRecord | None:
        """Give what a run wrote of itself, without values and command; nothing if it never began."""
        return self._from_index(lambda: self._record(experiment, id))

    def _record(self, experiment: str, id: str) -> RunRecord | None:
        runs = self._known.get(experiment)
        return None if runs is None else runs.record(id)

    def field(self, experiment: str, ids: Sequence[str], name: str) -> list[Value]:
        """Give a field of many runs (see `index_fields`); null for those that never began."""
        if name == ACCEPTED:
            return [None if last is None else last.by for last in self._last_accepted(experiment, ids)]
        own = self._from_index(lambda: self._many_fields(experiment, ids, name))
        if name == "code" and self.accepted:
            said = self._last_accepted(experiment, ids)
            return [code if last is None else last.fingerprint["code"] for last, code in zip(said, own, strict=True)]
        return self.clusters.fill(experiment, ids, name, own) if name in FILLED else own

    @property
    def accepted(self) -> Accepted:
        """The results that a person keeps though something has changed since."""
        if self._accepted is None:
            self._accepted = read_accepted(self.project)
        return self._accepted

    def _last_accepted(self, experiment: str, ids: Sequence[str]) -> list[Acceptance | None]:
        """Give what each run was last accepted as; of most there is nothing."""
        if not self.accepted:
            return [None] * len(ids)
        recorded = self._from_index(lambda: self._many_fields(experiment, ids, "fingerprint"))
        found = (self.accepted.of(experiment, id, said) for id, said in zip(ids, recorded, strict=True))
        return [each[0] if each else None for each in found]

    def _many_fields(self, experiment: str, ids: Sequence[str], name: str) -> list[Value]:
        runs = self._known.get(experiment)
        return [None] * len(ids) if runs is None else runs.places.pick(ids, runs.field(name))

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

    def fingerprints(self, experiment: str) -> dict[str, Any]:
        """Give the fingerprint of the last attempt of each run that began, by id."""
        return self._from_index(lambda: self._fingerprints(experiment))

    def _fingerprints(self, experiment: str) -> dict[str, Any]:
        runs = self._known.get(experiment)
        if runs is None:
            return {}
        columns = zip(runs.ids, runs.field("attempt"), runs.field("fingerprint"), strict=True)
        return {id: fingerprint for id, attempt, fingerprint in columns if attempt is not None}

    def ended(self, experiment: str) -> Iterator[tuple[str, str]]:
        """Give the ended runs of an experiment that have a folder, with how each ended."""
        runs = self._from_index(lambda: self._ended_runs(experiment))
        return ((id, state) for id, state, pack in runs if state is not None and pack is None)

    def _ended_runs(self, experiment: str) -> list[tuple[str, str | None, str | None]]:
        runs = self._known.get(experiment)
        return [] if runs is None else list(zip(runs.ids, runs.column("state"), runs.column("pack"), strict=True))

    def broken(self) -> list[RunRecord]:
        """Give the records that can't be read."""
        live = (entry for runs in self._known.values() for entry in runs.live())
        found = (self.record(entry.experiment, entry.id) for entry in live)
        return [record for record in found if record is not None and record.broken is not None]

    # -------------------------------------------------------------- metrics

    def declare(self, experiment: str, declared: Declarations) -> None:
        """Say by which declarations the metrics of an experiment are read; else by those of each run's build."""
        if self._declared.get(experiment) != declared:
            self._declared[experiment] = declared
            self._by_build = {key: found for key, found in self._by_build.items() if key[0] != experiment}
            self._rosters.pop(experiment, None)

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

    def plan(self, build: str) -> Mapping[str, Any]:
        """Give the plan of a build, read once; an empty one if the build is gone."""
        return self._plan(build)

    def _plan(self, build: str) -> Mapping[str, Any]:
        if build not in self._plans:
            try:
                plan = json.loads(read_regular(os.path.join(self.project, ".xpc", "builds", build, "plan.json")))
            except PermissionError:
                raise
            except (OSError, ValueError, RecursionError):
                plan = {}  # a build that is gone: then nothing is declared
            match plan:
                case {"schema": "xpc.plan/1", "snapshot": {"prefix": str()}, "experiments": {}}:
                    self._plans[build] = plan
                case _:
                    self._plans[build] = {}
        return self._plans[build]

    def metric_names(self, experiment: str) -> list[str]:
        """Give the names of all metrics that a run of the experiment has logged or printed."""
        return self._from_index(lambda: self._series(experiment).names())

    def reduced(self, experiment: str, name: str, reducer: str) -> dict[str, float | int | None]:
        """Give a metric, reduced to a number (see `reducers`), by run; runs that lack it are left out."""
        return self._from_index(lambda: self._series(experiment).reduced(name, reducer))

    def metric(self, experiment: str, ids: Sequence[str], name: str, reducer: str) -> list[float | int | None]:
        """Give a metric of many runs, reduced to a number; null for those that lack it."""
        return self._from_index(lambda: self._series(experiment).pick(ids, name, reducer))

    def series(self, experiment: str, id: str, attempt: int | None = None) -> dict[str, Series]:
        """Read all series of the last attempt of a run, or of that one, from its files."""
        record = self.record(experiment, id)
        if record is None:
            return {}
        return read_metrics(record.folder, attempt or record.attempt, self.declarations(experiment, id))

    def _series(self, experiment: str) -> SeriesRoster:
        """Read the series of runs that go on, and of ended ones that were not read by these declarations."""
        if experiment not in self._rosters:
            runs = self._known.get(experiment)
            like = runs.pile if runs is not None else None
            loose, pile = self._index.series(experiment, like)
            if not all(self._is_current(experiment, *pair) for about in pile.about for pair in about):
                self._index.drop_series(pile)
                loose, pile = self._index.series(experiment, like)
            read = {id for id, (build, declared, _) in loose.items() if self._is_current(experiment, build, declared)}
            if runs is not None and self._read_new(runs, pile, read):
                loose, pile = self._index.series(experiment, like)
            live = {e.id: self._live_series(experiment, e.id) for e in runs.live() if e.attempt} if runs else {}
            places = runs.places if runs is not None else Places([])
            reduced = {id: row[2] for id, row in loose.items()}
            self._rosters[experiment] = SeriesRoster(self._index, pile, reduced, live, places)
        return self._rosters[experiment]

    def _live_series(self, experiment: str, id: str) -> dict[str, Series]:
        """Read the series of a run that goes on; none of one whose records nobody lets us read."""
        try:
            return self.series(experiment, id)
        except PermissionError:
            record = self.record(experiment, id)
            if record is None or record.broken is None:
                raise
            return {}

    def _is_current(self, experiment: str, build: str, declared: str) -> bool:
        return self._declarations_in(experiment, build)[1] == declared

    def _read_new(self, runs: Roster, pile: Pile, loose: Collection[str]) -> bool:
        """Read the series of the ended runs that are neither on the pile nor loose; say whether there were any."""
        if pile.ids is runs.ids:
            return False
        read = {*pile.ids, *loose}
        columns = runs.column("state"), runs.column("pack"), runs.field("build"), runs.field("attempt")
        fresh = [
            (pack or "", id, build or "", attempt)
            for id, state, pack, build, attempt in zip(runs.ids, *columns, strict=True)
            if state is not None and id not in read
        ]
        fresh.sort(key=itemgetter(0))  # a pack is opened once; else in the order of the records
        for start in range(0, len(fresh), BATCH):
            rows = [self._reduce(runs.experiment, *run) for _, *run in fresh[start : start + BATCH]]
            self._index.save_series(runs.experiment, rows, pile)
        return bool(fresh)

    def _reduce(self, experiment: str, id: str, build: str, attempt: int) -> tuple[str, str, str, str]:
        declared, digest = self._declarations_in(experiment, build)
        series = read_metrics(self.folder(experiment, id), attempt, declared)
        return id, build, digest, to_json({name: summary(values) for name, values in series.items()})


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
    except PermissionError:
        raise
    except OSError:
        return {}
    found: dict[int, str] = {}
    for row in range(len(offsets) // 8 - 1):
        match = _ID.match(points, struct.unpack_from("<Q", offsets, 8 * row)[0])
        if match is not None:
            found[row] = match[1].decode()
    return found
