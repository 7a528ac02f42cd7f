"""The environment that every program gets, in any language."""

from __future__ import annotations

import os
import time
from typing import Any, Dict, Mapping, Optional

from .digest import blake2b
from .journal import numbered
from .template import Context, text


def seed_of(run_id: str) -> int:
    """Give a number from 0 to 2**31 - 1 for whoever has no seed of their own; the same for every attempt."""
    return int.from_bytes(blake2b(run_id.encode(), digest_size=4).digest(), "little") >> 1


def contract(
    place: Context, experiment: str, has_config: bool, stop_file: str, left: Optional[float] = None
) -> Dict[str, str]:
    """Give the XPC_* variables of an attempt; *left* are the seconds that its task has, if that is limited."""
    request: Mapping[str, Any] = place.request
    limit: Optional[float] = request.get("time")
    if left is not None:
        limit = left if limit is None else min(limit, left)
    found = {
        "XPC_RUN_ID": place.run.id,
        "XPC_RUN_DIR": place.folder,
        "XPC_METRICS": os.path.join(place.folder, numbered("metrics.jsonl", place.attempt)),
        "XPC_ATTEMPT": str(place.attempt),
        "XPC_EXPERIMENT": experiment,
        "XPC_PROJECT": place.project,
        "XPC_CPUS": str(request["cpus"]),
        "XPC_GPUS": str(request["gpus"]),
        "XPC_NODES": str(request["nodes"]),
        "XPC_TASKS": str(request["tasks"]),
        "XPC_SEED": str(seed_of(place.run.id)),
        "XPC_STOP": stop_file,
    }
    if has_config:
        found["XPC_CONFIG"] = os.path.join(place.folder, "config.json")
    if limit is not None:
        found["XPC_DEADLINE"] = "%.3f" % (time.time() + limit)
    return found


def variables(place: Context, environ: Mapping[str, str]) -> Dict[str, str]:
    """Give the experiment's own variables, and its secrets as they are in *environ*."""
    declared = place.run.plan["environment"]
    found = {name: text(template, place) for name, template in declared["variables"].items()}
    for name in declared["secrets"]:
        if name in environ:
            found[name] = environ[name]
    return found
