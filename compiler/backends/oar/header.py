"""What a task asks for to the options of ``oarsub``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, cast

from ...plan_resources import Request
from ...study import Checkpoint, Target
from ...values import Value

SIGNAL: Final = 10  # USR1, which the task is sent before its time limit; the program gets the one it asked for
HAS_GPU: Final = "gpu <> '0'"  # where a host has none, its cores have GPU 0, which would count as one
WALLTIME: Final = 2 * 3600  # what sites give where nothing is asked for

Option = tuple[str, str]


def header(request: Request, target: Target, checkpoint: Checkpoint | None) -> list[Option]:
    """Give the options of an array's jobs, in the order of the ``#OAR`` lines: each a flag and its value."""
    native = native_options(request, target)
    types = cast("list[str]", native.pop("type", None) or [])
    properties = cast("list[str]", native.pop("property", None) or [])
    options: list[Option] = [("-l", resources(request))]
    condition = where([*([HAS_GPU] if request.gpus else []), *properties])
    if condition:
        options.append(("-p", condition))
    for name, value in native.items():
        if value is not None:
            options.append((f"--{name}", str(value)))
    options += [("-t", name) for name in job_types(types, target, checkpoint)]
    if checkpoint is not None:
        options += [("--checkpoint", str(-int(-checkpoint.before // 1))), ("--signal", str(SIGNAL))]
    return options


def resources(request: Request) -> str:
    """Give the value of ``-l``: hosts, and on each its cores, or its GPUs with the cores that belong to them."""
    inside = f"gpu={request.gpus}" if request.gpus else f"core={request.cpus * request.tasks}"
    time = "" if request.time is None else f",walltime={walltime(request.time)}"
    return f"/nodes={request.nodes}/{inside}{time}"


def walltime(seconds: int) -> str:
    """Give a time as OAR reads it, hours first: ``26:00:00``."""
    minutes, rest = divmod(seconds, 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


def where(properties: list[str]) -> str:
    """Join conditions on resources to one."""
    return properties[0] if len(properties) == 1 else " AND ".join(f"({each})" for each in properties)


def job_types(given: list[str], target: Target, checkpoint: Checkpoint | None) -> Iterator[str]:
    """Give the types of the jobs; one that OAR shall start again by itself is idempotent."""
    yield from given
    again = checkpoint is not None or "besteffort" in given
    if again and target.options.get("requeue", True) and "idempotent" not in given:
        yield "idempotent"


def native_options(request: Request, target: Target) -> dict[str, Value]:
    """Give OAR's own options by name: those of the resources win over those of the target, but conditions add up."""
    own = {name: target.options[name] for name in ("project", "queue") if name in target.options}
    here = request.options.get("oar", {})
    found = {**own, **target.native, **here}
    both = [*cast("list[str]", target.native.get("property") or []), *cast("list[str]", here.get("property") or [])]
    if both:
        found["property"] = cast("Value", both)
    return found
