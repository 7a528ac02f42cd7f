"""What `xpc gc` would pack: the ended runs without outputs that nobody will write to again."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .gc_trash import is_own
from .pack import Candidate, batches, candidate, pack, tidy
from .shim import packs
from .store import Store
from .submissions import sent_jobs


@dataclass(frozen=True, slots=True)
class Packing:
    """What an experiment has for packs: *runs* in as many as *batches*."""

    experiment: str
    runs: tuple[Candidate, ...]

    @property
    def batches(self) -> list[list[Candidate]]:
        return list(batches(self.runs))

    @property
    def inodes(self) -> int:
        """How many files and folders there are less afterwards."""
        return sum(len(run.files) + 1 for run in self.runs) - len(self.batches)

    def record(self) -> dict[str, Any]:
        """Give the JSON form."""
        size = sum(run.bytes for run in self.runs)
        return {
            "experiment": self.experiment,
            "runs": len(self.runs),
            "packs": len(self.batches),
            "bytes": size,
            "inodes": self.inodes,
        }


def packings(store: Store) -> Iterator[Packing]:
    """Look for runs that can be packed: ended, nothing in `files/`, and held by no submit."""
    waiting = waiting_for_jobs(store)
    for experiment in sorted(store.experiments()):
        if not is_own(store.project, store.project / "runs" / experiment / packs.FOLDER):
            continue  # what a link leads to is not this project's to rearrange
        runs = []
        for id, state in store.ended(experiment):
            if (experiment, id) not in waiting and store.state(experiment, id) == state:
                found = candidate(store.folder(experiment, id), state)
                runs += [found] if found is not None else []
        if runs:
            yield Packing(experiment, tuple(runs))


def waiting_for_jobs(store: Store) -> set[tuple[str, str]]:
    """Give the runs that a job may still try again: sent to a cluster, not taken back, and never seen to start."""
    newest = {(job.experiment, job.run): job for job in sent_jobs(store.project)}
    found = set()
    for run, job in newest.items():
        record = store.record(*run)
        scheduler = record.claim.get("scheduler") if record is not None else None
        began = isinstance(scheduler, dict) and str(scheduler.get("job")) == job.job
        if not job.cancelled and not began and store.state(*run) != "done":
            found.add(run)
    return found


def pack_all(store: Store, found: Packing) -> tuple[int, int]:
    """Pack the runs of one experiment; give how many runs are packed now, and in how many new packs."""
    experiment = os.path.join(store.project, "runs", found.experiment)
    done = [pack(experiment, batch) for batch in found.batches]
    return sum(len(gone) for _, gone in done), len(done)


def tidy_all(store: Store) -> int:
    """Finish what an earlier, cut `xpc gc` has left; give how many folders are gone now."""
    runs = os.path.join(store.project, "runs")
    names = [
        name
        for name in store.experiments()
        if is_own(store.project, store.project / "runs" / name / packs.FOLDER)
        and os.path.isdir(os.path.join(runs, name, packs.FOLDER))
    ]
    return sum(len(tidy(os.path.join(runs, name))) for name in names)
