"""What all terminal plots share: the width, the letters of the traces, numbers, padded texts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ...grammar.screen import columns, visible
from .figure import Axis, Trace
from .tick_text import cell_texts, even_texts, tick_text
from .ticks import linear_ticks, log_ticks

LETTERS: Final = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class Page:
    width: int
    unicode: bool
    colour: bool


@dataclass(frozen=True, slots=True)
class Ruler:
    """One direction: where from 0 to 1 a value stands, and which are marked."""

    low: float
    high: float
    log: bool
    ticks: tuple[tuple[float, str], ...]

    def of(self, value: float) -> float:
        if self.low == self.high:
            return 0.5
        if self.log:
            return math.log(max(value, self.low) / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


def ruler(axis: Axis, values: Sequence[float], most: int) -> Ruler:
    """Give the ruler of an axis over *values*, with at most *most* marks but where the axis has its own."""
    known = [value for value in values if math.isfinite(value)] or [0.0]
    low, high = min(known), max(known)
    log = axis.scale == "log" and low > 0
    if axis.scale == "category":
        return Ruler(-0.5, len(axis.ticks) - 0.5, False, axis.ticks)
    if axis.ticks:
        return Ruler(low, high, log, axis.ticks)
    if axis.scale == "time":
        return Ruler(low, high, False, ((low, _date(low)), (high, _date(high))))
    if log:
        return Ruler(low, high, True, tuple((value, tick_text(value)) for value in log_ticks(low, high, most)))
    found = linear_ticks(low, high, most, whole=axis.whole)
    return Ruler(low, high, False, tuple(zip(found, even_texts(found), strict=True)))


def _date(seconds: float) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")


def letter(number: int) -> str:
    return LETTERS[number % len(LETTERS)]


def cut(text: str, room: int) -> str:
    """Make a text visible, and no wider than *room*."""
    text = visible(text)
    if columns(text) <= room:
        return text
    while columns(text) > room - 1:
        text = text[:-1]
    return f"{text}…"


def left(text: str, room: int) -> str:
    return text + " " * (room - columns(text))


def right(text: str, room: int) -> str:
    return " " * (room - columns(text)) + text


def number(value: float) -> str:
    """Write a value with four digits."""
    return tick_text(float(f"{value:.4g}")) if math.isfinite(value) else "–"


def error_text(trace: Trace, point: int, among: Sequence[float]) -> str:
    """Write the error of a point: `± 0.003`, or its bounds where they are not as far from it on both sides."""
    if not trace.low or trace.low[point] == trace.high[point]:
        return ""
    value, low, high = trace.y[point], trace.low[point], trace.high[point]
    if math.isclose(value - low, high - value, rel_tol=1e-6):
        return f"± {cell_texts([high - value], among, 4)[0]}"
    return f"[{', '.join(cell_texts([low, high], among, 4))}]"
