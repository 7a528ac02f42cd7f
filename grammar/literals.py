"""Numbers, quantities and long lists: tokens to values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, overload

from .source import Span
from .tree import Number, Quantity, Scalar, Values

if TYPE_CHECKING:
    from .lexer import Excerpt, Lexeme

LARGEST = 2**63 - 1
_SIZES = {
    "B": 1,
    "kB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
    "TiB": 2**40,
}
_MILLISECONDS = {"d": 86_400_000, "h": 3_600_000, "min": 60_000, "s": 1000, "ms": 1}
_PART = re.compile(r"(\d+)(?:\.(\d+))?([A-Za-z]+)")
_ELEMENT = re.compile(r"#[^\n]*|(?P<text>\"[^\"]*\"|'[^']*')|(?P<plain>[^\s,\[\]#]+)")
_WORDS: dict[str, Scalar] = {"true": True, "false": False, "null": None}


def integer(token: Lexeme) -> Number:
    """Give an integer. The least one has no positive counterpart: right after a ``-`` one more is read."""
    if len(token) > 19 or int(token) > LARGEST + _after_minus(token):
        _report(
            token,
            f"`{_short(token)}` is too large for an integer",
            "integers have 64 bits, from -9223372036854775808 to 9223372036854775807",
        )
        return Number(0, token.span)
    return Number(int(token), token.span)


def _after_minus(token: Lexeme) -> bool:
    text, end = token.excerpt.text, token.start_pos or 0
    while end and text[end - 1] in " \t\r\n":
        end -= 1
    return text[end - 1 : end] == "-"


def float_number(token: Lexeme) -> Number:
    value = float(token)
    if value == float("inf"):
        _report(token, f"`{_short(token)}` is too large for a float", "floats go up to about 1.8e308")
        value = 0.0
    return Number(value, token.span)


def size(token: Lexeme) -> Quantity:
    """Give a size in bytes; it must be a whole number of them."""
    found = _PART.fullmatch(token)
    digits, fraction, unit = found.groups("") if found else ("0", "", "B")
    amount, divisor = _scaled(digits, fraction, _SIZES[unit])
    value, rest = divmod(amount, divisor)
    if rest or value > LARGEST:
        if rest:
            _report(token, f"`{_short(token)}` is not a whole number of bytes", "for example `1.5kB`", "XP012")
        else:
            _report(token, f"`{_short(token)}` is too large for a size", "sizes go up to 8388607TiB")
        value = 0
    return Quantity(value, "size", token.span)


def duration(token: Lexeme) -> Quantity:
    """Give a duration in seconds, an integer if it is whole. Units stand from large to small, each once."""
    total, divisor = 0, 1
    units: list[str] = []
    for digits, fraction, unit in _PART.findall(token):
        units.append(unit)
        above, below = _scaled(digits, fraction, _MILLISECONDS[unit])
        total, divisor = total * below + above * divisor, divisor * below
    if units != [unit for unit in _MILLISECONDS if unit in units]:
        message = f"`{token}` has its units out of order"
        _report(token, message, "write them from large to small, each once: `1d12h30min`", "XP012")
    divisor *= 1000
    whole, rest = divmod(total, divisor)
    return Quantity(total / divisor if rest else whole, "duration", token.span)


def _scaled(digits: str, fraction: str, unit: int) -> tuple[int, int]:
    return int(digits + fraction) * unit, 10 ** len(fraction)


def values(token: Lexeme) -> Values:
    """Read a long list of plain literals without a node for each."""
    found = [_plain(m[0], m.lastgroup) for m in _ELEMENT.finditer(token, 1) if m.lastgroup]
    starts, ends = Places(token, 0), Places(token, 1)
    for index, value in enumerate(found):
        if isinstance(value, int | float) and not -LARGEST - 1 <= value <= LARGEST and _too_large(value):
            span = Span(token.excerpt.source, starts[index], ends[index])
            token.excerpt.report.error("XP017", span, f"`{_short(span.text)}` is too large")
            found[index] = 0
    return Values(tuple(found), token.span, starts, ends)


def _plain(text: str, kind: str | None) -> Scalar:
    if kind == "text":
        return text[1:-1]
    if text in _WORDS:
        return _WORDS[text]
    try:
        return int(text) if len(text) < 30 else float(text)
    except ValueError:
        return float(text)


def _too_large(value: float) -> bool:
    return isinstance(value, int) or value in (float("inf"), float("-inf"))


class Places(Sequence[int]):
    """Where the elements of a long list begin (*side* 0) or end (1), found when the first one is asked for."""

    __slots__ = ("_found", "_side", "_token")

    def __init__(self, token: Lexeme, side: int) -> None:
        self._token = token
        self._side = side
        self._found: list[int] | None = None

    def _all(self) -> list[int]:
        if self._found is None:
            begin = self._token.start_pos or 0
            excerpt = self._token.excerpt
            self._found = [
                excerpt.span(begin + m.start(), begin + m.end()).start if self._side == 0 else _end(excerpt, begin, m)
                for m in _ELEMENT.finditer(self._token, 1)
                if m.lastgroup
            ]
        return self._found

    def __len__(self) -> int:
        return len(self._all())

    def __iter__(self) -> Iterator[int]:
        return iter(self._all())

    @overload
    def __getitem__(self, index: int) -> int: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[int]: ...
    def __getitem__(self, index: int | slice) -> int | Sequence[int]:
        return self._all()[index]


def _end(excerpt: Excerpt, begin: int, found: re.Match[str]) -> int:
    return excerpt.span(begin + found.start(), begin + found.end()).end


def _short(token: str) -> str:
    return token if len(token) <= 24 else token[:20] + "…"


def _report(token: Lexeme, message: str, help_line: str, code: str = "XP017") -> None:
    token.excerpt.report.error(code, token.span, message, help=help_line)
