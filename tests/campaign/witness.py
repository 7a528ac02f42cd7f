"""What really ran: read from what the programs wrote outside of the project, and from the processes of this machine."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

Execution = tuple[str, int]  # run id, attempt


@dataclass(frozen=True, slots=True)
class Heard:
    """How often each attempt's program began and finished, and which ran while an earlier one still did."""

    begun: Counter[Execution] = field(default_factory=Counter)
    finished: Counter[Execution] = field(default_factory=Counter)
    overlaps: tuple[Execution, ...] = ()

    def begun_of(self, run: str) -> int:
        return sum(count for (id, _), count in self.begun.items() if id == run)


def heard(outside: Path) -> Heard:
    """Read the programs' own lines."""
    begun: Counter[Execution] = Counter()
    finished: Counter[Execution] = Counter()
    overlaps: list[Execution] = []
    for line in (outside / "log").read_text().splitlines():
        event, run, attempt, *_ = line.split()
        execution = run, int(attempt)
        match event:
            case "begin":
                begun[execution] += 1
            case "finish":
                finished[execution] += 1
            case "overlap":
                overlaps.append(execution)
    return Heard(begun, finished, tuple(overlaps))


def alive(*folders: Path) -> dict[int, str]:
    """Give the processes that belong to runs below any of the folders, with the path of the run's folder."""
    found: dict[int, str] = {}
    roots = [os.fsencode(folder) + b"/" for folder in folders]
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/environ", "rb") as file:
                entries = file.read().split(b"\0")
            with open(f"/proc/{name}/stat", "rb") as file:
                state = file.read().rpartition(b")")[2].split()[0]
        except OSError:
            continue  # it has ended
        if state in (b"Z", b"X"):
            continue
        for entry in entries:
            if entry.startswith(b"XPC_RUN_DIR=") and any(entry[12:].startswith(root) for root in roots):
                found[int(name)] = os.fsdecode(entry[12:])
    return found


def lives(pid: int | None) -> bool:
    """Tell whether a process is there, and no more than an entry that nobody has looked at."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return False
    return stat.rpartition(b")")[2].split()[0] not in (b"Z", b"X")
