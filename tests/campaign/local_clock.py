"""Faults on this machine: the clock is wrong, jumps, or files bear times of another age."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from random import Random

from .faketime import library
from .kinds import kind
from .local_kills import gone, send
from .moments import anytime
from .oracle import Oracle
from .project import Project

DAY = 86400


def clock(project: Project, offset: float) -> Mapping[str, str]:
    """Give an environment whose clock is off by *offset* seconds, until `jump` sets it anew."""
    found = library()
    assert found is not None
    jump(project, offset)
    return {
        "LD_PRELOAD": found,
        "FAKETIME_TIMESTAMP_FILE": str(project.outside / "clock"),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_DISABLE_SHM": "1",
        "NO_FAKE_STAT": "1",
    }


def jump(project: Project, offset: float) -> None:
    aside = project.outside / "clock.new"
    aside.write_text(f"{offset:+.3f}\n")
    aside.replace(project.outside / "clock")


@kind("local", 4, needs="faketime")
def clock_jump(project: Project, oracle: Oracle, random: Random) -> bool:
    """The wall clock is days off and jumps while programs run; records bear times that go backwards."""
    offsets = [random.choice((-1, 1)) * random.choice((3, 90, 3600, 20 * DAY, 4000 * DAY)) for _ in range(3)]
    environ = clock(project, offsets[0])
    going = project.start("xpc", "submit", "-j", "4", environ=environ)
    struck = anytime(random).wait(project, going)
    jump(project, offsets[1])
    if random.random() < 0.5 and anytime(random).wait(project, going):
        send(going.pid, random.choice((signal.SIGKILL, signal.SIGTERM)))
    project.finish(going)
    gone(project)
    oracle.look()
    if random.random() < 0.5:
        project.xpc("submit", environ=clock(project, offsets[2]))
    return struck


@kind("local", 2)
def strange_file_times(project: Project, oracle: Oracle, random: Random) -> bool:
    """All files of the records bear times of the far past or future, as after a restore or by a server's clock."""
    going = project.start("xpc", "submit", "-j", "4")
    struck = anytime(random).wait(project, going)
    if random.random() < 0.7:
        send(going.pid, signal.SIGKILL)
    project.finish(going)
    gone(project)
    if random.random() < 0.5:
        oracle.look()
    when = random.choice((0, 1, time.time() + 30 * DAY, time.time() - 3000 * DAY))
    for top in ("runs", ".xpc/submissions", ".xpc/events", ".xpc/submit.lock", ".xpc/index.sqlite"):
        for above, _, names in os.walk(project.folder / top):
            for path in (Path(above), *(Path(above, name) for name in names)):
                if random.random() < 0.7:
                    os.utime(path, (when, when), follow_symlinks=False)
    return struck
