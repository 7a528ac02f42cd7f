"""Who still needs what a project has kept: submits that go on, runs that have no end, builds by their runs."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .accepted import accepted_in
from .build_rows import Rows, read_plan
from .evidence_files import read_evidence
from .query.view import View
from .records import read_run
from .shim.regular import read_regular
from .store import Store
from .submissions import BUILDS, CLUSTERS, Submission, read_submissions

BUSY = ("queued", "running")


@dataclass(slots=True)
class Needs:
    """*builds*, snapshots' *trees* and *commits* by whoever names them; *live*: those trees that a run may yet read."""

    builds: set[str] = field(default_factory=set)
    trees: set[str] = field(default_factory=set)
    commits: set[str] = field(default_factory=set)
    live: set[str] = field(default_factory=set)


def unfinished(project: Path) -> list[Submission]:
    """Give the submits of which it is not known how all runs ended.

    A submit that was killed has no end either, and its programs may live on.
    """
    settled = read_evidence(project).settled
    return [
        submission
        for submission in read_submissions(project)
        if not submission.ended or (submission.kind in CLUSTERS and submission.name not in settled)
    ]


def needed_runs(store: Store) -> set[str]:
    """Give the ids of the runs that come before one which has not ended, however far up."""
    view = View({}, store)
    found: set[str] = set()
    for run in store.live():
        found.update(view.claimed_ancestors(*run))
    for build in {submission.build for submission in unfinished(store.project)}:
        found.update(_above_busy(store, store.project / BUILDS / build))
    return found


def _above_busy(store: Store, build: Path) -> Iterator[str]:
    plan = read_plan(build)
    if plan is None:
        return  # without its build nothing of it can begin any more
    rows = Rows(build, plan)
    waiting = [row for row in range(rows.count) if store.state(rows.experiment(row), rows.ids[row]) in BUSY]
    seen: set[int] = set()
    while waiting:
        for parent in rows.parents(waiting.pop()):
            if parent >= 0 and parent not in seen:
                seen.add(parent)
                waiting.append(parent)
                yield rows.ids[parent]


def needs_of(store: Store) -> Needs:
    """Give what the runs of a project, their earlier results included, and its unfinished submits refer to."""
    found = Needs()
    for submission in unfinished(store.project):
        found.builds.add(submission.build)
        tree = tree_of(store.project / BUILDS / submission.build)
        found.live |= {tree} if tree else set()
    for experiment in store.experiments():
        ids = list(store.ids(experiment))
        for name, known in (("build", found.builds), ("snapshot", found.trees), ("commit", found.commits)):
            known.update(value for value in store.field(experiment, ids, name) if value is not None)
    for run in store.live():
        record = store.record(*run)
        tree = record.claim.get("snapshot") if record is not None else None
        found.live |= {tree} if isinstance(tree, str) else set()
    for folder in sorted((store.project / "runs").glob("*/*.v[1-9]*")):
        earlier = read_run(str(folder))
        if earlier is not None:
            _take(found, earlier.claim)
    found.trees |= found.live | {each.snapshot for each in accepted_in(store.project) if each.snapshot}
    return found


def _take(found: Needs, claim: Any) -> None:
    for name, known in (("build", found.builds), ("snapshot", found.trees), ("commit", found.commits)):
        value = claim.get(name)
        if isinstance(value, str):
            known.add(value)


def tree_of(build: Path) -> str | None:
    """Give the snapshot of a build; nothing if it is damaged."""
    plan = read_plan(build)
    with contextlib.suppress(KeyError, TypeError):
        return str(plan["snapshot"]["tree"]) if plan is not None else None
    return None


def commit_of(build: Path) -> str | None:
    """Give the commit that holds the snapshot of a build."""
    try:
        found = json.loads(read_regular(str(build / "provenance.json")))
    except (OSError, ValueError, RecursionError):
        return None
    commit = found.get("commit") if isinstance(found, dict) else None
    return commit if isinstance(commit, str) else None
