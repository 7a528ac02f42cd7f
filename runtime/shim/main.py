"""What runs on a node: `python3 xpc.pyz task …` runs one task and ends with a status that a scheduler can rely on."""

from __future__ import annotations

import argparse
import os
import sys
from typing import List, Optional

from .attempt import Attempt, Place, Usage
from .build_folder import Build, BuildError
from .supervise import Supervisor
from .verdict import not_prepared
from .workdir import WorkdirError

DONE, FAILED, NO_RECORD, HELD, NOT_READY, UNUSABLE = 0, 1, 74, 75, 76, 78


def main(arguments: Optional[List[str]] = None) -> int:
    """Run what the command line says; give the exit status.

    0: done (or was done already), 1: ended otherwise, 74: its end could not be recorded, 75: a live process has the
    run, 76: a parent is not done, 78: nothing of this build can run here.
    """
    parser = argparse.ArgumentParser(prog="xpc.pyz", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb, help in (("task", "run one task of an array"), ("array", "run all tasks of an array, one by one")):
        sub = verbs.add_parser(verb, help=help)
        sub.add_argument("--project", default=".", help="the folder of the Experimentfile")
        sub.add_argument("--build", required=True, help="the build's folder")
        sub.add_argument("--array", required=True)
        if verb == "task":
            sub.add_argument("--index", type=int, required=True, help="the task, from 0")
    given = parser.parse_args(arguments)
    try:
        build = Build(given.build)
        place = Place(given.project, build, os.environ)
    except (BuildError, WorkdirError) as error:
        return say(UNUSABLE, "%s; `xpc build` makes it again" % error)
    try:
        if given.verb == "task":
            return run_task(place, given.array, given.index)
        statuses = [run_task(place, given.array, index) for index in range(build.tasks(given.array))]
        return max(statuses, default=DONE)
    except (BuildError, WorkdirError) as error:
        return say(FAILED, str(error))


def run_task(place: Place, array: str, index: int) -> int:
    """Run one task; silent when it goes well."""
    run = place.build.run(place.build.row_of_task(array, index))
    attempt = Attempt(place, run, scheduler(array, index), durable=True)
    name = "%s %s" % (run.experiment, run.id[:7])
    missing = attempt.guard()
    if missing is not None:
        return say(NOT_READY, "%s: its parent in %s is not done" % (name, os.path.relpath(missing, place.project)))
    try:
        verdict = attempt.claim()
    except OSError as error:
        return say(NO_RECORD, "%s: can't be claimed: %s" % (name, error))
    if verdict == "held":
        return say(HELD, "%s: attempt %d is held by %s" % (name, attempt.number, attempt.holder))
    if verdict == "done":
        return DONE
    return finish(attempt, name)


def finish(attempt: Attempt, name: str) -> int:
    try:
        try:
            status, usage, cause = Supervisor(attempt).run()
        except (WorkdirError, OSError) as error:
            end = attempt.finish(None, Usage(0.0, 0), not_prepared(error))
        else:
            if cause is not None and cause.state == "lost":
                return say(HELD, "%s: %s" % (name, cause.reason))
            end = attempt.finish(status, usage, cause)
    except OSError as error:
        return say(NO_RECORD, "%s: its end can't be recorded: %s" % (name, error))
    if end["state"] == "done":
        return DONE
    why = end["reason"] or "exit status %s" % end["exit"]
    return say(FAILED, "%s: %s: %s (%s)" % (name, end["state"], why, os.path.relpath(attempt.folder)))


def say(status: int, text: str) -> int:
    print(text, file=sys.stderr, flush=True)
    return status


def scheduler(array: str, index: int) -> "dict[str, object]":
    """Name the job that this task is. Run by hand, it is nobody's."""
    return {"kind": "local", "job": None, "array": array, "task": index, "restart": 0}
