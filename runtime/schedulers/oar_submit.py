"""Calls of `oarsub` and `oardel`: what a submit says to OAR, and how its answers are read."""

from __future__ import annotations

import os
import re
import shlex
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from .ask import Answer
from .cluster_call import Accepted, Jobs, Order, Refused, Silent, Unclear, call, clean_environment
from .cluster_request import oarsub_resources
from .oar_states import read_jobs

_ID: Final = re.compile(r"^OAR_JOB_ID=(\d+)$", re.MULTILINE)
_NOISE: Final = re.compile(r"^(\[ADMISSION RULE\] Modify|OAR_(JOB|ARRAY)_ID=|Simple array job|# ?\w+ing)")
_UNCLEAR: Final = re.compile(r"cannot connect|database|connection|DBI|DBD", re.IGNORECASE)
_ENDED: Final = re.compile(r"already killed|REGISTERED|Deleting the job|will be deleted", re.IGNORECASE)
AT_ONCE: Final = 500  # jobs in one call of `oardel`


class Oar:
    """OAR on this host. Its jobs get nothing of *environ*; nothing is held there."""

    name = "OAR"
    kind = "oar"
    holds = False

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self._environ = clean_environment(environ)

    def send(self, order: Order) -> Accepted | Refused | Unclear:
        """Make one call. The indices go in a file that `oarsub` reads before it returns."""
        indices = order.call.indices
        with tempfile.NamedTemporaryFile("w", prefix="xpc-", suffix=".params") as params:
            params.write("".join(f"{index}\n" for index in indices))
            params.flush()
            os.chmod(params.name, 0o644)  # `oarsub` reads it as the user `oar`; there is nothing in it but numbers
            answer = call(oarsub_command(order, params.name), self._environ, order.project)
        return read_oarsub(answer, len(indices))

    def find(self, token: str, tasks: int, *, last: bool) -> Jobs | Silent | None:
        """Look for the jobs of a call by their name. If not all are there, `oarsub` was cut: they are deleted."""
        answer = call(["oarstat", "-J", "--sql", f"job_name = '{token}'"], self._environ)
        if not answer.fine:
            return Silent(answer.said)
        jobs = read_jobs(answer.out)
        if jobs is None or not all(_is_task(job) for job in jobs.values()):
            return Silent("oarstat answered with something that is not a list of jobs")
        firsts: dict[int, Mapping[str, Any]] = {}
        for job in sorted(jobs.values(), key=lambda job: int(job["Job_Id"])):
            firsts.setdefault(int(job["array_index"]), job)  # one that was started again has a greater id
        if not firsts:
            return None
        ids = [int(firsts[index]["Job_Id"]) for index in sorted(firsts)]
        if len(ids) == tasks and all(job["state"] != "Hold" for job in firsts.values()):
            return runs_of(ids)
        if not last:
            return None  # it may be in the middle of it
        wrong = self.cancel((str(id), None) for id in ids)
        return Silent(wrong) if wrong else None

    def release(self, jobs: Sequence[str]) -> str | None:
        return None

    def cancel(self, jobs: Iterable[tuple[str, Sequence[int] | None]]) -> str | None:
        ids = [job for job, _ in jobs]
        said: str | None = None
        for at in range(0, len(ids), AT_ONCE):
            answer = call(["oardel", *ids[at : at + AT_ONCE]], self._environ)
            if not answer.fine:
                lines = [line for line in f"{answer.out}\n{answer.err}".splitlines() if line.strip()]
                odd = [line.strip() for line in lines if not _ENDED.search(line)]
                said = said or (odd[-1] if odd or answer.code is None else None)
        return said


def _is_task(job: Mapping[str, Any]) -> bool:
    """Tell whether a job has the numbers of a task of an array, and a state."""
    numbers = [job.get("Job_Id"), job.get("array_index")]
    return all(re.fullmatch(r"[0-9]{1,18}", str(number)) for number in numbers) and isinstance(job.get("state"), str)


def oarsub_command(order: Order, params: str) -> list[str]:
    """Give the command of one call; its options are those that the script says, and where it and its log are."""
    log = f"{order.build}/logs/{_log(order)}"
    command = ["oarsub", *_options(order), "-n", order.token, "-d", str(order.project), "-O", log, "-E", log]
    for id in waited_for(order):
        command += ["-a", id]
    # OAR gives the line to the user's shell, with an index after it; a login shell, which has an umask of its own.
    script = shlex.quote(f"{order.build}/{order.script}")
    return [*command, "--array-param-file", params, f"umask {order.umask:03o}; {script}"]


def _log(order: Order) -> str:
    """Give the name of the array's log; where another user's job has made it, nobody else's can add to it."""
    name = f"{order.call.array}.out"
    try:
        others = os.stat(order.project / order.build / "logs" / name).st_uid != os.getuid()
    except OSError:
        return name
    return f"{order.call.array}.{os.getuid()}.out" if others else name


def waited_for(order: Order) -> Iterator[str]:
    """Give the jobs whose end a call waits for: on OAR all its jobs wait for all of these."""
    waits = order.call.waits
    wanted = frozenset(order.call.indices)
    for number in waits.pairs:
        yield from (id for index, id in _ids(order, number) if index in wanted)
    for number in waits.barriers:
        yield from (id for _, id in _ids(order, number))
    yield from (flight.job for flight in waits.old)


def _ids(order: Order, number: int) -> Iterator[tuple[int, str]]:
    ids = (str(int(first) + step) for first, count in order.sent[number] for step in range(count))
    return zip(order.indices[number], ids, strict=True)


def _options(order: Order) -> Iterator[str]:
    """Read the `#OAR` lines of the script: an option, a blank, its value as it stands."""
    text = (order.project / order.build / order.script).read_text()
    later = order.request != order.first
    for line in text.splitlines():
        if not line.startswith("#OAR "):
            continue
        flag, _, value = line.removeprefix("#OAR ").partition(" ")
        if flag == "-n":
            continue  # the token stands for it
        yield from (flag, oarsub_resources(order.request) if later and flag == "-l" else value)


def read_oarsub(answer: Answer, tasks: int) -> Accepted | Refused | Unclear:
    """Read the answer of `oarsub`: by its exit status first, since a refusal prints an id line too (`-5`, or none)."""
    if answer.code is None:
        return Unclear(answer.err) if "did not answer" in answer.err else Refused(127, answer.err)
    if answer.code != 0:
        lines = [line for line in f"{answer.out}\n{answer.err}".splitlines() if line.strip() and not _NOISE.match(line)]
        said = "\n".join(dict.fromkeys(lines)) or f"exit status {answer.code}"
        return Unclear(answer.said) if _UNCLEAR.search(said) and "column" not in said else Refused(answer.code, said)
    ids = [int(found) for found in _ID.findall(answer.out)]
    if len(ids) != tasks:
        return Unclear(f"`oarsub` gave {len(ids)} job ids for {tasks} tasks")
    return Accepted(runs_of(ids))


def runs_of(ids: Sequence[int]) -> Jobs:
    """Put ids that follow one another together: `5, 6, 9` is `("5", 2), ("9", 1)`."""
    found: list[list[int]] = []
    for id in ids:
        if found and sum(found[-1]) == id:
            found[-1][1] += 1
        else:
            found.append([id, 1])
    return tuple((str(first), count) for first, count in found)
