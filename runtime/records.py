"""Run folders to records: what each attempt wrote of itself, read with tolerance for whatever a crash can leave."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from .shim import packs
from .shim.regular import read_regular
from .shim.renames import is_moved, renamed_claim

Record = Mapping[str, Any]

END_STATES: Final = frozenset(("done", "failed", "killed", "timeout", "oom", "lost", "cancelled", "skipped"))


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run as its folder tells it: the last attempt's claim, start and end lines, and how many attempts there were.

    *broken* says what is wrong with the last journal; a torn last line alone is no fault, it is only *torn*.
    *released* is set when a person has given the last attempt free: what is damaged in it is no fault any more.
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
        try:
            found = _read(f"{folder}/{journal_name(attempt + 1)}")
        except FileNotFoundError:
            break
        except OSError as error:  # there, and not readable: a broken record, not an absent one
            return unreadable(folder, attempt + 1, error)
        attempt, data = attempt + 1, found
    if data is None:
        return _read_packed(folder)
    record = parse_run(folder, attempt, data)
    open_end = record.end is None and record.broken is None
    if (open_end or is_damaged(record)) and os.path.exists(f"{folder}/run.{attempt}.release.jsonl"):
        claim = record.claim if isinstance(record.claim.get("values"), dict) else {}
        return replace(record, claim=claim, end=None, broken=None, released=True)
    return record


def is_damaged(record: RunRecord) -> bool:
    """Tell whether a record is broken by what has become of it, and is not merely closed to us or of a newer xpc."""
    if record.broken is None or _is_newer(record.claim):
        return False
    return os.access(f"{record.folder}/{journal_name(record.attempt)}", os.R_OK, effective_ids=True)


def _is_newer(claim: Record) -> bool:
    schema = claim.get("schema")
    return isinstance(schema, str) and schema.startswith("xpc.run/") and schema != "xpc.run/1"


def _read_packed(folder: str) -> RunRecord | None:
    """Read a run that has no journal of its own; only ended ones are packed."""
    try:
        journals = packs.journals(folder)
    except OSError as error:
        return unreadable(folder, 1, error)
    return parse_run(folder, len(journals), journals[-1]) if journals else None


def read_attempt(folder: str, attempt: int) -> RunRecord | None:
    """Read one attempt of the run in *folder*, be it the last one or not."""
    try:
        return parse_run(folder, attempt, _read(f"{folder}/{journal_name(attempt)}"))
    except FileNotFoundError:
        return _read_packed_attempt(folder, attempt)
    except OSError as error:
        return unreadable(folder, attempt, error)


def _read_packed_attempt(folder: str, attempt: int) -> RunRecord | None:
    try:
        data = None if os.path.isdir(folder) else packs.read(folder, journal_name(attempt))
    except OSError as error:
        return unreadable(folder, attempt, error)
    return None if data is None else parse_run(folder, attempt, data)


def _read(path: str) -> bytes:
    return read_regular(path)


def unreadable(folder: str, attempt: int, error: OSError) -> RunRecord:
    """Give the record of a journal that is there and can't be opened."""
    why = _whose(folder, error) or (error.strerror or "it failed").lower()
    return replace(parse_run(folder, attempt, b""), broken=f"its journal can't be read: {why}")


def _whose(folder: str, error: OSError) -> str | None:
    """Say whose a journal is that this user may not read; nothing if that is not the reason. The same for all alike."""
    if not isinstance(error, PermissionError):
        return None
    from .denied import denied

    found = denied(error.filename or folder)
    if found is None or found.mine:
        return None
    name = os.path.basename(found.path)
    what = "it" if name.endswith(".jsonl") else "its folder" if name == os.path.basename(folder) else f"`{name}`"
    return f"{what} is {found.owner}'s ({found.mode}, group {found.group}), who can `chmod -R g+rwX .xpc runs`"


def parse_run(folder: str, attempt: int, data: bytes) -> RunRecord:
    """Give the record that the journal of the last attempt holds; never raises for what stands in it."""
    lines = data.split(b"\n")
    torn = bool(lines.pop()) or not data  # empty: cut off between making the journal and its first line
    found: dict[str, dict[str, Any]] = {}
    unread = False
    for line in lines:
        event = _event(line)
        if event is not None:
            unread = False
            name = event["event"]
            if name in ("claim", "end"):
                found.setdefault(name, event)
            else:
                found[name] = event
        elif line.strip(b"\0"):
            unread = True  # a line after it shows that its writer went on: then it cost itself alone
        else:
            torn = True  # what a file system leaves of a write that never reached the disk
    claim, end = found.get("claim"), found.get("end")
    if claim is not None and is_moved(claim, folder):
        claim = dict(renamed_claim(claim, folder))
    return RunRecord(
        id=os.path.basename(folder),
        experiment=os.path.basename(os.path.dirname(folder)),
        folder=folder,
        attempt=attempt,
        claim=claim or {},
        start=found.get("start"),
        end=end,
        progress=_progress(found.get("progress"), end),
        torn=torn,
        broken=_fault(claim, end, unread, torn),
        released=False,
    )


def _event(line: bytes) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) and isinstance(record.get("event"), str) else None


def _fault(claim: Record | None, end: Record | None, unread: bool, torn: bool) -> str | None:
    if claim is None:
        return None if torn and end is None and not unread else "its journal has no claim"
    if _is_newer(claim):
        return f"its journal is of {claim['schema']}, which this xpc does not know"
    if claim.get("schema") != "xpc.run/1":
        return "its journal is not of xpc.run"
    if not isinstance(claim.get("values"), dict):
        return "its claim has no values"
    if end is not None and not _is_state(end.get("state")):
        return "its end line has no state that there is"
    if unread and end is None:
        return "the last line of its journal can't be read"
    return None


def _is_state(value: object) -> bool:
    return isinstance(value, str) and value in END_STATES


def _progress(line: Record | None, end: Record | None) -> tuple[float, float] | None:
    said = end.get("progress") if end is not None else None
    if said is None and line is not None:
        said = [line.get("done"), line.get("total")]
    return progress_of(said)


def progress_of(said: object) -> tuple[float, float] | None:
    """Give ``[done, total]`` as numbers; nothing if it is something else."""
    if isinstance(said, list) and len(said) == 2 and all(type(n) in (int, float) and abs(n) < 2**63 for n in said):
        return float(said[0]), float(said[1])
    return None
