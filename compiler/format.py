"""Values to the characters that stand for them in a text."""

from __future__ import annotations

import json
import re
from typing import Final

from ..grammar.nearest import nearest
from .values import Value

_SPEC: Final = r"(?:(?:[^{}])?[<>=^])?[-+ ]?#?0?(\d{1,4})?[,_]?(?:\.(\d{1,3}))?([bcdeEfFgGnosxX%])?"
WIDEST: Final = 1000


def format_value(value: Value) -> str:
    """Give *value* as it prints in a text: floats as Python's repr, ``true false null``, lists and maps as JSON."""
    match value:
        case str():
            return value
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return int.__repr__(value)
        case float():
            return float.__repr__(value)
        case _:
            return as_json(value)


def as_json(value: Value) -> str:
    """Give *value* as one line of JSON."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def apply_format(value: Value, spec: str) -> str:
    """Give *value* in the format *spec* (``.3f``, ``03d``, ``>10``); raises ``ValueError`` with a finished message."""
    found = re.fullmatch(_SPEC, spec)
    if found is None:
        meant = nearest(spec, ("flag", "json", "raw", "yaml"))
        raise ValueError(f"`{spec}` is no format" + (f", did you mean `{meant}`?" if meant else ""))
    if int(found[1] or 0) > WIDEST:
        raise ValueError(f"the format `{spec}` is wider than {WIDEST} characters")
    kind = found[3] or ""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if kind and kind != "s" and not number:
        raise ValueError(f"the format `{spec}` is for a number, and this is `{format_value(value)}`")
    if kind in "bcdoxX" and kind and isinstance(value, float):
        raise ValueError(f"the format `{spec}` is for an int, and this is the float `{format_value(value)}`")
    try:
        if number and kind != "s":
            return format(float(value) if isinstance(value, float) else int(value), spec)  # type: ignore[arg-type]
        return format(format_value(value), spec)
    except (ValueError, OverflowError) as reason:
        raise ValueError(f"the format `{spec}` does not fit `{format_value(value)}`: {str(reason).lower()}") from None
