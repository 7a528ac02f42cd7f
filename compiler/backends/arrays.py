"""What the scripts of both clusters say of an array: its indices, how many runs a task has, what it waits for."""

from __future__ import annotations

import json

from ..plan import Plan
from ..plan_arrays import Array
from ..plan_tasks import Ranges
from .words import count


def listed(ranges: Ranges) -> str:
    """Give indices as schedulers read them: ``0-599,700``."""
    return ",".join(str(first) if number == 1 else f"{first}-{first + number - 1}" for first, number in ranges)


def contents(array: Array) -> str:
    """Say how the runs of an array share its tasks: ``one a task``."""
    most = max(size for size, _ in array.sizes)
    if most == 1:
        return "one a task"
    how = "side by side" if array.side_by_side else "one after another"
    return f"{'up to ' if len(array.sizes) > 1 else ''}{most:,} a task, {how}"


def order(array: Array) -> str:
    """Say what an array comes after; nothing if it waits for none."""
    whole = [name for name in array.after if name not in array.pairwise]
    parts = []
    if array.pairwise:
        parts.append(f"task i after task i of {joined(array.pairwise)}")
    if whole:
        parts.append(f"{'all of it' if array.pairwise else 'all'} after all of {joined(whole)}")
    text = ", and ".join(parts)
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def joined(names: tuple[str, ...] | list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def title(array: Array) -> str:
    """Give the first line of a script: how many runs of what."""
    return f"{count(array.count, 'run')} of experiment {array.experiment}, {contents(array)}."


def secrets(plan: Plan) -> list[str]:
    """Give the variables of the caller that runs get and nobody records."""
    found = (name for planned in plan.experiments.values() for name in planned.compiled.environment.secrets)
    return sorted(dict.fromkeys(found))


def study(plan: Plan) -> str:
    """Give how many runs a build has, and of which project."""
    runs = count(sum(array.count for array in plan.arrays), "run")
    # As JSON: a line end in a name would end the comment that this stands in.
    return f"{runs} of {json.dumps(plan.project, ensure_ascii=False)}" if plan.project else runs
