"""Faults on this machine: somebody kills or stops the submit, a program, a task that was begun by hand."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from random import Random

from . import study
from .journals import read_runs
from .kinds import kind
from .moments import Moment, anytime, while_building, while_running
from .oracle import Oracle
from .project import Project
from .violation import Violation
from .witness import alive


def submit(project: Project, random: Random, *more: str) -> subprocess.Popen[str]:
    return project.start("xpc", "submit", "-j", str(random.choice((1, 2, 4, 6))), *more)


def send(pid: int, number: int) -> bool:
    """Send a signal; false if nobody is there any more."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
        return True
    return False


def gone(project: Project) -> None:
    """Wait until no program of the project runs any more."""
    project.until(lambda: not alive(project.folder), what="the end of the programs")


@kind("local", 6)
def kill_submit(project: Project, oracle: Oracle, random: Random) -> bool:
    """KILL to the submit: its programs live on, and nobody records their ends."""
    going = submit(project, random)
    struck = anytime(random).wait(project, going) and send(going.pid, signal.SIGKILL)
    going.wait()
    oracle.look()
    project.finish(going)
    if random.random() < 0.5:
        gone(project)
    return struck


@kind("local", 4, cold=1.0)
def kill_first_submit(project: Project, oracle: Oracle, random: Random) -> bool:
    """KILL to a submit that takes the snapshot, exports and builds for the first time."""
    going = submit(project, random)
    struck = while_building(random).wait(project, going) and send(going.pid, signal.SIGKILL)
    project.finish(going)
    return struck


@kind("local", 4)
def kill_everything(project: Project, oracle: Oracle, random: Random) -> bool:
    """KILL to the submit and all its programs, as when the power fails."""
    going = submit(project, random)
    struck = anytime(random).wait(project, going) and send(going.pid, signal.SIGKILL)
    for _ in range(3):
        for pid in alive(project.folder):
            send(pid, signal.SIGKILL)
    project.finish(going)
    gone(project)
    return struck


@kind("local", 4)
def kill_program(project: Project, oracle: Oracle, random: Random) -> bool:
    """A signal that ends it to a program, or to one process of it: killed, and all others go on."""
    project.behave("seconds=0.3")
    going = submit(project, random)
    if not while_running(random).wait(project, going):
        project.finish(going)
        return False
    running = alive(project.folder)
    number = random.choice((signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL))
    whole = random.random() < 0.5
    chosen = random.choice(sorted(set(running.values()))) if running else ""
    pids = [pid for pid, folder in running.items() if folder == chosen]
    programs = {attempt.program for run in read_runs(project.folder).values() for attempt in run.attempts}
    struck = [send(pid, number) for pid in pids if whole or pid in programs]
    said = project.finish(going)
    if said.status not in (0, 1):
        raise Violation(f"a killed program stops others: {said}")
    project.behave_well()
    return any(struck)


@kind("local", 5)
def stop_submit(project: Project, oracle: Oracle, random: Random) -> bool:
    """TERM, INT or HUP to the submit, once or twice: it ends its programs, records that, and leaves with 128 + n."""
    number = random.choice((signal.SIGTERM, signal.SIGINT, signal.SIGHUP))
    going = submit(project, random)
    struck = anytime(random).wait(project, going) and send(going.pid, number)
    sent = [number]
    if struck and random.random() < 0.3:
        Moment("", 1, random.uniform(0, 0.05)).wait(project, going)
        sent.append(random.choice((signal.SIGTERM, signal.SIGINT)))
        send(going.pid, sent[-1])
    said = project.finish(going, 30)
    # Of two signals that come at once the kernel may well hand over the later one first.
    if struck and said.status not in (0, 130, *(128 + one for one in sent), *(-one for one in sent)):
        raise Violation(f"stopped by {sent}: {said}")
    if alive(project.folder):
        raise Violation(f"a submit that was stopped left {alive(project.folder)}")
    return struck


@kind("local", 2)
def stop_group(project: Project, oracle: Oracle, random: Random) -> bool:
    """INT to the whole foreground group, as a terminal sends it: programs of theirs are in sessions of their own."""
    going = submit(project, random)
    struck = anytime(random).wait(project, going)
    if struck:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(going.pid, signal.SIGINT)
    project.finish(going, 30)
    if alive(project.folder):
        raise Violation(f"a submit that was stopped left {alive(project.folder)}")
    return struck


@kind("local", 4)
def kill_task(project: Project, oracle: Oracle, random: Random) -> bool:
    """A signal to a shim that somebody has started by hand with the build's own script."""
    build = next(path.parent for path in (project.folder / ".xpc/builds").glob("*/plan.json"))
    going = project.start("bash", str(build / "submit.sh"))
    moment = while_running(random)
    struck = moment.wait(project, going)
    number = random.choice((signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT))
    shims = {
        attempt.claim.get("shim", {}).get("pid")
        for run in read_runs(project.folder).values()
        for attempt in run.attempts
        if attempt.end is None
    }
    struck = struck and bool([pid for pid in shims if pid and send(pid, number)])
    if number == signal.SIGKILL or random.random() < 0.5:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(going.pid, signal.SIGKILL)
    project.finish(going)
    return struck


@kind("local", 2, may=("failed",))
def programs_that_fail(project: Project, oracle: Oracle, random: Random) -> bool:
    """A program that leaves with a status, is cut short, or crashes while the submit is killed: its own word counts."""
    code = random.choice(("exit 3", "kill -SEGV $$", "at_end() { rm result.txt; }", "kill -ABRT $$"))
    project.behave(f'if [ "$XPC_ATTEMPT" = 1 ] && [ $((0x${{XPC_RUN_ID:0:2}} % 3)) = 0 ]; then {code}; fi')
    going = submit(project, random)
    struck = anytime(random).wait(project, going)
    if random.random() < 0.5:
        send(going.pid, signal.SIGKILL)
    project.finish(going)
    gone(project)
    project.behave_well()
    return struck


assert study.runs() == 12  # the moments above are drawn for as many
