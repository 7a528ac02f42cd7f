"""An unknown name to the help line that offers the known name which was probably meant."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..grammar.nearest import nearest
from ..grammar.source import Span

LINES = (
    *("after", "checkpoint", "code", "config", "environment", "folds", "grid", "input", "metrics", "output"),
    *("pack", "repeat", "resources", "retries", "run", "tags", "workdir", "writable"),
)
REQUESTS = ("cpus", "disk", "gpus", "memory", "nodes", "tasks", "time")
OF_ENVIRONMENT = ("container", "secret", "setup")
SCHEDULERS = ("slurm", "oar")
_BARE = ("after", "config", "environment", "grid", "resources", "secret", "workdir")
_VALUE = re.compile(r"""[ \t]*=[ \t]*((?:"[^"\n]*"|'[^'\n]*'|[^#\n"'])*)""")


def line_meant(name: str, span: Span, place: str = "here") -> tuple[str, ...]:
    """Give the help line for a value `name = …`, at *span*, that is a line here, or stands in another block.

    *place* is where the line of an experiment stands, as seen from the value.
    """
    found = _VALUE.match(span.source.text, span.end)
    value = found[1].strip() if found is not None else ""
    if name in REQUESTS or name.partition(".")[0] in SCHEDULERS:
        return (_in_block("resources", name, f"{name} = {value}" if value else "", place),)
    if not value:
        return ()
    written = _written(name, value)
    if name in OF_ENVIRONMENT:
        return (_in_block("environment", name, written, place),)
    if name not in LINES:
        return ()
    return (f"write `{written}`" + ("" if place == "here" else f" {place}"),)


def _written(name: str, value: str) -> str:
    """Give the line of a word that takes no `=`."""
    if name in _BARE:
        value = value.strip("\"'")
    if name in ("code", "tags"):
        value = value.strip("[]")
    return f"{name} NAME = {value}" if name in ("input", "output") else f"{name} {value}"


def _in_block(block: str, name: str, line: str, place: str) -> str:
    article = "an" if block == "environment" else "a"
    below = f": `{line}` below `{block} NAME:`, and `{block} NAME` {place}" if line else ""
    return f"`{name}` stands in {article} `{block}` block{below}"


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
