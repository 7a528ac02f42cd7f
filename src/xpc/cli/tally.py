"""The runs of a plan, counted by how they stand, and what of them a submit would send."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from xpc.compiler.cost import Cost, cost

if TYPE_CHECKING:
    from xpc.compiler.plan import Plan, PlannedExperiment

    from .standing import Standings

FAILED = ("failed", "timeout", "oom")
BUSY = ("queued", "running")


@dataclass(slots=True)
class Tally:
    """One experiment: *states* counts new, done, stale, failed and other states; *send* what would go, by resource
    class, in so many *arrays*; *left* the failed runs whose code, command and inputs are still the same; *blocked* what
    comes after such a run. *stuck* holds the rows of both."""

    states: Counter[str] = field(default_factory=Counter)
    send: Counter[int] = field(default_factory=Counter)
    arrays: int = 0
    left: int = 0
    blocked: int = 0
    stuck: set[int] = field(default_factory=set)


def tally(plan: Plan, standings: Standings) -> dict[str, Tally]:
    """Count the runs of each planned experiment."""
    found: dict[str, Tally] = {}
    for name, planned in plan.experiments.items():
        starts = [array.first - planned.first for array in plan.arrays if array.experiment == name]
        found[name] = _tally(name, planned, standings, found, starts)
    return found


def _tally(
    name: str, planned: PlannedExperiment, standings: Standings, above: Mapping[str, Tally], starts: Sequence[int]
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
    sent: set[int] = set()
    for index in range(planned.runs):
        row = planned.row(index)
        blocked = any(parent in rows for parents, rows in stuck for parent in parents.of(row))
        if _count(found, name, planned, row, standings, now, blocked=blocked):
            sent.add(bisect_right(starts, index))
    found.arrays = len(sent)
    return found


def _count(
    found: Tally,
    name: str,
    planned: PlannedExperiment,
    row: int,
    standings: Standings,
    now: Mapping[str, str],
    *,
    blocked: bool,
) -> bool:
    """Count one run; tell whether it would be sent."""
    run = planned.table.id(row)
    state = standings.state(name, run)
    if state == "done":
        found.states["stale" if standings.is_stale(name, run, now) else "done"] += 1
        return False
    failed = state in FAILED
    found.states["failed" if failed else "new" if state == "planned" else state] += 1
    if blocked:
        found.blocked += 1
        found.stuck.add(row)
    elif failed and not standings.is_stale(name, run, now):
        found.left += 1
        found.stuck.add(row)
    elif state not in BUSY:
        found.send[planned.class_of(row)] += 1
        return True
    return False


def fingerprint_fields(planned: PlannedExperiment) -> dict[str, str]:
    """Give the fingerprint as records have it."""
    found = planned.fingerprint
    return {part: getattr(found, part) for part in ("command", "code", "environment", "inputs")}


def cost_to_send(plan: Plan, tallies: Mapping[str, Tally]) -> Cost:
    """Give the upper bounds of what a submit would send."""
    return cost(
        (runs, plan.resources[number][0], len(plan.experiments[name].compiled.outputs))
        for name, found in tallies.items()
        for number, runs in found.send.items()
    )
