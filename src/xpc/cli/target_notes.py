"""A plan to what its target cannot do by itself, in a line each."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xpc.compiler.plan import Plan
    from xpc.compiler.plan_resources import Requests


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
        if planned.compiled.experiment.retries:
            reason = _reason(plan, [plan.resources[a.resources] for a in plan.arrays if a.experiment == name])
            if reason is not None:
                found.append(f"note: retries of `{name}` wait for the next `xpc submit`: {reason}.")
    return found


def _reason(plan: Plan, asked: list[Requests]) -> str | None:
    """Give why tasks can't start again by themselves; nothing if they can."""
    if plan.target.kind == "oar":
        return "OAR starts no failed job again"
    if not plan.target.options.get("requeue", True):
        return f"target `{plan.target.name}` says `requeue = false`"
    if any(_grows(requests) for requests in asked):
        return "SLURM lets no user raise the time limit of a job"
    return None


def _grows(requests: Requests) -> bool:
    times = [request.time for request in requests]
    return any(time is not None and times[0] is not None and time > times[0] for time in times)


def _unsaid(plan: Plan) -> list[str]:
    firsts = [requests[0] for requests in plan.resources]
    found = []
    if any(request.memory is not None for request in firsts):
        found.append("note: OAR gives memory with the cores: `memory` is not asked for.")
    if any(request.disk is not None for request in firsts):
        found.append("note: OAR knows no local disks: `disk` is not asked for.")
    return found
