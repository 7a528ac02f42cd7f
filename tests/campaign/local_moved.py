"""Faults on this machine: the project's folder gets another name, between two submits or under one."""

from __future__ import annotations

import json
import signal
from random import Random

from .journals import read_runs
from .kinds import kind
from .local_kills import gone, send, submit
from .moments import anytime, while_running
from .oracle import Oracle
from .project import Project
from .witness import alive


def move(project: Project, name: str) -> None:
    """Give the project's folder another name."""
    target = project.above / name
    project.folder.rename(target)
    project.folder = target


@kind("local", 3)
def moved(project: Project, oracle: Oracle, random: Random) -> bool:
    """The folder is moved while nothing runs: everything stays known, and goes on at the new place."""
    going = submit(project, random)
    struck = anytime(random).wait(project, going)
    if random.random() < 0.8:
        send(going.pid, random.choice((signal.SIGKILL, signal.SIGTERM)))
    project.finish(going)
    gone(project)
    oracle.look()
    move(project, random.choice(("elsewhere", "a b", "it's", "ünder")))
    return struck


@kind("local", 2, may=("failed",))
def moved_under_a_submit(project: Project, oracle: Oracle, random: Random) -> bool:
    """The folder is moved while programs run: what can't be recorded is lost, and nothing is done that is not."""
    old = project.folder
    going = submit(project, random)
    struck = while_running(random).wait(project, going)
    move(project, "elsewhere")
    if random.random() < 0.5:
        send(going.pid, random.choice((signal.SIGKILL, signal.SIGTERM)))
    project.finish(going)
    project.until(lambda: not alive(old, project.folder), what="the end of the programs")
    return struck


@kind("local", 3)
def begun_elsewhere(project: Project, oracle: Oracle, random: Random) -> bool:
    """What has no end was begun on another host, of which nobody here knows whether it lives: only a person may say."""
    going = submit(project, random)
    struck = while_running(random).wait(project, going)
    send(going.pid, signal.SIGKILL)
    project.finish(going)
    gone(project)
    cut = [run for run in read_runs(project.folder).values() if run.attempts and run.attempts[-1].end is None]
    for run in cut:
        path = run.folder / "run.jsonl"
        host = json.dumps(str(run.attempts[-1].claim["host"]))
        path.write_text(path.read_text().replace(f'"host":{host}', '"host":"far-away"', 1))
    return struck and bool(cut)
