"""Faults on this machine: files that a crash has cut, emptied, or filled with zeros."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from random import Random

from .journals import read_runs
from .kinds import kind
from .local_kills import gone, send, submit
from .moments import anytime
from .oracle import Oracle
from .project import Project

PAGE = 4096
HARM = ("cut", "cut", "cut", "empty", "zeros", "half", "tail")


def damage(path: Path, random: Random) -> str:
    """Do to a file what a crash may; give what it was."""
    data = path.read_bytes()
    way = random.choice(HARM)
    size = len(data)
    match way:
        case "cut":
            data = data[: random.randrange(size)] if size else b""
        case "empty":
            data = b""
        case "zeros":  # the size was on disk, the last blocks were not
            kept = random.randrange(size) if size else 0
            data = data[:kept] + b"\0" * (size - kept)
        case "half":  # the last line alone
            last = data.rstrip(b"\n").rfind(b"\n") + 1
            data = data[: random.randint(last, max(last, size - 1))]
        case "tail":
            data += random.choice((b"\0" * 512, b'{"event":"en', b"\xff\xfe\n", b"[]\n"))
    mode = path.stat().st_mode
    path.chmod(0o644)
    path.write_bytes(data)
    path.chmod(mode)
    return way


def disturbed(project: Project, random: Random) -> None:
    """Run the study, in half of the cases not to its end."""
    going = submit(project, random)
    if random.random() < 0.5 and anytime(random).wait(project, going):
        send(going.pid, random.choice((signal.SIGKILL, signal.SIGTERM)))
    project.finish(going)
    gone(project)


@kind("local", 5, may=("broken",))
def torn_journal(project: Project, oracle: Oracle, random: Random) -> bool:
    """A run's last journal is damaged; if it said `done`, and does no more, the run is run again."""
    disturbed(project, random)
    oracle.look()
    began = [run for run in read_runs(project.folder).values() if run.attempts]
    for run in random.sample(began, min(len(began), random.randint(1, 3))):
        name = f"run.{len(run.attempts)}.jsonl" if len(run.attempts) > 1 else "run.jsonl"
        damage(run.folder / name, random)
        oracle.forget(run.id)
    look_anew(project)
    return bool(began)


def look_anew(project: Project) -> None:
    """Type what the manual says for records that were changed by others: what has ended is not read again otherwise."""
    project.xpc("status", "--rescan")


@kind("local", 4)
def torn_submission(project: Project, oracle: Oracle, random: Random) -> bool:
    """The file of a submit, the hints of events, or the lock, is damaged."""
    disturbed(project, random)
    found = [
        path
        for name in ("submissions/*", "events/*", "submit.lock")
        for path in sorted((project.folder / ".xpc").glob(name))
    ]
    for path in random.sample(found, min(len(found), 2)):
        damage(path, random)
    return bool(found)


@kind("local", 3)
def torn_index(project: Project, oracle: Oracle, random: Random) -> bool:
    """The index, which is a cache, is damaged or gone."""
    disturbed(project, random)
    oracle.look()
    path = project.folder / ".xpc/index.sqlite"
    if not path.exists():
        return False
    if random.random() < 0.2:
        path.unlink()
    elif random.random() < 0.5:
        data = bytearray(path.read_bytes())
        for page in random.sample(range(len(data) // PAGE), 2):  # pages that were written before others, or never
            data[page * PAGE : (page + 1) * PAGE] = random.choice((bytes(PAGE), data[:PAGE], random.randbytes(PAGE)))
        path.write_bytes(data)
    else:
        damage(path, random)
    return True


@kind("local", 3)
def torn_build(project: Project, oracle: Oracle, random: Random) -> bool:
    """A file of the build or of the snapshot's export is damaged, as when the power fails soon after it was made."""
    if random.random() < 0.7:
        disturbed(project, random)
    folder = project.folder / ".xpc"
    found = [
        path
        for name in ("builds/*/*", "builds/*/arrays/*", "snapshots/*.json", "snapshots/*/*", "snapshot.*")
        for path in sorted(folder.glob(name))
        if path.is_file() and not path.is_symlink()
    ]
    path = random.choice(found)
    above = path.parent
    mode = above.stat().st_mode
    os.chmod(above, 0o700)
    damage(path, random)
    os.chmod(above, mode)
    return True
