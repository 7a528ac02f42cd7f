"""Texts that are computed when a plan is made: a column each, once for each combination of what it depends on."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Sequence
from typing import Final

from ..grammar.node import Node
from ..grammar.source import Span
from .fault import fault
from .format import apply_format, format_value
from .plan_distinct import Cell, plain
from .values import Absent, Path, Value

Result = str | list[str]


class TextColumn(Node):
    """*make* takes the values of *keys*, absent ones included; raises ``EvaluationError``."""

    keys: tuple[Path, ...]
    make: Callable[[Sequence[Cell]], Result]
    span: Span


class Texts:
    """The text columns of one experiment, each once."""

    def __init__(self) -> None:
        self.columns: list[TextColumn] = []
        self._known: dict[Hashable, int] = {}

    def add(self, name: Hashable, column: TextColumn) -> int:
        """Give the number of the column; *name* says what it holds."""
        if name not in self._known:
            self._known[name] = len(self.columns)
            self.columns.append(column)
        return self._known[name]


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
