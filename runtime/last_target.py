"""Where runs were last sent: what `xpc retry` takes for its target."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from .build_rows import expand, row_ids
from .shim.renames import former_runs
from .submissions import BUILDS, CLUSTERS, read_submissions, sent_jobs

Run = tuple[str, str]  # experiment and id


def last_target(project: Path, runs: Collection[Run]) -> str | None:
    """Give the name of the target of the newest submit that had one of the runs, whatever they were called then;
    nothing if none had."""
    submissions = read_submissions(project)
    runs = {*runs, *(former for run in runs for former in former_runs(str(project.joinpath("runs", *run))))}
    newest: str | None = None
    if any(submission.kind in CLUSTERS for submission in submissions):
        newest = max((job.submission for job in sent_jobs(project) if (job.experiment, job.run) in runs), default=None)
    ids: dict[str, list[str]] = {}
    for submission in reversed(submissions):
        if submission.name == newest:
            return submission.target
        if submission.kind in CLUSTERS or not submission.rows:
            continue
        if submission.build not in ids:
            ids[submission.build] = row_ids(project / BUILDS / submission.build)
        known = ids[submission.build]
        for experiment, rows in submission.rows.items():
            if any(row < len(known) and (experiment, known[row]) in runs for row in expand(rows)):
                return submission.target
    return None
