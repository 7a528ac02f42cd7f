"""An experiment's `checkpoint` and `pack` lines to checked values: how its runs live on a cluster."""

from __future__ import annotations

import re
import signal
from types import EllipsisType
from typing import Final

from ..grammar import tree
from .context import Context
from .directives import Directives
from .grid_draws import whole_number
from .nearest import did_you_mean
from .study import Checkpoint, Pack
from .types import label, named
from .values import Duration

MOST_SECONDS: Final = 65535  # what SLURM's --signal takes
MOST_RUNS: Final = 1_000_000
SIGNALS: Final = tuple(
    sorted(
        s.name.removeprefix("SIG") for s in signal.Signals if s.name not in ("SIGKILL", "SIGSTOP", "SIGCLD", "SIGPOLL")
    )
)


def resolve_checkpoint(directives: Directives, context: Context) -> Checkpoint | None:
    """Give when and how the program is warned; nothing without the line, or if it is wrong, which is reported."""
    item = directives.one(tree.Checkpoint)
    if item is None:
        return None
    value = context.constant(item.before, "the time before the limit")
    if isinstance(value, EllipsisType):
        return None
    if not isinstance(value, Duration):
        message = f"`checkpoint` is a duration, but this is {named(value)}"
        help = "write `checkpoint 90s`: that long before the time limit"
        context.diagnostics.error("XP045", item.before.span, message, label(value), help=help)
        return None
    if not 1 <= value <= MOST_SECONDS:
        bound = "at least 1 s" if value < 1 else "at most 18 h"
        context.diagnostics.error("XP045", item.before.span, f"`checkpoint` is {bound} before the limit", "")
        return None
    return Checkpoint(float(value), _signal(item.signal, context), item.span)


def _signal(word: tree.Word | None, context: Context) -> str | None:
    if word is None:
        return None
    name = re.sub(r"^SIG", "", word.text)
    if name not in SIGNALS:
        help = did_you_mean(name, SIGNALS) or ("such as USR1, USR2, INT, TERM",)
        context.diagnostics.error(
            "XP045", word.span, f"no signal `{word.text}` can be sent", "no such signal", help=help
        )
        return None
    return name


def resolve_pack(directives: Directives, context: Context) -> Pack | None:
    """Give how many runs share a task; nothing without the line, or if it is wrong, which is reported."""
    item = directives.one(tree.Pack)
    if item is None:
        return None
    runs = whole_number(item.runs, "the number of runs in a task", 1, MOST_RUNS, context)
    return None if runs is None or runs == 1 else Pack(runs, item.side_by_side, item.span)
