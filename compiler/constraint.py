"""``skip if`` and ``keep if``: conditions to rows that stay, as soon as all that a condition names has its value.

A constraint holds for all points of the grid (or of the arm) that it stands in, wherever it stands. One that names a
key which is set later, by another grid of a product, waits: a hidden column marks the rows that it is for.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from .findings import Findings
from .late import Late, Poisoned
from .product import HIDDEN, Cells, Frame
from .study import Constraint, Experiment
from .table import NONE_HERE
from .values import Path

OPPOSITE: Final = bytes([1, 0, *range(2, 256)])
"""Turns a mask of ones and noughts round, by ``translate``."""


class Constraints:
    """The constraints of one experiment's grid, and those of them that have taken points away."""

    def __init__(self, experiment: Experiment, findings: Findings) -> None:
        self.experiment = experiment
        self.findings = findings
        self.marked: dict[Path, Constraint] = {}
        self.effective: list[Constraint] = []

    def add(self, frame: Frame, constraint: Constraint) -> Frame:
        """Mark the rows of *frame* as those that *constraint* is for."""
        mark = self.mark(constraint)
        self.marked[mark] = constraint
        return frame.with_columns({mark: Cells([True], None)})

    def mark(self, constraint: Constraint) -> Path:
        return (HIDDEN, "constraint", str(id(constraint)))

    def apply(self, frame: Frame, later: Collection[Path], only: Sequence[Constraint] | None = None) -> Frame:
        """Take away the points that constraints (or *only* some) refuse; those that name keys of *later* wait."""
        chosen = self.marked if only is None else {self.mark(constraint): constraint for constraint in only}
        for mark, constraint in chosen.items():
            if mark in frame.columns and not waits(Late(self.experiment, frame, self.findings), constraint, later):
                frame = self._filtered(frame.without(mark), frame.columns[mark], constraint)
        return frame

    def _filtered(self, frame: Frame, mark: Cells, constraint: Constraint) -> Frame:
        codes = mark.codes
        if codes is None or NONE_HERE not in codes:
            keep = kept(Late(self.experiment, frame, self.findings), constraint)
        else:
            inside = bytes([code != NONE_HERE for code in codes])
            held = kept(Late(self.experiment, frame.select(inside, sum(inside)), self.findings), constraint)
            outcomes = iter(held)
            keep = bytes([next(outcomes) if here else 1 for here in inside])
        count = keep.count(1)
        if count < frame.count:
            self.effective.append(constraint)
        return frame.select(keep, count)


def waits(late: Late, constraint: Constraint, later: Collection[Path]) -> bool:
    """Tell whether a constraint hangs on a key of *later*."""
    if not later:
        return False
    named = late.dependencies(constraint.condition.names)
    return any(path in named or any(path[: len(name)] == name for name in named) for path in later)


def kept(late: Late, constraint: Constraint) -> bytes:
    """Give a 1 for each row that stays; all do if the condition can't be evaluated, which has been reported."""
    try:
        mask = late.mask(constraint.condition)
    except Poisoned:
        late.findings.broken = True
        return b"\1" * late.frame.count
    if isinstance(mask, bool):
        return bytes([mask == constraint.keep]) * late.frame.count
    return mask if constraint.keep else mask.translate(OPPOSITE)
