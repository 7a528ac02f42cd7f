"""What looks like a number, a size or a duration and is none."""

from __future__ import annotations

import re

from .fault import Fault, Finding

_UNITS = {
    "b": "B",
    "k": "KiB",
    "kb": "kB",
    "kib": "KiB",
    "mb": "MB",
    "mib": "MiB",
    "g": "GiB",
    "gb": "GB",
    "gib": "GiB",
    "gi": "GiB",
    "mi": "MiB",
    "t": "TiB",
    "tb": "TB",
    "tib": "TiB",
    "sec": "s",
    "secs": "s",
    "second": "s",
    "seconds": "s",
    "mins": "min",
    "minute": "min",
    "minutes": "min",
    "hr": "h",
    "hrs": "h",
    "hour": "h",
    "hours": "h",
    "day": "d",
    "days": "d",
    "msec": "ms",
    "s": "s",
    "h": "h",
    "d": "d",
    "ms": "ms",
    "min": "min",
}
_UNIT = re.compile(r"(\d[\d.]*)([A-Za-z]+)")
_FROM_TO = re.compile(r"(\d+)\.\.(\d+)")


def number(fault: Fault) -> Finding | None:
    """Recognise ``16G``, ``.5``, ``08``, ``1_000``, ``0x10``."""
    lexeme = fault.token
    if lexeme is None or lexeme.type != "BAD_NUMBER":
        return None
    if (
        lexeme.startswith(".")
        and fault.before is not None
        and fault.touching(fault.before, lexeme)
        and not fault.takes_value
    ):
        message = f"`{lexeme}` is not a key segment"
        return Finding(
            "XP012", lexeme.span, message, "", f'a segment that begins with a digit is quoted: `."{lexeme[1:]}"`'
        )
    if fault.after == ":" and fault.at(fault.index + 2) is not None and fault.touching(lexeme, fault.after):
        return _clock(fault, fault.index)
    if bounds := _FROM_TO.fullmatch(lexeme):
        braces = fault.before == "{" and fault.after == "}"
        span = fault.before.span.to(fault.after.span) if braces and fault.before and fault.after else lexeme.span
        cure = f"write `range({bounds[1]}, {int(bounds[2]) + 1})`"
        return Finding("XP012", span, f"`{span.text}` is not a list", "", cure)
    return Finding("XP012", lexeme.span, f"`{lexeme}` is not a number", "", _number_cure(lexeme))


def _number_cure(lexeme: str) -> str:
    lower = lexeme.lower()
    unit = _UNIT.fullmatch(lexeme)
    if hours := re.fullmatch(r"(\d+)h(\d+)m?", lexeme):
        return f"write `{hours[1]}h{hours[2]}min`"
    if unit and unit[2] in ("m", "M"):
        return f"write `{unit[1]}min` for minutes, `{unit[1]}MiB` for a size"
    if unit and unit[2].lower() in _UNITS:
        return f"write `{unit[1]}{_UNITS[unit[2].lower()]}`"
    if "_" in lexeme and lexeme.replace("_", "").isdigit():
        return f"write `{lexeme.replace('_', '')}`"
    if re.fullmatch(r"\.\d+", lexeme):
        return f"write `0{lexeme}`"
    if re.fullmatch(r"\d+\.", lexeme):
        return f"write `{lexeme}0`"
    if re.fullmatch(r"0\d+(\.\d+)?", lexeme):
        return f"write `{lexeme.lstrip('0') or '0'}`, or quote it if it is a text"
    if lower.startswith(("0x", "0b", "0o")):
        try:
            return f"write `{int(lexeme, 0)}`"
        except ValueError:
            return "numbers are decimal"
    if unit:
        return "units are `B kB MB GB TB KiB MiB GiB TiB` and `ms s min h d`; a text stands in quotes"
    return "if it is a text, quote it"


def unit_apart(fault: Fault) -> Finding | None:
    """Recognise ``30 min``."""
    lexeme, before = fault.token, fault.before
    if lexeme is None or before is None or before.type not in ("INTEGER", "FLOAT") or lexeme.type != "NAME":
        return None
    unit = "min" if lexeme == "m" else _UNITS.get(lexeme.lower())
    if unit is None or fault.after == "=":
        return None
    span = before.span.to(lexeme.span)
    return Finding("XP012", span, "a unit stands right after its number", "", f"write `{before}{unit}`")


def _clock(fault: Fault, index: int) -> Finding | None:
    first = fault.at(index)
    last = index
    while (
        (colon := fault.at(last + 1)) is not None
        and colon == ":"
        and (part := fault.at(last + 2)) is not None
        and part.type in ("INTEGER", "BAD_NUMBER")
    ):
        last += 2
    end = fault.at(last)
    if first is None or end is None or last == index:
        return None
    span = first.span.to(end.span)
    return Finding("XP012", span, f"`{span.text}` is not a duration", "", _clock_cure(span.text))


def _clock_cure(text: str) -> str:
    """Give `1:30:00` with units; of two numbers nobody knows whether they are hours or minutes."""
    parts = text.split(":")
    if len(parts) != 3:
        return "durations have units: `90s`, `30min`, `1d12h`"
    given = [f"{int(part)}{unit}" for part, unit in zip(parts, ("h", "min", "s"), strict=True) if int(part)]
    return f"write `{''.join(given) or '0s'}`"


def colon_time(fault: Fault) -> Finding | None:
    """Recognise ``1:30:00``, as SLURM writes durations."""
    lexeme, before = fault.token, fault.before
    if (
        lexeme is None
        or lexeme != ":"
        or before is None
        or before.type != "INTEGER"
        or not fault.touching(before, lexeme)
    ):
        return None
    return _clock(fault, fault.index - 1)
