"""What a terminal shows: colours, the columns a character takes, and nothing that a terminal would obey."""

from __future__ import annotations

import unicodedata

_TAB = 4
_CODES = {
    "error": "1;31",
    "warning": "1;33",
    "note": "1;36",
    "help": "1;36",
    "strong": "1",
    "gutter": "1;34",
    "second": "1;34",
}
# Characters that reorder or break a line; controls (Cc) are found by their category.
_HARMFUL = frozenset("\u061c\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")


class Paint:
    """Puts ANSI colours around a text, or does not."""

    __slots__ = ("on",)

    def __init__(self, on: bool) -> None:
        self.on = on

    def __call__(self, style: str, text: str) -> str:
        return f"\x1b[{_CODES[style]}m{text}\x1b[0m" if self.on and text else text


def visible(text: str) -> str:
    """Replace what a terminal would obey rather than show."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_shown, text))


def _shown(char: str) -> str:
    if char == "\t":
        return " " * _TAB
    code = ord(char)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    return "\ufffd" if char in _HARMFUL or unicodedata.category(char) in ("Cc", "Cs") else char


def printable_json(text: str) -> str:
    """Give JSON with its own escapes for what a terminal would obey, or no encoding has; it stays the same value."""
    if text.isascii():
        return text.replace("\x7f", "\\u007f")
    return "".join(char if _shown(char) == char or char in "\n\t" else f"\\u{ord(char):04x}" for char in text)


def columns(text: str) -> int:
    """Count the terminal columns that ``visible(text)`` takes."""
    if text.isascii() and text.isprintable():
        return len(text)
    return sum(map(_columns, text))


def _columns(char: str) -> int:
    if char == "\t":
        return _TAB
    if char < "\x7f" or char in _HARMFUL:
        return 1
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
