"""Which done runs are to be run once more: stale ones, or all that were chosen, and whatever comes after them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import click

if TYPE_CHECKING:
    from xpc.compiler.plan import Plan
    from xpc.compiler.table import Table
    from xpc.runtime.store import Store

    from .freshness import Freshness
    from .session import Session
    from .standing import Standings

Mode = Literal["stale", "force"]
BUSY = ("queued", "running")


@dataclass(frozen=True, slots=True)
class Busy:
    """A run that stays as it is, since *by* (experiment and id) comes after it and is queued or runs."""

    experiment: str
    id: str
    by: tuple[str, str]


@dataclass(slots=True)
class Again:
    """*rows* of the experiments' tables that are run once more; *held* those that can't be just now."""

    rows: dict[str, set[int]] = field(default_factory=dict)
    held: list[Busy] = field(default_factory=list)

    def runs(self, tables: Mapping[str, Table]) -> Iterator[tuple[str, str]]:
        """Give experiment and id of each, parents before children."""
        return ((name, tables[name].id(row)) for name, rows in self.rows.items() for row in sorted(rows))


def mode_of(rerun: Literal["stale"] | None, *, force: bool) -> Mode | None:
    """Give what the options of a command ask for."""
    if rerun is not None and force:
        raise click.UsageError("--force sends stale runs, too; leave out --rerun.")
    return "force" if force else rerun


def chosen_by_force(
    session: Session, names: Sequence[str], where: str | None, standings: Standings
) -> Mapping[str, Sequence[int]]:
    """Give the rows that were named, without those that they come after."""
    from .selecting import chosen_rows

    return chosen_rows(session, names, where, standings)


def find_again(
    plan: Plan,
    store: Store,
    freshness: Freshness,
    mode: Mode | None,
    chosen: Mapping[str, Collection[int]] | None = None,
) -> Again:
    """Find the done runs of *plan* that *mode* asks for: those that are stale, or by force those of *chosen* rows
    (none: all). Parents come before children, so that what comes after one is found in the same go."""
    found = Again()
    if mode is None:
        return found
    held = _held(plan.tables, store)
    for name, planned in plan.experiments.items():
        table, why = planned.table, (freshness.why(name) if mode == "stale" else {})
        wanted = None if chosen is None else set(chosen.get(name, ()))
        above = [
            (parents, found.rows[parents.experiment]) for parents in table.parents if parents.experiment in found.rows
        ]
        rows: set[int] = set()
        order = [planned.row(index) for index in range(planned.runs)]
        states = store.states(name, [table.id(row) for row in order])
        for row, state in zip(order, states, strict=True):
            if state != "done":
                continue
            own = table.id(row) in why if mode == "stale" else wanted is None or row in wanted
            if own or any(parent in resent for parents, resent in above for parent in parents.of(row)):
                if (name, row) in held:
                    found.held.append(Busy(name, table.id(row), held[name, row]))
                else:
                    rows.add(row)
        if rows:
            found.rows[name] = rows
    return found


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
