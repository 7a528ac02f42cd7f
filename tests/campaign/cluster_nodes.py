"""Faults on a cluster under the jobs of others, one after the other: lost nodes, a controller that is away."""

from __future__ import annotations

import signal
from random import Random

from .cluster_kills import going_on, send, submit, submitted
from .cluster_oracle import ClusterOracle
from .clusters import ClusterProject
from .kinds import kind
from .moments import Moment
from .slurm_nodes import controller_away, node_down


@kind("slurm", alone=True)
def node_loss(project: ClusterProject, oracle: ClusterOracle, random: Random) -> bool:
    """A node is given up while its programs live on: tasks begin again elsewhere, and never are two of them done."""
    project.behave('if [ "$XPC_ATTEMPT" = 1 ]; then seconds=20; fi')
    submitted(project)
    Moment("begin", random.randint(1, 4), random.uniform(0, 1.5)).wait(project)  # of runs that hang at first
    hosts = sorted({str(attempt.claim["host"]) for attempt in going_on(project) if attempt.claim})
    if not hosts:
        return False
    node = random.choice(hosts)
    with node_down(node):
        project.until(lambda: all(host != node for host in _hosts(project)), 90, "the end of the first attempts")
        project.behave_well()
        oracle.look()
    return True


def _hosts(project: ClusterProject) -> list[str]:
    return [str(attempt.claim.get("host")) for attempt in going_on(project)]


@kind("slurm", alone=True, overlaps=True)
def node_loss_with_frozen_tasks(project: ClusterProject, oracle: ClusterOracle, random: Random) -> bool:
    """The same with shims that show no sign of life, and wake up when others have taken over."""
    project.behave('if [ "$XPC_ATTEMPT" = 1 ]; then seconds=20; fi')
    submitted(project)
    Moment("begin", random.randint(1, 4), random.uniform(0, 1.5)).wait(project)  # of runs that hang at first
    frozen = [attempt for attempt in going_on(project) if attempt.claim]
    if not frozen:
        return False
    node = str(random.choice(frozen).claim["host"])
    pids = [int(one.claim["shim"]["pid"]) for one in frozen if one.claim["host"] == node]
    pids = [pid for pid in pids if send(pid, signal.SIGSTOP)]
    try:
        with node_down(node):
            project.until(lambda: all(host != node for host in _hosts(project)), 90, "another attempt")
            for pid in pids:
                send(pid, signal.SIGCONT)
            oracle.look()
    finally:
        for pid in pids:
            send(pid, signal.SIGCONT)
    project.behave_well()
    return True


@kind("slurm", alone=True)
def controller_gone(project: ClusterProject, oracle: ClusterOracle, random: Random) -> bool:
    """The controller does not answer while states are asked for, or while a submit sends."""
    if random.random() < 0.5:
        submitted(project)
        with controller_away():
            oracle.look()
        return True
    with controller_away():
        going = submit(project)
        project.until(lambda: list(project.folder.glob(".xpc/submissions/*")), 30, "the first call")
        if random.random() < 0.5:
            send(going.pid, signal.SIGKILL)
    project.finish(going)
    return True
