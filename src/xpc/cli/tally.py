"""The runs of a plan, counted by how they stand, and what of them a submit would send."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from xpc.compiler.cost import Cost, cost
from xpc.runtime.selection import FAULTS

if TYPE_CHECKING:
    from xpc.compiler.plan import Plan, PlannedExperiment

    from .fates import Fates
    from .freshness import Freshness


@dataclass(slots=True)
class Tally:
    """One experiment: *states* counts new, done, stale, failed and other states; *send* what would go, by resource
    class, in so many *arrays*; *left* the failed runs that would fail alike; *unreadable* those whose records can't be
    read; *blocked* what comes after such runs. *why* counts the stale runs by what has changed; *again* are the done
    ones that are sent once more."""

    states: Counter[str] = field(default_factory=Counter)
    send: Counter[int] = field(default_factory=Counter)
    arrays: int = 0
    left: int = 0
    unreadable: int = 0
    blocked: int = 0
    why: Counter[str] = field(default_factory=Counter)
    again: int = 0


def tally(plan: Plan, freshness: Freshness, fates: Mapping[str, Fates | None]) -> dict[str, Tally]:
    """Count the runs of each planned experiment."""
    found: dict[str, Tally] = {}
    for name, planned in plan.experiments.items():
        of = fates[name]
        starts = [array.first - planned.first for array in plan.arrays if array.experiment == name]
        found[name] = _all_new(planned, starts) if of is None else _tally(name, planned, of, starts, freshness)
    return found


def _all_new(planned: PlannedExperiment, starts: Sequence[int]) -> Tally:
    found = Tally(Counter(new=planned.runs), arrays=len(starts))
    if isinstance(planned.classes, int):
        found.send[planned.classes] = planned.runs
    else:
        found.send.update(planned.class_of(planned.row(index)) for index in range(planned.runs))
    return found


def _tally(name: str, planned: PlannedExperiment, of: Fates, starts: Sequence[int], freshness: Freshness) -> Tally:
    found = Tally()
    why = freshness.why(name)
    found.why.update(stale.kind for stale in why.values())
    sent: set[int] = set()
    for index, (state, fate) in enumerate(zip(of.states, of.fates, strict=True)):
        row = planned.row(index)
        stale = state == "done" and planned.table.id(row) in why
        found.states["stale" if stale else _counted(state)] += 1
        if fate == "sent":
            found.again += state == "done"
            found.send[planned.class_of(row)] += 1
            sent.add(bisect_right(starts, index))
    found.arrays = len(sent)
    fates = Counter(of.fates)
    found.left, found.unreadable, found.blocked = fates["left"], fates["unreadable"], fates["blocked"]
    return found


def _counted(state: str) -> str:
    """Give what a state is counted under."""
    return "failed" if state in FAULTS else "new" if state in ("planned", "skipped") else state


def cost_to_send(plan: Plan, tallies: Mapping[str, Tally]) -> Cost:
    """Give the upper bounds of what a submit would send."""
    return cost(
        (runs, plan.resources[number][0], len(plan.experiments[name].compiled.outputs))
        for name, found in tallies.items()
        for number, runs in found.send.items()
    )
