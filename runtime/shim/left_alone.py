"""The rows of a task to those that it runs: a submit may send a pack for some of its runs, and leave others alone."""

# A node may have Python 3.8.

from __future__ import annotations

import json
import os
from typing import Any, List, Optional

from .regular import read_regular
from .withdrawn import SUBMISSIONS


def without(rows: List[int], project: str, token: Optional[str]) -> List[int]:
    """Give the rows less those that the submit which named this job *token* left alone; all where nobody can tell."""
    if token is None:
        return rows
    folder = os.path.join(project, SUBMISSIONS)
    try:
        names = sorted((name for name in os.listdir(folder) if name.endswith(".jsonl")), reverse=True)
    except OSError:
        return rows
    for name in names:  # newest first: ours is among the last
        try:
            data = read_regular(os.path.join(folder, name))
        except OSError:
            continue
        for line in data.split(b"\n") if token.encode("utf-8", "replace") in data else ():
            left = _left_by(line, token)
            if left is not None:
                return [row for row in rows if not any(first <= row < first + count for first, count in left)]
    return rows


def _left_by(line: bytes, token: str) -> Optional[List[Any]]:
    """Give the ranges of rows that a call left alone, if this line tells of that call."""
    try:
        said = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict) or said.get("event") != "intent" or said.get("token") != token:
        return None
    left = said.get("leave")
    pairs = left if isinstance(left, list) else []
    return [pair for pair in pairs if isinstance(pair, list) and len(pair) == 2 and all(type(n) is int for n in pair)]
