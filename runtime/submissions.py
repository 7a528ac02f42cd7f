"""What has been submitted: one file a submit with one writer, and the union of all files that readers take."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from .lock import holder
from .owner import Owner

SCHEMA: Final = "xpc.submission/1"
FOLDER: Final = ".xpc/submissions"

Ranges = list[tuple[int, int]]  # first row and how many


@dataclass(frozen=True, slots=True)
class Submission:
    """One submit as its file tells it: *rows* are ranges of the build's table by experiment."""

    path: Path
    time: str
    owner: Owner
    build: str
    target: str
    kind: str
    ended: bool
    torn: bool
    rows: Mapping[str, Ranges] = field(default_factory=dict)

    def live(self, project: Path, here: Owner) -> bool:
        """Say whether a local submit still goes on; one on another host does while it has the lock."""
        if self.ended:
            return False
        seen = self.owner.seen_from(here)
        return seen == "alive" or (seen == "unknown" and holder(project) == self.owner)


class SubmissionWriter:
    """The file of the submit that goes on just now."""

    def __init__(self, project: Path, build: str, target: str, kind: str) -> None:
        here = Owner.here()
        time = _now()
        folder = project / FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"{time.replace(':', '').replace('-', '')}-{here.host}-{here.pid}.jsonl"
        self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o666)
        fields = here.fields()
        self._write(
            {
                "schema": SCHEMA,
                "event": "submit",
                "time": time,
                **fields,
                "build": build,
                "target": target,
                "kind": kind,
            }
        )

    def runs(self, experiment: str, rows: Sequence[int]) -> None:
        """Note that *rows* (ascending) of an experiment are now queued here."""
        self._write({"event": "runs", "experiment": experiment, "rows": ranges(rows)})

    def end(self) -> None:
        self._write({"event": "end", "time": _now()})
        os.close(self._file)

    def _write(self, line: Mapping[str, object]) -> None:
        os.write(self._file, json.dumps(line, separators=(",", ":")).encode() + b"\n")
        os.fsync(self._file)


def ranges(rows: Sequence[int]) -> Ranges:
    """Put ascending rows together: `[0, 1, 2, 7]` is `[(0, 3), (7, 1)]`."""
    found: Ranges = []
    for row in rows:
        if found and sum(found[-1]) == row:
            found[-1] = (found[-1][0], found[-1][1] + 1)
        else:
            found.append((row, 1))
    return found


def read_submissions(project: Path) -> list[Submission]:
    """Give all submits of the project, oldest first. A line counts when it ends and parses; a torn tail is marked."""
    paths = sorted((project / FOLDER).glob("*.jsonl"))
    return [found for path in paths if (found := _read(path)) is not None]


def queued_rows(project: Path) -> Iterator[tuple[str, str, int]]:
    """Give the build, the experiment and the row of each run that a live local submit holds.

    Some of them run or have ended since: the run's own records say so.
    """
    here = Owner.here()
    for submission in read_submissions(project):
        if submission.kind == "local" and submission.live(project, here):
            for experiment, found in submission.rows.items():
                for first, count in found:
                    for row in range(first, first + count):
                        yield submission.build, experiment, row


def _read(path: Path) -> Submission | None:
    lines, torn = _lines(path.read_bytes())
    if not lines or lines[0].get("event") != "submit":
        return None
    first = lines[0]
    owner = Owner.read(first)
    if owner is None:
        return None
    rows: dict[str, Ranges] = {}
    for line in lines[1:]:
        if line.get("event") == "runs":
            rows.setdefault(str(line["experiment"]), []).extend((int(a), int(n)) for a, n in line["rows"])
    texts = [str(first.get(name, "")) for name in ("time", "build", "target", "kind")]
    ended = any(line.get("event") == "end" for line in lines)
    return Submission(path, texts[0], owner, texts[1], texts[2], texts[3], ended, torn, rows)


def _lines(data: bytes) -> tuple[list[dict[str, Any]], bool]:
    """Give the whole lines, and whether there is something else among them."""
    *whole, rest = data.split(b"\n")
    found: list[dict[str, Any]] = []
    torn = bool(rest.strip())
    for line in whole:
        try:
            fields = json.loads(line)
        except ValueError:
            torn = True
            continue
        if isinstance(fields, dict):
            found.append(fields)
    return found, torn


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
