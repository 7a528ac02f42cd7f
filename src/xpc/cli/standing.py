"""How the runs of a study stand: the state of each, from what is on disk."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from xpc.compiler.table import Table
from xpc.runtime.records import RunRecord, read_run
from xpc.runtime.schedulers.local import Here
from xpc.runtime.states import State, state_of


@dataclass(slots=True)
class Standings:
    """The runs of a project that have a folder, by experiment and id; all others are planned or queued."""

    records: dict[str, dict[str, RunRecord]] = field(default_factory=dict)
    states: dict[str, dict[str, State]] = field(default_factory=dict)

    def state(self, experiment: str, run: str) -> State:
        return self.states.get(experiment, {}).get(run, "planned")

    def past(self, tables: Mapping[str, Table]) -> Iterator[RunRecord]:
        """Give the done runs that the study does not describe any more."""
        for experiment, states in self.states.items():
            known = set(tables[experiment].ids()) if experiment in tables else set()
            for run, state in states.items():
                if state == "done" and run not in known:
                    yield self.records[experiment][run]


def read_standings(project: Path, queued: set[tuple[str, str]] | None = None) -> Standings:
    """Read every run that has a folder. *queued*: experiment and id of what a live submit holds."""
    found, here = Standings(), Here()
    for experiment, folder in _folders(project / "runs"):
        records = found.records.setdefault(experiment, {})
        states = found.states.setdefault(experiment, {})
        for run, path in _folders(folder):
            record = read_run(path)
            if record is not None:
                records[run] = record
                states[run] = state_of(record, here, (experiment, run) in (queued or ()))
    for experiment, run in queued or ():
        found.states.setdefault(experiment, {}).setdefault(run, "queued")
    return found


def _folders(folder: Path) -> Iterator[tuple[str, Path]]:
    """Give the sub-folders; a renamed old run (`<id>.v1`) and packs are none of them."""
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
    except FileNotFoundError:
        return
    for name in names:
        if "." not in name and name != "packs":
            yield name, folder / name
