"""Faults on a cluster: submits, shims and programs that are killed; jobs that somebody cancels."""

from __future__ import annotations

import signal
import subprocess
from random import Random

from .cluster_oracle import ClusterOracle
from .clusters import ClusterProject
from .journals import Attempt, read_runs
from .kinds import kind
from .local_kills import send
from .moments import Moment
from .witness import alive

LONG = "seconds=1.5"


def submit(project: ClusterProject, **environ: str) -> subprocess.Popen[str]:
    return project.start("xpc", "submit", *project.target, environ=environ)


def submitted(project: ClusterProject) -> None:
    project.finish(submit(project))


def going_on(project: ClusterProject) -> list[Attempt]:
    """Give the attempts without an end."""
    attempts = [run.attempts[-1] for run in read_runs(project.folder).values() if run.attempts]
    return [attempt for attempt in attempts if attempt.end is None]


def begun(project: ClusterProject, random: Random) -> bool:
    """Wait until some programs have begun, and a moment longer."""
    most = 4 * project.points
    return Moment("begin", random.randint(1, most - 1), random.uniform(0, 1.5)).wait(project)


@kind("slurm", 5)
@kind("oar", 3)
def kill_submit(project: ClusterProject, oracle: ClusterOracle, random: Random) -> bool:
    """KILL to a submit, anywhere: before, between and in its calls of the scheduler."""
    going = submit(project)
    if random.random() < 0.5:
        moment = Moment("", 1, random.uniform(0.2, 1.5 if project.kind == "slurm" else 6))
    else:
        moment = Moment(random.choice((".xpc/submit.lock", ".xpc/submissions/*")), 1, random.uniform(0, 0.4))
    struck = moment.wait(project, going) and send(going.pid, signal.SIGKILL)
    project.finish(going)
    oracle.look()
    return struck


@kind("slurm", 4)
@kind("oar", 2)
def kill_shim(project: ClusterProject, oracle: ClusterOracle, random: Random) -> bool:
    """A signal to shims alone: KILL takes their programs along, TERM is on record."""
    project.behave(LONG)
    submitted(project)
    begun(project, random)
    number = random.choice((signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT))
    shims = [attempt.claim["shim"]["pid"] for attempt in going_on(project) if attempt.claim]
    struck = [pid for pid in shims if random.random() < 0.6 and send(pid, number)]
    oracle.look()
    project.behave_well()
    return bool(struck)


@kind("slurm", 4)
@kind("oar", 2)
def kill_program(project: ClusterProject, oracle: ClusterOracle, random: Random) -> bool:
    """A signal to programs, whole or in part."""
    project.behave(LONG)
    submitted(project)
    begun(project, random)
    number = random.choice((signal.SIGKILL, signal.SIGTERM, signal.SIGHUP))
    programs = {attempt.program for attempt in going_on(project)}
    whole = random.random() < 0.5
    struck = [pid for pid in alive(project.folder) if (whole or pid in programs) and send(pid, number)]
    oracle.look()
    project.behave_well()
    return bool(struck)


@kind("slurm", 3)
@kind("oar", 2)
def kill_node(project: ClusterProject, oracle: ClusterOracle, random: Random) -> bool:
    """KILL to all processes of tasks at once: nobody is left to write an end line."""
    project.behave(LONG)
    submitted(project)
    begun(project, random)
    shims = [attempt.claim["shim"]["pid"] for attempt in going_on(project) if attempt.claim]
    pids = [pid for pid in (*shims, *alive(project.folder)) if send(pid, signal.SIGSTOP)]
    for pid in pids:
        send(pid, signal.SIGKILL)
    oracle.look()
    project.behave_well()
    return bool(pids)


@kind("slurm", 4)
@kind("oar", 2)
def cancel_jobs(project: ClusterProject, oracle: ClusterOracle, random: Random) -> bool:
    """An administrator cancels jobs, all or some, wherever they are."""
    project.behave(LONG)
    submitted(project)
    if random.random() < 0.7:
        begun(project, random)
    jobs = project.jobs()
    if project.kind == "oar":
        chosen = {id: state for id, state in jobs.items() if random.random() < 0.6}
    elif random.random() < 0.7:
        chosen = {id.partition("_")[0]: "" for id in jobs}  # whole arrays: one task alone that waits leaves no trace
    else:
        running = {id: state for id, state in jobs.items() if state.startswith("RUNNING")}
        chosen = {id: state for id, state in running.items() if random.random() < 0.6}
    project.cancel(chosen)
    oracle.look()
    project.behave_well()
    return bool(chosen)


@kind("slurm", 4)
@kind("oar", 2)
def xpc_cancel(project: ClusterProject, oracle: ClusterOracle, random: Random) -> bool:
    """`xpc cancel` at some moment, in some cases killed itself."""
    project.behave(LONG)
    submitted(project)
    if random.random() < 0.7:
        begun(project, random)
    going = project.start("xpc", "cancel", *random.choice(((), ("train",), ("evaluate",))))
    if random.random() < 0.4 and Moment("", 1, random.uniform(0.2, 1.2)).wait(project, going):
        send(going.pid, signal.SIGKILL)
    project.finish(going)
    oracle.look()
    project.behave_well()
    return True


@kind("slurm", 3)
@kind("oar", 2)
def two_submits(project: ClusterProject, oracle: ClusterOracle, random: Random) -> bool:
    """Two submits at once, of one build or of two; sometimes the first is killed."""
    first = submit(project)
    Moment("", 1, random.uniform(0, 1.2)).wait(project)
    struck = first.poll() is None
    if random.random() < 0.5:
        program = project.folder / "program.sh"
        program.write_text(program.read_text() + "# changed\n")
    second = submit(project)
    if random.random() < 0.4 and Moment("", 1, random.uniform(0, 0.8)).wait(project, first):
        send(first.pid, signal.SIGKILL)
    for going in (first, second):
        project.finish(going)
    oracle.look(live=True)
    return struck


@kind("slurm", 2)
@kind("oar", 1)
def by_hand_beside(project: ClusterProject, oracle: ClusterOracle, random: Random) -> bool:
    """The build's own script sends everything once more while jobs go on: each run goes to one task."""
    project.behave("seconds=0.5")
    submitted(project)
    build = next(path.parent for path in (project.folder / ".xpc/builds").glob("*/plan.json"))
    task = ["python3", str(build / "xpc.pyz"), "task", "--project", ".", "--build", str(build), "--array", "train-1"]
    going = [project.start(*task, "--index", str(index), environ={"LC_ALL": "C.UTF-8"}) for index in range(2)]
    for one in going:
        project.finish(one)
    oracle.look(live=True)
    project.behave_well()
    return True
