"""Ended runs to a pack, so that a thousand folders become one file; a cut at any moment loses nothing.

The pack is written aside, flushed, compared with the folders and renamed. Only then each folder is moved out of sight,
looked at once more, and removed: whoever wrote into it meanwhile gets it back. What a cut leaves is finished by
the next `xpc gc`: `tidy`.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import stat
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from zlib import crc32

from .shim import packs

MOST_RUNS: Final = 1_000
MOST_BYTES: Final = 1 << 30
BLOCK: Final = 1 << 20
GONE: Final = ".old"  # the suffix of the folder in which runs wait for their removal

Step = Callable[[str], None]
"""Told before each step; tests stop there."""


def _no_step(name: str) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Candidate:
    """A run that can be packed: *files* are its files by name with their sizes in bytes."""

    id: str
    state: str
    folder: str
    files: Mapping[str, int]

    @property
    def bytes(self) -> int:
        return sum(self.files.values())


def candidate(folder: str, state: str) -> Candidate | None:
    """Look at the folder of an ended run; nothing if it has outputs, or whatever else no pack takes."""
    files: dict[str, int] = {}
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    if entry.name != "files" or os.listdir(entry.path):
                        return None
                elif stat.S_ISREG(entry.stat(follow_symlinks=False).st_mode):
                    files[entry.name] = entry.stat().st_size
                else:
                    return None
    except OSError:
        return None  # gone meanwhile, or not ours to read
    return Candidate(os.path.basename(folder), state, folder, dict(sorted(files.items())))


def batches(candidates: Iterable[Candidate]) -> Iterable[list[Candidate]]:
    """Share runs out over packs."""
    batch: list[Candidate] = []
    for run in candidates:
        if batch and (len(batch) == MOST_RUNS or sum(r.bytes for r in batch) + run.bytes > MOST_BYTES):
            yield batch
            batch = []
        batch.append(run)
    if batch:
        yield batch


def pack(experiment: str, runs: Sequence[Candidate], step: Step = _no_step) -> tuple[str, list[str]]:
    """Pack *runs* of the folder *experiment*; give the pack's path and the runs that are now in it alone.

    For whoever has the submit lock. Raises ``OSError`` if the disk refuses; the folders are whole then.
    """
    folder = os.path.join(experiment, packs.FOLDER)
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, f"{_last(experiment) + 1}.zip")
    aside = f"{path}.{os.getpid()}"
    try:
        step("write")
        sums = _write(aside, runs)
        step("verify")
        _verify(aside, runs, sums)
        step("rename")
        os.rename(aside, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(aside)
        raise
    _flush(folder)
    step("remove")
    gone = [run.id for run in runs if _remove(path, run.folder, sums, step)]
    with contextlib.suppress(OSError):
        os.rmdir(path + GONE)
    return path, gone


def tidy(experiment: str) -> list[str]:
    """Finish what a cut has left in an experiment's folder; give the runs whose folders are gone now.

    A folder beside its pack is removed if the pack has all of it, else it has gone on and stays.
    """
    folder = os.path.join(experiment, packs.FOLDER)
    with contextlib.suppress(FileNotFoundError):
        for name in os.listdir(folder):
            if ".zip." in name and not name.endswith(GONE):
                os.unlink(os.path.join(folder, name))
    found: list[str] = []
    newest = packs.contents(experiment)
    for path in packs.pack_paths(experiment):
        mine = [run for run in packs.runs_in(path) if newest.get(run) == os.path.basename(path)]
        left = [run for run in mine if os.path.isdir(os.path.join(path + GONE, run))]
        both = [run for run in mine if os.path.isdir(os.path.join(experiment, run))]
        sums = _sums(path) if left or both else {}
        found += [run for run in left if _finish(path, os.path.join(experiment, run), sums)]
        found += [run for run in both if _remove(path, os.path.join(experiment, run), sums)]
        with contextlib.suppress(OSError):
            os.rmdir(path + GONE)
    return found


# ------------------------------------------------------------------ the file


def _last(experiment: str) -> int:
    numbers = map(packs.number, packs.pack_paths(experiment))
    # A number is never given twice: a run that was set aside counts in no pack up to one.
    return max((*numbers, *packs.superseded(experiment).values()), default=0)


def _write(path: str, runs: Sequence[Candidate]) -> dict[str, int]:
    """Write a pack and give the checksum of each file in it."""
    sums: dict[str, int] = {}
    with open(path, "xb") as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            for run in runs:
                for name in run.files:
                    place = os.path.join(run.folder, name)
                    entry = zipfile.ZipInfo.from_file(place, f"{run.id}/{name}", strict_timestamps=False)
                    with open(place, "rb") as source, archive.open(entry, "w") as target:
                        shutil.copyfileobj(source, target, BLOCK)
                    sums[entry.filename] = entry.CRC
            said = {"schema": packs.SCHEMA, "runs": {run.id: run.state for run in runs}}
            archive.comment = json.dumps(said, separators=(",", ":")).encode()
        file.flush()
        os.fsync(file.fileno())
    return sums


def _verify(path: str, runs: Sequence[Candidate], sums: Mapping[str, int]) -> None:
    """Read the pack back, and the folders once more; raises ``OSError`` where they differ."""
    with zipfile.ZipFile(path) as archive:
        wrong = archive.testzip()
        if wrong is not None or _sums(path) != sums:
            raise OSError(f"{path} can't be read back")
    if packs.runs_in(path) != {run.id: run.state for run in runs}:
        raise OSError(f"{path} does not say what is in it")
    for run in runs:
        if not _holds(sums, run.id, run.folder):
            raise OSError(f"{run.folder} was written to while it was packed")


def _holds(sums: Mapping[str, int], run: str, folder: str) -> bool:
    """Tell whether every file in *folder* is in the pack as it is."""
    found = candidate(folder, "")
    return found is not None and all(
        sums.get(f"{run}/{name}") == _sum(os.path.join(folder, name)) for name in found.files
    )


def _sum(path: str) -> int:
    found = 0
    with open(path, "rb") as file:
        while block := file.read(BLOCK):
            found = crc32(block, found)
    return found


def _sums(pack: str) -> dict[str, int]:
    with zipfile.ZipFile(pack) as archive:
        return {entry.filename: entry.CRC for entry in archive.infolist()}


def _flush(folder: str) -> None:
    """Make a rename last."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


# ------------------------------------------------------------------ the folders


def _remove(pack: str, folder: str, sums: Mapping[str, int], step: Step = _no_step) -> bool:
    """Remove the folder of a packed run; false if it has gone on."""
    aside = os.path.join(pack + GONE, os.path.basename(folder))
    os.makedirs(pack + GONE, exist_ok=True)
    try:
        os.rename(folder, aside)
    except FileNotFoundError:
        return False
    step("moved")
    return _finish(pack, folder, sums)


def _finish(pack: str, folder: str, sums: Mapping[str, int]) -> bool:
    """Remove a folder that was moved out of sight; if there is more in it than in the pack, put it back."""
    run = os.path.basename(folder)
    aside = os.path.join(pack + GONE, run)
    if not _holds(sums, run, aside):
        os.rename(aside, folder)
        return False
    shutil.rmtree(aside)
    return True
