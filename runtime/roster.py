"""The runs of one experiment as the index has them: columns of those on shelves, entries of the loose ones.

Runs have places: first those on shelves, then the loose ones. A column has a value a place.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .index import Entry, Index, Shelved
from .index_fields import KEPT
from .index_shelves import parse_record
from .records import RunRecord

Value = Any


class Places:
    """Where each run stands in columns; asked for the same list of runs again, it need not look them up again."""

    def __init__(self, ids: Sequence[str]) -> None:
        self.ids = ids
        self._of: dict[str, int] | None = None
        self._asked: Sequence[str] | None = None
        self._found: Sequence[int | None] = []
        self._complete: array[int] | None = None

    @property
    def of(self) -> Mapping[str, int]:
        if self._of is None:
            self._of = dict(zip(self.ids, range(len(self.ids)), strict=True))
        return self._of

    def pick(self, ids: Sequence[str], column: Sequence[Value], default: Value = None) -> list[Value]:
        """Give the values of some runs; *default* for those that have no place."""
        if self._asked is not ids:
            self._asked, self._found, self._complete = ids, list(map(self.of.get, ids)), None
            if None not in self._found:  # numbers that lie side by side are found three times as fast
                self._complete = array("I", self._found)  # type: ignore[arg-type]  # there is no null, as just seen
        if self._complete is not None:
            return list(map(column.__getitem__, self._complete))
        return [default if place is None else column[place] for place in self._found]


class Roster:
    """The records of an experiment's runs."""

    def __init__(self, experiment: str, shelved: Shelved, index: Index, project: Path) -> None:
        self.experiment = experiment
        self.loose = shelved.loose
        self.pile = shelved.pile
        self.places = Places([*self.pile.ids, *self.loose] if self.loose else self.pile.ids)
        self._index = index
        self._project = project
        self._columns: dict[tuple[str, str], list[Value]] = {}
        self._records: dict[str, RunRecord | None] = {}

    @property
    def ids(self) -> Sequence[str]:
        """All runs by place."""
        return self.places.ids

    def __contains__(self, id: str) -> bool:
        return id in self.loose or id in self.places.of

    # -------------------------------------------------------------- one run

    def state(self, id: str) -> str | None:
        """Give how a run ended; nothing if it goes on, or nobody knows."""
        if (entry := self.loose.get(id)) is not None:
            return entry.state
        place = self.places.of.get(id)
        return None if place is None else self.column("state")[place]

    def record(self, id: str) -> RunRecord | None:
        """Give what a run says of itself, without values and command; nothing if no attempt ever began."""
        if id not in self._records:
            entry = self.entry(id)
            self._records[id] = None if entry is None else record_of(entry, self._project)
        return self._records[id]

    def entry(self, id: str) -> Entry | None:
        """Give the row of a run."""
        return self.loose.get(id) or (self._index.entry(self.experiment, id) if id in self.places.of else None)

    # -------------------------------------------------------------- all runs

    def column(self, name: str) -> list[Value]:
        """Give `inode`, `pack` or `state` of all runs by place."""
        return self._column(name, "", lambda entry: getattr(entry, name))

    def field(self, name: str) -> list[Value]:
        """Give a field (see `index_fields`) of all runs by place."""
        read = KEPT[name]

        def of(entry: Entry) -> Value:
            record = self.record(entry.id)
            return None if record is None else read(record)

        return self._column(name, "field", of)

    def _column(self, name: str, part: str, of: Any) -> list[Value]:
        if (name, part) not in self._columns:
            shelved = self._index.column(self.pile, name, part) if self.pile.shelves else []
            self._columns[name, part] = [*shelved, *map(of, self.loose.values())] if self.loose else shelved
        return self._columns[name, part]

    def live(self) -> Iterable[Entry]:
        """Give the runs that go on, or of which nobody knows how they ended."""
        return (entry for entry in self.loose.values() if entry.state is None)


def record_of(entry: Entry, project: Path) -> RunRecord | None:
    """Give the record that an entry keeps; nothing if no attempt ever began."""
    if entry.attempt == 0:
        return None
    return parse_record(entry.experiment, entry.id, entry.attempt, entry.record, project)
