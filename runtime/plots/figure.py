"""What a plot shows, as frozen data: positions, bounds, counts, labels, units. Nothing here knows how it is drawn.

Positions are floats in the unit of their axis, on a category axis the places of the categories from 0; a value that is
not there is NaN. Labels are the user's texts, as they are: who draws them has to escape them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Scale = Literal["linear", "log", "category", "time"]
NAN: Final = float("nan")


@dataclass(frozen=True, slots=True)
class Axis:
    """What one direction measures.

    *unit*: `s`, `min`, `GiB` … or nothing. *ticks*: the places that are to be marked, with their texts; none where the
    drawing may choose. *direction*: `minimize` or `maximize`, where a metric's declaration says what is better.
    *whole*: the values have no fractions.
    A time is in seconds since 1970, UTC.
    """

    label: str
    unit: str = ""
    scale: Scale = "linear"
    ticks: tuple[tuple[float, str], ...] = ()
    direction: str | None = None
    whole: bool = False

    @property
    def text(self) -> str:
        """The label with its unit."""
        return f"{self.label} ({self.unit})" if self.unit else self.label


@dataclass(frozen=True, slots=True)
class Trace:
    """Points of one colour. All tuples are of one length, or empty: *low* and *high* where nothing has an error.

    *n*: how many runs are behind each point; *runs*: the ids of all of them.
    """

    label: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    x_low: tuple[float, ...] = ()
    x_high: tuple[float, ...] = ()
    n: tuple[int, ...] = ()
    runs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Points:
    """A `line`, `scatter` or `bar`. *legend*: what tells the traces apart; *error*: what a band or whisker is."""

    kind: Literal["line", "scatter", "bar"]
    x: Axis
    y: Axis
    traces: tuple[Trace, ...]
    legend: str = ""
    error: str = ""
    title: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Box:
    """The values of one group, sorted; quartiles (linear), whiskers to the last value within 1.5 times their range."""

    x: float
    values: tuple[float, ...]
    whisker_low: float
    first_quartile: float
    median: float
    third_quartile: float
    whisker_high: float

    @property
    def outliers(self) -> tuple[float, ...]:
        return tuple(value for value in self.values if not self.whisker_low <= value <= self.whisker_high)


@dataclass(frozen=True, slots=True)
class BoxTrace:
    label: str
    boxes: tuple[Box, ...]
    runs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Boxes:
    """A `box` plot: a box for each place of *x* and each trace."""

    x: Axis
    y: Axis
    traces: tuple[BoxTrace, ...]
    legend: str = ""
    title: str = ""
    notes: tuple[str, ...] = ()
    kind: Literal["box"] = "box"


@dataclass(frozen=True, slots=True)
class Panel:
    """One grid of a heatmap: *values* and counts by row of *y*, then place of *x*."""

    label: str
    values: tuple[tuple[float, ...], ...]
    n: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Heatmap:
    """A `heatmap`; *x* and *y* are categories. All panels share their axes and colours."""

    x: Axis
    y: Axis
    z: Axis
    panels: tuple[Panel, ...]
    legend: str = ""
    title: str = ""
    notes: tuple[str, ...] = ()
    kind: Literal["heatmap"] = "heatmap"


@dataclass(frozen=True, slots=True)
class ParallelTrace:
    """Lines of one colour, or, of *by y*, all lines: for each its place on every axis; *runs* those behind each."""

    label: str
    lines: tuple[tuple[float, ...], ...]
    runs: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Parallel:
    """Parallel coordinates. The last axis is the plot's `y`; without a *legend* it gives the colour."""

    axes: tuple[Axis, ...]
    traces: tuple[ParallelTrace, ...]
    legend: str = ""
    title: str = ""
    notes: tuple[str, ...] = ()
    kind: Literal["parallel"] = "parallel"


Figure = Points | Boxes | Heatmap | Parallel
