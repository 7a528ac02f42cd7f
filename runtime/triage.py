"""Failed runs to groups that failed alike: by their last line with numbers masked, and what they share."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb
from pathlib import Path
from typing import Any, Final

from .executor.last_words import last_words
from .metrics import numbered
from .query.values import frozen
from .records import RunRecord

FAULTS: Final = ("failed", "timeout", "oom", "killed", "lost", "cancelled", "broken")  # in this order
MOST_SHARED: Final = 3
LIKELY: Final = 0.01  # a pair that is there by chance with more than this likelihood is not worth telling

_ADDRESS: Final = re.compile(r"0x[0-9a-fA-F]+|\b[0-9a-f]{16,}\b")
_NUMBER: Final = re.compile(r"(?<![A-Za-z_])\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")

Value = Any


@dataclass(frozen=True, slots=True)
class Failed:
    """A run that ended and is not done. *values* are its keys'; *record* is missing if it never began.

    *told* is what its scheduler said of it, if that is where its state comes from.
    """

    experiment: str
    id: str
    state: str
    record: RunRecord | None
    values: Mapping[str, Value]
    told: str = ""


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """Runs that failed alike. *line* is the last line of one of them; *log* its log, below the project (none: it never
    began, and what there is its scheduler wrote).

    *shared*: keys with the value that all of them have and none of the *done* done ones of their experiments; with
    *pair* two keys, of which done runs have either value, and none both.
    """

    state: str
    line: str
    runs: tuple[str, ...]
    experiments: tuple[str, ...]
    log: str
    shared: Mapping[str, Value]
    done: int
    pair: bool = False


def mask(line: str) -> str:
    """Replace what differs from run to run without a meaning: numbers, addresses, ids."""
    return _NUMBER.sub("#", _ADDRESS.sub("@", line))


def group_failures(
    failed: Iterable[Failed], done: Mapping[str, Sequence[Mapping[str, Value]]], project: Path
) -> list[FailureGroup]:
    """Group failed runs by state and masked last line. *done*: by experiment, the values of its done runs."""
    groups: dict[tuple[str, str], list[tuple[Failed, str, str]]] = {}
    for run in failed:
        line, log = _explain(run, project)
        groups.setdefault((run.state, mask(line)), []).append((run, line, log))
    found = [_group(members, done) for members in groups.values()]
    return sorted(found, key=lambda group: (FAULTS.index(group.state), -len(group.runs)))


def _group(
    members: Sequence[tuple[Failed, str, str]], done: Mapping[str, Sequence[Mapping[str, Value]]]
) -> FailureGroup:
    first, line, log = members[0]
    experiments = tuple(dict.fromkeys(run.experiment for run, _, _ in members))
    others = [values for experiment in experiments for values in done.get(experiment, ())]
    shared = shared_values([run.values for run, _, _ in members], others)
    return FailureGroup(
        state=first.state,
        line=line,
        runs=tuple(run.id for run, _, _ in members),
        experiments=experiments,
        log=log,
        shared=shared,
        done=len(others),
        pair=any(_has(run, key, value) for run in others for key, value in shared.items()),
    )


def _explain(run: Failed, project: Path) -> tuple[str, str]:
    if run.record is None:
        return run.told or "it ended before it began", ""
    line, log = explain(run.record, run.state, project)
    return run.told if run.told and run.state != "failed" else line, log


def explain(record: RunRecord, state: str, project: Path) -> tuple[str, str]:
    """Give the line that says why a run ended so, and the file to look into, relative to the project."""
    place = f"runs/{record.experiment}/{record.id}"
    journal = numbered(place, "run", ".jsonl", record.attempt)
    if record.broken is not None:
        return record.broken, journal
    reason = record.end.get("reason") if record.end is not None else None
    for stream in ("stderr", "stdout"):
        log = numbered(place, stream, ".log", record.attempt)
        said = last_words(project / log)
        if said:
            # What we ended ourselves is explained by our reason, not by what the program happened to say last.
            return (said if state == "failed" and not isinstance(reason, str) else _reason(record, state), log)
    return _reason(record, state), journal


def _reason(record: RunRecord, state: str) -> str:
    end = record.end or {}
    if isinstance(end.get("reason"), str):
        return str(end["reason"])
    if state == "lost":
        return "it ended and nobody can say how"
    if end.get("signal"):
        return f"ended by {end['signal']}"
    return f"exit status {end['exit']}" if end.get("exit") is not None else "no reason was recorded"


def shared_values(failed: Sequence[Mapping[str, Value]], done: Sequence[Mapping[str, Value]]) -> dict[str, Value]:
    """Give the keys whose value all failed runs share and no done one has; nothing if nothing is done.

    Where no key does that alone, two may do it together: no done run has both values. That is told where it would be
    strange by chance, that is if as many failures somewhere among all these runs would hardly fall on one pair.
    """
    if not done or len(failed) < 2:
        return {}
    common = {key: value for key, value in failed[0].items() if all(_has(run, key, value) for run in failed)}
    # The done runs that have a value, a bit each.
    having = {key: _bits(_has(run, key, value) for run in done) for key, value in common.items()}
    alone = [key for key, runs in having.items() if not runs]
    chosen = alone[:MOST_SHARED] if alone else _pair(having, len(failed), len(done))
    return {key: common[key] for key in chosen}


def _has(run: Mapping[str, Value], key: str, value: Value) -> bool:
    return key in run and frozen(run[key]) == frozen(value)


def _bits(holds: Iterable[bool]) -> int:
    return int("0" + "".join("1" if one else "0" for one in holds), 2)


def _pair(having: Mapping[str, int], failed: int, done: int) -> Sequence[str]:
    """Give the two keys whose values no done run has together; of several the pair that most done ones should have."""
    pairs = [pair for pair in combinations(having, 2) if not having[pair[0]] & having[pair[1]]]
    places = comb(len(having), 2) * (failed + done) / failed  # so many combinations of two values there are, about
    if not pairs or places / comb(failed + done, failed) > LIKELY:
        return ()
    return max(pairs, key=lambda pair: having[pair[0]].bit_count() * having[pair[1]].bit_count())
