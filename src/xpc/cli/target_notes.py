"""A plan to what its target cannot do by itself, in a line each."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from xpc.compiler.plan import Plan
    from xpc.compiler.plan_arrays import Array
    from xpc.compiler.plan_resources import Requests


OWN: Final = frozenset(("memory", "disk"))
"""What a task of SLURM may ask for itself when it starts again."""


def target_notes(plan: Plan) -> list[str]:
    """Say which retries wait for a person, and what of the resources the scheduler has no word for."""
    match plan.target.kind:
        case "oar":
            return [*_retries(plan), *_unsaid(plan)]
        case "slurm":
            return _retries(plan)
        case _:
            return []


def _retries(plan: Plan) -> list[str]:
    found = []
    for name, planned in plan.experiments.items():
        retries = planned.compiled.experiment.retries
        if retries:
            reason = _reason(plan, [array for array in plan.arrays if array.experiment == name], retries + 1)
            if reason is not None:
                found.append(f"note: retries of `{name}` wait for the next `xpc submit`: {reason}.")
    return found


def _reason(plan: Plan, arrays: Sequence[Array], attempts: int) -> str | None:
    """Give why tasks can't start again by themselves; nothing if they can."""
    if plan.target.kind == "oar":
        return "OAR starts no failed job again"
    if not plan.target.options.get("requeue", True):
        return f"target `{plan.target.name}` says `requeue = false`"
    asked = [plan.resources[array.resources][:attempts] for array in arrays]
    if any(_grows(requests) for requests in asked):
        return "SLURM lets no user raise the time limit of a job"
    changed = sorted({name for requests in asked for name in _changed(requests)} - OWN)
    if changed:
        return f"a task of SLURM can't ask for other {' and '.join(changed)}"
    if any(_changed(requests) and _is_packed(array) for requests, array in zip(asked, arrays, strict=True)):
        return "a task of several runs keeps its request"
    return None


def _grows(requests: Requests) -> bool:
    times = [request.time for request in requests]
    return any(time is not None and times[0] is not None and time > times[0] for time in times)


def _changed(requests: Requests) -> set[str]:
    """Give what one attempt asks for otherwise than the one before it."""
    pairs = [(one.json(), other.json()) for one, other in pairwise(requests)]
    return {name for one, other in pairs for name in one if one[name] != other[name]}


def _is_packed(array: Array) -> bool:
    return any(rows > 1 for rows, _ in array.sizes)


def _unsaid(plan: Plan) -> list[str]:
    firsts = [requests[0] for requests in plan.resources]
    found = []
    if any(request.memory is not None for request in firsts):
        found.append("note: OAR gives memory with the cores: `memory` is not asked for.")
    if any(request.disk is not None for request in firsts):
        found.append("note: OAR knows no local disks: `disk` is not asked for.")
    return found
