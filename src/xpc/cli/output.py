"""How things are said: diagnostics, counts, sizes, durations."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TextIO

from xpc.grammar.diagnostic import Diagnostic, Diagnostics

MINUTE, HOUR, DAY = 60, 3600, 86400


def colour_wanted(stream: TextIO) -> bool:
    """Colour is for terminals, and for those only who have not said NO_COLOR."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def print_diagnostics(diagnostics: Diagnostics, format: str = "full", stream: TextIO | None = None) -> None:
    """Print all findings, in file order, to *stream* (the error stream)."""
    stream = sys.stderr if stream is None else stream
    found = diagnostics.sorted()
    if not found and format != "json":
        return
    from xpc.grammar.render import render

    text = render(found, format, color=colour_wanted(stream))
    stream.write(text if text.endswith("\n") else text + "\n")


def verdict(found: Sequence[Diagnostic]) -> str:
    """Give `2 errors, 1 warning`."""
    parts = []
    for severity in ("error", "warning"):
        number = sum(d.severity == severity for d in found)
        if number:
            parts.append(count(number, severity))
    return ", ".join(parts)


def json_text(value: object) -> str:
    """Give JSON on one line; names that strangers chose hold nothing there that a terminal would obey.

    JSON has no infinity and no NaN: these are null.
    """
    import json

    from xpc.grammar.screen import printable_json

    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    except ValueError:
        from xpc.runtime.tables import json_value

        text = json.dumps(json_value(value), ensure_ascii=False, allow_nan=False)
    return printable_json(text)


def count(number: int, noun: str) -> str:
    """Give `1 run`, `1,200 runs`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def size(bytes_: int) -> str:
    """Give `8 GiB`."""
    amount = float(bytes_)
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if amount < 1024 or unit == "TiB":
            return f"{amount:.1f} {unit}".replace(".0 ", " ")
        amount /= 1024
    raise AssertionError


def duration(seconds: float) -> str:
    """Give `30 min`, `1 h 30 min`, `2 d 4 h`, `12.5 s`."""
    if seconds < MINUTE:
        return f"{seconds:.3g} s"
    if seconds < HOUR:
        whole, rest = divmod(round(seconds), MINUTE)
        return f"{whole} min {rest} s" if rest else f"{whole} min"
    whole, rest = divmod(round(seconds / MINUTE), 60)
    if whole < 24:
        return f"{whole} h {rest} min" if rest else f"{whole} h"
    days, hours = divmod(whole, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def columns(rows: Sequence[Sequence[str]], right: Sequence[bool]) -> str:
    """Lay rows out in columns two blanks apart; *right* says which ones are flush right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(right))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if flush else cell.ljust(width)
            for cell, width, flush in zip(row, widths, right, strict=True)
        ).rstrip()
        for row in rows
    )
