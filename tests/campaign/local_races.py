"""Faults on this machine: several submits at once, of one build or of two, and tasks that are begun by hand beside."""

from __future__ import annotations

import signal
from random import Random

from .kinds import kind
from .local_kills import gone, send, submit
from .moments import Moment, anytime
from .oracle import Oracle
from .project import Project, Said
from .study import PROGRAM
from .violation import Violation


def _expect(said: Said) -> None:
    """A submit that comes second is told so, or goes on from where the first one has ended."""
    if said.status not in (0, -9) and "error[XS001]" not in said.err:
        raise Violation(f"two submits at once: {said}")


@kind("local", 4, cold=0.3)
def two_submits(project: Project, oracle: Oracle, random: Random) -> bool:
    """Two or three submits of the same build at once; sometimes the first is killed."""
    going = [submit(project, random)]
    for _ in range(random.randint(1, 2)):
        Moment("", 1, random.choice((0, random.uniform(0, 0.6)))).wait(project)
        going.append(submit(project, random))
    struck = going[0].poll() is None
    if random.random() < 0.3 and anytime(random).wait(project, going[0]):
        send(going[0].pid, signal.SIGKILL)
    for one in going:
        _expect(project.finish(one))
    gone(project)
    return struck


@kind("local", 4)
def two_builds(project: Project, oracle: Oracle, random: Random) -> bool:
    """The code is changed while a submit runs, and another submit of the new build is typed."""
    first = submit(project, random)
    struck = anytime(random).wait(project, first)
    project.write("program.sh", PROGRAM + "# changed\n")
    second = submit(project, random)
    if random.random() < 0.3 and anytime(random).wait(project, first):
        send(first.pid, signal.SIGKILL)
    _expect(project.finish(second))
    _expect(project.finish(first))
    gone(project)
    return struck


@kind("local", 4)
def by_hand_beside(project: Project, oracle: Oracle, random: Random) -> bool:
    """The build's own script is run, once or twice, beside a submit: each run goes to one of them."""
    build = next(path.parent for path in (project.folder / ".xpc/builds").glob("*/plan.json"))
    script = ("bash", str(build / "submit.sh"))
    going = [project.start(*script), project.start(*script) if random.random() < 0.4 else submit(project, random)]
    Moment("", 1, random.uniform(0, 0.5)).wait(project)
    going.append(submit(project, random))
    killed = random.random() < 0.3 and anytime(random).wait(project, going[0])
    if killed:
        send(random.choice(going).pid, signal.SIGKILL)
    for one in going:
        project.finish(one)
    gone(project)
    return True


@kind("local", 3)
def looking_on(project: Project, oracle: Oracle, random: Random) -> bool:
    """States are asked for while a submit runs, and is killed under the eyes of whoever asks."""
    going = submit(project, random)
    struck = anytime(random).wait(project, going)
    oracle.look(live=True)
    if random.random() < 0.5:
        send(going.pid, signal.SIGKILL)
    oracle.look(live=True)
    project.finish(going)
    gone(project)
    return struck
