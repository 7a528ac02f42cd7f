"""What a build says that a submit would do with each run is what the submit does: over records of all kinds."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from recorded import START, claim, end, journal
from repository import Repo

from xpc.cli.command_build import export, write
from xpc.cli.fates import Retried, find_fates, sent_rows
from xpc.cli.session import Session
from xpc.cli.standing import Standings
from xpc.runtime.build_rows import Rows
from xpc.runtime.executor.limits import Gpus, Limits
from xpc.runtime.retry import Retry
from xpc.runtime.schedulers.cluster_select import Chooser
from xpc.runtime.schedulers.local import choose
from xpc.runtime.selection import Selection
from xpc.runtime.shim.build_folder import Build
from xpc.runtime.shim.place import Place
from xpc.runtime.store import Store

STUDY = """
grid points:
    n in range(4)

experiment prepare:
    n = 0
    run "true"

experiment train:
    grid points
    after prepare
    retries 1
    run "true"

experiment evaluate:
    after train
    retries 0
    run "true"
"""
STATES = (None, "done", "failed", "timeout", "oom", "killed", "lost", "cancelled", "skipped", "broken")


@dataclass(frozen=True)
class Record:
    """A run's last attempt: how it ended, the number of attempts that ended so, and what has changed since."""

    state: str | None
    attempts: int
    other_code: bool
    other_request: bool
    checkpointed: bool

    def write(self, folder: Path, experiment: str, id: str, now: Mapping[str, Any], request: Mapping[str, Any]) -> None:
        if self.state is None:
            return
        folder.mkdir(parents=True)
        fingerprint = {**now, "code": "another"} if self.other_code else now
        asked = {**request, "cpus": 7} if self.other_request else request
        for attempt in range(1, self.attempts + 1):
            lines = [claim(experiment, id, {}, attempt=attempt, fingerprint=fingerprint, request=asked), START]
            if self.state == "broken":
                text = "{}\nnonsense\n"
            else:
                text = journal(*lines, end(self.state, checkpointed=self.checkpointed))
            (folder / ("run.jsonl" if attempt == 1 else f"run.{attempt}.jsonl")).write_text(text)


RECORDS = st.builds(
    Record, st.sampled_from(STATES), st.integers(1, 3), *[st.sampled_from((False, False, True)) for _ in range(3)]
)


class Project:
    """A study whose build is written; its records come and go."""

    def __init__(self, folder: Path) -> None:
        Repo(folder, {"Experimentfile": STUDY})
        self.folder = folder
        self.session = Session(folder)
        self.plan = self.session.plan()
        build = self.session.emit(self.plan)
        written = write(self.session, build)
        export(self.session, self.plan)
        self.build = Build(str(written))
        self.place = Place(str(folder), self.build, {})
        self.limits = Limits(2, 1 << 34, Gpus("", ()))

    def record(self, records: list[Record]) -> None:
        shutil.rmtree(self.folder / "runs", ignore_errors=True)
        for row, record in enumerate(records):
            run = self.build.run(row)
            folder = self.folder / "runs" / run.experiment / run.id
            record.write(folder, run.experiment, run.id, run.plan["fingerprint"], self.build.request(run, 1))

    def standings(self) -> Standings:
        found = Standings(self.folder)
        found.store.close()
        found.store = Store(self.folder, rescan=True)
        return found

    def chosen(self, rows: Sequence[int], retry: Retry | None) -> Selection:
        """Give what a submit to a cluster selects, or a retry there."""
        store = Store(self.folder, rescan=True)
        chooser = Chooser(self.build, Rows(Path(self.build.folder), self.build.plan), store, "slurm")
        found = chooser.choose(rows, retry, self.session.diagnostics)
        store.close()
        assert found is not None
        return found.selection


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    found = Project(tmp_path_factory.mktemp("fates") / "project")
    yield found
    found.build.close()


def by_row(project: Project, retried: Retried | None = None) -> dict[str, list[int]]:
    """Give the build's rows by their fates."""
    standings = project.standings()
    fates = find_fates(project.plan, standings, retried=retried)
    found: dict[str, list[int]] = {}
    for name, planned in project.plan.experiments.items():
        of = fates[name]
        for index in range(planned.runs):
            found.setdefault("sent" if of is None else of.fates[index], []).append(planned.first + index)
    sent = sent_rows(project.plan, fates)
    assert sum(map(len, sent.values())) == len(found.get("sent", []))
    standings.store.close()
    return found


def as_fates(selection: Selection) -> dict[str, list[int]]:
    named = {
        "sent": selection.send,
        "done": selection.done,
        "left": selection.faults,
        "unreadable": selection.broken,
        "blocked": selection.blocked,
    }
    assert not selection.busy
    return {name: rows for name, rows in named.items() if rows}


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(records=st.lists(RECORDS, min_size=9, max_size=9))
def test_a_build_knows_what_a_submit_does(project: Project, records: list[Record]) -> None:
    """Row by row: what is sent, what is left alone, and why."""
    project.record(records)
    fates = by_row(project)
    assert fates == as_fates(choose(project.place, range(9), project.limits))
    assert fates == as_fates(project.chosen(range(9), None))


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    records=st.lists(RECORDS, min_size=9, max_size=9),
    named=st.none() | st.lists(st.integers(0, 8), min_size=1, unique=True),
)
def test_a_build_knows_what_a_retry_sends(project: Project, records: list[Record], named: list[int] | None) -> None:
    """All that failed, or the runs that are named, with what comes after them."""
    project.record([each if each.state != "broken" else Record("done", 1, False, False, False) for each in records])
    rows: dict[str, set[int]] = {}
    for row in named or ():
        run = project.build.run(row)
        planned = project.plan.experiments[run.experiment]
        rows.setdefault(run.experiment, set()).add(planned.row(row - planned.first))
    chosen = project.chosen(range(9) if named is None else named, Retry(named is not None))
    found = by_row(project, Retried(None if named is None else rows, by_ids=named is not None))
    assert found.get("sent", []) == chosen.send
