"""When a fault strikes: after something that can be observed from outside, or after a while that is left to chance."""

from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass
from random import Random
from typing import Final

from .project import Project

LOOK: Final = 0.001  # seconds between two looks
PLACES: Final = (
    ".xpc/submit.lock",
    ".xpc/builds/.new-*",
    ".xpc/submissions/*",
    ".xpc/index.sqlite*",
    "runs/train",
    "runs/*/*/run.jsonl",
    "runs/*/*/files",
    "runs/*/*/files/result.txt",
    "runs/evaluate/*/run.jsonl",
)
COLD: Final = (".xpc", ".xpc/snapshot.index*", ".xpc/snapshots/*", ".xpc/snapshots/*.json", ".xpc/builds")


@dataclass(frozen=True, slots=True)
class Moment:
    """*count* times *what* (a word that `Project.count` knows, or a pattern of paths), and *delay* seconds more."""

    what: str
    count: int
    delay: float

    def wait(self, project: Project, going: subprocess.Popen[str] | None = None) -> bool:
        """Wait for it; false if the command ended first."""
        limit = time.monotonic() + 60
        while not self._is_there(project):
            if (going is not None and going.poll() is not None) or time.monotonic() > limit:
                return False
            time.sleep(LOOK)
        time.sleep(self.delay)  # the moment is what the fault is about
        return going is None or going.poll() is None

    def _is_there(self, project: Project) -> bool:
        if not self.what:
            return True
        if "/" in self.what or self.what.startswith("."):
            return len(list(project.folder.glob(self.what))) >= self.count
        return project.count(self.what) >= self.count


def anytime(random: Random, longest: float = 1.5) -> Moment:
    """Draw a moment in the life of a submit."""
    match random.randrange(4):
        case 0:
            return Moment("", 1, random.uniform(0, longest))
        case 1:
            return Moment(random.choice(PLACES), 1, random.choice((0, 0, random.uniform(0, 0.05))))
        case 2:
            return while_running(random)
        case _:
            return Moment(random.choice(("start", "end")), random.randint(1, 11), random.uniform(0, 0.02))


def while_building(random: Random) -> Moment:
    """Draw a moment in the first submit of all, before anything runs."""
    if random.random() < 0.4:
        return Moment("", 1, random.uniform(0.1, 0.8))
    return Moment(random.choice(COLD + PLACES[:4]), 1, random.choice((0, random.uniform(0, 0.03))))


def while_running(random: Random) -> Moment:
    """Draw a moment at which programs run."""
    word = random.choice(("begin", "begin", "finish"))
    return Moment(word, random.randint(1, 11), random.choice((0, random.uniform(0, 0.15))))
