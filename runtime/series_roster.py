"""The reduced series of an experiment's runs: columns of those on shelves, the loose ones, and those that go on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .index import Index
from .index_columns import from_json
from .index_shelves import Pile
from .metrics import Series
from .reducers import REDUCERS, reduce
from .roster import Places

Value = Any
PARTS = list(REDUCERS)


class SeriesRoster:
    """*loose*: reduced series (JSON) by run; *live*: whole series of the runs that have not ended."""

    def __init__(
        self,
        index: Index,
        pile: Pile,
        loose: Mapping[str, str],
        live: Mapping[str, Mapping[str, Series]],
        runs: Places,
    ) -> None:
        self._index = index
        self._pile = pile
        self._loose = {id: from_json(reduced) for id, reduced in loose.items()}
        self._live = live
        ids = [*pile.ids, *loose, *live] if loose or live else pile.ids
        self.places = runs if runs.ids is ids or runs.ids == ids else Places(ids)
        self._columns: dict[tuple[str, str], list[Value]] = {}

    def names(self) -> list[str]:
        """Give the names of all metrics that a run has."""
        shelved = self._index.names(self._pile)
        if self._pile.kept is not None:  # some that were on shelves are no more
            shelved = [name for name in shelved if any(n is not None for n in self.column(name, "count"))]
        found = dict.fromkeys(shelved)
        for series in (*self._loose.values(), *self._live.values()):
            found.update(dict.fromkeys(series))
        return list(found)

    def column(self, name: str, reducer: str) -> list[Value]:
        """Give a reduced metric of all runs by place; null for those that lack it."""
        if (name, reducer) not in self._columns:
            part = PARTS.index(reducer)
            column = self._index.column(self._pile, name, reducer)
            column += [series[name][part] if name in series else None for series in self._loose.values()]
            column += [reduce(series[name], reducer) if name in series else None for series in self._live.values()]
            self._columns[name, reducer] = column
        return self._columns[name, reducer]

    def reduced(self, name: str, reducer: str) -> dict[str, Value]:
        """Give a reduced metric by run; runs that lack it are left out."""
        counts = self.column(name, "count")
        values = zip(self.places.ids, counts, self.column(name, reducer), strict=True)
        return {id: value for id, count, value in values if count is not None}

    def pick(self, ids: Sequence[str], name: str, reducer: str) -> list[Value]:
        """Give a reduced metric of some runs; null for those that lack it."""
        return self.places.pick(ids, self.column(name, reducer))
