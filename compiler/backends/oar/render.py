"""A plan to the scripts of an OAR cluster: one for each array, and one that submits them all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from ...plan import Plan
from ...plan_arrays import Array
from ...plan_resources import Request
from ...plan_tasks import Ranges
from ...study import Checkpoint, Target
from ..arrays import listed, order, secrets, study, title
from ..words import describe, size, template
from .header import header

PAIRS: Final = 50  # tasks of an array that are sent one by one, each after its parent; a greater one waits as a whole


def render_array(plan: Plan, number: int) -> str:
    """Give the script of one array; its argument is a task's index."""
    array = plan.arrays[number]
    checkpoint = plan.experiments[array.experiment].compiled.experiment.checkpoint
    return render_script(array, plan.resources[array.resources][0], plan.target, checkpoint)


def render_script(array: Array, request: Request, target: Target, checkpoint: Checkpoint | None) -> str:
    """Give the script of an array whose tasks ask for *request*."""
    return template(__package__, "array.oar.j2").render(
        array=array,
        title=title(array),
        each=describe(request),
        order=order(array),
        notes=notes(request),
        indices=listed(array.indices),
        header=header(request, target, checkpoint),
        python=target.options.get("python", "python3"),
    )


def notes(request: Request) -> list[str]:
    """Say what of a request OAR has no words for."""
    found = []
    if request.memory is not None:
        found.append(f"OAR gives memory with the cores: the {size(request.memory)} are not asked for.")
    if request.gpus and request.cpus * request.tasks > 1:
        found.append("OAR gives the cores that belong to the GPUs: their number is not asked for.")
    if request.disk is not None:
        found.append(f"OAR knows no local disks: the {size(request.disk)} are not asked for.")
    return found


def render_submit(plan: Plan) -> str:
    """Give the script that submits the whole graph."""
    known = {array.name: array for array in plan.arrays}
    calls = [call for array in plan.arrays for call in _calls(array, known)]
    return template(__package__, "submit.sh.j2").render(
        plan=plan, study=study(plan), secrets=secrets(plan), calls=calls
    )


def _calls(array: Array, known: Mapping[str, Array]) -> Iterator[str]:
    """Give the arguments of each call that sends an array, or a task of it."""
    if not array.pairwise or array.tasks > PAIRS:
        yield " ".join([array.name, listed(array.indices), *array.after])
        return
    whole = [name for name in array.after if name not in array.pairwise]
    positions = {name: _positions(known[name].indices) for name in array.pairwise}
    for index in _each(array.indices):
        pairs = [f"{name}@{positions[name][index]}" for name in array.pairwise]
        yield " ".join([array.name, str(index), *pairs, *whole])


def _positions(indices: Ranges) -> dict[int, int]:
    return {index: position for position, index in enumerate(_each(indices))}


def _each(indices: Ranges) -> Iterator[int]:
    return (index for first, count in indices for index in range(first, first + count))
