"""Faults on this machine: time limits that strike programs, alone or while the submit is killed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
from random import Random

from .journals import read_runs
from .kinds import kind
from .local_kills import gone, send
from .moments import anytime
from .oracle import Oracle
from .project import Project
from .violation import Violation
from .witness import alive

FIRST = 'if [ "$XPC_ATTEMPT" = 1 ] && [ $((0x${XPC_RUN_ID:0:2} % 3)) = 0 ]; then seconds=20; fi'

DEAF = ("", "trap '' TERM; ", "trap 'sleep 0.2; exit 0' TERM; ", "trap 'exit 1' TERM; ")


def shorten(project: Project, seconds: float) -> None:
    """Give the build's runs less time than a minute, which plans are rounded up to."""
    for path in (project.folder / ".xpc/builds").glob("*/plan.json"):
        plan = json.loads(path.read_text())
        for requests in plan["resources"]:
            for request in requests:
                request["time"] = seconds
        path.write_text(json.dumps(plan))


@kind("local", 3, may=("timeout",))
def time_limit(project: Project, oracle: Oracle, random: Random) -> bool:
    """Programs of tasks that were begun by hand run out of time, some deaf to TERM; `xpc retry` runs them again."""
    shorten(project, random.choice((0.5, 1, 2)))
    project.behave(random.choice(DEAF) + FIRST)
    build = next(path.parent for path in (project.folder / ".xpc/builds").glob("*/plan.json"))
    going = project.start("bash", str(build / "submit.sh"))
    killed = random.random() < 0.3
    if killed and anytime(random, 3).wait(project, going):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(going.pid, random.choice((signal.SIGKILL, signal.SIGTERM)))
    project.finish(going)
    found = ends(project)
    if not killed and "timeout" not in found:
        raise Violation(f"no time limit was kept: {found}")
    oracle.look()
    project.behave_well()
    for pid in alive(project.folder) if random.random() < 0.5 else ():
        send(pid, signal.SIGKILL)
    gone(project)
    return "timeout" in found


@kind("local", 1, may=("timeout",))
def time_limit_of_a_submit(project: Project, oracle: Oracle, random: Random) -> bool:
    """The same in a submit, whose plan rounds limits up to a minute."""
    project.behave(random.choice(DEAF) + FIRST.replace("seconds=20", "seconds=100"))
    said = project.finish(project.start("xpc", "submit", "-j", "6"), 300)
    found = ends(project)
    if said.status != 1 or "timeout" not in found:
        raise Violation(f"no time limit was kept: {found}\n{said}")
    project.behave_well()
    return True


def ends(project: Project) -> list[str | None]:
    return [attempt.end for run in read_runs(project.folder).values() for attempt in run.attempts]
