"""A signal that announces an end, to those processes of a program that listen for it: it must end nobody."""

from __future__ import annotations

import os
import signal
from typing import Dict, List, Optional

from . import processes


def send(program: int, name: str) -> None:
    """Send a signal (`USR1`) to the program if it catches it, else to the first of its descendants that do.

    A launcher or a shell that does not catch it would die of it; a worker that inherited its parent's handler would
    save what its parent saves.
    """
    number = number_of(name)
    children: Dict[int, List[int]] = {}
    for pid, process in processes.table().items():
        children.setdefault(process.parent, []).append(pid)
    todo, told = [program], []
    while todo:
        pid = todo.pop()
        if catches(pid, number):
            told.append(pid)
        else:
            todo += children.get(pid, [])
    processes.send(told, number)


def number_of(name: str) -> int:
    """Give the number of a signal (`USR1`)."""
    return int(getattr(signal, "SIG" + name))


def catches(pid: int, number: int) -> bool:
    """Tell whether a process has a handler for a signal."""
    mask = _caught(pid)
    return mask is not None and bool(mask >> (number - 1) & 1)


def _caught(pid: int) -> Optional[int]:
    try:
        with open(os.path.join("/proc", str(pid), "status"), "rb") as file:
            for line in file:
                if line.startswith(b"SigCgt:"):
                    return int(line.split()[1], 16)
    except (OSError, ValueError):
        return None  # it has ended
    return None
