"""A run's records to the fields that queries know as ``run.…``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from ..records import RunRecord
from .planned import Value


def _claim(name: str) -> Callable[[RunRecord], Value]:
    return lambda record: record.claim.get(name)


def _end(name: str) -> Callable[[RunRecord], Value]:
    return lambda record: record.end.get(name) if record.end is not None else None


def _request(name: str) -> Callable[[RunRecord], Value]:
    return lambda record: _part(record, "request").get(name)


def _part(record: RunRecord, name: str) -> Mapping[str, Any]:
    """Give a part of the claim, or of the start line, where it stands for some shims."""
    for line in (record.claim, record.start or {}):
        found = line.get(name)
        if isinstance(found, dict):
            return found
    return {}


def _started(record: RunRecord) -> Value:
    return (record.start or record.claim).get("time")


def _job(record: RunRecord) -> Value:
    scheduler = _part(record, "scheduler")
    job, task = scheduler.get("job"), scheduler.get("task")
    return job if task is None or job is None else f"{job}_{task}"


OF_RECORD: Final[Mapping[str, Callable[[RunRecord], Value]]] = {
    "attempt": lambda record: record.attempt,
    "started": _started,
    "ended": _end("time"),
    "duration": _end("duration"),
    "queue_wait": lambda record: _part(record, "scheduler").get("queue_wait"),
    "host": _claim("host"),
    "user": _claim("user"),
    "exit": _end("exit"),
    "signal": _end("signal"),
    "reason": lambda record: record.broken if record.broken is not None else _end("reason")(record),
    "commit": _claim("commit"),
    "dirty": _claim("dirty"),
    "build": _claim("build"),
    "job": _job,
    "cpus": _request("cpus"),
    "gpus": _request("gpus"),
    "memory": _request("memory"),
    "peak_memory": _end("peak_memory"),
    "cpu_time": _end("cpu_time"),
}

FIELDS: Final = ("id", "experiment", "config", "status", *OF_RECORD, "tags")
TIMES: Final = frozenset(("started", "ended"))
UNITS: Final[Mapping[str, str]] = {
    "duration": "duration",
    "queue_wait": "duration",
    "cpu_time": "duration",
    "memory": "size",
    "peak_memory": "size",
}
