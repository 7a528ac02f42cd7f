"""The runs of a plan, counted by how they stand, and what of them a submit would send."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from xpc.compiler.cost import Cost, cost

from .stale_causes import fingerprint_fields

if TYPE_CHECKING:
    from xpc.compiler.plan import Plan, PlannedExperiment
    from xpc.runtime.states import State

    from .again import Again
    from .freshness import Freshness
    from .standing import Standings

FAILED = ("failed", "timeout", "oom")
BUSY = ("queued", "running")


@dataclass(slots=True)
class Tally:
    """One experiment: *states* counts new, done, stale, failed and other states; *send* what would go, by resource
    class, in so many *arrays*; *left* the failed runs that would fail alike; *unreadable* those whose records can't be
    read; *blocked* what comes after such runs. *stuck* holds the rows of all these. *why* counts the stale runs by what
    has changed; *again* are the done ones that are sent once more."""

    states: Counter[str] = field(default_factory=Counter)
    send: Counter[int] = field(default_factory=Counter)
    arrays: int = 0
    left: int = 0
    unreadable: int = 0
    blocked: int = 0
    stuck: set[int] = field(default_factory=set)
    why: Counter[str] = field(default_factory=Counter)
    again: int = 0


def tally(plan: Plan, standings: Standings, freshness: Freshness, again: Again) -> dict[str, Tally]:
    """Count the runs of each planned experiment."""
    found: dict[str, Tally] = {}
    for name, planned in plan.experiments.items():
        starts = [array.first - planned.first for array in plan.arrays if array.experiment == name]
        found[name] = _tally(name, planned, standings, found, starts, freshness, again)
    return found


def _tally(
    name: str,
    planned: PlannedExperiment,
    standings: Standings,
    above: Mapping[str, Tally],
    starts: Sequence[int],
    freshness: Freshness,
    again: Again,
) -> Tally:
    found = Tally()
    stuck = [(p, above[p.experiment].stuck) for p in planned.table.parents if p.experiment in above]
    stuck = [(parents, rows) for parents, rows in stuck if rows]
    if not standings.any(name) and not stuck:
        found.states["new"] = planned.runs
        if isinstance(planned.classes, int):
            found.send[planned.classes] = planned.runs
        else:
            found.send.update(planned.class_of(planned.row(index)) for index in range(planned.runs))
        found.arrays = len(starts)
        return found
    now = fingerprint_fields(planned)
    why = freshness.why(name)
    resent: Collection[int] = again.rows.get(name, ())
    found.why.update(stale.kind for stale in why.values())
    sent: set[int] = set()
    for index in range(planned.runs):
        row = planned.row(index)
        blocked = any(parent in rows for parents, rows in stuck for parent in parents.of(row))
        state = standings.state(name, planned.table.id(row))
        if state == "done":
            found.states["stale" if planned.table.id(row) in why else "done"] += 1
            goes = row in resent
            found.again += goes
        else:
            goes = _count(found, name, planned, row, state, standings, now, blocked=blocked)
        if goes:
            found.send[planned.class_of(row)] += 1
            sent.add(bisect_right(starts, index))
    found.arrays = len(sent)
    return found


def _count(
    found: Tally,
    name: str,
    planned: PlannedExperiment,
    row: int,
    state: State,
    standings: Standings,
    now: Mapping[str, str],
    *,
    blocked: bool,
) -> bool:
    """Count a run that is not done; tell whether it would be sent."""
    run = planned.table.id(row)
    failed = state in FAILED
    found.states["failed" if failed else "new" if state == "planned" else state] += 1
    if state == "broken":
        found.unreadable += 1
        found.stuck.add(row)
    elif blocked:
        found.blocked += 1
        found.stuck.add(row)
    elif failed and not standings.is_stale(name, run, now):
        found.left += 1
        found.stuck.add(row)
    else:
        return state not in BUSY
    return False


def cost_to_send(plan: Plan, tallies: Mapping[str, Tally]) -> Cost:
    """Give the upper bounds of what a submit would send."""
    return cost(
        (runs, plan.resources[number][0], len(plan.experiments[name].compiled.outputs))
        for name, found in tallies.items()
        for number, runs in found.send.items()
    )
