"""An unknown name to the help line that offers the known name which was probably meant."""

from __future__ import annotations

from collections.abc import Iterable

from ..grammar.nearest import nearest
from ..grammar.source import Span


def did_you_mean(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """Give the help line for *name*, or none; a key's last segments alone are offered the whole key."""
    names = list(known)
    found = nearest(name, names)
    if found is None:
        found = min((other for other in names if other.endswith("." + name)), default=None)
    return (f"did you mean `{found}`?",) if found is not None else ()


def hyphened_key(span: Span, known: Iterable[str]) -> str | None:
    """Give how the known key is written of which *span* is the part before or behind a `-`, as in `batch-size`."""
    text = span.source.text
    start = text.rfind("\n", 0, span.start) + 1
    for name in known:
        plain = name.replace('"', "")
        if plain == name or "-" not in plain:
            continue
        if text.startswith(plain, span.start) or text.endswith(plain, start, span.end):
            outer = next((sign for sign in text[start : span.start] if sign in "\"'"), "'")
            inner = "'" if outer == '"' else '"'
            return f"config.{name.replace(chr(34), inner)}"
    return None
