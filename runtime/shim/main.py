"""What runs on a node: `python3 xpc.pyz task …` runs one task and ends with a status that a scheduler can rely on."""

from __future__ import annotations

import argparse
import os
from typing import List, Optional

from .attempt import Place
from .build_folder import Build, BuildError
from .said import tell
from .signals import Signals
from .task import DONE, FAILED, UNUSABLE, Task
from .workdir import WorkdirError


def main(arguments: Optional[List[str]] = None) -> int:
    """Run what the command line says; give the exit status.

    0: done (or was done already), 1: ended otherwise, 74: its end could not be recorded, 75: a live process has the
    run, 76: a parent is not done, 78: nothing of this build can run here. On OAR also 99: start this task again.
    """
    parser = argparse.ArgumentParser(prog="xpc.pyz", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb, help in (("task", "run one task of an array"), ("array", "run all tasks of an array, one by one")):
        sub = verbs.add_parser(verb, help=help)
        sub.add_argument("--project", default=".", help="the folder of the Experimentfile")
        sub.add_argument("--build", required=True, help="the build's folder")
        sub.add_argument("--array", required=True)
        if verb == "task":
            sub.add_argument("--index", type=int, required=True, help="the task's index in its array")
    given = parser.parse_args(arguments)
    signals = Signals()  # what comes from now on is not lost
    try:
        build = Build(given.build)
        place = Place(given.project, build, os.environ, build.plan["target"]["kind"])
    except (BuildError, WorkdirError) as error:
        return say(UNUSABLE, "%s; `xpc build` makes it again" % error)
    try:
        if given.verb == "task":
            return Task(place, given.array, given.index, signals).run()
        return run_array(place, given.array, signals)
    except (BuildError, WorkdirError) as error:
        return say(FAILED, str(error))


def run_array(place: Place, array: str, signals: Signals) -> int:
    """Run all tasks of an array here; none more once one was told to end."""
    worst = DONE
    for index in place.build.indices(array):
        status = FAILED if signals.stopped is not None else Task(place, array, index, signals).run()
        worst = max(worst, status)
    return worst


def say(status: int, text: str) -> int:
    tell(text)
    return status
