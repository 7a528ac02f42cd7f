"""What scripts say to people about runs and what they ask for, and the templates that they are made from."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from ..plan_resources import Request

if TYPE_CHECKING:
    from jinja2 import Template

_UNITS = (("GiB", 2**30), ("MiB", 2**20))


def describe(request: Request) -> str:
    """Give what a task asks for as people say it: ``2 nodes with 2 CPUs, 4 GiB, 30 min``."""
    words = []
    cpus = request.cpus * request.tasks
    words.append(count(cpus, "CPU"))
    if request.gpus:
        words.append(count(request.gpus, "GPU"))
    if request.memory is not None:
        words.append(size(request.memory))
    if request.time is not None:
        words.append(duration(request.time))
    text = ", ".join(words)
    return f"{request.nodes} nodes with {text}" if request.nodes > 1 else text


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


def count(amount: int, what: str) -> str:
    return f"{amount:,} {what}" if amount == 1 else f"{amount:,} {what}s"


@cache
def template(package: str, name: str) -> Template:
    """Give a template that stands beside the code of *package*."""
    from shlex import quote

    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(  # noqa: S701  # these are shell scripts, no HTML
        loader=PackageLoader(package, "."),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        comment_start_string="<#",  # bash has its own meaning for {#
        comment_end_string="#>",
    )
    environment.filters["count"] = count
    environment.filters["quote"] = quote
    return environment.get_template(name)
