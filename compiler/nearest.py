"""An unknown name to the help line that offers the known name which was probably meant."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..grammar.nearest import nearest
from ..grammar.source import Span

LINES = (
    *("after", "checkpoint", "code", "config", "environment", "folds", "grid", "metrics"),
    *("pack", "repeat", "resources", "retries", "run", "tags", "workdir", "writable"),
)
REQUESTS = ("cpus", "disk", "gpus", "memory", "nodes", "tasks", "time")


def line_meant(name: str, span: Span) -> tuple[str, ...]:
    """Give the help line for a value `name = …`, at *span*, that is a line here, or stands in another block."""
    if name in REQUESTS:
        return (f"`{name}` stands in a `resources` block",)
    rest = re.match(r"[ \t]*=[ \t]*([^#\n]*)", span.source.text[span.end :])
    if name not in LINES or rest is None:
        return ()
    return (f"write `{name} {rest[1].strip()}`",)


def line_named(span: Span) -> str:
    """Give the line that `config = base` is meant as, where *span* is its name; nothing for other lines."""
    text = span.source.text
    before = text[text.rfind("\n", 0, span.start) + 1 : span.start]
    found = re.fullmatch(r"[ \t]*(after|config|environment|grid|resources)[ \t]*=[ \t]*", before)
    return f"{found[1]} {span.text}" if found else ""


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
