"""A path that a user wrote to the text of that file, or to the error that says why not."""

from __future__ import annotations

from typing import Final

from ..grammar.source import Span
from .fault import fault
from .scope import World

LARGEST: Final = 16 * 1024 * 1024  # bytes
LINK: Final = 'make a folder outside the project known by a line `link "…"`'


def read_text(path: str, span: Span, world: World) -> str:
    """Give the text of a UTF-8 file; raises ``EvaluationError`` if it cannot be had."""
    if not path or "\0" in path:
        raise fault("XP100", span, "a path is needed here", "a NUL character" if path else "empty")
    if not world.files.is_inside(path, world.roots):
        raise fault("XP049", span, f"`{path}` lies outside the project", "outside", help=LINK)
    try:
        content = world.files.read(path)
    except OSError as reason:
        why = (reason.strerror or type(reason).__name__).lower()
        raise fault("XP100", span, f"cannot read `{path}`: {why}", why) from None
    if len(content) > LARGEST:
        size = f"{len(content):,}"
        raise fault("XP030", span, f"`{path}` has {size} bytes, and {LARGEST:,} is the most", "too large")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as reason:
        line = content.count(b"\n", 0, reason.start) + 1
        raise fault(
            "XP111", span, f"`{path}` is no UTF-8 text: line {line} has a byte that does not belong there", "not UTF-8"
        ) from None
    return text
