"""Faults on this machine: a disk that is full, for the runs' folders, for `.xpc`, or when an end line is written."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from random import Random

from .kinds import kind
from .local_kills import submit
from .moments import anytime
from .oracle import Oracle
from .project import Project

PAGES = 4096


@contextlib.contextmanager
def small_disk(folder: Path, kibibytes: int) -> Iterator[None]:
    """Mount a small file system at *folder*, with what was in it."""
    aside = folder.with_name(f"{folder.name}.aside")
    if folder.exists():
        shutil.copytree(folder, aside, symlinks=True)
    folder.mkdir(exist_ok=True)
    options = f"size={kibibytes}k,mode=755"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=True)
    try:
        if aside.exists():
            shutil.copytree(aside, folder, symlinks=True, dirs_exist_ok=True)
            shutil.rmtree(aside)
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def fill(folder: Path) -> Path:
    """Take all the room that is left."""
    ballast = folder / ".ballast"
    with contextlib.suppress(OSError), ballast.open("ab", buffering=0) as file:
        while True:
            file.write(b"\0" * PAGES)
    return ballast


@kind("local", 4, may=("failed",), needs="mount")
def disk_full_of_runs(project: Project, oracle: Oracle, random: Random) -> bool:
    """No room for what runs write, their journals included; later there is room again."""
    return _full(project, oracle, random, "runs")


@kind("local", 3, may=("failed",), needs="mount")
def disk_full_of_records(project: Project, oracle: Oracle, random: Random) -> bool:
    """No room in `.xpc`: for builds, submissions, the lock, the index."""
    return _full(project, oracle, random, ".xpc")


def _full(project: Project, oracle: Oracle, random: Random, name: str) -> bool:
    folder = project.folder / name
    project.cleanup.enter_context(small_disk(folder, 4096))
    going = submit(project, random)
    struck = anytime(random).wait(project, going)
    ballast = fill(folder)
    project.finish(going, 60)
    oracle.look(refused=True)
    if random.random() < 0.3:
        project.xpc("submit")
        oracle.look(refused=True)
    ballast.unlink()
    return struck


@kind("local", 4, may=("failed",), needs="mount")
def disk_full_at_the_end(project: Project, oracle: Oracle, random: Random) -> bool:
    """The last that a program does takes the room that its end line would need; the line may be cut anywhere."""
    folder = project.folder / "runs"
    chosen, pages = random.randrange(8), random.choice((0, 0, 1))
    project.cleanup.enter_context(small_disk(folder, 4096))
    project.behave(
        f"at_end() {{ [ $((0x${{XPC_RUN_ID:0:2}} % 8)) != {chosen} ] && return\n"
        f"    cat /dev/zero >> $XPC_PROJECT/runs/.ballast 2>/dev/null ||\n"
        f"    truncate -s -{pages * PAGES} $XPC_PROJECT/runs/.ballast; }}"
    )
    project.finish(submit(project, random), 60)
    struck = (folder / ".ballast").exists()
    oracle.look(refused=True)
    (folder / ".ballast").unlink(missing_ok=True)
    project.behave_well()
    return struck
