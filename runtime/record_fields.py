"""A run's record to the fields that are known of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from .records import RunRecord

Value = Any
MOST: Final = 2**63
Read = Callable[[RunRecord], Value]


def _is_number(value: object) -> bool:
    """Tell whether this is a finite number that fits a machine word; no count or time of a run is beyond."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and -MOST < value < MOST


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_bool(value: object) -> bool:
    return isinstance(value, bool)


def _claim(name: str, fits: Callable[[object], bool] = _is_text) -> Read:
    return lambda record: _fitting(record.claim.get(name), fits)


def _end(name: str, fits: Callable[[object], bool] = _is_text) -> Read:
    return lambda record: _fitting(record.end.get(name), fits) if record.end is not None else None


def _part(part: str, name: str) -> Read:
    """Read a field of a part of the claim, or of the start line, where it stands for some shims."""

    def read(record: RunRecord) -> Value:
        for line in (record.claim, record.start or {}):
            found = line.get(part)
            if isinstance(found, dict):
                return _fitting(found.get(name), _is_number)
        return None

    return read


def _fitting(value: Value, fits: Callable[[object], bool]) -> Value:
    """Give a recorded value of the right type; whatever else stands there is no value."""
    return value if fits(value) else None


def _code(record: RunRecord) -> Value:
    found = record.claim.get("fingerprint")
    return _fitting(found.get("code"), _is_text) if isinstance(found, dict) else None


def _witness(record: RunRecord) -> Value:
    return _fitting((record.end or record.start or {}).get("witness"), _is_text)


def _started(record: RunRecord) -> Value:
    return _fitting((record.start or record.claim).get("time"), _is_text)


def _job(record: RunRecord) -> Value:
    scheduler = record.claim.get("scheduler")
    if not isinstance(scheduler, dict) or scheduler.get("job") is None:
        return None
    job, task = scheduler["job"], scheduler.get("task")
    return str(job) if task is None else f"{job}_{task}"


OF_RECORD: Final[Mapping[str, Read]] = {
    "attempt": lambda record: record.attempt,
    "started": _started,
    "ended": _end("time"),
    "duration": _end("duration", _is_number),
    "queue_wait": _part("scheduler", "queue_wait"),
    "host": _claim("host"),
    "user": _claim("user"),
    "exit": _end("exit", _is_number),
    "signal": _end("signal"),
    "reason": lambda record: record.broken if record.broken is not None else _end("reason")(record),
    "commit": _claim("commit"),
    "dirty": _claim("dirty", _is_bool),
    "build": _claim("build"),
    "job": _job,
    "cpus": _part("request", "cpus"),
    "gpus": _part("request", "gpus"),
    "memory": _part("request", "memory"),
    "peak_memory": _end("peak_memory", _is_number),
    "cpu_time": _end("cpu_time", _is_number),
}

TRACED: Final[Mapping[str, Read]] = {"snapshot": _claim("snapshot"), "code": _code, "witness": _witness}
"""What provenance tells beside the fields that queries know."""

READ: Final[Mapping[str, Read]] = {**OF_RECORD, **TRACED}
