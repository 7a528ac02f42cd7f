"""A result to an aligned table of plain text that fits a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ..grammar.screen import columns as width_of
from . import quantities
from .cell_text import TextColumn, text_column
from .query.result import Result

GAP: Final = "  "
BOLD: Final = "\x1b[1m"
PLAIN: Final = "\x1b[0m"
NARROWEST: Final = 12  # characters that a text column keeps in any case


@dataclass(slots=True)
class _Block:
    """A column ready to print: its heading and its cells, all of one width; *strong* are the rows to print bold.

    A *whole* one is never cut.
    """

    heading: str
    cells: list[str]
    right: bool
    strong: frozenset[int] = frozenset()
    whole: bool = False

    @property
    def width(self) -> int:
        return max(map(width_of, (self.heading, *self.cells)))


def table(result: Result, width: int, *, color: bool = False) -> str:
    """Give heading and rows, and beside each row how many of its runs are not done; a table too wide is parted.

    With *color* the best values are bold.
    """
    if not result.size:
        return "No runs." if not result.grouped else "No rows."
    columns = [text_column(column) for column in result.columns]
    blocks = [_block(column, grouped=result.grouped, color=color) for column in columns]
    notes = [quantities.states(undone) for undone in result.undone]
    if any(notes):
        blocks.append(_Block("", notes, False, whole=True))
    if _total(blocks) > width:
        _shorten_headings(blocks, columns)
    if _total(blocks) > width:
        _shorten_texts(blocks, width)
    keys = sum(column.key for column in columns)
    parts = _parts(blocks, keys, width)
    return "\n\n".join("\n".join(_lines(part)) for part in parts)


def _block(column: TextColumn, *, grouped: bool, color: bool) -> _Block:
    """Align values and errors each at its own side of the `±`."""
    cells = column.cells
    if column.error is not None:
        wide = max((len(cell) for cell in cells), default=0)
        narrow = max((len(error) for error in column.error), default=0)
        cells = [
            cell.rjust(wide) + (f" ± {error.rjust(narrow)}" if error else " " * (narrow + 3 if narrow else 0))
            for cell, error in zip(cells, column.error, strict=True)
        ]
    strong = column.best if color else frozenset()
    return _Block(column.name, cells, column.right and not (grouped and column.key), strong)


def _total(blocks: Sequence[_Block]) -> int:
    return sum(block.width for block in blocks) + len(GAP) * (len(blocks) - 1)


def _shorten_headings(blocks: Sequence[_Block], columns: Sequence[TextColumn]) -> None:
    """Leave of dotted keys the last segments that still tell them apart."""
    names = [block.heading for block in blocks]
    for block, column in zip(blocks, columns, strict=False):
        if not column.key or "(" in block.heading:
            continue
        segments = block.heading.split(".")
        for start in range(len(segments) - 1, 0, -1):
            short = ".".join(segments[start:])
            if sum(name == short or name.endswith(f".{short}") for name in names) == 1:
                block.heading = short
                break


def _shorten_texts(blocks: Sequence[_Block], width: int) -> None:
    """Cut the cells of text columns, the widest first, until the table fits."""
    while (over := _total(blocks) - width) > 0:
        widest = max((b for b in blocks if not b.right and not b.whole), key=lambda b: b.width, default=None)
        if widest is None or widest.width <= max(NARROWEST, width_of(widest.heading)):
            return
        room = max(widest.width - over, NARROWEST, width_of(widest.heading))
        widest.cells = [_cut(cell, room) for cell in widest.cells]


def _parts(blocks: Sequence[_Block], keys: int, width: int) -> list[list[_Block]]:
    """Part a table that is too wide; its first columns, the keys, stand in every part if they leave room."""
    head = list(blocks[:keys]) if _total(blocks[:keys]) <= width // 2 else []
    parts: list[list[_Block]] = [list(head)]
    for block in blocks[len(head) :]:
        if len(parts[-1]) > len(head) and _total([*parts[-1], block]) > width:
            parts.append(list(head))
        parts[-1].append(block)
    return parts


def _lines(blocks: Sequence[_Block]) -> list[str]:
    widths = [block.width for block in blocks]
    lines = [[_pad(block.heading, width, block.right) for block, width in zip(blocks, widths, strict=True)]]
    for row in range(len(blocks[0].cells)):
        lines.append(
            [
                _pad(block.cells[row], width, block.right, strong=row in block.strong)
                for block, width in zip(blocks, widths, strict=True)
            ]
        )
    return [GAP.join(cells).rstrip() for cells in lines]


def _pad(cell: str, width: int, right: bool, *, strong: bool = False) -> str:
    blanks = " " * (width - width_of(cell))
    if strong:
        cell = f"{BOLD}{cell}{PLAIN}"
    return blanks + cell if right else cell + blanks


def _cut(text: str, room: int) -> str:
    """Shorten a text to *room* columns of a terminal."""
    if width_of(text) <= room:
        return text
    kept = ""
    for char in text:
        if width_of(kept + char) >= room:
            break
        kept += char
    return kept + "…"
