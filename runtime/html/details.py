"""One run to what its page shows beside its row: facts, config, command, outputs, attempts, logs, curves."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from typing import Any, Final

from ...grammar.screen import visible
from .. import quantities
from ..environments import summary
from ..query.fields import OF_RECORD
from ..query.view import View
from ..records import RunRecord
from ..show import run_record
from ..show_past import past_lines
from .catalog import seconds, shorten
from .curves import Steps, curves
from .log_tail import log_tail

KEYS: Final = 300  # of a config
OUTPUTS: Final = 100
ATTEMPTS: Final = 50
PARENTS: Final = 100
COMMAND: Final = 4_000  # characters
_UNITS: Final = {"memory": "size", "disk": "size", "time": "duration"}


def details(
    view: View, experiment: str, id: str, known: Mapping[str, str], steps: Steps, points: int
) -> dict[str, Any]:
    """Give what the script shows of a run; every text is short and plain.

    *known* is its config as the page has it already; *points* are kept of each of its series.
    """
    found = run_record(experiment, id, view)
    record = view.store.whole_record(experiment, id)
    config = {visible(key): shorten(value) for key, value in found["config"].items()}
    shown: dict[str, Any] = {"more": {"config": max(0, len(config) - KEYS)}}
    if {name: text for name, text in config.items() if text} != known:
        shown["config"] = list(config.items())[:KEYS]
    if record is None:
        return shown
    outputs = [*_outputs(found["outputs"]), *_artifacts(found["artifacts"])]
    attempts = [_attempt(one, view) for one in (*view.store.earlier(experiment, id), record)]
    parents = [_text(parent, 16) for parent in found["parents"] if isinstance(parent, str)]
    shown["more"] |= {"parents": max(0, len(parents) - PARENTS)}
    shown["more"] |= {"outputs": max(0, len(outputs) - OUTPUTS), "attempts": max(0, len(attempts) - ATTEMPTS)}
    return shown | {
        "facts": _facts(found, record.claim.get("tags")),
        "command": _command(found["command"]),
        "request": _request(record),
        "outputs": outputs[:OUTPUTS],
        "attempts": attempts[-ATTEMPTS:],
        "parents": parents[:PARENTS],
        "stdout": log_tail(record, "stdout"),
        "stderr": log_tail(record, "stderr"),
        "series": curves(view.store.series(experiment, id), steps, points),
    }


def _facts(found: Mapping[str, Any], tags: object) -> list[list[str]]:
    """Give what else is known of the run, label by label; state, times and host stand in its row."""
    snapshot, commit = found.get("snapshot"), found.get("commit")
    progress = found.get("progress")
    facts = {
        "reason": found["reason"],
        "exit": None if found["exit"] is None else str(found["exit"]),
        "signal": found["signal"],
        "progress": None if not progress else f"{progress[0]:g} of {progress[1]:g}",
        "waited": _quantity(found["queue_wait"], "duration"),
        "CPU time": _quantity(found["cpu_time"], "duration"),
        "memory": None if found["peak_memory"] is None else f"{quantities.size(found['peak_memory'])} at most",
        "user": found["user"],
        "job": found["job"],
        "build": found["build"],
        "snapshot": snapshot,
        "commit": f"{commit} (of xpc's own, the tree was no commit)" if commit and found.get("dirty") else commit,
        "witness": found["witness"],
        **past_lines(found),
        **(summary(found["environment"]) if found["environment"] is not None else {}),
        "tags": ", ".join(map(str, tags)) if isinstance(tags, list) and tags else None,
        "folder": found["folder"],
    }
    torn = [["journal", "its last line is torn"]] if found["torn"] else []
    return [[name, _text(value)] for name, value in facts.items() if value is not None] + torn


def _quantity(value: Any, unit: str) -> str | None:
    if value is None:
        return None
    return quantities.duration(value) if unit == "duration" else quantities.size(value)


def _text(value: object, most: int = 400) -> str:
    text = visible(str(value))
    return text if len(text) <= most else text[: most - 1] + "…"


def _command(command: object) -> str | None:
    if isinstance(command, list):
        command = shlex.join(map(str, command))
    if not isinstance(command, str):
        return None
    text = "\n".join(map(visible, command.split("\n")))
    return text if len(text) <= COMMAND else text[: COMMAND - 1] + "…"


def _request(record: RunRecord) -> list[list[str]]:
    lines = (record.claim, record.start or {})
    asked: dict[str, Any] = next((line["request"] for line in lines if isinstance(line.get("request"), dict)), {})
    found = []
    for name, value in asked.items():
        if value is None or value == {}:
            continue
        unit = _UNITS.get(name)
        known = unit is not None and isinstance(value, (int, float)) and not isinstance(value, bool)
        found.append([_text(name), _quantity(value, str(unit)) or "" if known else shorten(value)])
    return found


def _outputs(made: Mapping[str, Any]) -> list[list[Any]]:
    """Give name, path, size in words, and whether an earlier attempt left it behind."""
    found = []
    for name, output in made.items():
        if not isinstance(output, dict):
            continue
        size = output.get("bytes")
        text = quantities.size(size) if isinstance(size, (int, float)) else ""
        found.append([_text(name), _text(output.get("path", "")), text, output.get("carried") is True])
    return found


def _artifacts(saved: list[Any]) -> list[list[Any]]:
    paths = (one.get("path") if isinstance(one, dict) else one for one in saved)
    return [[os.path.basename(_text(path)), _text(path), "", False] for path in paths if isinstance(path, str)]


def _attempt(record: RunRecord, view: View) -> dict[str, Any]:
    values = {name: OF_RECORD[name](record) for name in ("started", "ended", "duration", "host", "exit", "reason")}
    return {
        "number": record.attempt,
        "state": view.store.state_of(record),
        "started": seconds(values["started"]),
        "ended": seconds(values["ended"]),
        "duration": _quantity(values["duration"], "duration"),
        "exit": None if values["exit"] is None else str(values["exit"]),
        "host": None if values["host"] is None else _text(values["host"]),
        "reason": None if values["reason"] is None else _text(values["reason"]),
    }
