"""Runs that clusters hold to no jobs: which tasks are theirs, what comes after them, and the calls that cancel both."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..build_rows import Rows, read_plan
from ..cluster_states import Held
from ..states import State
from ..store import Store
from ..submissions import BUILDS, SubmissionWriter
from .cluster import SCHEDULERS
from .cluster_call import Scheduler
from .cluster_withdraw import by_sender, withdraw

Run = tuple[str, str]  # experiment and id


@dataclass(slots=True)
class Cancelled:
    """*runs*: those that were meant, with their state before; *beside*: others in the same tasks; *below*: queued ones
    that come after them, on OAR, where nothing else would stop them. *wrong*: what the scheduler said, if it failed;
    *refused*: the runs that go on therefore, with the user whose jobs they are."""

    runs: dict[Run, State] = field(default_factory=dict)
    refused: dict[Run, str] = field(default_factory=dict)
    beside: list[Run] = field(default_factory=list)
    below: list[Run] = field(default_factory=list)
    wrong: str | None = None


def in_flight(store: Store) -> dict[Run, tuple[Held, State]]:
    """Give the runs that are queued or run on a cluster; also what goes on though it was cancelled."""
    states = ((run, held, store.state(*run)) for run, held in store.clusters.at_last().items())
    return {run: (held, state) for run, held, state in states if state in ("queued", "running")}


def cancel(project: Path, meant: Collection[Run], store: Store, environ: Mapping[str, str] = os.environ) -> Cancelled:
    """Cancel the tasks of those of the runs that are queued or running."""
    flying = in_flight(store)
    done = Cancelled({run: flying[run][1] for run in meant if run in flying})
    if not done.runs:
        return done
    tasks = {(flying[run][0].kind, *flying[run][0].key) for run in done.runs}
    done.beside = [run for run, (held, _) in flying.items() if (held.kind, *held.key) in tasks and run not in done.runs]
    gone = [*done.runs, *done.beside]
    done.below = _below(project, [run for run in gone if flying[run][0].kind == "oar"], flying)
    schedulers: dict[str, Scheduler] = {}

    def scheduler_of(kind: str) -> Scheduler:
        return schedulers.setdefault(kind, SCHEDULERS[kind](environ))

    # What comes after them first: on OAR it would be let go by their end.
    jobs = [flying[run][0] for run in (*done.below[::-1], *gone)]
    writer = SubmissionWriter(project, "", "", "", event="cancels")
    everything = [held for held, _ in flying.values()]
    for user, sent in by_sender(jobs, project).items():
        wrong = withdraw(sent, everything, writer, scheduler_of)
        if wrong is not None:
            done.wrong = done.wrong or wrong
            left = {(held.kind, *held.key) for held in sent}
            done.refused |= {run: user for run in done.runs if (flying[run][0].kind, *flying[run][0].key) in left}
    writer.end()
    done.runs = {run: state for run, state in done.runs.items() if run not in done.refused}
    for others in (done.beside, done.below):
        others[:] = [run for run in others if not _is_among(flying[run][0], done.refused, flying)]
    return done


def _is_among(job: Held, runs: Iterable[Run], flying: Mapping[Run, tuple[Held, State]]) -> bool:
    return any(flying[run][0].submission == job.submission for run in runs)


def _below(project: Path, gone: Iterable[Run], flying: Mapping[Run, tuple[Held, State]]) -> list[Run]:
    """Give the queued runs that come after those, however far down, in the builds that they were sent with."""
    lost = set(gone)
    found: list[Run] = []
    for build in dict.fromkeys(held.build for held, _ in flying.values()) if lost else ():
        folder = project / BUILDS / build
        plan = read_plan(folder)
        if plan is None:
            continue
        rows = Rows(folder, plan)
        for name in plan["experiments"]:  # parents before children
            for row in rows.of(name):
                run = name, rows.ids[row]
                if run not in flying or run in lost or flying[run][1] != "queued":
                    continue
                above = (parent for parent in rows.parents(row) if parent >= 0)
                if any((rows.experiment(parent), rows.ids[parent]) in lost for parent in above):
                    lost.add(run)
                    found.append(run)
    return found
