"""What a later attempt asks for, where that is more than the first: the options that then win over the script's own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

MEBI: Final = 1 << 20
_GPU: Final = re.compile(r"(^|,)(gres/|gres:)?gpu\b")

Request = Mapping[str, Any]


def sbatch_options(first: Request, now: Request) -> list[str]:
    """Give the options of `sbatch` that differ from those of the first attempt, which the script has."""
    before = dict(_sbatch(first))
    return [
        f"--{name}" if value is None else f"--{name}={value}"
        for name, value in _sbatch(now)
        if name not in before or before[name] != value
    ]


def _sbatch(request: Request) -> Iterator[tuple[str, str | None]]:
    native = request["options"].get("slurm", {})
    yield "nodes", str(request["nodes"])
    yield "ntasks-per-node", str(request["tasks"])
    yield "cpus-per-task", str(request["cpus"])
    if request["memory"] is not None:
        yield "mem", f"{-(-request['memory'] // MEBI)}M"
    if request["gpus"] and not _GPU.search(str(native.get("gres") or "")):
        yield "gpus-per-node", str(request["gpus"])
    if request["disk"] is not None and not native.get("tmp"):
        yield "tmp", f"{-(-request['disk'] // MEBI)}M"
    if request["time"] is not None:
        yield "time", _days(request["time"])
    for name, value in native.items():
        if value is not None:
            yield name, None if value is True else str(value)


def _days(seconds: int) -> str:
    minutes = -(-seconds // 60)
    return f"{minutes // 1440}-{minutes // 60 % 24:02d}:{minutes % 60:02d}:00"


def oarsub_resources(request: Request) -> str:
    """Give the value of `oarsub -l`: hosts, and on each its cores, or its GPUs with the cores that belong to them."""
    inside = f"gpu={request['gpus']}" if request["gpus"] else f"core={request['cpus'] * request['tasks']}"
    seconds = request["time"]
    time = "" if seconds is None else f",walltime={seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"/nodes={request['nodes']}/{inside}{time}"
