"""Faults on a cluster: programs that run out of time, deaf to TERM or not, with shims that live to say so or do not."""

from __future__ import annotations

import signal
from random import Random

from .cluster_kills import going_on, send, submitted
from .cluster_oracle import ClusterOracle
from .clusters import ClusterProject
from .kinds import kind
from .local_limits import DEAF
from .moments import Moment
from .violation import Violation

LIMIT = 60.0  # seconds that the study's runs ask for


@kind("slurm", 1, may=("timeout",))
@kind("oar", 1, may=("timeout",))
def time_limit(project: ClusterProject, oracle: ClusterOracle, random: Random) -> bool:
    """Told as such, whether the shim enforced it or, where that is frozen or too slow, the scheduler."""
    project.behave(random.choice(DEAF) + 'if [ "$XPC_ATTEMPT" = 1 ]; then seconds=200; fi')
    submitted(project)
    Moment("begin", random.randint(1, 2), random.uniform(0, 3)).wait(project)
    for attempt in going_on(project) if random.random() < 0.3 else ():
        send(int(attempt.claim["shim"]["pid"]), signal.SIGSTOP)
    project.settle(4 * LIMIT)
    told = oracle.told_at_last()
    if "timeout" not in told.values():
        raise Violation(f"no time limit was told: {told}\n{project.log()}")
    project.behave_well()
    return True
