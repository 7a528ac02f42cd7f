"""One run to all that is known of it, as data and as a text."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from typing import Any, Final

from ..grammar.diagnostic import Diagnostics
from ..grammar.screen import visible
from . import quantities
from .cell_text import plain
from .names import plain_key
from .query.fields import OF_RECORD
from .query.view import View
from .records import RunRecord, journal_name
from .reducers import reduce

SHORTEST: Final = 3  # digits of an id that are looked for


def find_run(text: str, view: View, diagnostics: Diagnostics) -> tuple[str, str] | None:
    """Give experiment and id of the run whose id begins with *text*; report what names none, or several."""
    found = sorted(
        (experiment, id)
        for experiment in {*view.tables, *view.store.experiments()}
        for id in {*view.ids(experiment), *view.store.ids(experiment)}
        if id.startswith(text)
    )
    if len(found) == 1:
        return found[0]
    if found and len(text) >= SHORTEST:
        listed = ", ".join(f"`{id}`" for _, id in found[:4]) + (", …" if len(found) > 4 else "")
        diagnostics.error("XR002", None, f"`{text}` begins the ids of {len(found):,} runs", help=f"they are {listed}")
    else:
        help = f"an id is given by its first digits, {SHORTEST} at least; `xpc list` shows them"
        diagnostics.error("XR001", None, f"there is no run `{visible(text)}`", help=help)
    return None


def run_record(experiment: str, id: str, view: View) -> dict[str, Any]:
    """Give all that is known of a run: values by dotted key, fields by name, metrics by name."""
    store = view.store
    record = store.whole_record(experiment, id)
    ids = view.ids(experiment)
    row = ids.index(id) if id in ids else None
    state = view.states(experiment)[row] if row is not None else store.state(experiment, id)
    found: dict[str, Any] = {"id": id, "experiment": experiment, "status": state, "planned": row is not None}
    found["folder"] = f"runs/{experiment}/{id}"
    found["config"] = run_values(experiment, row, record, view)
    if record is None:
        return found
    found |= {name: read(record) for name, read in OF_RECORD.items()}
    found["snapshot"] = record.claim.get("snapshot")
    found["fingerprint"] = record.claim.get("fingerprint")
    found["witness"] = (record.end or record.start or {}).get("witness")
    found["parents"] = record.claim.get("parents", [])
    found["command"] = record.claim.get("command") or (record.start or {}).get("command")
    found["progress"] = list(record.progress) if record.progress else None
    end = record.end or {}
    found["outputs"] = end["outputs"] if isinstance(end.get("outputs"), dict) else {}
    found["artifacts"] = end["artifacts"] if isinstance(end.get("artifacts"), list) else []
    found["metrics"] = {name: reduce(series, "last") for name, series in store.series(experiment, id).items()}
    found["torn"] = record.torn
    return found


def run_values(experiment: str, row: int | None, record: RunRecord | None, view: View) -> dict[str, Any]:
    """Give what the run had, if it began, else what is planned."""
    claimed = record.claim.get("values") if record is not None else None
    if isinstance(claimed, dict):
        return {plain_key(key): value for key, value in claimed.items()}
    if row is None:
        return {}
    table = view.tables[experiment]
    keys = {".".join(path): path for path in table.order}
    found: dict[str, Any] = {}
    for name, path in keys.items():
        if path in table.constants:
            found[name] = table.constants[path]
        elif (column := table.columns.get(path)) is not None and column.codes[row] < len(column.pool):
            found[name] = column.pool[column.codes[row]]
    return found


# ------------------------------------------------------------------ for people


def render_run(found: Mapping[str, Any], project: str | os.PathLike[str]) -> str:
    """Give a run as sections of aligned lines."""
    head: dict[str, str | None] = {"run": f"{found['id']} of {found['experiment']}", "status": _status(found)}
    if "attempt" in found:
        head |= {
            "attempt": str(found["attempt"]),
            "started": found["started"],
            "ended": found["ended"],
            "duration": None if found["duration"] is None else quantities.duration(found["duration"]),
            "memory": None if found["peak_memory"] is None else f"{quantities.size(found['peak_memory'])} at most",
            "host": found["host"],
            "code": _code(found),
            "command": shlex.join(found["command"]) if isinstance(found["command"], list) else None,
        }
        head["journal"] = os.path.join(found["folder"], journal_name(found["attempt"]))
    head["folder"] = found["folder"] if os.path.isdir(os.path.join(project, found["folder"])) else None
    made = found.get("outputs", {}).items()
    outputs = {name: output.get("path") for name, output in made if isinstance(output, dict)}
    sections = {"": head, "config": found["config"], "outputs": outputs, "metrics": found.get("metrics", {})}
    return "\n\n".join(_section(title, lines) for title, lines in sections.items() if lines)


def _status(found: Mapping[str, Any]) -> str:
    reason = found.get("reason")
    progress = found.get("progress")
    far = f", {progress[0]:g} of {progress[1]:g}" if progress and found["status"] != "done" else ""
    return f"{found['status']}{far}" + (f": {visible(str(reason))}" if reason else "")


def _code(found: Mapping[str, Any]) -> str | None:
    commit, snapshot = found.get("commit"), found.get("snapshot")
    if not isinstance(snapshot, str):
        return None
    held = "kept in commit" if found.get("dirty") else "commit"  # of xpc's own, if the tree was no commit
    return f"snapshot {snapshot[:7]}" + (f", {held} {commit[:7]}" if isinstance(commit, str) else "")


def _section(title: str, lines: Mapping[str, Any]) -> str:
    shown = {visible(name): plain(value) for name, value in lines.items() if value is not None or title == "config"}
    width = max(map(len, shown))
    indent = "  " if title else ""
    body = [f"{indent}{name.ljust(width)}  {value}" for name, value in shown.items()]
    return "\n".join([title, *body] if title else body)
