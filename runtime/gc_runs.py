"""Runs that a person named to those of them that may go, and why the others stay; then these to nothing."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from .gc import waiting_for_jobs
from .gc_needs import needed_runs
from .gc_query import Run
from .gc_trash import Trash, is_own, measured
from .shim import packs
from .store import Store
from .superseded import forget, note_superseded, versions

ENDED: Final = frozenset(("done", "failed", "killed", "timeout", "oom", "lost", "cancelled", "skipped"))


@dataclass(frozen=True, slots=True)
class Going:
    """A run that may go, or one of its earlier results: its folder, if it has one; *pack*: it lies in a pack."""

    experiment: str
    id: str
    state: str
    folder: Path | None
    pack: bool
    bytes: int
    files: int


@dataclass(slots=True)
class Choice:
    """*stays* counts the named runs that are left alone by why they are."""

    going: list[Going] = field(default_factory=list)
    stays: Counter[str] = field(default_factory=Counter)


def choose(
    store: Store,
    named: Iterable[Run],
    *,
    done: bool = False,
    superseded: bool = False,
    older_than: float = 0.0,
    now: datetime | None = None,
) -> Choice:
    """Share the *named* runs out. With *superseded* only earlier results of theirs (`<id>.v1`) go, never themselves.

    *older_than* is in seconds since the end. Nothing that is not named is ever chosen.
    """
    judge = _Judge(store, done=done or superseded, older_than=older_than, now=now or datetime.now(UTC))
    found = Choice()
    for run in dict.fromkeys(named):
        why = judge.why_not(run)
        if why is None and superseded:
            earlier = list(_earlier(store, run))
            found.going += earlier
            why = None if earlier else "no earlier result"
        elif why is None:
            found.going.append(_going(store, run))
        if why is not None:
            found.stays[why] += 1
    return found


class _Judge:
    """Says of a run why it must stay."""

    def __init__(self, store: Store, *, done: bool, older_than: float, now: datetime) -> None:
        self.store, self.done, self.older_than, self.now = store, done, older_than, now
        self.needed = needed_runs(store)
        self.waiting = waiting_for_jobs(store)

    def why_not(self, run: Run) -> str | None:
        state = self.store.state(*run)
        if state == "broken":
            return "its record can't be read"
        if state not in ENDED:
            return "not ended"
        if state == "done" and not self.done:
            return "done (`--done` removes these too)"
        if run[1] in self.needed:
            return "a run that has not ended comes after it"
        if run in self.waiting:
            return "its job may try it again"
        if not is_own(self.store.project, Path(self.store.folder(*run))):
            return "reached through a link"
        if self.older_than and not self._is_old(run):
            return "too young"
        return None

    def _is_old(self, run: Run) -> bool:
        ended = _time(self.store.field(run[0], [run[1]], "ended")[0])
        if ended is None:  # it was cut: then nothing has been written since
            with suppress(OSError):
                touched = max(entry.stat().st_mtime for entry in os.scandir(self.store.folder(*run)))
                ended = datetime.fromtimestamp(touched, UTC)
        return ended is not None and (self.now - ended).total_seconds() >= self.older_than


def _time(text: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def _going(store: Store, run: Run) -> Going:
    folder = Path(store.folder(*run))
    pack = packs.find(str(folder)) is not None
    size, files = measured(folder) if folder.is_dir() else (0, 0)
    return Going(*run, store.state(*run), folder if folder.is_dir() else None, pack, size, files)


def _earlier(store: Store, run: Run) -> Iterator[Going]:
    """Give the earlier results of a run that has a result again."""
    if store.state(*run) != "done":
        return
    for version in versions(store.project, *run):
        folder = Path(version.folder)
        if is_own(store.project, folder):
            yield Going(*run, f"v{version.number}", folder, False, *measured(folder))


def remove_runs(store: Store, going: Sequence[Going], trash: Trash) -> list[Going]:
    """Remove runs, for whoever has the submit lock; give those that are gone now.

    Each is planned for everybody from its rename on. The trash notes what is somebody else's to remove.
    """
    current = [run for run in going if not run.state.startswith("v")]
    forget(store.clusters, store.project, ((run.experiment, run.id) for run in current))
    for experiment in {run.experiment for run in current if run.pack}:
        home = str(store.project / "runs" / experiment)
        places = {run.id: packs.find(os.path.join(home, run.id)) for run in current if run.experiment == experiment}
        note_superseded(home, {id: packs.number(place.pack) for id, place in places.items() if place is not None})
    gone = [run for run in going if run.folder is None or trash.take(run.folder)]
    for experiment in {run.experiment for run in current if run.pack}:
        _drop_empty_packs(store.project / "runs" / experiment, trash)
    trash.empty()
    return gone


def _drop_empty_packs(home: Path, trash: Trash) -> None:
    """Remove the packs in which no run counts any more."""
    held: Collection[str] = set(packs.contents(str(home)).values())
    for path in packs.pack_paths(str(home)):
        if os.path.basename(path) not in held and packs.runs_in(path):
            trash.take(Path(path))
