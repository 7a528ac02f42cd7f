"""A run's output to the values of declared metrics, found by their patterns, in bounded memory."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from typing import Final

from .run_files import open_file

BLOCK: Final = 1 << 20  # characters that are searched in one go; blocks end where a line ends
_EXPONENT: Final = re.compile(r"[eE][-+]?[0-9]+(?!\w|\.[0-9])")


def search(path: str, patterns: Mapping[str, str]) -> Iterator[tuple[str, float]]:
    """Give every match in the file as the metric's name and the number of group 1 (of the match, if it has no group).

    `^` and `$` are the ends of a line, and a carriage return ends one, too. A match that is no number is passed over.
    A number whose exponent the pattern leaves out (`[0-9.]+` on `3.2e-05`) is read with it: half of it is another one.
    """
    compiled = {name: re.compile(pattern, re.MULTILINE) for name, pattern in patterns.items()}
    for block in _blocks(path):
        for name, pattern in compiled.items():
            group = 1 if pattern.groups else 0
            for match in pattern.finditer(block):
                value = _number(_whole(match, group))
                if value is not None:
                    yield name, value


def _whole(match: re.Match[str], group: int) -> str | None:
    """Give what a group has matched, with the exponent that goes on right behind it."""
    text = match[group]
    if not text or text[-1] not in "0123456789.":
        return text
    behind = _EXPONENT.match(match.string, match.end(group))
    return text if behind is None else text + behind[0]


def _blocks(path: str) -> Iterator[str]:
    """Give a text in blocks of whole lines; a line longer than a block is cut."""
    try:
        # Universal newlines: progress bars end their lines by carriage returns.
        file = io.TextIOWrapper(open_file(path), encoding="utf-8", errors="replace")
    except PermissionError:
        raise
    except OSError:
        return
    with file:
        rest = ""
        while block := file.read(BLOCK):
            rest += block
            cut = rest.rfind("\n") + 1
            if cut or len(rest) > 4 * BLOCK:
                yield rest[: cut or len(rest)]
                rest = rest[cut or len(rest) :]
        if rest:
            yield rest


def _number(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        return float(text)
    except ValueError:
        return _trimmed(text)


def _trimmed(text: str) -> float | None:
    """Read a number that a generous pattern such as `[0-9.]+` has taken a full stop or comma too much with."""
    try:
        return float(text.strip(" \t.,;:%"))
    except ValueError:
        return None
