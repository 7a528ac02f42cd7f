"""Texts that are computed when a plan is made: a column each, once for each combination of what it depends on."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Hashable, Sequence
from typing import Final

from ..grammar.node import Node
from ..grammar.source import Span
from .fault import EvaluationError, fault
from .format import apply_format, format_value
from .plan_distinct import Cell, leaves, plain, used_values
from .table import Table
from .template import ListWord, Part, TextPart, Word
from .values import ABSENT, Absent, Path, Value

Result = str | list[str]
Make = Callable[[Sequence[Cell]], Result]


class TextColumn(Node):
    """*make* takes the values of *keys*, absent ones included; raises ``EvaluationError``."""

    keys: tuple[Path, ...]
    make: Make
    span: Span


class Columns:
    """The text columns of one experiment, each once. What is the same in all rows is no column, but literal text.

    *table* is missing when the grid could not be expanded: then no key has values.
    """

    def __init__(self, table: Table | None, labels: Container[Path], span: Span) -> None:
        self.table = table
        self.labels = labels
        self.span = span
        self.all: list[TextColumn] = []
        self._known: dict[Hashable, int] = {}

    def text(self, name: Hashable, keys: tuple[Path, ...], make: Make, span: Span | None = None) -> Part:
        """Give the part of a text that *make* gives; *name* says what it is of."""
        constant = self._constant(keys, make)
        return constant if isinstance(constant, str) else TextPart(self._add(name, keys, make, span))

    def words(self, name: Hashable, keys: tuple[Path, ...], make: Make, span: Span | None = None) -> tuple[Word, ...]:
        """Give the words of the list that *make* gives."""
        constant = self._constant(keys, make)
        if isinstance(constant, list):
            return tuple((word,) for word in constant)
        return (ListWord(self._add(name, keys, make, span)),)

    def _add(self, name: Hashable, keys: tuple[Path, ...], make: Make, span: Span | None) -> int:
        if name not in self._known:
            self._known[name] = len(self.all)
            self.all.append(TextColumn(keys, make, span or self.span))
        return self._known[name]

    def _constant(self, keys: tuple[Path, ...], make: Make) -> Result | None:
        """Give what is the same in all rows. A mistake waits until the columns are made, to be reported there."""
        if self.table is None or any(key in self.table.columns for key in keys):
            return None
        try:
            found = make([self.table.constants.get(key, ABSENT) for key in keys])
        except EvaluationError:
            return None
        return None if "\0" in (found if isinstance(found, str) else "".join(found)) else found

    def values(self, key: Path) -> list[Cell]:
        """Give the distinct values that rows have of a key."""
        return [] if self.table is None else used_values(self.table, key)

    def leaves(self, group: Path) -> tuple[Path, ...]:
        """Give the keys below a group, in config order."""
        return leaves(self.table, group, self.labels)


def printed(value: Value, spec: str | None, span: Span) -> str:
    """Give a value as text, in a format if there is one."""
    if spec is None:
        return format_value(value)
    try:
        return apply_format(value, spec)
    except ValueError as reason:
        raise fault("XP055", span, str(reason), "format") from None


def flag_words(name: str, cell: Cell) -> list[str]:
    """Give ``--name VALUE`` as words: nothing for null, false and absent, the name alone for true."""
    value = plain(cell)
    if value is None or value is False:
        return []
    if value is True:
        return [f"--{name}"]
    if isinstance(value, list):
        return [f"--{name}", *map(format_value, value)]
    return [f"--{name}", format_value(value)]


def raw_words(cell: Cell, span: Span) -> list[str]:
    """Give a text cut at its blanks."""
    value = plain(cell)
    if value is None:
        return []
    if not isinstance(value, str):
        raise fault(
            "XP087",
            span,
            f"`:raw` is for texts, and this is `{format_value(value)}`",
            "not a text",
            help="leave `:raw` out",
        )
    return value.split()


# ------------------------------------------------------------------ Hydra's way to write an override

_BARE: Final = re.compile(r"[A-Za-z_/][A-Za-z0-9_/.+%@-]*")
_WORDS: Final = ("true", "false", "null", "inf", "nan")


def override_words(key: Path, cell: Cell) -> list[str]:
    """Give ``key=value`` as Hydra reads it; nothing for a key that the point lacks."""
    return [] if isinstance(cell, Absent) else [f"{'.'.join(key)}={hydra(cell)}"]


def hydra(value: Value) -> str:
    """Give a value in Hydra's grammar for overrides."""
    match value:
        case str():
            return value if _BARE.fullmatch(value) and value.lower() not in _WORDS else _quoted(value)
        case list():
            return f"[{','.join(map(hydra, value))}]"
        case dict():
            return f"{{{','.join(f'{_name(key)}:{hydra(inside)}' for key, inside in value.items())}}}"
        case _:
            return format_value(value)


def _name(key: str) -> str:
    return key if _BARE.fullmatch(key) else _quoted(key)


def _quoted(text: str) -> str:
    """Quote as Hydra does: a backslash counts only before a quote, and ``${`` would be an interpolation."""
    inside = re.sub(r"(\\*)('|$)", lambda found: found[1] * 2 + ("\\'" if found[2] else ""), text)
    return f"'{inside.replace('${', chr(92) + '${')}'"


def is_plain_scalar(cell: Cell) -> bool:
    """Tell whether a flag with this value is always two words: its name and the value."""
    return not isinstance(cell, Absent | bool | list) and cell is not None
