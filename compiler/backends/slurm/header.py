"""What a task asks for to the options of ``sbatch``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from ...plan_arrays import Array
from ...plan_resources import Request
from ...study import Checkpoint, Target
from ...values import Value
from ..arrays import listed
from ..native import MEBI, clock

SIGNAL: Final = "USR1"  # what the batch shell is sent before the time limit; the program gets the one it asked for
_GPU: Final = re.compile(r"(^|,)(gres/|gres:)?gpu\b")
_PLAIN: Final = re.compile(r"[\w.,:;+@%/=\[\]&|*()!~^{}<>-]+", re.ASCII)

Option = tuple[str, str | None]


def header(array: Array, request: Request, target: Target, checkpoint: Checkpoint | None) -> list[str]:
    """Give the ``#SBATCH`` lines of an array's script, without the ``#SBATCH``."""
    throttle = "" if array.throttle is None else f"%{array.throttle}"
    options: list[Option] = [("job-name", array.name), ("array", listed(array.indices) + throttle)]
    options += asked(request, native_options(request, target))
    if checkpoint is not None:
        options.append(("signal", f"B:{SIGNAL}@{-int(-checkpoint.before // 1)}"))
    options.append(("requeue" if target.options.get("requeue", True) else "no-requeue", None))
    options.append(("open-mode", "append"))
    return [line(option) for option in options]


def asked(request: Request, native: Mapping[str, Value]) -> Iterator[Option]:
    """Give the options that say what one task needs, and where."""
    yield "nodes", str(request.nodes)
    yield "ntasks-per-node", str(request.tasks)
    yield "cpus-per-task", str(request.cpus)
    if request.memory is not None:
        yield "mem", f"{-(-request.memory // MEBI)}M"
    if request.gpus and not _GPU.search(str(native.get("gres") or "")):
        yield "gpus-per-node", str(request.gpus)
    if request.disk is not None and not native.get("tmp"):
        yield "tmp", f"{-(-request.disk // MEBI)}M"
    if request.time is not None:
        yield "time", clock(request.time)
    for name, value in native.items():
        if value is not None:
            yield name, None if value is True else str(value)


def native_options(request: Request, target: Target) -> dict[str, Value]:
    """Give SLURM's own options by name: those of the resources win over those of the target."""
    own = {name: target.options[name] for name in ("account", "partition", "qos") if name in target.options}
    return {**own, **target.native, **request.options.get("slurm", {})}


def line(option: Option) -> str:
    """Give an option as ``sbatch`` reads it in a script."""
    name, value = option
    if value is None:
        return f"--{name}"
    return f"--{name}={value if _PLAIN.fullmatch(value) else _quoted(value)}"


def _quoted(value: str) -> str:
    """Give a value in quotes, as ``sbatch`` reads scripts: it expands nothing, and a backslash always escapes."""
    value = value.replace("\\", "\\\\")
    if "'" not in value:
        return f"'{value}'"
    return f'"{value}"' if '"' not in value else "'" + value.replace("'", "'\"'\"'") + "'"
