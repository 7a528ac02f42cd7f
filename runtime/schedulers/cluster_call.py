"""What a submit says to a scheduler, and what it may hear: the words that SLURM and OAR have in common here."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from .ask import Answer, decoded
from .cluster_plan import PlannedCall

LEAKS: Final = ("SBATCH_", "SLURM_", "OAR_", "XPC_")
KEPT: Final = frozenset(("SLURM_CONF",))  # where the cluster is; all else belongs to a job that we may be called from
TIMEOUT: Final = 300.0  # seconds: a busy scheduler makes its clients wait, and try again by themselves

Jobs = tuple[tuple[str, int], ...]  # as in a result line: ids, and how many tasks or jobs in a row each is for


@dataclass(frozen=True, slots=True)
class Accepted:
    jobs: Jobs


@dataclass(frozen=True, slots=True)
class Refused:
    """The scheduler said no: nothing of the call is queued."""

    exit: int
    said: str


@dataclass(frozen=True, slots=True)
class Unclear:
    """Nobody can say yet whether the call is queued."""

    said: str


@dataclass(frozen=True, slots=True)
class Silent:
    """The scheduler does not answer."""

    said: str


@dataclass(frozen=True, slots=True)
class Order:
    """A call with everything that its command needs.

    *build* is relative to *project*, *script* to that; *request* and *first* are what this attempt and the first one
    ask for; *sent* and *indices* are the jobs and the indices of the calls before. *umask* is the submitting user's.
    """

    call: PlannedCall
    token: str
    project: Path
    build: str
    script: str
    request: Mapping[str, Any]
    first: Mapping[str, Any]
    sent: Mapping[int, Jobs]
    indices: Mapping[int, Sequence[int]]
    umask: int = 0o022


class Scheduler(Protocol):
    """One of the schedulers, as a submit needs it. *holds*: what it is sent waits until it is released."""

    name: str
    kind: str
    holds: bool

    def send(self, order: Order) -> Accepted | Refused | Unclear:
        """Make one call."""
        ...

    def find(self, token: str, tasks: int, *, last: bool) -> Jobs | Silent | None:
        """Look for the jobs of a call that may have been made; nothing if it was not (or, before the *last* look, may
        still be on its way)."""
        ...

    def release(self, jobs: Sequence[str]) -> str | None:
        """Let jobs go that were held; give what went wrong."""
        ...

    def cancel(self, jobs: Iterable[tuple[str, Sequence[int] | None]]) -> str | None:
        """Cancel tasks (none: all) of jobs; give what went wrong. One that has ended is no error."""
        ...


def clean_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Give what a scheduler's commands inherit: nothing of the job that we may be called from, nor its settings."""
    return {name: value for name, value in environ.items() if name in KEPT or not name.startswith(LEAKS)}


def call(command: Sequence[str], environ: Mapping[str, str], cwd: Path | None = None) -> Answer:
    """Run a scheduler's command to its end; it gets no signal that is sent to us from the terminal."""
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=TIMEOUT,
            env=dict(environ),
            cwd=cwd,
            start_new_session=True,
            check=False,
        )
    except FileNotFoundError:
        return Answer(None, "", f"there is no `{os.path.basename(command[0])}` on this machine")
    except subprocess.TimeoutExpired:
        return Answer(None, "", f"`{command[0]}` did not answer within {TIMEOUT:g} s")
    except OSError as error:
        return Answer(None, "", f"`{command[0]}`: {error.strerror or error}")
    return Answer(done.returncode, decoded(done.stdout), decoded(done.stderr))
