"""What a target block of a cluster may say, and the bounds of each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from ..grammar.node import Node
from ..grammar.source import Span
from .fault import fault
from .types import label, named
from .values import Value

MOST: Final = 2**31


class Option(Node):
    """*kind* is ``int``, ``bool``, ``duration`` or ``text``; *least* the least number; *elsewhere* says what to write
    on targets of other kinds."""

    kind: str
    kinds: tuple[str, ...]
    example: str
    least: float = 0
    elsewhere: Mapping[str, str] = {}


BOTH: Final = ("slurm", "oar")
OPTIONS: Final[dict[str, Option]] = {
    "account": Option("text", ("slurm",), '"vision"', elsewhere={"oar": 'write `project = "…"`'}),
    "lease": Option("duration", BOTH, "60s", 1),
    "max_array": Option("int", BOTH, "1001", 1),
    "max_requeues": Option("int", BOTH, "50"),
    "max_submit": Option("int", BOTH, "10000", 1),
    "partition": Option("text", ("slurm",), '"gpu"', elsewhere={"oar": 'write `queue = "…"`'}),
    "project": Option("text", ("oar",), '"vision"', elsewhere={"slurm": 'write `account = "…"`'}),
    "python": Option("text", BOTH, '"python3.11"'),
    "qos": Option("text", ("slurm",), '"long"'),
    "queue": Option("text", ("oar",), '"besteffort"', elsewhere={"slurm": 'write `partition = "…"`'}),
    "requeue": Option("bool", BOTH, "false"),
    "throttle": Option(
        "int",
        ("slurm",),
        "64",
        1,
        elsewhere={
            "local": "`xpc submit -j 8` says how many runs at once",
            "oar": 'OAR has no limit on an array\'s jobs; where the site has tokens: `oar.type = "token:…"`',
        },
    ),
}
_NAMED: Final = {"duration": "a duration", "int": "an int", "text": "a text", "bool": "true or false"}
_PLAIN: Final = re.compile(r"[\w.,:+@%/=-]+")


def checked_option(name: str, value: Value, span: Span) -> Any:
    """Give a target's value (durations in seconds); raises ``EvaluationError``."""
    option = OPTIONS[name]
    if value is None:
        raise fault("XP140", span, f"`{name}` is {_NAMED[option.kind]}, but this is null", "null", help=_leave(name))
    kind = {str: "text", bool: "bool", int: "int"}.get(type(value), type(value).__name__.lower())
    if kind != option.kind:
        message = f"`{name}` is {_NAMED[option.kind]}, but this is {named(value)}"
        raise fault("XP140", span, message, label(value), help=f"such as `{name} = {option.example}`")
    if isinstance(value, str):
        if not _PLAIN.fullmatch(value):
            raise fault("XP140", span, f"`{name}` is one word", "not a word", help=f"such as `{option.example}`")
        return value
    if option.kind != "bool" and not option.least <= value <= MOST:  # type: ignore[operator]  # a number, by its kind
        bound = f"at least {option.least:g}" if value < option.least else f"at most {MOST:,}"  # type: ignore[operator]
        raise fault("XP140", span, f"`{name}` is {bound}", "out of bounds")
    return float(value) if option.kind == "duration" else value  # type: ignore[arg-type]


def _leave(name: str) -> str:
    return f"leave the line out: `{name}` then has its default"
