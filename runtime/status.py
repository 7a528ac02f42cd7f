"""The state of a study: runs by state and experiment, how long it may take, and what failed alike."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from . import quantities
from .cell_text import plain
from .metrics import numbered
from .query.lookup import Config
from .query.planned import Value
from .query.view import Runs, View
from .records import RunRecord, progress_of
from .shim.regular import open_regular
from .states import STATES
from .triage import FAULTS, Failed, FailureGroup, group_failures
from .waiting import Waiting, notes, render_waiting, waiting_runs

TAIL: Final = 1 << 16  # bytes of metrics that are searched for the last progress
ENOUGH: Final = 3  # ended runs of an experiment before its time is estimated
SHOWN: Final = 7  # digits of an id


@dataclass(frozen=True, slots=True)
class ExperimentStatus:
    """*counts* by state, in the order of `STATES`. *left*: seconds until all is done, if that can be said."""

    name: str
    counts: Mapping[str, int]
    left: float | None

    @property
    def runs(self) -> int:
        return sum(self.counts.values())

    @property
    def share(self) -> float:
        return self.counts.get("done", 0) / self.runs if self.runs else 1.0


@dataclass(frozen=True, slots=True)
class Status:
    experiments: tuple[ExperimentStatus, ...]
    failures: tuple[FailureGroup, ...]
    waiting: tuple[Waiting, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def counts(self) -> Counter[str]:
        """The runs by state, of all experiments."""
        total: Counter[str] = Counter()
        for experiment in self.experiments:
            total.update(experiment.counts)
        return total

    def record(self) -> dict[str, Any]:
        """Give the JSON form: `{runs, experiments, failures, waiting, notes}`."""
        failures = [
            {
                "state": group.state,
                "line": group.line,
                "runs": list(group.runs),
                "experiments": list(group.experiments),
                "log": group.log,
                "shared": dict(group.shared),
            }
            for group in self.failures
        ]
        counts = {experiment.name: dict(experiment.counts) for experiment in self.experiments}
        found = {"runs": _ordered(self.counts), "experiments": counts, "failures": failures}
        return found | {"waiting": [group.record() for group in self.waiting], "notes": list(self.notes)}


def status_of(view: View, rows: Mapping[str, Sequence[int]] | None = None, now: datetime | None = None) -> Status:
    """Count the runs of the study; with *rows* those rows of each experiment's table alone."""
    now = now or datetime.now(UTC)
    experiments: list[ExperimentStatus] = []
    failed: list[Failed] = []
    done: dict[str, list[Mapping[str, Value]]] = {}
    for name in view.tables:
        states = view.states(name)
        chosen = range(len(states)) if rows is None else rows.get(name, ())
        counts = _ordered(Counter(states[row] for row in chosen))
        experiments.append(ExperimentStatus(name, counts, _time_left(view, name, chosen, now)))
        wrong = [row for row in chosen if states[row] in FAULTS]
        if wrong:
            values = _values(view, name)
            done[name] = [values(row) for row in range(len(states)) if states[row] == "done"]
            failed += _failed(view, name, wrong, values)
    failures = tuple(group_failures(failed, done, view.store.project))
    return Status(tuple(experiments), failures, waiting_runs(view, rows), notes(view.store))


def _ordered(counts: Counter[str]) -> dict[str, int]:
    return {state: counts[state] for state in STATES if counts[state]}


def _failed(view: View, experiment: str, rows: Sequence[int], values: Any) -> Iterable[Failed]:
    ids, states = view.ids(experiment), view.states(experiment)
    for row in rows:
        record = view.store.record(experiment, ids[row])
        told = view.store.told(experiment, ids[row])
        if record is not None or told is not None:
            reason = told.reason if told is not None else ""
            yield Failed(experiment, ids[row], states[row], record, values(row), reason)


def _values(view: View, experiment: str) -> Any:
    """Give a function from row to the values of the keys that differ between rows, axes first."""
    table = view.tables[experiment]
    runs = Runs(view, [experiment])
    order = [*table.axes, *(path for path in table.columns if path not in table.axes)]
    columns = {".".join(path): runs.column(Config(".".join(path))) for path in order}
    return lambda row: {name: column[row] for name, column in columns.items() if column[row] is not None}


# ------------------------------------------------------------------ progress


def _time_left(view: View, experiment: str, rows: Iterable[int], now: datetime) -> float | None:
    """Estimate the seconds until the runs under way and in the queue are done: work left by the runs at once.

    Only once three runs have ended, and while something runs; planned runs that nobody submitted are not waited for.
    """
    ids, states = view.ids(experiment), view.states(experiment)
    took = view.store.field(experiment, ids, "duration")
    durations: list[float] = []
    running: list[RunRecord] = []
    queued = 0
    for row in rows:
        if states[row] == "queued":
            queued += 1
        elif states[row] == "done" and took[row] is not None:
            durations.append(float(took[row]))
        elif states[row] == "running" and (record := view.store.record(experiment, ids[row])) is not None:
            running.append(record)
    if len(durations) < ENOUGH or not running:
        return None
    usual = sum(durations) / len(durations)
    rest = [_rest(record, usual, now) for record in running]
    return max(max(rest), (sum(rest) + queued * usual) / len(running))


def _rest(record: RunRecord, usual: float, now: datetime) -> float:
    """Estimate what a running run still needs: by its own progress, else by what is usual."""
    since = _seconds_since((record.start or record.claim).get("time"), now)
    progress = progress_now(record)
    if progress is not None and progress[1] > 0 and progress[0] > 0:
        share = min(progress[0] / progress[1], 1.0)
        return since * (1 - share) / share
    return max(usual - since, 0.0)


def _seconds_since(time: object, now: datetime) -> float:
    try:
        return max((now - datetime.fromisoformat(str(time))).total_seconds(), 0.0)
    except (ValueError, TypeError):
        return 0.0


def progress_now(record: RunRecord) -> tuple[float, float] | None:
    """Give how far a run is by its own word: its journal's, else the last one that it logged."""
    if record.progress is not None:
        return record.progress
    try:
        with open_regular(numbered(record.folder, "metrics", ".jsonl", record.attempt)) as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL))
            lines = file.read().split(b"\n")[:-1]
    except OSError:
        return None
    for line in reversed(lines):
        if b'"xpc.progress"' in line:
            try:
                return progress_of(json.loads(line).get("xpc.progress"))
            except (ValueError, AttributeError, RecursionError):
                continue
    return None


# ------------------------------------------------------------------ for people


def render_status(status: Status) -> str:
    """Give the table of counts and, below it, what failed."""
    states = [s for s in STATES if any(s in experiment.counts for experiment in status.experiments)]
    if not status.experiments:
        return "The study has no experiments."
    rows = [["experiment", *states, "", ""]]
    for experiment in status.experiments:
        counts = [f"{experiment.counts[s]:,}" if s in experiment.counts else "" for s in states]
        started = set(experiment.counts) - {"planned"}
        share = f"{experiment.share * 100:.0f} %" if started and experiment.share < 1 else ""
        left = "" if experiment.left is None else f"about {rough(experiment.left)}"
        rows.append([experiment.name, *counts, share, left])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    pads = [str.ljust, *[str.rjust] * (len(widths) - 2), str.ljust]
    lines = ["  ".join(pad(cell, w) for pad, cell, w in zip(pads, row, widths, strict=True)) for row in rows]
    parts = [
        "\n".join(line.rstrip() for line in lines),
        render_waiting(status.waiting),
        "\n".join(map(_failure, status.failures)),
        "\n".join(f"note: {note}" for note in status.notes),
    ]
    return "\n\n".join(part for part in parts if part)


def _failure(group: FailureGroup) -> str:
    count = f"{len(group.runs):,} {group.state}"
    indent = " " * (len(count) + 2)
    shared = " and ".join(f"{key} = {plain(value)}" for key, value in group.shared.items())
    both = " both" if group.pair else ""
    why = f"all have {shared} (none of the {group.done:,} done has{both})" if shared else ""
    look = f"xpc logs {group.runs[0][:SHOWN]}" if group.log.endswith(".log") or not group.log else group.log
    return f"{count}: {group.line}\n{indent}{why}{'      ' if why else ''}{look}"


def rough(seconds: float) -> str:
    """Give a time that is only estimated, in one unit."""
    minutes = seconds / quantities.MINUTE
    if minutes < 1:
        return "a minute"
    if minutes < 90:
        return f"{minutes:.0f} min"
    hours = minutes / 60
    return f"{hours:.0f} h" if hours < 36 else f"{hours / 24:.0f} d"
