"""A scheduler's own options, as Experimentfiles give them, to checked names and values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, cast

from ...grammar.diagnostic import Diagnostics
from ...grammar.node import Node
from ...grammar.source import Span
from ..fault import EvaluationError, fault
from ..nearest import did_you_mean
from ..types import label, named
from ..values import Duration, Size, Value
from .oar import options as oar_options
from .slurm import options as slurm_options

MEBI: Final = 2**20
_UNFIT: Final = re.compile(r"[\x00-\x1f\x7f]")


class Native(Node):
    """What a scheduler's command takes. *takes* gives for each option ``text``, ``flag`` or ``either``, *own* how to
    say what xpc sets itself, *letters* the long name of each short one; *many* may be given several times."""

    command: str
    takes: Mapping[str, str]
    own: Mapping[str, str]
    letters: Mapping[str, str]
    many: frozenset[str]


SCHEDULERS: Final[Mapping[str, Native]] = {
    "slurm": Native(
        "sbatch", slurm_options.TAKES, slurm_options.OWN, slurm_options.LETTERS, frozenset(slurm_options.MANY)
    ),
    "oar": Native("oarsub", oar_options.TAKES, oar_options.OWN, oar_options.LETTERS, frozenset(oar_options.MANY)),
}


def canonical(scheduler: str, name: str) -> str:
    """Give an option's long name: ``mail_type`` is ``mail-type``, SLURM's ``C`` is ``constraint``."""
    return SCHEDULERS[scheduler].letters.get(name, name.replace("_", "-"))


def known(scheduler: str, name: str, span: Span, diagnostics: Diagnostics) -> str | None:
    """Give the long name of an option that may be given; what may not is reported."""
    native = SCHEDULERS[scheduler]
    long = canonical(scheduler, name)
    if long in native.own:
        message = f"`{scheduler}.{name}` is an option that xpc sets itself"
        diagnostics.error("XP143", span, message, "set by xpc", help=native.own[long])
        return None
    if long not in native.takes:
        names = [f"{scheduler}.{each.replace('-', '_')}" for each in (*native.takes, *native.own)]
        help = did_you_mean(f"{scheduler}.{long.replace('-', '_')}", names) or (
            f"`{native.command} --help` lists the options of {scheduler.upper()}; write `_` for `-`",
        )
        message = f"{scheduler.upper()} has no option `--{long}`"
        diagnostics.error("XP141", span, message, f"not of {native.command}", help=help)
        return None
    return long


def checked(scheduler: str, name: str, value: Value, span: Span) -> Value:
    """Give an option's value as it is printed: a text, a list of texts, true for a bare flag, null for none.

    Raises ``EvaluationError``.
    """
    native = SCHEDULERS[scheduler]
    takes = native.takes[name]
    shown = f"{scheduler}.{name.replace('-', '_')}"
    if value is None or value is False:
        return None
    if isinstance(value, list) and name in native.many:
        return cast("Value", [_text(shown, each, span) for each in value])
    if value is True:
        if takes == "text":
            raise fault("XP140", span, f"`{shown}` takes a value", "a bare flag")
        return True
    if takes == "flag":
        raise fault("XP140", span, f"`{shown}` takes no value", label(value), help=f"write `{shown} = true`")
    text = _text(shown, value, span)
    return [text] if name in native.many else text


def _text(shown: str, value: Value, span: Span) -> str:
    match value:
        case Size():
            return f"{-(-int(value) // MEBI)}M"
        case Duration():
            return clock(value)
        case str() if value and not _UNFIT.search(value):
            return value
        case str():
            raise fault("XP140", span, f"`{shown}` is one line of text", "empty" if not value else "more than that")
        case int() | float() if not isinstance(value, bool):
            return repr(value)
        case _:
            raise _unfit(shown, value, span)


def _unfit(shown: str, value: Value, span: Span) -> EvaluationError:
    return fault("XP140", span, f"`{shown}` is a text, a number or true, but this is {named(value)}", label(value))


def clock(seconds: float) -> str:
    """Give a time as SLURM reads it: ``D-HH:MM:SS``."""
    whole = -int(-seconds // 1)
    days, rest = divmod(whole, 86400)
    hours, rest = divmod(rest, 3600)
    return f"{days}-{hours:02d}:{rest // 60:02d}:{rest % 60:02d}"
