"""The runs that a query sees, column by column: what the study plans beside what the records say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Literal

from ..metrics import Series, declarations_of, read_metrics
from ..names import plain_key
from ..records import RunRecord
from ..reducers import reduce
from ..states import State, skips
from ..store import Store
from ..superseded import Version, all_versions
from .fields import READ, VERSION
from .lookup import Ancestor, Config, Field, Metric, Ref
from .planned import NONE_HERE, Path, Planned, Value
from .values import frozen

Direction = Literal["minimize", "maximize"]
Column = list[Value]
Reduced = Callable[[Series, int], Value]


class View:
    """The run *tables* of a study (parents before children) and the records in *store*."""

    def __init__(self, tables: Mapping[str, Planned], store: Store) -> None:
        self.tables = tables
        self.store = store
        self._ids: dict[str, list[str]] = {}
        self._states: dict[str, list[State]] = {}
        self._paths: dict[str, dict[str, Path]] = {}
        self._past: dict[str, dict[str, dict[str, Value]]] = {}
        self._above: dict[tuple[str, str], dict[str, list[str]]] = {}
        self._folders: dict[str, frozenset[str]] = {}
        for name, table in tables.items():
            store.declare(name, declarations_of(table.experiment))

    def experiments(self, *, past: bool = False) -> list[str]:
        """Give the experiments of the study; with *past* those too that it no longer has."""
        gone = [name for name in sorted(self.store.experiments()) if name not in self.tables] if past else []
        return [*self.tables, *gone]

    def ids(self, experiment: str) -> list[str]:
        if experiment not in self._ids:
            table = self.tables.get(experiment)
            self._ids[experiment] = list(table.ids()) if table is not None else []
        return self._ids[experiment]

    def past(self, experiment: str) -> dict[str, dict[str, Value]]:
        """Give the values of the done runs that the study no longer asks for, by id."""
        if experiment not in self._past:
            planned = set(self.ids(experiment))
            gone = [id for id in self.store.ids(experiment) if id not in planned]
            done = [id for id in gone if self.store.state(experiment, id) == "done"]
            claimed = self.store.claimed(experiment) if done else {}
            self._past[experiment] = {
                id: {plain_key(key): value for key, value in claimed.get(id, {}).items()} for id in done
            }
        return self._past[experiment]

    def states(self, experiment: str) -> list[State]:
        """Give the state of each planned run, in the order of the table."""
        if experiment not in self._states:
            own = self.store.states(experiment, self.ids(experiment))
            for parents in self.tables[experiment].parents:
                above = self.states(parents.experiment)
                own = [
                    "skipped" if skips(state, [above[parent] for parent in parents.of(row)]) else state
                    for row, state in enumerate(own)
                ]
            self._states[experiment] = own
        return self._states[experiment]

    # -------------------------------------------------------------- names

    def keys(self, experiment: str) -> dict[str, Path]:
        """Give the keys of an experiment by their unquoted names, in order."""
        if experiment not in self._paths:
            table = self.tables.get(experiment)
            self._paths[experiment] = {".".join(path): path for path in table.order} if table is not None else {}
        return self._paths[experiment]

    def metrics(self, experiment: str) -> list[str]:
        """Give the metrics that are declared, then those that runs have."""
        table = self.tables.get(experiment)
        declared = [".".join(metric.path) for metric in table.experiment.metrics] if table is not None else []
        return list(dict.fromkeys((*declared, *self.store.metric_names(experiment))))

    def directions(self, experiment: str) -> dict[str, Direction]:
        table = self.tables.get(experiment)
        declared = table.experiment.metrics if table is not None else ()
        return {".".join(m.path): m.direction for m in declared if m.direction is not None}

    def parents(self, experiment: str) -> list[str]:
        table = self.tables.get(experiment)
        return [parents.experiment for parents in table.parents] if table is not None else []

    def ancestors(self, experiment: str) -> list[str]:
        """Give the experiments that an experiment comes after, nearest first."""
        found: dict[str, None] = {}
        waiting = self.parents(experiment)
        for name in waiting:
            if name not in found:
                found[name] = None
                waiting.extend(self.parents(name))
        return list(found)

    # -------------------------------------------------------------- rows

    def ancestor_rows(self, experiment: str, target: str) -> list[Sequence[int]]:
        """Give, for each row of an experiment, the rows of *target* that it comes after."""
        found: list[set[int]] = [set() for _ in self.ids(experiment)]
        for parents in self.tables[experiment].parents:
            if parents.experiment == target:
                for row, mine in enumerate(found):
                    mine.update(parents.of(row))
            elif target in self.ancestors(parents.experiment):
                above = self.ancestor_rows(parents.experiment, target)
                for row, mine in enumerate(found):
                    mine.update(*(above[parent] for parent in parents.of(row)))
        return [sorted(mine) for mine in found]

    def ancestors_of(self, experiment: str, id: str, target: str) -> list[str]:
        """Give the runs of *target* that a run comes after."""
        if experiment not in self.tables or target not in self.ancestors(experiment):
            return [parent for parent in self.claimed_ancestors(experiment, id) if parent in self._known(target)]
        if (experiment, target) not in self._above:
            rows = self.ancestor_rows(experiment, target)
            ids = self.ids(target)
            self._above[experiment, target] = {
                own: [ids[row] for row in above] for own, above in zip(self.ids(experiment), rows, strict=True)
            }
        found = self._above[experiment, target].get(id)
        if found is None:  # a past run
            return [parent for parent in self.claimed_ancestors(experiment, id) if parent in self._known(target)]
        return found

    def claimed_ancestors(self, experiment: str, id: str) -> list[str]:
        """Give the runs that a run claimed to come after, and those that they did."""
        found: dict[str, None] = {}
        waiting = [(experiment, id)]
        for of, run in waiting:
            record = self.store.record(of, run)
            parents = record.claim.get("parents") if record is not None else None
            for parent in parents if isinstance(parents, list) else ():
                if isinstance(parent, str) and parent not in found:
                    found[parent] = None
                    waiting += [(name, parent) for name in self.store.experiments() if parent in self._known(name)]
        return list(found)

    def _known(self, experiment: str) -> frozenset[str]:
        """Give the runs of an experiment that have a folder."""
        if experiment not in self._folders:
            self._folders[experiment] = frozenset(self.store.ids(experiment))
        return self._folders[experiment]


class Runs:
    """The runs of some experiments as one frame; columns are made when they are asked for."""

    def __init__(
        self,
        view: View,
        experiments: Sequence[str],
        *,
        past: bool = False,
        attempts: bool = False,
        superseded: bool = False,
    ) -> None:
        self.view = view
        self.experiments = experiments
        self.attempts = attempts
        self.superseded = superseded
        self._versions: dict[str, list[tuple[int, Version]]] = {}
        self.past = past
        self._earlier: dict[str, list[tuple[int, RunRecord]]] = {}
        self._columns: dict[Ref, Column] = {}
        self.size = len(self.column(Field("id")))

    def column(self, ref: Ref) -> Column:
        """Give a value a run; null where a run has none."""
        if ref not in self._columns:
            column: Column = []
            for experiment in self.experiments:
                planned = list(self._planned(experiment, ref))
                column += planned
                if self.attempts:
                    column += self._before(experiment, ref, planned)
                if self.superseded:
                    column += self._superseded(experiment, ref, planned)
                if self.past:
                    column += self._gone(experiment, ref)
            self._columns[ref] = column
        return self._columns[ref]

    def _planned(self, experiment: str, ref: Ref) -> Iterable[Value]:
        table = self.view.tables.get(experiment)
        if table is None:
            return ()
        match ref:
            case Config(name):
                return _config(table, self.view.keys(experiment).get(name))
            case Metric(name, reducer):
                return self._metric(experiment, self.view.ids(experiment), name, reducer)
            case Field("status"):
                return self.view.states(experiment)
            case Field("tags"):
                return [list(table.experiment.tags)] * table.count
            case Field("config"):
                return _config(table, self.view.keys(experiment).get("config"))
            case Field(name):
                return self._field(experiment, self.view.ids(experiment), name)
            case Ancestor(target, inner):
                return self._ancestor(experiment, table, target, inner)

    def _before(self, experiment: str, ref: Ref, planned: Sequence[Value]) -> Iterable[Value]:
        """Give the column of the attempts before the last ones: what is of the run is that of its row in *planned*."""
        earlier, store = self._earlier_attempts(experiment), self.view.store
        match ref:
            case Metric(name, reducer):
                series = (store.series(experiment, record.id, record.attempt).get(name) for _, record in earlier)
                return [None if found is None else reduce(found, reducer) for found in series]
            case Field("status"):
                return [store.state_of(record) for _, record in earlier]
            case Field(name) if name in READ:
                return [READ[name](record) for _, record in earlier]
            case _:
                return [planned[row] for row, _ in earlier]

    def _earlier_attempts(self, experiment: str) -> list[tuple[int, RunRecord]]:
        if experiment not in self._earlier:
            store, ids = self.view.store, self.view.ids(experiment)
            tried = (
                row for row, id in enumerate(ids) if (r := store.record(experiment, id)) is not None and r.attempt > 1
            )
            self._earlier[experiment] = [(row, r) for row in tried for r in store.earlier(experiment, ids[row])]
        return self._earlier[experiment]

    def _superseded(self, experiment: str, ref: Ref, planned: Sequence[Value]) -> Iterable[Value]:
        """Give the column of the results that runs had before they were run again, oldest first."""
        earlier, store = self._earlier_versions(experiment), self.view.store
        match ref:
            case Metric(name, reducer):
                series = (self._series_of(experiment, version).get(name) for _, version in earlier)
                return [None if found is None else reduce(found, reducer) for found in series]
            case Field("status"):
                return [None if version.record is None else store.state_of(version.record) for _, version in earlier]
            case Field("version"):
                return [version.number for _, version in earlier]
            case Field("accepted"):
                return [None] * len(earlier)
            case Field(name) if name in READ:
                return [None if version.record is None else READ[name](version.record) for _, version in earlier]
            case _:
                return [planned[row] for row, _ in earlier]

    def _series_of(self, experiment: str, version: Version) -> Mapping[str, Series]:
        if version.record is None:
            return {}
        declared = self.view.store.declarations(experiment, version.id)
        return read_metrics(version.folder, version.record.attempt, declared)

    def _earlier_versions(self, experiment: str) -> list[tuple[int, Version]]:
        if experiment not in self._versions:
            found = all_versions(self.view.store.project, experiment)
            ids = enumerate(self.view.ids(experiment)) if found else ()
            self._versions[experiment] = [(row, version) for row, id in ids for version in found.get(id, ())]
        return self._versions[experiment]

    def _version(self, experiment: str, ids: Sequence[str]) -> list[Value]:
        """Give the number of the present result of each run that has one."""
        found = all_versions(self.view.store.project, experiment)
        begun = frozenset(self.view.store.ids(experiment))
        return [found[id][-1].number + 1 if id in found else 1 if id in begun else None for id in ids]

    def _gone(self, experiment: str, ref: Ref) -> Iterable[Value]:
        past = self.view.past(experiment)
        ids = list(past)
        match ref:
            case Config(name) | (Field("config") as name):
                key = name if isinstance(name, str) else "config"
                return [values.get(key) for values in past.values()]
            case Metric(name, reducer):
                return self._metric(experiment, ids, name, reducer)
            case Field(name):
                return self._field(experiment, ids, name)
            case Ancestor(target, inner):
                return self._past_ancestor(experiment, ids, target, inner)

    def _metric(self, experiment: str, ids: Sequence[str], name: str, reducer: str) -> Iterable[Value]:
        return self.view.store.metric(experiment, ids, name, reducer)

    def _field(self, experiment: str, ids: Sequence[str], name: str) -> Iterable[Value]:
        store = self.view.store
        if name == "id":
            return ids
        if name == "experiment":
            return [experiment for _ in ids]
        if name == "status":
            return store.states(experiment, ids)
        if name == VERSION:
            return self._version(experiment, ids)
        return store.field(experiment, ids, name)

    def _ancestor(self, experiment: str, table: Planned, target: str, inner: Ref) -> Iterable[Value]:
        """Give what all ancestors of a run in *target* agree on; null where they differ, or where there is none."""
        if target not in self.view.ancestors(experiment):
            return [None] * table.count
        column = Runs(self.view, [target]).column(inner)
        return [_agreed(column, rows) for rows in self.view.ancestor_rows(experiment, target)]

    def _past_ancestor(self, experiment: str, ids: Sequence[str], target: str, inner: Ref) -> Iterable[Value]:
        """Give the same of runs that the study no longer asks for, by the parents that they claimed."""
        runs = Runs(self.view, [target], past=True)
        rows = {id: row for row, id in enumerate(runs.column(Field("id")))}
        column = runs.column(inner)
        above = (self.view.claimed_ancestors(experiment, id) for id in ids)
        return [_agreed(column, sorted(rows[parent] for parent in found if parent in rows)) for found in above]

    # -------------------------------------------------------------- series

    def series(self, ref: Metric | Ancestor, rows: Iterable[int], reduced: Reduced) -> Column:
        """Give what *reduced* makes of a metric's series for each of *rows*; it is told the place among them.

        Of an ancestor's metric it is what all ancestors of the run agree on.
        """
        if isinstance(ref, Metric):
            return [self._reduced(*run, ref.name, place, reduced) for place, run in enumerate(self._runs(rows))]
        target, inner = ref.experiment, ref.ref
        found: Column = []
        for place, (experiment, id, *_) in enumerate(self._runs(rows)):
            above = self.view.ancestors_of(experiment, id, target)
            values = [self._reduced(target, parent, None, None, inner.name, place, reduced) for parent in above]
            found.append(_agreed(values, range(len(values))))
        return found

    def every_series(self, row: int) -> Mapping[str, Series]:
        """Give all series of one row, be it an earlier attempt, or a result that the run had before."""
        ((experiment, id, attempt, version),) = self._runs([row])
        before = self._before_version(experiment, id, version)
        return (
            self.view.store.series(experiment, id, attempt) if before is None else self._series_of(experiment, before)
        )

    def earlier_version(self, row: int) -> int | None:
        """Give the number of an earlier result of a run; nothing where the row is its present one."""
        if not self.superseded:
            return None
        ((experiment, id, _, version),) = self._runs([row])
        before = self._before_version(experiment, id, version)
        return None if before is None else before.number

    def _before_version(self, experiment: str, id: str, version: int | None) -> Version | None:
        earlier = (v for _, v in self._earlier_versions(experiment) if v.number == version and v.id == id)
        return next(earlier, None) if version is not None else None

    def _runs(self, rows: Iterable[int]) -> Iterator[tuple[str, str, int | None, int | None]]:
        experiments, ids, attempts = (self.column(Field(name)) for name in ("experiment", "id", "attempt"))
        versions = self.column(Field(VERSION)) if self.superseded else [None] * self.size
        return ((experiments[row], ids[row], attempts[row], versions[row]) for row in rows)

    def _reduced(
        self,
        experiment: str,
        id: str,
        attempt: int | None,
        version: int | None,
        name: str,
        place: int,
        reduced: Reduced,
    ) -> Value:
        before = self._before_version(experiment, id, version)
        if before is not None:
            found = self._series_of(experiment, before).get(name)
        else:
            found = self.view.store.series(experiment, id, attempt).get(name)
        return None if found is None else reduced(found, place)


def _config(table: Planned, path: Path | None) -> Iterable[Value]:
    if path is None:
        return [None] * table.count
    if path in table.constants:
        return [table.constants[path]] * table.count
    column = table.columns.get(path)
    if column is None:
        return [None] * table.count
    pool = column.pool
    return [None if code == NONE_HERE else pool[code] for code in column.codes]


def _agreed(column: Column, rows: Sequence[int]) -> Value:
    first = column[rows[0]] if rows else None
    same = frozen(first)
    return first if all(frozen(column[row]) == same for row in rows) else None
