"""A plan to the scripts of a SLURM cluster: one for each array, and one that submits them all."""

from __future__ import annotations

from ...plan import Plan
from ...plan_arrays import Array
from ...plan_resources import Request
from ...study import Checkpoint, Target
from ..arrays import order, secrets, study, title
from ..words import describe, template
from .header import header


def render_array(plan: Plan, number: int) -> str:
    """Give the batch script of one array."""
    array = plan.arrays[number]
    checkpoint = plan.experiments[array.experiment].compiled.experiment.checkpoint
    return render_script(array, plan.resources[array.resources][0], plan.target, checkpoint)


def render_script(array: Array, request: Request, target: Target, checkpoint: Checkpoint | None) -> str:
    """Give the script of an array whose tasks ask for *request*."""
    return template(__package__, "array.sbatch.j2").render(
        array=array,
        beside=max(size for size, _ in array.sizes) if array.side_by_side else 1,
        title=title(array),
        each=describe(request),
        order=order(array),
        header=header(array, request, target, checkpoint),
        python=target.options.get("python", "python3"),
    )


def render_submit(plan: Plan) -> str:
    """Give the script that submits the whole graph."""
    roots = [array.name for array in plan.arrays if not array.after]
    return template(__package__, "submit.sh.j2").render(
        plan=plan, study=study(plan), secrets=secrets(plan), roots=roots, dependency=dependency
    )


def dependency(array: Array) -> str:
    """Give what an array waits for, with shell variables for the job ids: ``afterok:${job[a-1]},aftercorr:…``."""
    whole = [name for name in array.after if name not in array.pairwise]
    parts = [f"afterok:{_ids(whole)}"] if whole else []
    if array.pairwise:
        parts.append(f"aftercorr:{_ids(array.pairwise)}")
    return ",".join(parts)


def _ids(names: tuple[str, ...] | list[str]) -> str:
    return ":".join(f"${{job[{name}]}}" for name in names)
