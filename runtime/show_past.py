"""What a run was before: its earlier results, the names that it had, and who accepted it as it is."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ..grammar.screen import visible
from .records import RunRecord
from .shim import renames
from .store import Store
from .superseded import Version, versions


def past_of(store: Store, experiment: str, id: str, record: RunRecord | None) -> dict[str, Any]:
    """Give the fields `earlier`, `accepted` and `renamed` of a run; each is left out where there is nothing to tell."""
    found: dict[str, Any] = {}
    earlier = [_version(experiment, version) for version in versions(store.project, experiment, id)]
    if earlier:
        found["earlier"] = earlier
    if record is None:
        return found
    accepted = store.accepted.of(experiment, id, record.claim.get("fingerprint"))
    if accepted:
        named = ("user", "host", "time", "reason", "what", "fingerprint")
        found["accepted"] = [{name: getattr(each, name) for name in named} for each in accepted]
    moved = renames.read(store.folder(experiment, id))
    if moved:
        found["renamed"] = [
            {name: line.get(name) for name in ("from", "to", "keys", "user", "host", "time")} for line in moved
        ]
    return found


def _version(experiment: str, version: Version) -> dict[str, Any]:
    record = version.record
    end = (record.end if record is not None else None) or {}
    folder = f"runs/{experiment}/{os.path.basename(version.folder)}"
    return {"version": version.number, "folder": folder, "status": end.get("state"), "ended": end.get("time")}


def past_lines(found: Mapping[str, Any]) -> dict[str, str]:
    """Give the lines that `xpc show` prints of these fields."""
    lines: dict[str, str] = {}
    for each in found.get("accepted", ())[:1]:
        why = f": {each['reason']}" if each["reason"] else ""
        lines["accepted"] = visible(f"by {each['user']} on {each['host']}, {each['time']}, {each['what']}{why}")
    for line in found.get("renamed", ())[-1:]:
        was = line["from"]
        lines["renamed"] = visible(f"from {was['experiment']} {was['run']} by {line['user']}, {line['time']}")
    earlier = found.get("earlier", ())
    for each in earlier:
        when = f", {each['status']} {each['ended']}" if each["ended"] else ""
        lines["earlier" if len(earlier) == 1 else f"earlier {each['version']}"] = visible(f"{each['folder']}{when}")
    return lines
