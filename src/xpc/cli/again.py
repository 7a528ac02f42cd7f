"""Which done runs are to be run once more: stale ones, or all that were chosen, and whatever comes after them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import click

from xpc.runtime.selection import FAULTS

from .fates import BUSY, Alike, find_fates, sent_rows

if TYPE_CHECKING:
    from xpc.compiler.plan import Plan
    from xpc.compiler.plan_size import Sends
    from xpc.compiler.table import Table
    from xpc.runtime.store import Store

    from .freshness import Freshness
    from .session import Session
    from .standing import Standings

Mode = Literal["stale", "force"]
AFTER = "comes after it and is under way"
BELOW = "comes before it and is not done"


@dataclass(frozen=True, slots=True)
class Left:
    """A run that stays as it is, for the sake of the run *by* (experiment and id), of which *why* is true."""

    experiment: str
    id: str
    by: tuple[str, str]
    why: str


@dataclass(slots=True)
class Again:
    """*rows* of the experiments' tables that are run once more; *held* those that can't be just now."""

    rows: dict[str, set[int]] = field(default_factory=dict)
    held: list[Left] = field(default_factory=list)

    def runs(self, tables: Mapping[str, Table]) -> Iterator[tuple[str, str]]:
        """Give experiment and id of each, parents before children."""
        return ((name, tables[name].id(row)) for name, rows in self.rows.items() for row in sorted(rows))


def mode_of(rerun: Literal["stale"] | None, *, force: bool) -> Mode | None:
    """Give what the options of a command ask for."""
    if rerun is not None and force:
        raise click.UsageError("--force sends stale runs, too; leave out --rerun.")
    return "force" if force else rerun


def sends_again(
    session: Session, standings: Standings, mode: Mode | None, chosen: Mapping[str, Collection[int]] | None
) -> Sends:
    """Give what tells which runs of a plan a submit sends, with the done ones that *mode* asks for."""

    def sends(plan: Plan) -> Mapping[str, Collection[int]]:
        from .freshness import Freshness

        again = find_again(plan, standings, Freshness(session, standings, plan), mode, chosen)
        return sent_rows(plan, find_fates(plan, standings, again))

    return sends


def chosen_by_force(
    session: Session, names: Sequence[str], where: str | None, standings: Standings
) -> Mapping[str, Sequence[int]]:
    """Give the rows that were named, without those that they come after."""
    from .selecting import chosen_rows

    return chosen_rows(session, names, where, standings)


def find_again(
    plan: Plan,
    standings: Standings,
    freshness: Freshness,
    mode: Mode | None,
    chosen: Mapping[str, Collection[int]] | None = None,
) -> Again:
    """Find the done runs of *plan* that *mode* asks for: those that are stale, or by force those of *chosen* rows
    (none: all). Parents come before children, so that what comes after one is found in the same go."""
    if mode is None:
        return Again()
    finder = _Finder(plan, standings, freshness)
    for name in plan.experiments:
        wanted = None if mode == "stale" or chosen is None else set(chosen.get(name, ()))
        finder.look(name, freshness.why(name) if mode == "stale" else None, wanted)
    return finder.found


class _Finder:
    """Goes through the experiments of a plan. A row is *stuck* if no submit would send it: it failed with this very
    code, can't be read, or waits for such a one. A done run below it stays, since it could not be sent either."""

    def __init__(self, plan: Plan, standings: Standings, freshness: Freshness) -> None:
        self.found = Again()
        self._plan = plan
        self._standings = standings
        self._held = _held(plan.tables, standings.store)
        self._alike = Alike(plan, standings)
        self._stuck: dict[str, dict[int, tuple[str, str]]] = {}

    def look(self, name: str, why: Mapping[str, object] | None, wanted: Collection[int] | None) -> None:
        """Look at the runs of an experiment: of those that are done the stale ones (*why*), or the *wanted* ones."""
        planned = self._plan.experiments[name]
        table = planned.table
        rows: set[int] = set()
        stuck: dict[int, tuple[str, str]] = {}
        order = [planned.row(index) for index in range(planned.runs)]
        states = self._standings.store.states(name, [table.id(row) for row in order])
        for row, state in zip(order, states, strict=True):
            id = table.id(row)
            below = self._below(table, row)
            if state != "done":
                same = state in FAULTS and self._alike.of(name, row)
                if below is not None or same or state == "broken":
                    stuck[row] = below or (name, id)
                continue
            own = id in why if why is not None else wanted is None or row in wanted
            if own or self._is_after(table, row):
                if (name, row) in self._held:
                    self.found.held.append(Left(name, id, self._held[name, row], AFTER))
                elif below is not None:
                    self.found.held.append(Left(name, id, below, BELOW))
                else:
                    rows.add(row)
        self._stuck[name] = stuck
        if rows:
            self.found.rows[name] = rows

    def _below(self, table: Table, row: int) -> tuple[str, str] | None:
        """Give the run above a row for which it would wait in vain."""
        for parents in table.parents:
            stuck = self._stuck.get(parents.experiment)
            for parent in parents.of(row) if stuck else ():
                if stuck and parent in stuck:
                    return stuck[parent]
        return None

    def _is_after(self, table: Table, row: int) -> bool:
        """Tell whether a parent of a row is run once more."""
        resent = [(parents, self.found.rows.get(parents.experiment)) for parents in table.parents]
        return any(parent in rows for parents, rows in resent if rows for parent in parents.of(row))


def _held(tables: Mapping[str, Table], store: Store) -> dict[tuple[str, int], tuple[str, str]]:
    """Give the rows, however far up, that a queued or running run comes after, each with that run: it reads them."""
    found = _above_strangers(tables, store)
    for name in reversed(list(tables)):
        table = tables[name]
        if not table.parents:
            continue
        ids: Sequence[str] = list(table.ids())
        for row, state in enumerate(store.states(name, ids)):
            by = (name, ids[row]) if state in BUSY else found.get((name, row))
            if by is not None:
                for parents in table.parents:
                    for parent in parents.of(row):
                        found.setdefault((parents.experiment, parent), by)
    return found


def _above_strangers(tables: Mapping[str, Table], store: Store) -> dict[tuple[str, int], tuple[str, str]]:
    """Give the rows that are parents of a run that goes on, whether the study still describes that or not."""
    read: dict[str, tuple[str, str]] = {}
    for run in store.live():
        record = store.record(*run)
        parents = record.claim.get("parents") if record is not None and store.state(*run) in BUSY else None
        read.update({id: run for id in parents if isinstance(id, str)} if isinstance(parents, list) else {})
    if not read:
        return {}
    rows = ((name, row, id) for name, table in tables.items() for row, id in enumerate(table.ids()))
    return {(name, row): read[id] for name, row, id in rows if id in read}
