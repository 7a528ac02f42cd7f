"""Calls of `sbatch`, `scontrol release` and `scancel`: what a submit says to SLURM, and how its answers are read."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from .ask import Answer
from .cluster_call import Accepted, Jobs, Order, Refused, Silent, Unclear, call, clean_environment
from .cluster_plan import Waits
from .cluster_request import sbatch_options
from .index_list import index_list, split_indices

_ID: Final = re.compile(r"(\d+)(;\S+)?")
_UNCLEAR: Final = re.compile(
    r"timed out|unable to contact|connect failure|zero bytes|connection (reset|refused)|transport", re.IGNORECASE
)
_ENDED: Final = re.compile(
    r"invalid job id|no longer pending|already (complet(ing|ed)|finished)|job/step already|not pending|in wrong state",
    re.IGNORECASE,
)
LONGEST: Final = 100_000  # characters of one argument; Linux takes 131,072
AT_ONCE: Final = 500  # jobs in one call of `scontrol release` or `scancel`


class Slurm:
    """SLURM on this host. *environ* is what jobs get (`--export=ALL`), less what belongs to a job or to `sbatch`."""

    name = "SLURM"
    kind = "slurm"
    holds = True

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self._environ = clean_environment(environ)

    def send(self, order: Order) -> Accepted | Refused | Unclear:
        answer = call(sbatch_command(order), self._environ, order.project)
        return read_sbatch(answer, len(order.call.indices))

    def find(self, token: str, tasks: int, *, last: bool) -> Jobs | Silent | None:
        """Look for a job by its name. What a cut submit sent is held and so in the queue, if nobody cancelled it."""
        queue = call(["squeue", "-h", "-t", "all", f"--name={token}", "-o", "%F"], self._environ)
        if not queue.fine:
            return Silent(queue.said)
        found = sorted({int(line) for line in queue.out.split() if line.isdecimal()})
        if not found:
            # One that was cancelled by hand has left the queue; without accounting it is as if it had never been there.
            told = call(
                ["sacct", "-n", "-X", "-P", "-S", "now-30days", f"--name={token}", "-o", "JobID"], self._environ
            )
            found = sorted({int(match[1]) for match in re.finditer(r"^(\d+)_", told.out, re.MULTILINE)})
        if not found:
            return None
        if len(found) > 1:
            self.cancel((str(id), None) for id in found[1:])
        return ((str(found[0]), tasks),)

    def release(self, jobs: Sequence[str]) -> str | None:
        return self._each(
            ["scontrol", "release", ",".join(jobs[at : at + AT_ONCE])] for at in range(0, len(jobs), AT_ONCE)
        )

    def cancel(self, jobs: Iterable[tuple[str, Sequence[int] | None]]) -> str | None:
        names = [name for job, tasks in jobs for name in _names(job, tasks)]
        return self._each(["scancel", *names[at : at + AT_ONCE]] for at in range(0, len(names), AT_ONCE))

    def _each(self, commands: Iterable[list[str]]) -> str | None:
        """Make calls; give what the first one that failed said, if that was not about jobs that have ended."""
        said: str | None = None
        for command in commands:
            answer = call(command, self._environ)
            if not answer.fine and not (answer.code is not None and _only_ended(answer)):
                said = said or answer.said
        return said


def sbatch_command(order: Order) -> list[str]:
    """Give the command of one call."""
    planned = order.call
    throttle = f"%{planned.throttle}" if planned.throttle else ""
    command = [
        "sbatch",
        "--parsable",
        f"--job-name={order.token}",
        "--kill-on-invalid-dep=yes",
        "--open-mode=append",
        "--export=ALL",
        f"--chdir={order.project}",
        f"--output={log_place(order.project, order.build)}/logs/{planned.array}-%A.out",
        f"--array={index_list(planned.indices)}{throttle}",
    ]
    if not planned.waits.here:
        command.append("--hold")
    dependency = dependency_of(planned.waits, order.sent)
    if dependency:
        command.append(f"--dependency={dependency}")
    return [*command, *sbatch_options(order.first, order.request), f"{order.build}/{order.script}", order.build]


def log_place(project: Path, folder: str) -> str:
    """Give a folder of the project as `--output` takes it: SLURM reads `%` also in the project's own path."""
    return folder if "%" not in str(project) else f"{project}/{folder}".replace("%", "%%")


def dependency_of(waits: Waits, sent: Mapping[int, Jobs]) -> str:
    """Give the value of `--dependency`; *sent* has the jobs of the calls before."""
    parts = []
    pairs = [sent[number][0][0] for number in waits.pairs] + list(waits.old_pairs)
    if pairs:
        parts.append(f"aftercorr:{':'.join(pairs)}")
    barriers = [sent[number][0][0] for number in waits.barriers]
    tasks = [flight.job if flight.task is None else f"{flight.job}_{flight.task}" for flight in waits.old]
    kind = "afterany" if waits.loose else "afterok"
    if sum(map(len, tasks)) + len(tasks) > LONGEST:
        # A list of all of them is too long for a command; the tasks see to it themselves that their parents are done.
        tasks, kind = list(dict.fromkeys(flight.job for flight in waits.old)), "afterany"
    if kind == "afterok":
        barriers, tasks = [*barriers, *tasks], []
    if barriers:
        parts.append(f"afterok:{':'.join(barriers)}")
    if tasks:
        parts.append(f"{kind}:{':'.join(tasks)}")
    return ",".join(parts)


def read_sbatch(answer: Answer, tasks: int) -> Accepted | Refused | Unclear:
    """Read the answer of `sbatch --parsable`: sites print what they like before the id, which is the last line."""
    if answer.code is None:
        return Unclear(answer.err) if "did not answer" in answer.err else Refused(127, answer.err)
    if answer.code != 0:
        said = answer.err.strip() or answer.out.strip()
        return Unclear(answer.said) if _UNCLEAR.search(said) else Refused(answer.code, said)
    lines = answer.out.strip().splitlines()
    found = _ID.fullmatch(lines[-1].strip()) if lines else None
    if found is None:
        return Unclear(f"`sbatch` gave no job id: {lines[-1] if lines else 'nothing'}")
    return Accepted(((found[1], tasks),))


def _names(job: str, tasks: Sequence[int] | None) -> Iterator[str]:
    """Give what `scancel` calls the tasks of a job."""
    if tasks is None:
        yield job
        return
    for part in split_indices(tasks, LONGEST):
        yield f"{job}_[{index_list(part)}]" if len(part) > 1 else f"{job}_{part[0]}"


def _only_ended(answer: Answer) -> bool:
    lines = [line for line in answer.err.splitlines() if line.strip()]
    return bool(lines) and all(_ENDED.search(line) for line in lines)
