"""Results that a person keeps though something has changed since: `.xpc/accepted/`, a line a group of runs.

A line says which fingerprint stands in place of the recorded one. It holds as long as a run's record is the same: of a
run that was run again since, and of a file that is torn or makes no sense, it says nothing.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from .evidence_files import now
from .owner import Owner
from .shim.regular import read_regular

SCHEMA: Final = "xpc.accepted/1"
FOLDER: Final = ".xpc/accepted"
ACCEPTED: Final = "accepted"
"""The field that tells by whom a run was accepted, and why; for provenance, queries do not know it."""

PARTS: Final = ("command", "code", "environment", "inputs")

Fingerprint = Mapping[str, str]
Run = tuple[str, str]  # experiment and id


@dataclass(frozen=True, slots=True)
class Acceptance:
    """*runs* of *experiment* with the fingerprint *recorded* count as those with *fingerprint*, which the code in
    *snapshot* had. *lineage*: for those whose parents were run again, the attempts of the parents that count as read.
    """

    experiment: str
    runs: tuple[str, ...]
    recorded: Fingerprint
    fingerprint: Fingerprint
    snapshot: str
    lineage: Mapping[str, str] = field(default_factory=dict)
    reason: str | None = None
    what: str = ""  # what had changed, in words
    user: str = ""
    host: str = ""
    time: str = ""

    def holds(self, recorded: object) -> bool:
        """Tell whether it is about a run with this record."""
        return recorded == self.recorded

    @property
    def by(self) -> str:
        """Say who accepted it, and why."""
        why = f": {self.reason}" if self.reason else ""
        return f"accepted by {self.user or 'somebody'}{why}"

    def record(self) -> dict[str, Any]:
        """Give the line of the file."""
        return {
            "schema": SCHEMA,
            "event": "accept",
            "experiment": self.experiment,
            "runs": list(self.runs),
            "recorded": dict(self.recorded),
            "fingerprint": dict(self.fingerprint),
            "snapshot": self.snapshot,
            "lineage": dict(self.lineage),
            "what": self.what,
            "reason": self.reason,
            "user": self.user,
            "host": self.host,
            "time": self.time,
        }


class Accepted:
    """All that was accepted in a project, by run; the last word comes last."""

    def __init__(self, found: Iterable[Acceptance]) -> None:
        self._by_run: dict[Run, list[Acceptance]] = {}
        for each in found:
            for id in each.runs:
                self._by_run.setdefault((each.experiment, id), []).append(each)

    def __bool__(self) -> bool:
        return bool(self._by_run)

    def of(self, experiment: str, id: str, recorded: object) -> Sequence[Acceptance]:
        """Give what was accepted of a run with that recorded fingerprint, newest first."""
        found = self._by_run.get((experiment, id), ())
        return [each for each in reversed(found) if each.holds(recorded)]


def read_accepted(project: str | os.PathLike[str]) -> Accepted:
    """Read all files; what can't be read there counts for nothing."""
    return Accepted(accepted_in(Path(project)))


def accepted_in(project: Path) -> Iterator[Acceptance]:
    """Give every acceptance of a project, oldest first."""
    for path in sorted((project / FOLDER).glob("*.jsonl")):
        try:
            data = read_regular(str(path))
        except OSError:
            continue
        for line in data.split(b"\n")[:-1]:
            try:
                fields = json.loads(line)
            except (ValueError, RecursionError):
                continue
            found = _acceptance(fields)
            if found is not None:
                yield found


def _acceptance(fields: Any) -> Acceptance | None:
    match fields:
        case {
            "schema": "xpc.accepted/1",
            "event": "accept",
            "experiment": str(experiment),
            "runs": list(runs),
            "recorded": dict(recorded),
            "fingerprint": dict(fingerprint),
        }:
            lineage = fields.get("lineage")
            whole = all(isinstance(fingerprint.get(part), str) for part in PARTS)
            if not whole or not all(isinstance(id, str) for id in runs):
                return None
            texts = {name: _text(fields.get(name)) for name in ("snapshot", "what", "user", "host", "time")}
            reason = fields.get("reason")
            return Acceptance(
                experiment,
                tuple(runs),
                recorded,
                {part: fingerprint[part] for part in PARTS},
                lineage={str(id): _text(said) for id, said in lineage.items()} if isinstance(lineage, dict) else {},
                reason=reason if isinstance(reason, str) else None,
                **texts,
            )
    return None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def write_accepted(project: Path, found: Sequence[Acceptance]) -> Path:
    """Write a file of its own, whole or not at all; give its path. Raises ``OSError`` where the disk refuses."""
    folder = project / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    stamp = now().replace(":", "").replace("-", "")
    path = folder / f"{stamp}-{secrets.token_hex(4)}.jsonl"
    aside = path.with_suffix(".new")
    with aside.open("wb") as file:
        for each in found:
            file.write(json.dumps(each.record(), separators=(",", ":"), ensure_ascii=False).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
    os.rename(aside, path)
    return path


def signed(found: Acceptance) -> Acceptance:
    """Add who accepts, where and when."""
    here = Owner.here()
    return replace(found, user=here.user, host=here.host, time=now())
