"""New points to the done runs that they would be, had a key not been added since (rule 7)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from .identity import Ignore, canonical, digests, ignored, parents_text
from .study import Experiment
from .table import Table
from .values import Absent, Path, Value, dotted


@dataclass(frozen=True, slots=True)
class PastRun:
    """A done run that no table holds: its id and the dotted keys that it had."""

    id: str
    keys: frozenset[str]


@dataclass(frozen=True, slots=True)
class Kinship:
    """*runs* (new id, old id) look new only because *added* keys with these values have come to their experiment."""

    experiment: str
    added: tuple[tuple[Path, Value], ...]
    runs: tuple[tuple[str, str], ...]

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines of the experiment that would keep the old results."""
        return tuple(f"ignore {dotted(path)} == {canonical(value)}" for path, value in self.added)


def find_kin(tables: Mapping[str, Table], past: Mapping[str, Iterable[PastRun]]) -> list[Kinship]:
    """Compare each experiment's new points with its past runs, parents before children.

    A child whose parents were kept by such a line is compared with the parents' old ids.
    """
    found: list[Kinship] = []
    kept: dict[str, bytes] = {}
    for name, table in tables.items():
        kinship = _kin_of(table, list(past.get(name, ())), tables, kept)
        if kinship is not None:
            found.append(kinship)
    return found


def _kin_of(table: Table, past: list[PastRun], tables: Mapping[str, Table], kept: dict[str, bytes]) -> Kinship | None:
    old_ids = {run.id for run in past}
    for candidate in _candidates(table, past):
        added = tuple((path, value) for path, value in candidate if not ignored(path, value, table.experiment.ignore))
        if not added:
            continue
        ignore: Ignore = (*table.experiment.ignore, *added)
        renamed = digests(
            table.experiment.name, table.count, table.constants, table.columns, _parents(table, tables, kept), ignore
        )
        olds = [renamed[at : at + 8].hex() for at in range(0, len(renamed), 8)]
        pairs = tuple((new, old) for new, old in zip(table.ids(), olds, strict=True) if old in old_ids)
        if pairs:
            kept[table.experiment.name] = renamed
            return Kinship(table.experiment.name, added, pairs)
    return None


def _candidates(table: Table, past: list[PastRun]) -> Iterator[tuple[tuple[Path, Value], ...]]:
    """Give the added keys with the values that may be the old behaviour; a key with many values is tried with each."""
    here = {dotted(path): path for path in table.order if not _ignored_always(path, table.experiment)}
    for keys in dict.fromkeys(run.keys for run in past):
        added = [path for name, path in here.items() if name not in keys]
        columns = [path for path in added if path in table.columns]
        fixed = tuple((path, table.constants[path]) for path in added if path in table.constants)
        if not added or len(columns) > 1:
            continue
        if not columns:
            yield fixed
        for path in columns:
            yield from (((path, value), *fixed) for value in table.columns[path].pool)


def _ignored_always(path: Path, experiment: Experiment) -> bool:
    return any(path[: len(key)] == key and isinstance(when, Absent) for key, when in experiment.ignore)


def _parents(table: Table, tables: Mapping[str, Table], kept: Mapping[str, bytes]) -> list[bytes] | None:
    if not table.parents:
        return None

    def id_of(experiment: str, row: int) -> str:
        source = kept.get(experiment, tables[experiment].digests)
        return source[8 * row : 8 * row + 8].hex()

    return [
        parents_text(chain.from_iterable([id_of(p.experiment, at) for at in p.of(row)] for p in table.parents))
        for row in range(table.count)
    ]
