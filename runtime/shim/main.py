"""What runs on a node: `python3 xpc.pyz task …` runs one task and ends with a status that a scheduler can rely on."""

from __future__ import annotations

import os
import sys
from typing import Dict, List, Optional

from .build_folder import Build, BuildError
from .place import Place
from .said import tell
from .signals import Signals
from .task import DONE, FAILED, UNUSABLE, Task
from .workdir import WorkdirError


def main(arguments: Optional[List[str]] = None) -> int:
    """Run what the command line says; give the exit status.

    0: done (or was done already), 1: ended otherwise, 74: its end could not be recorded, 75: a live process has the
    run, 76: a parent is not done, 78: nothing of this build can run here. On OAR also 77: it was cancelled, and
    started again all the same, 99: start this task again.
    """
    given = read(sys.argv[1:] if arguments is None else arguments)
    signals = Signals()  # what comes from now on is not lost
    try:
        build = Build(given["build"])
        place = Place(given["project"], build, os.environ, build.plan["target"]["kind"])
    except (BuildError, WorkdirError) as error:
        return say(UNUSABLE, "%s; `xpc build` makes it again" % error)
    try:
        if given["verb"] == "task":
            return Task(place, given["array"], int(given["index"]), signals).run()
        return run_array(place, given["array"], signals)
    except (BuildError, WorkdirError) as error:
        return say(FAILED, str(error))


def read(arguments: List[str]) -> Dict[str, str]:
    """Give the verb and the options of the command line; ends with its usage where that makes no sense."""
    verb, *rest = arguments or [""]
    given = {"verb": verb, "project": ".", **dict(zip([name[2:] for name in rest[::2]], rest[1::2]))}
    needed = {"task": {"verb", "project", "build", "array", "index"}, "array": {"verb", "project", "build", "array"}}
    plain = len(rest) % 2 == 0 and all(name.startswith("--") for name in rest[::2])
    if plain and set(given) == needed.get(verb) and given.get("index", "0").isdigit():
        return given
    return explain(arguments)  # which takes longer to load than a task to run


def explain(arguments: List[str]) -> Dict[str, str]:
    """Read a command line that is not as scripts write it, or say what is wrong with it."""
    import argparse

    parser = argparse.ArgumentParser(prog="xpc.pyz", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb, help in (("task", "run one task of an array"), ("array", "run all tasks of an array, one by one")):
        sub = verbs.add_parser(verb, help=help)
        sub.add_argument("--project", default=".", help="the folder of the Experimentfile")
        sub.add_argument("--build", required=True, help="the build's folder")
        sub.add_argument("--array", required=True)
        if verb == "task":
            sub.add_argument("--index", type=int, required=True, help="the task's index in its array")
    return {name: str(value) for name, value in vars(parser.parse_args(arguments)).items()}


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
