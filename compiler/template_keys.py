"""Keys to what stands for them in a text: their values, flags, overrides, JSON."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence

from ..grammar.node import Node
from ..grammar.source import Span
from .format import as_json, format_value
from .plan_distinct import Cell, plain, tree_json
from .template import KeyPart, Part, Word
from .template_texts import Columns, Result, flag_words, is_plain_scalar, override_words, printed, raw_words
from .values import Absent, Path


class One(Node):
    """Exactly one text. *raw*: the shell may cut it into words."""

    part: Part
    raw: bool = False


class Many(Node):
    """Any number of whole words."""

    words: tuple[Word, ...]


Filled = One | Many


def value(columns: Columns, path: Path) -> Filled:
    """Give a key's value: as many words as it has elements where it is a list in some row."""
    values = columns.values(path)
    if any(isinstance(value, list) for value in values):
        return elements(columns, path, None, columns.span)
    if any(isinstance(value, Absent) for value in values):
        return One(columns.text(("text", path), (path,), lambda cells: format_value(plain(cells[0]))))
    return One(KeyPart(path))


def formatted(columns: Columns, path: Path, spec: str, span: Span) -> Filled:
    """Give a key's value in a format, the elements of a list each in it."""
    if any(isinstance(value, list) for value in columns.values(path)):
        return elements(columns, path, spec, span)
    return One(columns.text((spec, path), (path,), lambda cells: printed(plain(cells[0]), spec, span), span))


def elements(columns: Columns, path: Path, spec: str | None, span: Span) -> Many:
    def make(cells: Sequence[Cell]) -> Result:
        value = plain(cells[0])
        return [printed(item, spec, span) for item in (value if isinstance(value, list) else [value])]

    return Many(columns.words((spec, "list", path), (path,), make, span))


def raw(columns: Columns, path: Path, span: Span) -> One:
    """Give a text that the shell may cut."""

    def make(cells: Sequence[Cell]) -> Result:
        return format_value(plain(cells[0])) if raw_words(cells[0], span) else ""

    return One(columns.text(("raw", path), (path,), make, span), raw=True)


def cut(columns: Columns, path: Path, span: Span) -> Many:
    """Give a text cut at its blanks, where no shell is to do it."""
    return Many(columns.words(("raw words", path), (path,), lambda cells: raw_words(cells[0], span), span))


def json_of(columns: Columns, path: Path, span: Span) -> One:
    return One(columns.text(("json", path), (path,), lambda cells: as_json(plain(cells[0])), span))


def json_of_group(columns: Columns, path: Path, span: Span) -> One:
    keys = columns.leaves(path)
    return One(columns.text(("json", path), keys, lambda cells: tree_json(keys, len(path), cells), span))


def flags(columns: Columns, group: Path) -> Many:
    """Give a flag for each key below a group, by their names inside it."""
    keys = columns.leaves(group)
    return Many(tuple(word for key in keys for word in flag(columns, ".".join(key[len(group) :]), key)))


def flag(columns: Columns, name: str, path: Path) -> tuple[Word, ...]:
    """Give the words of a flag: as few as do for all rows."""
    if all(map(is_plain_scalar, columns.values(path))):
        return ((f"--{name}",), (KeyPart(path),))
    return columns.words(("flag", name, path), (path,), lambda cells: flag_words(name, cells[0]))


def overrides(columns: Columns, given: Container[Path], instead: Container[Path]) -> Many:
    """Give the keys of *given* as Hydra's overrides, those of *instead* left out."""
    order = () if columns.table is None else columns.table.order
    return Many(tuple(word for key in order if key in given and key not in instead for word in _override(columns, key)))


def _override(columns: Columns, key: Path) -> Iterator[Word]:
    if all(isinstance(value, int | float) for value in columns.values(key)):
        yield (f"{'.'.join(key)}=", KeyPart(key))
    else:
        yield from columns.words(("override", key), (key,), lambda cells: override_words(key, cells[0]))
