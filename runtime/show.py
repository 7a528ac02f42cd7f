"""One run to all that is known of it, as data and as a text."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Mapping
from typing import Any, Final

from ..grammar.screen import visible
from . import quantities
from .cell_text import plain
from .cluster_runs import FILLED
from .environments import environment_hash, environment_of, summary
from .logs import Stream, log_path
from .metrics import Declarations, Direction, Series, read_metrics
from .named_run import SHORT, NamedRun
from .names import plain_key
from .query.fields import OF_RECORD
from .query.view import View
from .records import RunRecord, journal_name, read_attempt
from .reducers import reduce
from .run_files import exists, is_packed
from .shim import packs
from .show_past import past_lines, past_of
from .states import State, said
from .superseded import Version

STREAMS: Final[tuple[Stream, ...]] = ("stdout", "stderr")
WITNESSES: Final = {
    "live": "; it ran in the live project",
    "mixed": "; modules of the live project were loaded, too",
    "altered": "; somebody wrote into the export",
}


def named_record(named: NamedRun, view: View) -> dict[str, Any]:
    """Give all that is known of what a user named: a run, or an earlier result of one."""
    if named.version is not None:
        return earlier_record(named.version, named.experiment, view)
    return run_record(named.experiment, named.id, view)


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
    told = {name: store.field(experiment, [id], name)[0] for name in sorted(FILLED)}  # a cluster may know more
    found |= past_of(store, experiment, id, record)
    if record is None:
        return found | {name: value for name, value in told.items() if value is not None}
    earlier = [(attempt, store.state_of(attempt)) for attempt in store.earlier(experiment, id)]
    series = store.series(experiment, id)
    silent = _without_value(store.declarations(experiment, id), series) if state == "done" else {}
    return found | _recorded(record, series, earlier, view) | silent | told


def earlier_record(version: Version, experiment: str, view: View) -> dict[str, Any]:
    """Give all that is known of an earlier result of a run: as `run_record` does, by its own records alone."""
    record = version.record
    found: dict[str, Any] = {"id": os.path.basename(version.folder), "experiment": experiment}
    found["status"] = view.store.state_of(record) if record is not None else "planned"
    found["planned"] = version.id in view.ids(experiment)
    found["folder"] = f"runs/{experiment}/{found['id']}"
    found["config"] = run_values(experiment, None, record, view)
    found["version"] = version.number
    if record is None:
        return found
    series = read_metrics(record.folder, record.attempt, view.store.declarations(experiment, version.id))
    before = [read_attempt(record.folder, number) for number in range(1, record.attempt)]
    earlier = [(attempt, _state_before(attempt)) for attempt in before if attempt is not None]
    silent = (
        _without_value(view.store.declarations(experiment, version.id), series) if found["status"] == "done" else {}
    )
    return found | _recorded(record, series, earlier, view) | silent


def _without_value(declared: Declarations, series: Mapping[str, Series]) -> dict[str, Any]:
    """Say of each declared metric that a done run has not where its values were looked for."""
    said = {}
    for metric in declared.metrics:
        if metric.name not in series:
            where = metric.source if metric.source in (None, *STREAMS) else f"`{metric.source}`"
            looked = "it was never logged" if where is None else f"nothing in {where} matches"
            said[metric.name] = f"no value: {looked}"
    return {"without_value": said} if said else {}


def _state_before(record: RunRecord) -> State:
    """Give the state of an attempt that another one followed."""
    if record.broken is not None:
        return "broken"
    return "lost" if record.end is None else said(record.end)


def _recorded(
    record: RunRecord, series: Mapping[str, Series], earlier: Iterable[tuple[RunRecord, str]], view: View
) -> dict[str, Any]:
    """Give what a run's own files tell; *earlier* are its attempts before this one, with how each ended."""
    folder = f"runs/{record.experiment}/{os.path.basename(record.folder)}"
    end = record.end or {}
    found: dict[str, Any] = {name: read(record) for name, read in OF_RECORD.items()}
    found["snapshot"] = record.claim.get("snapshot")
    found["fingerprint"] = record.claim.get("fingerprint")
    found["witness"] = (record.end or record.start or {}).get("witness")
    environment = environment_of(view.store.project, record)
    found["environment"] = None if environment is None else {"hash": environment_hash(record), **environment}
    found["parents"] = _texts(record.claim.get("parents"))
    found["command"] = record.claim.get("command") or (record.start or {}).get("command")
    found["progress"] = list(record.progress) if record.progress else None
    found["outputs"] = end["outputs"] if isinstance(end.get("outputs"), dict) else {}
    found["artifacts"] = end["artifacts"] if isinstance(end.get("artifacts"), list) else []
    found["tags"] = record.claim.get("tags")
    found["metrics"] = {name: reduce(values, "last") for name, values in series.items()}
    found["best"] = _best(series, view.directions(record.experiment))
    found["attempts"] = [_attempt(*attempt) for attempt in earlier]
    logs = (path for stream in STREAMS if exists(path := log_path(record, stream)))
    found["logs"] = [f"{folder}/{os.path.basename(path)}" for path in logs]
    found["packed"] = is_packed(record.folder)
    found["torn"] = record.torn
    return found


def _best(series: Mapping[str, Series], directions: Mapping[str, Direction]) -> dict[str, dict[str, Any]]:
    """Give the best value, with its step, of each metric that has a direction."""
    found: dict[str, dict[str, Any]] = {}
    for name, values in series.items():
        direction = directions.get(name)
        if direction is not None:
            which = "min" if direction == "minimize" else "max"
            found[name] = {"value": reduce(values, which), "step": reduce(values, f"arg{which}")}
    return found


def _attempt(record: RunRecord, state: str) -> dict[str, Any]:
    """Give what is told of an attempt that was not the last one."""
    named = ("attempt", "started", "ended", "duration", "host", "exit", "signal", "reason", "job")
    return {"status": state, **{name: OF_RECORD[name](record) for name in named}}


def _texts(said: object) -> list[str]:
    return [text for text in said if isinstance(text, str)] if isinstance(said, list) else []


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
    if "attempt" not in found:
        head["job"] = found.get("job")
    else:
        head |= {
            "attempt": str(found["attempt"]),
            "started": found["started"],
            "ended": found["ended"],
            "duration": None if found["duration"] is None else quantities.duration(found["duration"]),
            "memory": None if found["peak_memory"] is None else f"{quantities.size(found['peak_memory'])} at most",
            "asked": _asked(found),
            "exit": None if found["status"] == "done" or found["exit"] is None else str(found["exit"]),
            "signal": found["signal"],
            "host": found["host"],
            "job": found["job"],
            "tags": plain(found["tags"]) if isinstance(found["tags"], list) and found["tags"] else None,
            "code": _code(found),
            "after": " ".join(parent[:SHORT] for parent in found["parents"]) or None,
            "command": shlex.join(found["command"]) if isinstance(found["command"], list) else None,
        }
        head["journal"] = os.path.join(found["folder"], journal_name(found["attempt"]))
        head["logs"] = " ".join(found["logs"]) or None
        head["pack"] = f"runs/{found['experiment']}/{packs.FOLDER}: it has no folder" if found["packed"] else None
    if "version" in found:
        head["superseded"] = f"the run was run again since: runs/{found['experiment']}/{found['id'].partition('.')[0]}"
    head |= past_lines(found)
    head["folder"] = found["folder"] if os.path.isdir(os.path.join(project, found["folder"])) else None
    made = found.get("outputs", {}).items()
    outputs = {name: output.get("path") for name, output in made if isinstance(output, dict)}
    outputs |= {f"artifact {number}": path for number, path in enumerate(found.get("artifacts", ()), 1)}
    earlier = {f"attempt {attempt['attempt']}": _earlier(attempt) for attempt in found.get("attempts", ())}
    metrics = {name: _metric(value, found["best"].get(name)) for name, value in found.get("metrics", {}).items()}
    metrics |= found.get("without_value", {})
    environment = summary(found["environment"]) if found.get("environment") else {}
    sections = {
        "": head,
        "config": found["config"],
        "ran in": environment,
        "outputs": outputs,
        "metrics": metrics,
        "before": earlier,
    }
    return "\n\n".join(_section(title, lines) for title, lines in sections.items() if lines)


def _asked(found: Mapping[str, Any]) -> str | None:
    """Give what the run asked for: `2 CPU, 1 GPU, 4 GiB`."""
    amounts = [f"{found[name]:g} {unit}" for name, unit in (("cpus", "CPU"), ("gpus", "GPU")) if found[name]]
    return ", ".join([*amounts, *([quantities.size(found["memory"])] if found["memory"] else [])]) or None


def _metric(last: Any, best: Mapping[str, Any] | None) -> str:
    if best is None or best["value"] is None or best["value"] == last:
        return plain(last)
    return f"{plain(last)}   best {plain(best['value'])} at step {plain(best['step'])}"


def _earlier(attempt: Mapping[str, Any]) -> str:
    said = attempt["reason"] or attempt["signal"] or (f"exit {attempt['exit']}" if attempt["exit"] is not None else "")
    when = f", {attempt['started']}" if attempt["started"] else ""
    return f"{attempt['status']}{when}" + (f": {visible(str(said))}" if said else "")


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
    told = WITNESSES.get(str(found.get("witness")), "")
    return f"snapshot {snapshot[:7]}" + (f", {held} {commit[:7]}" if isinstance(commit, str) else "") + told


def _section(title: str, lines: Mapping[str, Any]) -> str:
    shown = {visible(name): plain(value) for name, value in lines.items() if value is not None or title == "config"}
    width = max(map(len, shown), default=0)
    indent = "  " if title else ""
    body = [f"{indent}{name.ljust(width)}  {value}" for name, value in shown.items()]
    return "\n".join([title, *body] if title else body)
