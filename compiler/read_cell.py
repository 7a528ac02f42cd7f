"""The text of a CSV cell or of ``--set`` to a value, read by the type of its key."""

from __future__ import annotations

import json
import math
import re

from .values import Duration, Size, Type, Value

_SIZES = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_SIZES |= {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
_SECONDS = {"ms": 0.001, "s": 1, "min": 60, "h": 3600, "d": 86400}
_INT = r"[-+]?[0-9]{1,19}"
_FLOAT = r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"


def read_cell(text: str, wanted: Type) -> Value:
    """Give the value of *text* for a key of type *wanted*; what does not read so comes back as the text it is."""
    match wanted:
        case "text":
            return text
        case "size":
            return _unit(text, r"([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]+)", "size")
        case "duration":
            return _unit(text, r"(?:[0-9]+(?:\.[0-9]+)?(?:ms|s|min|h|d))+", "duration")
        case "list" | "map":
            return _json(text, wanted)
        case _:
            return _plain(text, wanted)


def _plain(text: str, wanted: Type) -> Value:
    if text in ("true", "false") and wanted in ("any", "bool"):
        return text == "true"
    if text == "null":
        return None
    if re.fullmatch(_INT, text) and -(2**63) <= int(text) < 2**63:
        return int(text)
    if re.fullmatch(_FLOAT, text) and math.isfinite(float(text)):
        return float(text)
    return text


def _json(text: str, wanted: Type) -> Value:
    try:
        value: Value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, list if wanted == "list" else dict) else text


def _unit(text: str, shape: str, wanted: Type) -> Value:
    found = re.fullmatch(shape, text.strip())
    if found is None:
        return text
    if wanted == "duration":
        parts = re.findall(r"([0-9]+(?:\.[0-9]+)?)(ms|s|min|h|d)", found[0])
        return Duration(sum(float(number) * _SECONDS[unit] for number, unit in parts))
    unit = found[2]
    return Size(round(float(found[1]) * _SIZES[unit])) if unit in _SIZES else text
