"""A plan to the scripts of this machine: one for each array, and one that runs them all."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from ...plan import Plan
from ...plan_resources import Request

if TYPE_CHECKING:
    from jinja2 import Template

_UNITS = (("GiB", 2**30), ("MiB", 2**20))


def render_array(plan: Plan, number: int) -> str:
    """Give the script that runs the tasks of one array, one after another."""
    array = plan.arrays[number]
    requests = plan.resources[array.resources]
    return _template("array.sh.j2").render(array=array, each=describe(requests[0]))


def render_submit(plan: Plan) -> str:
    """Give the script that runs all arrays, parents before children."""
    runs = sum(array.count for array in plan.arrays)
    return _template("submit.sh.j2").render(plan=plan, runs=runs)


def describe(request: Request) -> str:
    """Give what a run asks for as people say it: ``2 CPUs, 4 GiB, 30 min``."""
    words = []
    if request.nodes > 1:
        words.append(f"{request.nodes} nodes")
    cpus = request.cpus * request.tasks
    words.append(_count(cpus, "CPU"))
    if request.gpus:
        words.append(_count(request.gpus, "GPU"))
    if request.memory is not None:
        words.append(size(request.memory))
    if request.time is not None:
        words.append(duration(request.time))
    return ", ".join(words)


def size(amount: int) -> str:
    for unit, factor in _UNITS:
        if amount % factor == 0:
            return f"{amount // factor:,} {unit}"
    return f"{amount / 2**20:,.1f} MiB"


def duration(seconds: int) -> str:
    days, rest = divmod(seconds, 86400)
    hours, rest = divmod(rest, 3600)
    parts = ((days, "d"), (hours, "h"), (rest // 60, "min"))
    return " ".join(f"{amount} {unit}" for amount, unit in parts if amount)


def _count(amount: int, what: str) -> str:
    return f"{amount:,} {what}" if amount == 1 else f"{amount:,} {what}s"


@cache
def _template(name: str) -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(  # noqa: S701  # these are shell scripts, no HTML
        loader=PackageLoader(__package__, "."),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["count"] = _count
    return environment.get_template(name)
