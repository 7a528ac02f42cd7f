"""A row of a result to the runs behind it and behind each of its cells: used, missing, with which code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from .planned import Value


@dataclass(frozen=True, slots=True)
class RunSource:
    """A run, or one attempt of it, behind a cell. What it never had is null: a planned run has id and state alone.

    *snapshot* is the git tree that it ran with, *code* the fingerprint of those of its files that count as its code;
    two runs with one *code* ran the same program. *witness* is what vouches for that (see docs/formats.md). Of a run
    that somebody *accepted*, which says by whom and why, *code* is what it counts as since. *version* is the number of
    a result that the run had before it was run again; of its present result it is null.
    """

    id: str
    experiment: str
    state: str
    attempt: int | None = None
    snapshot: str | None = None
    code: str | None = None
    commit: str | None = None
    dirty: bool | None = None
    witness: str | None = None
    started: str | None = None
    ended: str | None = None
    accepted: str | None = None
    version: int | None = None

    @property
    def name(self) -> str:
        """The id, and of an earlier result `ID.v1`, as `xpc show` takes it."""
        return self.id if self.version is None else f"{self.id}.v{self.version}"

    def shown(self, digits: int) -> str:
        """Give the name with that many digits of the id."""
        return self.id[:digits] + self.name[len(self.id) :]


@dataclass(frozen=True, slots=True)
class CellSource:
    """The runs behind one column of a row: those with a value, *n* of them, and those *missing* one.

    *baseline* are the partners that `diff`, `ratio` and `p_value` compare with, *unpaired* the runs without one.
    *above* are the ancestors whose values are read.
    """

    used: tuple[RunSource, ...]
    missing: tuple[RunSource, ...] = ()
    baseline: tuple[RunSource, ...] = ()
    unpaired: tuple[RunSource, ...] = ()
    above: tuple[RunSource, ...] = ()

    @property
    def n(self) -> int:
        return len(self.used)


@dataclass(frozen=True, slots=True)
class RowSource:
    """The runs behind a row, in row order.

    *runs* are those that the row is made of; *absent* those that would belong to it and that `where` left out for their
    state alone. *cells* are by column name; a `±` is one cell, under the name of its value.
    """

    runs: tuple[RunSource, ...]
    absent: tuple[RunSource, ...]
    cells: Mapping[str, CellSource]

    @property
    def planned(self) -> int:
        """How many runs the study has for this row."""
        return len(self.runs) + len(self.absent)

    @property
    def undone(self) -> tuple[RunSource, ...]:
        """The runs of this row that are not done, counted in it or not."""
        return tuple(run for run in (*self.runs, *self.absent) if run.state != "done")

    @property
    def codes(self) -> tuple[str, ...]:
        """The different code versions of the runs that the row is made of."""
        return tuple(dict.fromkeys(run.code for run in self.runs if run.code is not None))


class Trace(Protocol):
    """What can tell of each row of a result where it comes from."""

    def row(self, row: int) -> RowSource: ...
    def places(self) -> list[int]: ...


@dataclass(frozen=True, slots=True)
class Pairing:
    """How the cells of a column pair runs with baseline runs: for each row pairs of places, and places without one."""

    pairs: Sequence[Sequence[tuple[int, int]]]
    unpaired: Sequence[Sequence[int]]


@dataclass(frozen=True, slots=True)
class Inputs:
    """What the cells of a column were made of.

    *columns* of run values, of all selected runs; *pairings*; the experiments of *ancestors* whose values are read.
    """

    columns: Sequence[Sequence[Value]] = ()
    pairings: Sequence[Pairing] = ()
    ancestors: Sequence[str] = ()
