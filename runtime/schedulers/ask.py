"""A command of a scheduler, run with a bound on time, to what it answered."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ...grammar.screen import visible

TIMEOUT: Final = 20.0  # seconds: a login node whose scheduler hangs must still show what the records say
FOREIGN: Final = ("SQUEUE_", "SACCT_", "SLURM_", "SBATCH_", "SCONTROL_", "OAR_")
KEPT: Final = frozenset(("SLURM_CONF", "SLURM_CLUSTERS"))


@dataclass(frozen=True, slots=True)
class Answer:
    """*code* is the exit status; none if the command could not be run or did not end in time, then *err* is why."""

    code: int | None
    out: str
    err: str

    @property
    def fine(self) -> bool:
        return self.code == 0

    @property
    def said(self) -> str:
        """What it said last before it failed, in its own words."""
        lines = [line.strip() for line in (self.err or self.out).splitlines() if line.strip()]
        return lines[-1] if lines else f"exit status {self.code}"


def ask(command: list[str], timeout: float = TIMEOUT, environ: Mapping[str, str] = os.environ) -> Answer:
    """Run a command without the caller's settings for it, in plain English, and wait at most *timeout* seconds."""
    env = {name: value for name, value in environ.items() if name in KEPT or not name.startswith(FOREIGN)}
    env |= {"LC_ALL": "C.UTF-8"}
    try:
        done = subprocess.run(
            command, capture_output=True, stdin=subprocess.DEVNULL, timeout=timeout, env=env, check=False
        )
    except FileNotFoundError:
        return Answer(None, "", f"there is no {command[0]} on this machine")
    except subprocess.TimeoutExpired:
        return Answer(None, "", f"{command[0]} did not answer within {timeout:g} s")
    except OSError as error:
        return Answer(None, "", f"{command[0]}: {error.strerror or error}")
    return Answer(done.returncode, decoded(done.stdout), decoded(done.stderr))


def decoded(data: bytes) -> str:
    """Give what a scheduler printed; names in it are other people's, and end up on the user's terminal."""
    lines = data.decode("utf-8", "replace").replace("\r\n", "\n").split("\n")
    return "\n".join("\t".join(map(visible, line.split("\t"))) for line in lines)
