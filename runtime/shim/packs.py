"""Reads packed runs: a zip holds up to a thousand ended ones, and its comment says which and how each ended.

A run's own folder comes before a pack, a later pack before an earlier one.
"""

# A node may have Python 3.8.

from __future__ import annotations

import errno
import functools
import json
import os
import re
from typing import TYPE_CHECKING, Dict, List, NamedTuple, Optional

if TYPE_CHECKING:
    import zipfile

FOLDER = "packs"
SCHEMA = "xpc.pack/1"
SUPERSEDED = "superseded.json"
SUPERSEDED_SCHEMA = "xpc.superseded/1"

_NAME = re.compile(r"([1-9]\d*)\.zip")
_END = b"PK\x05\x06"  # the record that a zip ends with; its comment comes last in the file
_END_SIZE = 22
_LONGEST = (1 << 16) + _END_SIZE
_UNREADABLE = (OSError, ValueError, KeyError, NotImplementedError, RuntimeError)


class Found(NamedTuple):
    """The pack that holds a run, and how the run ended."""

    pack: str
    state: str


def pack_paths(experiment: str) -> List[str]:
    """Give the packs in an experiment's folder, earliest first."""
    folder = os.path.join(experiment, FOLDER)
    try:
        found = [match for match in map(_NAME.fullmatch, os.listdir(folder)) if match]
    except PermissionError:
        raise  # a packed run that nobody may see has not been planned again
    except OSError:
        return []
    return [os.path.join(folder, match[0]) for match in sorted(found, key=lambda match: int(match[1]))]


def number(path: str) -> int:
    """Give the number of a pack."""
    return int(os.path.basename(path)[: -len(".zip")])


def superseded(experiment: str) -> Dict[str, int]:
    """Give the runs that were set aside to be run again, each with the last pack that held it then: it does not count
    in that one nor in those before it."""
    try:
        with open(os.path.join(experiment, FOLDER, SUPERSEDED), "rb") as file:
            said = json.loads(file.read().decode("utf-8"))
        if said.get("schema") != SUPERSEDED_SCHEMA:
            return {}
        return {str(run): int(last) for run, last in said["runs"].items()}
    except (*_UNREADABLE, AttributeError, TypeError, RecursionError):
        return {}


def contents(experiment: str) -> Dict[str, str]:
    """Give the name of the pack that each packed run of an experiment lies in, by the run's id."""
    return {run: os.path.basename(found.pack) for run, found in _found_in(experiment).items()}


def _found_in(experiment: str) -> "Dict[str, Found]":
    found: Dict[str, Found] = {}
    gone: Optional[Dict[str, int]] = None
    for path in pack_paths(experiment):
        gone = superseded(experiment) if gone is None else gone
        for run, state in runs_in(path).items():
            if number(path) > gone.get(run, 0):
                found[run] = Found(path, state)
    return found


def runs_in(path: str) -> Dict[str, str]:
    """Give the runs of a pack and how each ended, in their order there; none if it is damaged."""
    try:
        stat = os.stat(path)
        return _runs_in(path, stat.st_ino, stat.st_size, stat.st_mtime_ns)
    except PermissionError:
        raise
    except _UNREADABLE:
        return {}


@functools.lru_cache(maxsize=None)
def _runs_in(path: str, inode: int, size: int, changed: int) -> Dict[str, str]:
    with open(path, "rb") as file:
        file.seek(max(0, size - _LONGEST))
        data = file.read()
    said = json.loads(data[data.rindex(_END) + _END_SIZE :].decode("utf-8"))
    if said.get("schema") != SCHEMA:
        return {}
    return {str(run): str(state) for run, state in said["runs"].items()}


def find(folder: str) -> Optional[Found]:
    """Give the pack that holds the run whose folder would be *folder*."""
    experiment, run = os.path.split(os.path.normpath(folder))
    try:
        stat = os.stat(os.path.join(experiment, FOLDER))
    except PermissionError:
        raise
    except OSError:
        return None  # as it is for nearly everybody
    return _directory(experiment, stat.st_ino, stat.st_mtime_ns).get(run)


@functools.lru_cache(maxsize=64)
def _directory(experiment: str, inode: int, changed: int) -> Dict[str, Found]:
    """Give what *changed* then: all packed runs of an experiment."""
    return _found_in(experiment)


def is_done(folder: str) -> bool:
    """Tell whether the run whose folder would be *folder* is packed, and its end line says `done`."""
    found = find(folder)
    return found is not None and found.state == "done"


def names(folder: str) -> List[str]:
    """Give the names of the files of a packed run."""
    found = find(folder)
    return [] if found is None else sorted(_members(found.pack, os.path.basename(os.path.normpath(folder))))


def read(folder: str, name: str) -> Optional[bytes]:
    """Give a file of a packed run; nothing if the run is in no pack, or has no such file there.

    Raises ``OSError`` where the pack can't be read, or was damaged since it was made.
    """
    found = find(folder)
    if found is None:
        return None
    import zipfile

    member = "%s/%s" % (os.path.basename(os.path.normpath(folder)), name)
    try:
        return _open(found.pack, os.stat(found.pack).st_ino).read(member)
    except KeyError:
        return None
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as damaged:
        raise OSError(errno.EIO, "the pack is damaged (%s)" % damaged, found.pack) from None


def journals(folder: str) -> List[bytes]:
    """Give the journals of all attempts of a packed run, first attempt first; none of a run that has a folder."""
    if find(folder) is None or os.path.isdir(folder):
        return []
    found: List[bytes] = []
    while True:
        data = read(folder, "run.jsonl" if not found else "run.%d.jsonl" % (len(found) + 1))
        if data is None:
            return found
        found.append(data)


def _members(pack: str, run: str) -> List[str]:
    prefix = run + "/"
    every = _open(pack, os.stat(pack).st_ino).namelist()
    return [name[len(prefix) :] for name in every if name.startswith(prefix)]


@functools.lru_cache(maxsize=8)
def _open(pack: str, inode: int) -> "zipfile.ZipFile":
    import zipfile  # few runs are packed, and it takes a task longer to load than to run

    return zipfile.ZipFile(pack)


def restore(folder: str) -> bool:
    """Put a packed run back into its folder, whole or not at all; false if it is in no pack.

    Its next attempt then goes on after those that it had. Of two that restore it at once one wins, with the same files.
    """
    found = find(folder)
    if found is None:
        return False
    run = os.path.basename(os.path.normpath(folder))
    aside = "%s.%s-%d" % (folder, os.uname().nodename, os.getpid())
    os.mkdir(aside)
    try:
        for name in _members(found.pack, run):
            data = read(folder, name)
            assert data is not None, name  # it is listed there
            with open(os.path.join(aside, name), "xb") as file:
                file.write(data)
        os.rename(aside, folder)
    except OSError:
        import shutil

        shutil.rmtree(aside, ignore_errors=True)
        if not os.path.isdir(folder):
            raise
    return True
