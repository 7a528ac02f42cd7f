"""The runs of a study to the ids that they had under other names of experiments and keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from .identity import Ignore, digests, parents_text
from .table import Table
from .values import Path


@dataclass(frozen=True, slots=True)
class Renames:
    """Today's name to the old one, of experiments and of keys (or groups of keys)."""

    experiments: Mapping[str, str]
    keys: Mapping[Path, Path]

    def old_experiment(self, name: str) -> str:
        return self.experiments.get(name, name)

    def old_key(self, path: Path) -> Path:
        """Give the old name of a key; of several names that it begins with the longest counts."""
        begin = max((new for new in self.keys if path[: len(new)] == new), key=len, default=None)
        return path if begin is None else (*self.keys[begin], *path[len(begin) :])


@dataclass(frozen=True, slots=True)
class Moved:
    """A run that has another id than it had: *row* of the table of *experiment*; *parents* are old ids to new ones."""

    experiment: str
    row: int
    id: str
    old_experiment: str
    old_id: str
    parents: Mapping[str, str]


def moved_runs(tables: Mapping[str, Table], renames: Renames) -> Iterator[Moved]:
    """Give the runs that the renames move, parents before children: what comes after a moved run moves along."""
    old: dict[str, bytes] = {}
    for name, table in tables.items():
        was = renames.old_experiment(name)
        old[name] = _old_digests(table, was, renames, tables, old)
        if old[name] == table.digests and was == name:
            continue
        for row, id in enumerate(table.ids()):
            before = _id(old[name], row)
            if (was, before) != (name, id):
                yield Moved(name, row, id, was, before, _parents_of(table, row, tables, old))


def _old_digests(
    table: Table, was: str, renames: Renames, tables: Mapping[str, Table], old: Mapping[str, bytes]
) -> bytes:
    constants = {renames.old_key(path): value for path, value in table.constants.items()}
    columns = {renames.old_key(path): column for path, column in table.columns.items()}
    ignore: Ignore = [(renames.old_key(path), when) for path, when in table.experiment.ignore]
    parents: Sequence[bytes] | None = None
    if table.parents:
        parents = [
            parents_text(chain.from_iterable([_id(old[p.experiment], at) for at in p.of(row)] for p in table.parents))
            for row in range(table.count)
        ]
    return digests(was, table.count, constants, columns, parents, ignore)


def _parents_of(table: Table, row: int, tables: Mapping[str, Table], old: Mapping[str, bytes]) -> dict[str, str]:
    pairs = ((_id(old[p.experiment], at), tables[p.experiment].id(at)) for p in table.parents for at in p.of(row))
    return {before: now for before, now in pairs if before != now}


def _id(ids: bytes, row: int) -> str:
    return ids[8 * row : 8 * row + 8].hex()
