"""The calls of a scheduler that a submit made, from the lines of its file: what was asked, what came of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

MOST: Final = 10_000_000
_JOB: Final = re.compile(r"[0-9]{1,19}", re.ASCII)

Ranges = list[tuple[int, int]]  # the first, and how many

Outcome = Literal["open", "sent", "refused", "absent", "cancelled"]
"""`open`: there is no line about what came of it; `absent`: a later submit looked, and it was never made."""

OPEN: Final[Outcome] = "open"


@dataclass(frozen=True, slots=True)
class Call:
    """One call. *indices* are those of the array's tasks; *request* is the attempt whose request was asked for.

    *jobs*: SLURM gives one id for all tasks, which keep their indices; OAR ids of jobs, runs of them in the order of
    the indices. *leave* are the rows of the build that its tasks hold and were told not to run.
    """

    number: int
    array: str
    token: str
    indices: Ranges
    request: int
    time: str
    jobs: tuple[tuple[str, int], ...] | None = None
    outcome: Outcome = OPEN
    leave: Ranges = field(default_factory=list)

    @property
    def tasks(self) -> int:
        return sum(count for _, count in self.indices)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a later submit found out about the open call of another one, whose file is called *file*."""

    file: str
    call: int
    jobs: tuple[tuple[str, int], ...] | None


def read_calls(lines: Iterable[Mapping[str, Any]]) -> tuple[Call, ...]:
    """Give the calls that the lines of one file tell of. A line that makes no sense counts for nothing."""
    found: dict[int, Call] = {}
    for line in lines:
        match line:
            case {"event": "intent", "call": int(number), "array": str(array), "token": str(token)}:
                indices, leave = read_ranges(line.get("indices")), read_ranges(line.get("leave"))
                request, time = line.get("request"), str(line.get("time", ""))
                attempt = request if isinstance(request, int) else 1
                found[number] = Call(number, array, token, indices, attempt, time, leave=leave)
            case {"event": "result", "call": int(number), "jobs": list(jobs)} if number in found:
                found[number] = replace(found[number], jobs=read_jobs(jobs), outcome="sent")
            case {"event": "refused", "call": int(number)} if number in found:
                found[number] = replace(found[number], outcome="refused")
            case {"event": "cancelled", "calls": list(numbers)}:
                for number in numbers:
                    if isinstance(number, int) and number in found:
                        found[number] = replace(found[number], outcome="cancelled")
    return tuple(found.values())


def read_verdicts(lines: Iterable[Mapping[str, Any]]) -> Iterator[Verdict]:
    """Give what the lines of one file say about the calls of others."""
    for line in lines:
        match line:
            case {"event": "adopted", "file": str(file), "call": int(number), "jobs": list(jobs)}:
                yield Verdict(file, number, read_jobs(jobs))
            case {"event": "absent", "file": str(file), "call": int(number)}:
                yield Verdict(file, number, None)


def settle(calls: Sequence[Call], verdicts: Mapping[int, Verdict]) -> tuple[Call, ...]:
    """Give the calls with what others found out about the open ones, by number."""
    return tuple(
        call
        if call.outcome != OPEN or call.number not in verdicts
        else replace(call, jobs=verdicts[call.number].jobs, outcome="sent" if verdicts[call.number].jobs else "absent")
        for call in calls
    )


def read_ranges(fields: object) -> Ranges:
    if not isinstance(fields, list):
        return []
    return [(first, count) for first, count in filter(_is_range, fields)]


def read_jobs(fields: Iterable[Any]) -> tuple[tuple[str, int], ...]:
    """Give the ids of jobs, with how many each stands for. What is no number is no job: ids become arguments."""
    pairs = (pair for pair in fields if isinstance(pair, list) and len(pair) == 2)
    return tuple((str(id), count) for id, count in pairs if _JOB.fullmatch(str(id)) and _is_range([0, count]))


def _is_range(pair: object) -> bool:
    """Say whether this is a first and how many; more than any scheduler has would only keep a reader busy."""
    if not isinstance(pair, list) or len(pair) != 2:
        return False
    return all(type(number) is int and 0 <= number <= MOST for number in pair)


def task_jobs(call: Call, kind: str) -> Iterator[tuple[int, str, int | None]]:
    """Give each index of a call with its job and, on SLURM, its task there."""
    if not call.jobs:
        return
    indices = (index for first, count in call.indices for index in range(first, first + count))
    if kind == "slurm":
        job = call.jobs[0][0]
        for index in indices:
            yield index, job, index
        return
    ids = (str(int(first) + step) for first, count in call.jobs for step in range(count))
    for index, id in zip(indices, ids, strict=False):
        yield index, id, None
