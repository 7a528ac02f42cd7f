"""What a query needs to know of the study's run tables. The compiler's `Table` has all of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Protocol

from ..metrics import DeclaringExperiment

Value = Any  # null, a bool, a number, a text, a list or a map of values
Path = tuple[str, ...]

NONE_HERE: Final = 0xFFFFFFFF  # the code of a row that lacks the key


class PlannedColumn(Protocol):
    """A pool of distinct values and a code a row."""

    @property
    def pool(self) -> Sequence[Value]: ...
    @property
    def codes(self) -> Sequence[int]: ...


class PlannedParents(Protocol):
    """Which rows of another table each row comes after."""

    @property
    def experiment(self) -> str: ...
    def of(self, row: int) -> Sequence[int]: ...


class PlannedExperiment(DeclaringExperiment, Protocol):
    @property
    def tags(self) -> Sequence[str]: ...


class Planned(Protocol):
    """All runs of one experiment, column by column; a key with one value in all rows is a constant."""

    @property
    def experiment(self) -> PlannedExperiment: ...
    @property
    def count(self) -> int: ...
    @property
    def order(self) -> Sequence[Path]: ...
    @property
    def constants(self) -> Mapping[Path, Value]: ...
    @property
    def columns(self) -> Mapping[Path, PlannedColumn]: ...
    @property
    def axes(self) -> Sequence[Path]: ...
    @property
    def parents(self) -> Sequence[PlannedParents]: ...
    def ids(self) -> Iterator[str]: ...
