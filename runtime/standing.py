"""A row of a build and the records of its run to how it stands: its state, and whether its code is still the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .here import Here
from .records import RunRecord, read_attempt, read_run
from .selection import FAULTS, Standing
from .shim.build_folder import Build, Run
from .shim.place import Place
from .states import state_of


def standing_of(place: Place, row: int, here: Here) -> Standing:
    """Read the records of a row's run. For whoever has the submit lock: nobody else queues anything here then."""
    run = place.build.run(row)
    record = read_run(place.run_folder(run))
    state = state_of(record, here)
    if record is None:
        return Standing(row, state)
    if state == "running" and is_leftover(record, here):
        state = "lost"  # nobody will record how its program ends; the executor waits for that
    return Standing(row, state, would_end_alike(place.build, run, record))


def is_here(record: RunRecord, here: Here) -> bool:
    return record.claim.get("host") == here.host and record.claim.get("boot") == here.boot


def is_leftover(record: RunRecord, here: Here) -> bool:
    """Tell whether only the program of a run lives, not the executor that would record its end."""
    return is_here(record, here) and not here.is_alive(record.claim.get("shim"))


def would_end_alike(build: Build, run: Run, record: RunRecord) -> bool:
    """Tell whether a run that ended, and is not done, would do the same again if *build* were sent."""
    now = build.request(run, record.attempt)
    return ends_alike(record, int(run.plan["retries"]), now, run.plan["fingerprint"])


def ends_alike(record: RunRecord, retries: int, request: Mapping[str, Any], fingerprint: Mapping[str, str]) -> bool:
    """Tell whether a run that ended, and is not done, would do the same again: it has the same *fingerprint* and asks
    for the same, it left nothing to go on from, and its *retries* are used up. What a scheduler could not start again
    waits for a submit."""
    if record.end is not None and record.end.get("checkpointed"):
        return False
    earlier = (read_attempt(record.folder, number) for number in range(1, record.attempt))
    failures = sum(attempt is not None and _has_failed(attempt) for attempt in (*earlier, record))
    return failures > retries and _is_same(record, request, fingerprint)


def _has_failed(attempt: RunRecord) -> bool:
    end = attempt.end or {}
    return end.get("state") in FAULTS and not end.get("checkpointed")


def _is_same(record: RunRecord, request: Mapping[str, Any], fingerprint: Mapping[str, str]) -> bool:
    """Compare the last attempt's fingerprint, and what it asked for, with what it would have now."""
    asked = record.claim.get("request") or (record.start or {}).get("request")
    same_request = not isinstance(asked, Mapping) or all(request.get(name) == value for name, value in asked.items())
    return same_request and record.claim.get("fingerprint") == fingerprint
