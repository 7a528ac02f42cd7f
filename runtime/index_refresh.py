"""Run folders to the index: which runs may have changed since the last look, and what they say now.

New folders show in the time of their experiment's folder, later attempts in the logs of events; runs that have not
ended are read again. An ended run that nobody names is never looked at.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Final

from .index import Entry, Index
from .index_columns import to_json
from .records import RunRecord, read_run
from .roster import Roster
from .shim import packs
from .shim.regular import open_regular

SETTLED: Final = 2_000_000_000  # nanoseconds after which a folder's time tells two changes apart
DIGITS: Final = frozenset("0123456789abcdef")
BATCH: Final = 10_000  # runs that are read before they are saved

Known = dict[str, Roster]  # by experiment
Run = tuple[str, str]  # experiment and id
Place = tuple[int, str | None]  # the inode of a run's folder, or 0 and the name of its pack


def refresh(index: Index, project: Path, hints: Iterable[Run] = (), *, rescan: bool = False) -> Known:
    """Bring the index up to date and give all runs that have a folder. *hints* name runs to look at in any case."""
    if not rescan:
        return _refresh(index, project, hints)
    with index.anew():
        return _refresh(index, project, hints)


def _refresh(index: Index, project: Path, hints: Iterable[Run]) -> Known:
    with index.moment():
        known, read, touched = _known(index, project), index.logs(), index.folders()
    look = {(e.experiment, e.id): (e.inode, e.pack) for runs in known.values() for e in runs.live()}
    logs = _read_logs(project, read)
    if logs.hidden:  # what others have tried again meanwhile is named in there
        look |= _undone(known)
    for experiment, id in (*hints, *logs.named):
        if (runs := known.get(experiment)) is not None and id in runs:
            place = runs.places.of[id]
            look[experiment, id] = runs.column("inode")[place], runs.column("pack")[place]
    listed = _list(project, touched, known)
    for run in listed.gone:
        look.pop(run, None)
    look.update(listed.found)
    if _save(index, _changed(project, look, known), listed, logs):
        return _known(index, project)
    return known


def _undone(known: Known) -> dict[Run, Place]:
    """Give the runs that may have had another attempt since they were read."""
    found: dict[Run, Place] = {}
    for experiment, runs in known.items():
        columns = (runs.column(name) for name in ("state", "inode", "pack"))
        for id, state, inode, pack in zip(runs.ids, *columns, strict=True):
            if state != "done":
                found[experiment, id] = inode, pack
    return found


def _known(index: Index, project: Path) -> Known:
    return {name: Roster(name, shelved, index, project) for name, shelved in index.runs().items()}


def _save(index: Index, changed: Iterator[Entry], listed: _Listing, logs: _Logs) -> bool:
    """Keep what was read, a batch at a time; say whether there was anything. What was listed is kept with the last."""
    batch = list(islice(changed, BATCH))
    while following := list(islice(changed, BATCH)):
        index.save(batch, (), (), ())
        batch = following
    if not (batch or listed.gone or listed.folders or logs.read):
        return False
    index.save(batch, listed.gone, listed.folders, logs.read)
    return True


def _changed(project: Path, look: Mapping[Run, Place], known: Known) -> Iterator[Entry]:
    """Read the runs to look at; give those of which the index has something else."""
    runs = os.path.join(project, "runs")
    for (experiment, id), place in look.items():
        record = read_run(f"{runs}/{experiment}/{id}")
        entry = entry_of(record, place) if record else Entry(experiment, id, *place, 0, None, "{}")
        before = known[experiment].entry(id) if experiment in known else None
        if before is None or _kept(before) != _kept(entry):
            yield entry


def _kept(entry: Entry) -> tuple[object, ...]:
    return entry.inode, entry.pack, entry.attempt, entry.record


# ------------------------------------------------------------------ records and entries


def entry_of(record: RunRecord, place: Place) -> Entry:
    """Give the form in which the index keeps a record."""
    claim = {name: value for name, value in record.claim.items() if name not in ("values", "command")}
    start = {name: value for name, value in (record.start or {}).items() if name != "command"}
    kept: dict[str, Any] = {"claim": claim, "start": start or None, "end": record.end}
    marks = {"progress": record.progress, "torn": record.torn, "broken": record.broken, "released": record.released}
    kept |= {name: value for name, value in marks.items() if value}
    ended = record.end is not None and record.broken is None
    state = str(record.end["state"]) if record.end is not None and ended else None
    values = record.claim.get("values") if ended else None
    claimed = None if values is None else to_json(values)
    text = to_json(kept)
    return Entry(record.experiment, record.id, *place, record.attempt, state, text, claimed, record)


# ------------------------------------------------------------------ folders


class _Listing:
    """*found*: runs that the index does not know there, with their place; *folders*: times to remember."""

    __slots__ = ("folders", "found", "gone")

    def __init__(self) -> None:
        self.found: dict[Run, Place] = {}
        self.gone: list[Run] = []
        self.folders: list[tuple[str, int]] = []


def _list(project: Path, before: Mapping[str, int], known: Known) -> _Listing:
    """List the folders of runs and of packs in which something has come or gone."""
    listing = _Listing()
    try:
        with os.scandir(os.path.join(project, "runs")) as entries:
            experiments = {entry.name: entry.path for entry in entries if entry.is_dir() and entry.name.isprintable()}
    except PermissionError:
        raise  # what is in there is not planned, only because nobody may look
    except OSError:
        experiments = {}
    for experiment in known.keys() - experiments.keys():
        listing.gone += [(experiment, id) for id in known[experiment].ids]
        listing.folders += [(experiment, 0), (f"{experiment}/{packs.FOLDER}", 0)]
    for experiment, path in sorted(experiments.items()):
        touched = {experiment: os.stat(path).st_mtime_ns, f"{experiment}/{packs.FOLDER}": _touched(path)}
        if touched[experiment] and all(before.get(name, 0) == time for name, time in touched.items()):
            continue  # a folder without a time, as some archives give it, is listed each time
        _list_experiment(listing, experiment, path, known.get(experiment))
        # What changes once more within the same tick would not show: then the folder is listed again.
        settled = time.time_ns() - SETTLED
        listing.folders += [(name, time if time < settled else 0) for name, time in touched.items()]
    return listing


def _touched(path: str) -> int:
    """Give the time of an experiment's folder of packs; 0 if it has none."""
    try:
        return os.stat(os.path.join(path, packs.FOLDER)).st_mtime_ns
    except OSError:
        return 0


def _list_experiment(listing: _Listing, experiment: str, path: str, known: Roster | None) -> None:
    present: dict[str, Place] = {id: (0, pack) for id, pack in packs.contents(path).items()}
    with os.scandir(path) as entries:
        for entry in entries:
            if len(entry.name) == 16 and DIGITS.issuperset(entry.name):
                present[entry.name] = (entry.inode(), None)  # a folder comes before a pack
    before: dict[str, Place] = {}
    if known is not None:
        places = zip(known.column("inode"), known.column("pack"), strict=True)
        before = dict(zip(known.ids, places, strict=True))
    listing.found |= {(experiment, id): place for id, place in present.items() if before.get(id) != place}
    listing.gone += [(experiment, id) for id in before.keys() - present.keys()]


# ------------------------------------------------------------------ hints


class _Logs:
    """*named*: the runs that the logs of events name since the last look; *read*: how far they are read now. *hidden*:
    some are not for this user to read."""

    __slots__ = ("hidden", "named", "read")

    def __init__(self) -> None:
        self.hidden = False
        self.named: set[tuple[str, str]] = set()
        self.read: list[tuple[str, int, int]] = []


def _read_logs(project: Path, before: dict[str, tuple[int, int]]) -> _Logs:
    logs = _Logs()
    try:
        with os.scandir(os.path.join(project, ".xpc", "events")) as entries:
            paths = sorted((entry.name, entry.path) for entry in entries if entry.name.endswith(".log"))
    except OSError as refused:
        logs.hidden = isinstance(refused, PermissionError)
        return logs
    for name, path in paths:
        try:
            with open_regular(path) as file:
                inode = os.fstat(file.fileno()).st_ino
                was, at = before.get(name, (inode, 0))
                at = at if was == inode else 0
                file.seek(at)
                new = file.read()
        except OSError as refused:
            logs.hidden = logs.hidden or isinstance(refused, PermissionError)
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
