"""What a program said of itself in metrics.jsonl, beside its metrics: artifacts, progress, modules from elsewhere."""

from __future__ import annotations

import json
import math
from typing import Any, Dict, Iterator, List, NamedTuple, Optional

MARK = b'"xpc.'


class Collected(NamedTuple):
    """Paths that were declared, the last [done, total], and modules that were loaded from the live project."""

    artifacts: List[str]
    progress: Optional[List[float]]
    foreign: List[str]


def collect(path: str) -> Collected:
    """Read the reserved lines; the others, and what does not parse, are no concern of ours."""
    artifacts: List[str] = []
    foreign: List[str] = []
    progress: Optional[List[float]] = None
    for record in _reserved(path):
        if isinstance(record.get("xpc.artifact"), str):
            artifacts.append(record["xpc.artifact"])
        if _is_progress(record.get("xpc.progress")):
            progress = record["xpc.progress"]
        if isinstance(record.get("xpc.foreign"), list):
            foreign.extend(str(name) for name in record["xpc.foreign"])
    return Collected(list(dict.fromkeys(artifacts)), progress, sorted(set(foreign)))


def _reserved(path: str) -> Iterator[Dict[str, Any]]:
    try:
        with open(path, "rb") as file:
            for line in file:
                record = _record(line) if MARK in line else None
                if isinstance(record, dict):
                    yield record
    except OSError:
        return  # the program logged nothing


def _record(line: bytes) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None


def _is_progress(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(_is_finite, value))


def _is_finite(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
