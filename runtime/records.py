"""Run folders to records: what each attempt wrote of itself, read with tolerance for whatever a crash can leave."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

Record = Mapping[str, Any]

END_STATES: Final = frozenset(("done", "failed", "killed", "timeout", "oom", "lost", "cancelled", "skipped"))


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run as its folder tells it: the last attempt's claim, start and end lines, and how many attempts there were.

    *broken* says what is wrong with the last journal; a torn last line alone is no fault, it is only *torn*.
    *released* is set when a person has given the last attempt free.
    """

    id: str
    experiment: str
    folder: str
    attempt: int
    claim: Record
    start: Record | None
    end: Record | None
    progress: tuple[float, float] | None
    torn: bool
    broken: str | None
    released: bool

    @property
    def ended(self) -> bool:
        return self.end is not None


def journal_name(attempt: int) -> str:
    return "run.jsonl" if attempt == 1 else f"run.{attempt}.jsonl"


def read_run(folder: str | os.PathLike[str]) -> RunRecord | None:
    """Read the run in *folder*; nothing if no attempt ever began there."""
    folder = os.fspath(folder)
    attempt, data = 0, None
    while True:
        found = _read(os.path.join(folder, journal_name(attempt + 1)))
        if found is None:
            break
        attempt, data = attempt + 1, found
    if data is None:
        return None
    released = os.path.exists(os.path.join(folder, f"run.{attempt}.release.jsonl"))
    return parse_run(folder, attempt, data, released)


def _read(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None
    except OSError:
        return b""  # there, and not readable: a broken record, not an absent one


def parse_run(folder: str, attempt: int, data: bytes, released: bool = False) -> RunRecord:
    """Give the record that the journal of the last attempt holds; never raises for what stands in it."""
    experiment, run_id = os.path.basename(os.path.dirname(folder)), os.path.basename(folder)
    lines = data.split(b"\n")
    torn = bool(lines.pop())
    by_event: dict[str, dict[str, Any]] = {}
    unreadable = 0
    for line in lines:
        try:
            record = json.loads(line)
            event = record["event"]
        except (ValueError, TypeError, KeyError):
            unreadable += 1
            continue
        if isinstance(event, str) and event not in ("claim", "end"):
            by_event[event] = record
        elif isinstance(event, str):
            by_event.setdefault(event, record)
    claim, end = by_event.get("claim"), by_event.get("end")
    return RunRecord(
        id=run_id,
        experiment=experiment,
        folder=folder,
        attempt=attempt,
        claim=claim or {},
        start=by_event.get("start"),
        end=end,
        progress=_progress(by_event, end),
        torn=torn,
        broken=_fault(claim, end, unreadable, torn),
        released=released,
    )


def _fault(claim: Record | None, end: Record | None, unreadable: int, torn: bool) -> str | None:
    if claim is None:
        return None if torn else "its journal has no claim"
    schema = claim.get("schema")
    if not (isinstance(schema, str) and schema.startswith("xpc.run/")):
        return "its journal is not of xpc.run"
    if schema != "xpc.run/1":
        return f"its journal is of {schema}, which this xpc does not know"
    if not isinstance(claim.get("values"), dict):
        return "its claim has no values"
    if end is not None and end.get("state") not in END_STATES:
        return "its end line has no state that there is"
    if unreadable and end is None:
        return f"{unreadable} lines of its journal can't be read"
    return None


def _progress(by_event: Mapping[str, Record], end: Record | None) -> tuple[float, float] | None:
    said = end.get("progress") if end is not None else None
    if said is None and "progress" in by_event:
        said = [by_event["progress"].get("done"), by_event["progress"].get("total")]
    if isinstance(said, list) and len(said) == 2 and all(type(n) in (int, float) for n in said):
        return float(said[0]), float(said[1])
    return None
