"""The runs of a plan, counted by how they stand, and what of them a submit would send."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
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
    class; *left* the failed runs whose code, command and inputs are still the same."""

    states: Counter[str] = field(default_factory=Counter)
    send: Counter[int] = field(default_factory=Counter)
    left: int = 0


def tally(plan: Plan, standings: Standings) -> dict[str, Tally]:
    """Count the runs of each planned experiment."""
    return {name: _tally(name, planned, standings) for name, planned in plan.experiments.items()}


def _tally(name: str, planned: PlannedExperiment, standings: Standings) -> Tally:
    found = Tally()
    if not standings.any(name):
        found.states["new"] = planned.runs
        if isinstance(planned.classes, int):
            found.send[planned.classes] = planned.runs
        else:
            found.send.update(planned.class_of(planned.row(index)) for index in range(planned.runs))
        return found
    now = fingerprint_fields(planned)
    for index in range(planned.runs):
        row = planned.row(index)
        _count(found, name, planned.table.id(row), planned.class_of(row), standings, now)
    return found


def _count(found: Tally, name: str, run: str, number: int, standings: Standings, now: Mapping[str, str]) -> None:
    state = standings.state(name, run)
    if state == "done":
        found.states["stale" if standings.is_stale(name, run, now) else "done"] += 1
    elif state in FAILED:
        found.states["failed"] += 1
        if standings.is_stale(name, run, now):
            found.send[number] += 1
        else:
            found.left += 1
    else:
        found.states["new" if state == "planned" else state] += 1
        if state not in BUSY:
            found.send[number] += 1


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
