"""What the run folders hold, read without any code of the project: attempts, end lines, digests of all files."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Attempt:
    """The whole lines of one journal. *end* is none without a whole end line."""

    number: int
    lines: tuple[dict[str, Any], ...]

    @property
    def end(self) -> str | None:
        return next((str(line.get("state")) for line in self.lines if line.get("event") == "end"), None)

    @property
    def claim(self) -> dict[str, Any]:
        return self.lines[0] if self.lines and self.lines[0].get("event") == "claim" else {}

    @property
    def program(self) -> int | None:
        """Give the pid of its program, if that is on record."""
        return next((line["program"]["pid"] for line in self.lines if line.get("event") == "start"), None)


@dataclass(frozen=True, slots=True)
class Run:
    experiment: str
    id: str
    folder: Path
    attempts: tuple[Attempt, ...]

    @property
    def done(self) -> list[int]:
        """Give the attempts that say that they are done, and what they are."""
        return [attempt.number for attempt in self.attempts if attempt.end == "done" and attempt.claim]


def read_runs(project: Path) -> dict[str, Run]:
    """Give all runs of the project that have a folder, by id."""
    found = {}
    for folder in sorted((project / "runs").glob("*/*/")):
        if folder.parent.name != "packs":
            found[folder.name] = Run(folder.parent.name, folder.name, folder, tuple(_attempts(folder)))
    return found


def _attempts(folder: Path) -> Iterator[Attempt]:
    number = 1
    while (path := folder / (f"run.{number}.jsonl" if number > 1 else "run.jsonl")).exists():
        yield Attempt(number, tuple(_whole_lines(path.read_bytes())))
        number += 1


def _whole_lines(data: bytes) -> Iterator[dict[str, Any]]:
    for line in data.split(b"\n")[:-1]:
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, dict):
            yield found


def digest(folder: Path) -> str:
    """Hash the names and the bytes of all files below *folder*."""
    whole = hashlib.blake2b(digest_size=16)
    for above, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(above, name)
            data = os.fsencode(os.readlink(path)) if path.is_symlink() else path.read_bytes()
            whole.update(f"{path.relative_to(folder)}\0{len(data)}\0".encode() + data)
    return whole.hexdigest()
