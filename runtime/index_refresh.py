"""Run folders to the index: which runs may have changed since the last look, and what they say now.

New folders show in the time of their experiment's folder, later attempts in the logs of events; runs that have not
ended are read again. An ended run that nobody names is never looked at.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from .index import Entry, Index
from .records import RunRecord, read_run

SETTLED: Final = 2_000_000_000  # nanoseconds after which a folder's time tells two changes apart
DIGITS: Final = frozenset("0123456789abcdef")

Known = dict[str, dict[str, Entry]]  # by experiment, then by id


def refresh(index: Index, project: Path, hints: Iterable[tuple[str, str]] = (), *, rescan: bool = False) -> Known:
    """Bring the index up to date and give all runs that have a folder. *hints* name runs to look at in any case."""
    if rescan:
        index.rebuild()
    known: Known = {}
    for entry in index.entries():
        known.setdefault(entry.experiment, {})[entry.id] = entry
    look = {(e.experiment, e.id): e.inode for runs in known.values() for e in runs.values() if e.state is None}
    logs = _read_logs(project, index.logs())
    for run in (*hints, *logs.named):
        named = known.get(run[0], {}).get(run[1])
        if named is not None:
            look[run] = named.inode
    listed = _list(project, index.folders(), known)
    for run in listed.gone:
        look.pop(run, None)
    look.update(listed.found)
    changed = _read(project, look, known)
    if changed or listed.gone or listed.folders or logs.read:
        for experiment, id in listed.gone:
            known.get(experiment, {}).pop(id, None)
        index.save(changed, listed.gone, listed.folders, logs.read)
    for entry in changed:
        known.setdefault(entry.experiment, {})[entry.id] = entry
    return known


def _read(project: Path, look: dict[tuple[str, str], int], known: Known) -> list[Entry]:
    """Read the runs to look at; give those of which the index has something else."""
    changed = []
    runs = os.path.join(project, "runs")
    for (experiment, id), inode in look.items():
        record = read_run(f"{runs}/{experiment}/{id}")
        entry = entry_of(record, inode) if record else Entry(experiment, id, inode, 0, None, "{}")
        before = known.get(experiment, {}).get(id)
        if before is None or (before.attempt, before.record) != (entry.attempt, entry.record):
            changed.append(entry)
    return changed


# ------------------------------------------------------------------ records and entries


def entry_of(record: RunRecord, inode: int) -> Entry:
    """Give the form in which the index keeps a record."""
    claim = {name: value for name, value in record.claim.items() if name not in ("values", "command")}
    start = {name: value for name, value in (record.start or {}).items() if name != "command"}
    kept: dict[str, Any] = {"claim": claim, "start": start or None, "end": record.end}
    marks = {"progress": record.progress, "torn": record.torn, "broken": record.broken, "released": record.released}
    kept |= {name: value for name, value in marks.items() if value}
    ended = record.end is not None and record.broken is None
    state = str(record.end["state"]) if record.end is not None and ended else None
    values = record.claim.get("values") if ended else None
    claimed = None if values is None else json.dumps(values, separators=(",", ":"))
    text = json.dumps(kept, separators=(",", ":"))
    return Entry(record.experiment, record.id, inode, record.attempt, state, text, None, claimed)


def record_of(entry: Entry, project: Path) -> RunRecord | None:
    """Give the record that an entry keeps, without values and command; nothing if no attempt ever began."""
    if entry.attempt == 0:
        return None
    kept = json.loads(entry.record)
    progress = kept.get("progress")
    return RunRecord(
        id=entry.id,
        experiment=entry.experiment,
        folder=os.path.join(project, "runs", entry.experiment, entry.id),
        attempt=entry.attempt,
        claim=kept["claim"],
        start=kept["start"],
        end=kept["end"],
        progress=(progress[0], progress[1]) if progress else None,
        torn=kept.get("torn", False),
        broken=kept.get("broken"),
        released=kept.get("released", False),
    )


# ------------------------------------------------------------------ folders


class _Listing:
    """*found*: runs with a folder that the index does not know, with its inode; *folders*: times to remember."""

    __slots__ = ("folders", "found", "gone")

    def __init__(self) -> None:
        self.found: dict[tuple[str, str], int] = {}
        self.gone: list[tuple[str, str]] = []
        self.folders: list[tuple[str, int]] = []


def _list(project: Path, before: dict[str, int], known: Known) -> _Listing:
    listing = _Listing()
    try:
        with os.scandir(os.path.join(project, "runs")) as entries:
            experiments = {entry.name: entry.path for entry in entries if entry.is_dir()}
    except OSError:
        experiments = {}
    for experiment in known.keys() - experiments.keys():
        listing.gone += [(experiment, id) for id in known[experiment]]
        listing.folders.append((experiment, 0))
    for experiment, path in sorted(experiments.items()):
        touched = os.stat(path).st_mtime_ns
        if before.get(experiment) == touched:
            continue
        _list_experiment(listing, experiment, path, known.get(experiment, {}))
        # What changes once more within the same tick would not show: then the folder is listed again.
        settled = touched < time.time_ns() - SETTLED
        listing.folders.append((experiment, touched if settled else 0))
    return listing


def _list_experiment(listing: _Listing, experiment: str, path: str, known: dict[str, Entry]) -> None:
    present = set()
    with os.scandir(path) as entries:
        for entry in entries:
            if len(entry.name) != 16 or not DIGITS.issuperset(entry.name):
                continue
            present.add(entry.name)
            before = known.get(entry.name)
            if before is None or before.inode != entry.inode():
                listing.found[experiment, entry.name] = entry.inode()
    listing.gone += [(experiment, id) for id in known.keys() - present]


# ------------------------------------------------------------------ hints


class _Logs:
    """*named*: the runs that the logs of events name since the last look; *read*: how far they are read now."""

    __slots__ = ("named", "read")

    def __init__(self) -> None:
        self.named: set[tuple[str, str]] = set()
        self.read: list[tuple[str, int, int]] = []


def _read_logs(project: Path, before: dict[str, tuple[int, int]]) -> _Logs:
    logs = _Logs()
    try:
        with os.scandir(os.path.join(project, ".xpc", "events")) as entries:
            paths = sorted((entry.name, entry.path) for entry in entries if entry.name.endswith(".log"))
    except OSError:
        return logs
    for name, path in paths:
        try:
            with open(path, "rb") as file:
                inode = os.fstat(file.fileno()).st_ino
                was, at = before.get(name, (inode, 0))
                at = at if was == inode else 0
                file.seek(at)
                new = file.read()
        except OSError:
            continue  # a hint that can't be read is none
        whole = new.rfind(b"\n") + 1
        if whole:
            logs.named.update(_named(new[:whole]))
            logs.read.append((name, inode, at + whole))
    return logs


def _named(lines: bytes) -> Iterable[tuple[str, str]]:
    for line in lines.splitlines():
        try:
            hint = json.loads(line)
            yield str(hint["experiment"]), str(hint["run"])
        except (ValueError, KeyError, TypeError, RecursionError):
            continue
