"""The GPUs that a task was given to those of each of its runs, where they run side by side."""

from __future__ import annotations

from typing import Dict, List, Mapping, Optional

NAMES = ("CUDA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ZE_AFFINITY_MASK")


def divide(environ: Mapping[str, str], runs: int) -> List[Optional[List[str]]]:
    """Give each run its GPUs, as many to each; nothing for all if the task has none, or too few to share out."""
    given = next((environ[name] for name in NAMES if environ.get(name)), "")
    every = [name.strip() for name in given.split(",") if name.strip()]
    each = len(every) // runs
    if not each:
        return [None] * runs
    return [every[number * each : (number + 1) * each] for number in range(runs)]


def environment(gpus: List[str]) -> Dict[str, str]:
    """Give the variables that let a program see these GPUs alone, under the names that the task has."""
    import os

    seen = ",".join(gpus)
    return {name: seen for name in NAMES if os.environ.get(name)}
