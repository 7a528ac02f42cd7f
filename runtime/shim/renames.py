"""What a renamed run's claim says in today's names: `renamed.jsonl` in its folder tells from what to what.

A run has its id from its experiment's name and its keys, so a rename gives it another folder; the claim stays as it was
written. A line counts as far as it leads from the claim to the folder in which it lies.
"""

# A node may have Python 3.8.

from __future__ import annotations

import json
import os
import re
from typing import Any, Dict, List, Mapping, Optional, Tuple

from . import packs
from .regular import read_regular

NAME = "renamed.jsonl"
SCHEMA = "xpc.renamed/1"
LARGEST = 1 << 24

_VERSION = re.compile(r"\.v[1-9]\d*\Z")

Line = Dict[str, Any]
Run = Tuple[str, str]  # experiment and id


def is_moved(claim: Mapping[str, Any], folder: str) -> bool:
    """Tell whether the folder has another name than the run that its journal is about. No file is looked at."""
    run = claim.get("run")
    return isinstance(run, str) and _run_of(folder)[1] != run


def renamed_claim(claim: Mapping[str, Any], folder: str) -> Mapping[str, Any]:
    """Give a claim with today's names of the experiment, the run, its keys and its parents."""
    if not is_moved(claim, folder):
        return claim
    chain = _chain((str(claim.get("experiment")), str(claim.get("run"))), _run_of(folder), read(folder))
    found = dict(claim)
    for line in chain:
        found = _renamed(found, line)
    return found


def read(folder: str) -> List[Line]:
    """Give the lines that make sense, oldest first."""
    try:
        data: Optional[bytes] = read_regular(os.path.join(folder, NAME), LARGEST)
    except FileNotFoundError:
        data = None
    except OSError:
        return []
    try:
        data = packs.read(folder, NAME) if data is None else data
    except OSError:
        return []
    found = []
    for line in (data or b"").split(b"\n")[:-1]:
        try:
            fields = json.loads(line.decode("utf-8"))
        except (ValueError, RecursionError):
            continue
        if isinstance(fields, dict) and fields.get("schema") == SCHEMA and _end(fields, "from") and _end(fields, "to"):
            found.append(fields)
    return found


def former_runs(folder: str) -> List[Run]:
    """Give experiment and id that the run in a folder had before, the oldest first; none of most."""
    found: List[Run] = []
    run = _run_of(folder)
    for line in reversed(read(folder)):
        before = _end(line, "from")
        if _end(line, "to") == run and before is not None:
            found.insert(0, before)
            run = before
    return found


def renamed_key(key: str, keys: Mapping[str, str]) -> str:
    """Give today's name of a key: of the key itself, or of a group of keys that it belongs to."""
    best = max((old for old in keys if key == old or key.startswith(old + ".")), key=len, default=None)
    return key if best is None else keys[best] + key[len(best) :]


def _run_of(folder: str) -> Run:
    """Give experiment and id of a folder; an earlier result is a result of the same run."""
    home, name = os.path.split(os.path.normpath(folder))
    return os.path.basename(home), _VERSION.sub("", name)


def _end(line: Line, name: str) -> Optional[Run]:
    said = line.get(name)
    if not isinstance(said, dict):
        return None
    experiment, run = said.get("experiment"), said.get("run")
    return (experiment, run) if isinstance(experiment, str) and isinstance(run, str) else None


def _chain(start: Run, end: Run, lines: List[Line]) -> List[Line]:
    """Give the lines that lead from one to the other, looking from the end; none if they don't."""
    found: List[Line] = []
    for line in reversed(lines):
        if end == start:
            break
        if _end(line, "to") == end:
            found.insert(0, line)
            end = _end(line, "from") or end
    return found if end == start else []


def _renamed(claim: Dict[str, Any], line: Line) -> Dict[str, Any]:
    to = line["to"]
    found = dict(claim, experiment=to["experiment"], run=to["run"])
    keys, parents = line.get("keys"), line.get("parents")
    if isinstance(keys, dict) and isinstance(found.get("values"), dict):
        names = {str(old): str(new) for old, new in keys.items()}
        found["values"] = {renamed_key(key, names): value for key, value in found["values"].items()}
    if isinstance(parents, dict) and isinstance(found.get("parents"), list):
        found["parents"] = [str(parents.get(parent, parent)) for parent in found["parents"]]
    return found
