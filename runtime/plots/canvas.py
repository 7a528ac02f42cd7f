"""A grid of terminal cells on which lines and letters are drawn: braille dots, or plain ASCII."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

BRAILLE: Final = 0x2800
# The bit of each dot of a braille character, by row and column of its two by four dots.
_BITS: Final = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
_COLOURS: Final = (34, 31, 32, 35, 36, 33, 90)


class Canvas:
    """*columns* by *rows* cells. Places go from 0 to 1, from left to right and from the bottom to the top."""

    def __init__(self, columns: int, rows: int, *, unicode: bool) -> None:
        self.columns, self.rows = columns, rows
        self.unicode = unicode
        self.mixed = False  # whether a star stands somewhere
        self._across, self._down = (2, 4) if unicode else (1, 1)
        self._dots = [[0] * columns for _ in range(rows)]
        self._marks: list[list[str]] = [[""] * columns for _ in range(rows)]
        self._owner = [[-1] * columns for _ in range(rows)]

    def line(self, start: tuple[float, float], end: tuple[float, float], owner: int) -> None:
        """Draw a straight line."""
        (x0, y0), (x1, y1) = self._fine(*start), self._fine(*end)
        steps = max(abs(x1 - x0), abs(y1 - y0), 1)
        for i in range(steps + 1):
            self._dot(x0 + round(i * (x1 - x0) / steps), y0 + round(i * (y1 - y0) / steps), owner)

    def mark(self, x: float, y: float, sign: str, owner: int) -> None:
        """Put a character on a place; a star where there are several of different owners."""
        fine_x, fine_y = self._fine(x, y)
        column, row = fine_x // self._across, fine_y // self._down
        taken = bool(self._marks[row][column]) and (self._owner[row][column] != owner)
        self.mixed = self.mixed or taken
        self._marks[row][column] = "*" if taken else sign
        self._owner[row][column] = owner

    def has_mark(self, x: float, y: float) -> bool:
        fine_x, fine_y = self._fine(x, y)
        return bool(self._marks[fine_y // self._down][fine_x // self._across])

    def _fine(self, x: float, y: float) -> tuple[int, int]:
        wide, tall = self.columns * self._across - 1, self.rows * self._down - 1
        return min(max(round(x * wide), 0), wide), tall - min(max(round(y * tall), 0), tall)

    def _dot(self, x: int, y: int, owner: int) -> None:
        column, row = x // self._across, y // self._down
        self._dots[row][column] |= _BITS[y % self._down][x % self._across] if self.unicode else 1
        if not self._marks[row][column]:
            self._owner[row][column] = owner

    def lines(self, *, colour: bool) -> Iterator[str]:
        """Give the rows as texts, from the top."""
        for dots, marks, owners in zip(self._dots, self._marks, self._owner, strict=True):
            cells = (
                paint(mark or self._sign(dot), owner if colour else -1)
                for dot, mark, owner in zip(dots, marks, owners, strict=True)
            )
            yield "".join(cells)

    def _sign(self, dot: int) -> str:
        if not dot:
            return " "
        return chr(BRAILLE + dot) if self.unicode else "."


def paint(text: str, owner: int) -> str:
    """Put the colour of a trace around a text; -1 is no trace."""
    return text if owner < 0 or text == " " else f"\x1b[{_COLOURS[owner % len(_COLOURS)]}m{text}\x1b[0m"
