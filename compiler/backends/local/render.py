"""A plan to the scripts of this machine: one for each array, and one that runs them all."""

from __future__ import annotations

from ...plan import Plan
from ..words import describe, template


def render_array(plan: Plan, number: int) -> str:
    """Give the script that runs the tasks of one array, one after another."""
    array = plan.arrays[number]
    requests = plan.resources[array.resources]
    return template(__package__, "array.sh.j2").render(array=array, each=describe(requests[0]))


def render_submit(plan: Plan) -> str:
    """Give the script that runs all arrays, parents before children."""
    runs = sum(array.count for array in plan.arrays)
    return template(__package__, "submit.sh.j2").render(plan=plan, runs=runs)
