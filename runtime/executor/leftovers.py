"""Programs that a killed executor left running: found by their environment, waited for, never started beside."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..records import read_run
from .gpus import Device
from .room import Need


def find_leftovers() -> dict[str, list[int]]:
    """Look at this user's processes once; give those of runs, by the real path of the run's folder.

    The journals alone would not do: an executor may be killed after it started a program and before it noted which,
    and a program may leave processes behind that outlive it.
    """
    found: dict[str, list[int]] = {}
    ours = _ourselves()
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) not in ours:
            folder = _run_folder(int(name))
            if folder is not None:
                found.setdefault(folder, []).append(int(name))
    return found


def _run_folder(pid: int) -> str | None:
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            entries = file.read().split(b"\0")
    except OSError:
        return None
    for entry in entries:
        if entry.startswith(b"XPC_RUN_DIR="):
            return os.path.realpath(os.fsdecode(entry[12:]))
    return None


def _ourselves() -> set[int]:
    """Give this process and those above it: a run may itself submit another study."""
    found = set()
    pid = os.getpid()
    while pid > 1 and pid not in found:
        found.add(pid)
        try:
            with open(f"/proc/{pid}/stat", "rb") as file:
                stat = file.read()
        except OSError:
            break
        pid = int(stat[stat.rindex(b")") + 2 :].split()[1])
    return found


@dataclass(slots=True)
class Parked:
    """A row that waits for the processes of its last attempt. *files* are their pidfds, *need* and *devices* theirs."""

    row: int
    need: Need
    devices: tuple[Device, ...]
    files: set[int] = field(default_factory=set)
    wanted: bool = False  # it is ready but for these processes


def open_processes(pids: Sequence[int]) -> set[int]:
    """Give a pidfd of each process that still is there."""
    found = set()
    for pid in pids:
        try:
            found.add(os.pidfd_open(pid))
        except ProcessLookupError:
            continue
    return found


def devices_of(folder: str) -> list[str]:
    """Give the names of the GPUs that the last attempt in a run's folder was given."""
    record = read_run(folder)
    return [] if record is None or record.start is None else [str(name) for name in record.start.get("gpus") or ()]
