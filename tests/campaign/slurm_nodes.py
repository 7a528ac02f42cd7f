"""Daemons of the SLURM that the tests have brought up: a node that is lost, a controller that is away."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Final

BRING_UP: Final = Path(__file__).parent.parent / "clusters/slurm"


def daemons(name: bytes) -> dict[int, list[bytes]]:
    """Give the processes of a daemon, with their command lines."""
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                words = (folder / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue  # it has ended
            if os.path.basename(words[0]) == name:
                found[int(folder.name)] = words
    return found


@contextmanager
def node_down(node: str) -> Iterator[None]:
    """Kill a node's slurmd and set it down, as a node is that has lost its network; bring it back afterwards."""
    for pid, words in daemons(b"slurmd").items():
        if (b"-N", node.encode()) in pairwise(words):
            os.kill(pid, signal.SIGKILL)
    try:
        subprocess.run(["scontrol", "update", f"nodename={node}", "state=down", "reason=test"], check=True)
        yield
    finally:
        subprocess.run(["scontrol", "update", f"nodename={node}", "state=resume"], check=False)
        subprocess.run([BRING_UP, "up"], check=True, capture_output=True, timeout=120)


@contextmanager
def controller_away() -> Iterator[None]:
    """Freeze the controller: nobody answers, and nothing that it knew is lost."""
    pids = list(daemons(b"slurmctld"))
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
