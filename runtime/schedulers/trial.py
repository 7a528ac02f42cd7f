"""A tiny real job that notes what a task may do on its node, and what its notes tell.

Its notes are files in a folder of the project, since that is what runs write too: a node that does not see the project
leaves none.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shlex
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .evidence import Ask
    from .findings import Site

FOLDER: Final = ".xpc/doctor"
PATIENCE: Final = 60.0  # seconds until a tiny job should have started
WATCH: Final = 0.2
SKEW: Final = 5.0  # seconds by which clocks may differ
SECRET: Final = "XPC_DOCTOR_SECRET"  # noqa: S105  # the name of a variable
OLDEST: Final = (3, 8)

BUSY: Final = "try again when the cluster is less busy"
UNSEEN: Final = "the nodes must see it under the same path, and you must be able to write there"

SCRIPT: Final = """#!/bin/bash
# Written by `xpc doctor`: notes what a task may do on this node, and ends within seconds.
trap '' TERM
there=$1
note() { printf '%s\\n' "$2" > "$there/$1.part" && mv "$there/$1.part" "$there/$1"; }
[ -n "${SLURM_RESTART_COUNT-}" ] && { note restarted "$SLURM_RESTART_COUNT"; exit 0; }
note host "${SLURMD_NODENAME:-$(hostname)}"
note clock "$(date +%s.%N)"
note secret "${XPC_DOCTOR_SECRET-}$(cat "$there/secret.json" 2>/dev/null)"
note python "$(PYTHON -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>&1 | tail -n 1)"
if [ -n "${SLURM_JOB_ID-}" ]; then
    scontrol requeue "$SLURM_JOB_ID" > "$there/requeue.said" 2>&1
    note requeue $?
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        scontrol update JobId="$SLURM_JOB_ID" MinMemoryNode=64 > "$there/update.said" 2>&1 && break
        sleep 0.5
    done
    note update $?
fi
note end 0
"""


@dataclass(slots=True)
class Notes:
    """What the job left: notes by name, and when the clock's note was first seen here (seconds since the epoch)."""

    notes: dict[str, str] = field(default_factory=dict)
    seen: float = 0.0


@dataclass(frozen=True, slots=True)
class Target:
    """How jobs are asked for: words for `sbatch` or `oarsub`, and the python of the nodes."""

    words: Sequence[str] = ()
    python: str = "python3"


@contextlib.contextmanager
def folder_for(project: Path, python: str) -> Iterator[tuple[Path, str]]:
    """Give a new folder with the job's script, and the job's name; nothing of it is left afterwards."""
    name = f"xpc-doctor-{secrets.token_hex(4)}"
    above = project / FOLDER
    folder = above / name
    folder.mkdir(parents=True)
    (folder / "try.sh").write_text(SCRIPT.replace("PYTHON", shlex.quote(python)))
    (folder / "try.sh").chmod(0o755)
    try:
        yield folder, name
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        with contextlib.suppress(OSError):  # another doctor's folder may be there
            above.rmdir()
            above.parent.rmdir()


def watch(folder: Path, wanted: str, patience: float, gone: Callable[[], bool]) -> Notes:
    """Wait for a note called *wanted*, *patience* seconds or until the job is *gone*; give all notes that are there."""
    found = Notes()
    until, ask = time.monotonic() + patience, time.monotonic() + 2
    while True:
        with contextlib.suppress(OSError):
            for entry in os.scandir(folder):
                if entry.name not in found.notes and not entry.name.endswith((".part", ".sh", ".said", ".json")):
                    found.notes[entry.name] = Path(entry.path).read_text(errors="replace").strip()
        if "clock" in found.notes and not found.seen:
            found.seen = time.time()
        if wanted in found.notes or time.monotonic() > until:
            return found
        if time.monotonic() > ask:
            if gone():
                return found
            ask = time.monotonic() + 2
        time.sleep(WATCH)


def judge(site: Site, found: Notes, secret: str) -> None:
    """Say what the notes tell of the node: the folder, python, the clock, what was passed on."""
    notes = found.notes
    site.ok("project folder", f"node {notes.get('host', '?')} sees it, and what it writes is seen here")
    version = re.fullmatch(r"(\d+)\.(\d+)\.(\d+)", notes.get("python", ""))
    if version is None:
        said = notes.get("python") or "it says nothing"
        site.bad("python there", said, 'say which one the nodes have: `python = "python3.11"` in the target')
    elif (int(version[1]), int(version[2])) < OLDEST:
        site.bad("python there", version[0], "3.8 is the oldest that will do: `python = …` in the target names another")
    else:
        site.ok("python there", version[0])
    _judge_clock(site, notes, found.seen)
    if notes.get("secret") == secret:
        site.ok("secrets", "reach the node")
    else:
        site.note("secrets", "do not reach the node", "runs that need a `secret` will fail here")


def _judge_clock(site: Site, notes: Mapping[str, str], seen: float) -> None:
    try:
        ahead = float(notes.get("clock", "")) - seen
    except ValueError:
        return
    if abs(ahead) <= SKEW:
        site.ok("clocks", f"agree within {SKEW:g} s")
    else:
        help = "times of runs are those of their nodes; nothing else depends on it"
        site.note("clocks", f"the node's is {abs(ahead):.0f} s {'ahead' if ahead > 0 else 'behind'}", help)


def said(run: Ask, command: list[str]) -> str:
    """Give what a command answers, and nothing if it can't."""
    answer = run(command)
    return answer.out.strip() if answer.fine else ""
