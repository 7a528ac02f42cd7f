"""The runs that clusters have queued or running, for a submit to this machine: it leaves them alone."""

from __future__ import annotations

from pathlib import Path

from ..states import State
from ..store import Store
from ..submissions import CLUSTERS, read_submissions

Run = tuple[str, str]  # experiment and id


def on_clusters(project: Path) -> dict[Run, State]:
    """Give them with their states. A project that never went to a cluster asks nobody."""
    if not any(submission.kind in CLUSTERS for submission in read_submissions(project)):
        return {}
    store = Store(project)
    try:
        held = (run for run, held in store.clusters.held.items() if not held.cancelled)
        states = ((run, store.state(*run)) for run in held)
        return {run: state for run, state in states if state in ("queued", "running")}
    finally:
        store.close()
