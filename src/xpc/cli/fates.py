"""The runs of a plan to what a submit would do with each, or a retry: send it, or leave it alone, and why.

It goes by the rules of `xpc.runtime.selection` and of who submits, before there is a build.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from xpc.runtime.selection import FAULTS

from .stale_causes import fingerprint_fields

if TYPE_CHECKING:
    from xpc.compiler.plan import Plan, PlannedExperiment
    from xpc.runtime.states import State

    from .again import Again
    from .standing import Standings

Fate = Literal["sent", "done", "busy", "left", "unreadable", "blocked", "unasked"]
"""`left` failed and would do the same again, `unreadable` are its records, `blocked` what comes after such a run, or
after one that is not sent; `unasked` is what a retry is not about."""

BUSY: Final = ("queued", "running")
FRUITFUL: Final = frozenset(("sent", "done", "busy"))  # what comes after such a run can be sent
KNOWN_WITHOUT_CODE: Final = ("command", "environment")  # parts of the fingerprint of a plan that is not pinned


@dataclass(frozen=True, slots=True)
class Retried:
    """What `xpc retry` is about: *rows* of the tables (none: all). By their *ids*: not only what failed."""

    rows: Mapping[str, Collection[int]] | None
    by_ids: bool = False

    def holds(self, experiment: str, row: int) -> bool:
        return self.rows is None or row in self.rows.get(experiment, ())


@dataclass(frozen=True, slots=True)
class Fates:
    """The states and fates of an experiment's runs, in the order of the plan."""

    states: Sequence[State]
    fates: Sequence[Fate]


def find_fates(
    plan: Plan, standings: Standings, again: Again | None = None, retried: Retried | None = None
) -> dict[str, Fates | None]:
    """Give the fates by experiment; nothing where no run has begun and all are sent. *again*: the done runs that are
    sent once more."""
    finder = _Finder(plan, standings, again.rows if again is not None else {}, retried)
    return {name: finder.look(name, planned) for name, planned in plan.experiments.items()}


def sent_rows(plan: Plan, fates: Mapping[str, Fates | None]) -> dict[str, Collection[int]]:
    """Give the rows of the tables that are sent."""
    found: dict[str, Collection[int]] = {}
    for name, planned in plan.experiments.items():
        of = fates[name]
        rows = range(planned.runs) if planned.rows is None else planned.rows
        sent = None if of is None else {row for row, fate in zip(rows, of.fates, strict=True) if fate == "sent"}
        found[name] = (rows if planned.rows is None else frozenset(rows)) if sent is None else sent
    return found


class _Finder:
    def __init__(
        self, plan: Plan, standings: Standings, again: Mapping[str, Collection[int]], retried: Retried | None
    ) -> None:
        self._plan = plan
        self._standings = standings
        self._again = again
        self._retried = retried
        self._alike = Alike(plan, standings)
        self._above: dict[str, dict[int, Fate] | None] = {}
        self._moved: dict[str, Collection[int]] = {}  # rows that are to be sent, and all that comes after them

    def look(self, name: str, planned: PlannedExperiment) -> Fates | None:
        parents = [(p, self._above[p.experiment]) for p in planned.table.parents if p.experiment in self._above]
        known = [(p, fates) for p, fates in parents if fates is not None]
        if self._retried is None and not known and not self._standings.any(name):
            self._above[name], self._moved[name] = None, range(planned.table.count)
            return None
        moved = [(p, self._moved[p.experiment]) for p, _ in parents]
        rows = range(planned.runs) if planned.rows is None else planned.rows
        states = self._standings.store.states(name, [planned.table.id(row) for row in rows])
        found: list[Fate] = []
        own_moved: set[int] = set()
        for row, state in zip(rows, states, strict=True):
            below = any(parent in them for p, them in moved for parent in p.of(row))
            fate = self._own(name, row, state, below=below)
            if below or fate == "sent":
                own_moved.add(row)
            above: Iterator[Fate] = (fates[parent] for p, fates in known for parent in p.of(row) if parent in fates)
            found.append("blocked" if fate == "sent" and not FRUITFUL.issuperset(above) else fate)
        self._above[name], self._moved[name] = dict(zip(rows, found, strict=True)), own_moved
        return Fates(states, found)

    def _own(self, name: str, row: int, state: State, *, below: bool) -> Fate:
        """Give the fate of a run by its own state, and by whether it is *below* one that is to be sent."""
        if state == "done":
            return "sent" if row in self._again.get(name, ()) else "done"
        if state in BUSY:
            # What is queued on a cluster behind a run that is sent again is cancelled first, and sent with it.
            withdrawn = below and state == "queued" and self._plan.target.kind != "local"
            return "sent" if withdrawn else "busy"
        if state == "broken":
            return "unreadable"
        if self._retried is not None:
            from xpc.runtime.retry import WAITING

            along = below and state in WAITING
            return "sent" if along or self._is_retried(self._retried, name, row, state) else "unasked"
        return "left" if state in FAULTS and self._alike.of(name, row) else "sent"

    def _is_retried(self, retried: Retried, name: str, row: int, state: State) -> bool:
        return retried.holds(name, row) and (retried.by_ids or state in FAULTS)


class Alike:
    """Knows which failed runs would do the same again. A plan without a snapshot knows no code: then that counts as the
    same."""

    def __init__(self, plan: Plan, standings: Standings) -> None:
        self._plan = plan
        self._standings = standings
        self._requests: dict[tuple[int, int], Any] = {}
        self._fingerprints = {name: fingerprint_fields(planned) for name, planned in plan.experiments.items()}

    def of(self, name: str, row: int) -> bool:
        from xpc.runtime.standing import ends_alike

        planned, now = self._plan.experiments[name], self._fingerprints[name]
        id, pinned = planned.table.id(row), bool(self._plan.snapshot.tree)
        if pinned and self._standings.is_stale(name, id, now):
            return False
        record = self._standings.store.whole_record(name, id)
        if record is None:
            return False  # its task ended before it began: that proves nothing
        recorded = record.claim.get("fingerprint")
        if not pinned and isinstance(recorded, Mapping):
            now = {**recorded, **{part: now[part] for part in KNOWN_WITHOUT_CODE}}
        request = self._request(planned.class_of(row), record.attempt)
        return ends_alike(record, planned.compiled.experiment.retries, request, now)

    def _request(self, number: int, attempt: int) -> Any:
        """Give what an attempt asks for, as records have it."""
        requests = self._plan.resources[number]
        which = min(attempt, len(requests)) - 1
        if (number, which) not in self._requests:
            self._requests[number, which] = json.loads(json.dumps(requests[which].json()))
        return self._requests[number, which]
