"""What is wrong with one experiment's points to diagnostics: each fact once, with the first point it was met at."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ..grammar.diagnostic import Diagnostics, Label
from ..grammar.source import Span
from .fault import EvaluationError
from .identity import canonical
from .product import Frame
from .study import Code
from .table import NONE_HERE
from .values import Value, dotted

_MOST_KEYS = 6


class Abandoned(Exception):  # noqa: N818  # no error to show: that has been reported
    """An experiment cannot be expanded any further; why has been reported."""


class Findings:
    """The diagnostics of a build, and whether this experiment is *broken*: its table would be wrong."""

    __slots__ = ("broken", "diagnostics")

    def __init__(self, diagnostics: Diagnostics) -> None:
        self.diagnostics = diagnostics
        self.broken = False

    def error(
        self,
        code: str,
        span: Span | None,
        message: str,
        label: str = "",
        *,
        labels: Iterable[Label] = (),
        help: str | Iterable[str] = (),
    ) -> None:
        self.broken = True
        self.diagnostics.error(code, span, message, label, labels=labels, help=help)

    def warning(
        self,
        code: str,
        span: Span | None,
        message: str,
        label: str = "",
        *,
        labels: Iterable[Label] = (),
        help: str | Iterable[str] = (),
    ) -> None:
        self.diagnostics.warning(code, span, message, label, labels=labels, help=help)

    def evaluation(self, error: EvaluationError, frame: Frame, row: int) -> None:
        """Report a mistake that showed at a point, unless the same mistake has been met at another one."""
        self.broken = True
        found = error.diagnostic
        same = (found.code, found.span, found.message)
        if any((d.code, d.span, d.message) == same for d in self.diagnostics.found):
            return
        where = point_text(frame, row)
        lines = (*found.help, f"the first such point has {where}") if where else found.help
        self.diagnostics.found.append(replace(found, help=lines))


def point_text(frame: Frame, row: int) -> str:
    """Give what distinguishes a row as people read it: ``lr = 0.1, model.name = "cnn"``."""
    shown = []
    for path in frame.paths():
        cells = frame.columns[path]
        if cells.codes is None or cells.codes[row] == NONE_HERE:
            continue
        cell = cells.pool[cells.codes[row]]
        if not isinstance(cell, Code):
            shown.append(f"`{dotted(path)} = {value_text(cell)}`")
    more = "" if len(shown) <= _MOST_KEYS else f" and {len(shown) - _MOST_KEYS} more"
    return ", ".join(shown[:_MOST_KEYS]) + more


def value_text(value: Value) -> str:
    text = canonical(value)
    return text if len(text) <= 40 else text[:39] + "…"
