"""A run to the runs above it as they were when it began: what was run again or renamed since is looked for."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product
from pathlib import Path
from typing import Any, Final

from .records import RunRecord, read_attempt, read_run
from .shim import guard, renames
from .shim.build_folder import Run
from .superseded import versions

MOST_CHOICES: Final = 4096  # ways to choose among the results of all parents that are tried

Name = tuple[str, str]  # experiment and id


@dataclass(frozen=True, slots=True)
class Parent:
    """A run before the original. *folder* is where its files are, as the original saw them (empty: it is gone); *note*
    says what is not as it was."""

    experiment: str
    id: str
    folder: str
    packed: bool
    note: str | None = None


@dataclass(frozen=True, slots=True)
class _Results:
    """All results of a run: when each was done, and its folder; the newest is in the folder *now*."""

    name: Name
    now: str
    done: tuple[tuple[str, str], ...]

    def at(self, began: str) -> str:
        """Give the folder of the one that was there at that time; of none, the oldest."""
        before = [found for found in self.done if found[0] <= began]
        return max(before)[1] if before else min(self.done)[1]


def find_parents(project: Path, run: Run, record: RunRecord) -> Iterator[Parent]:
    """Give all runs above, each as it was when the original began."""
    after = zip((above["experiment"] for above in run.plan["after"]), run.parents, strict=True)
    direct: list[Name] = [(name, id) for name, ids in after for id in ids]
    above: list[Name] = [(name, id) for name, ids in run.ancestors.items() for id in ids]
    began, lineage = str(record.claim.get("time")), record.claim.get("lineage")
    results = {name: _results(project, name) for name in dict.fromkeys((*direct, *above))}
    read = _read_by(direct, results, began, lineage)
    for name, found in results.items():
        if not found.done:
            yield Parent(*name, "", False)
            continue
        folder = read.get(name) or found.at(began)
        yield Parent(*name, folder, not os.path.isdir(folder), _note(found, folder, began, known=name in read))


def _note(found: _Results, folder: str, began: str, *, known: bool) -> str | None:
    called = f"parent {found.name[0]} {found.name[1][:7]}"
    if not known and all(ended > began for ended, _ in found.done):
        return f"{called} was run again since, and what it made before is gone"
    if folder != found.now:
        return f"{called} was run again since: {os.path.basename(folder)} is used, as it was then"
    return None


def _read_by(direct: Sequence[Name], results: Mapping[Name, _Results], began: str, lineage: object) -> dict[Name, str]:
    """Give the folders of the parents whose attempts the original's claim names, all at once by one hash; what the
    clocks say is tried first. Nothing if the claim names none, or none that is there."""
    names = list(dict.fromkeys(direct))
    if not isinstance(lineage, str) or not all(results[name].done for name in names):
        return {}
    nonces = {place: guard.done_nonce(place) or "" for name in names for _, place in results[name].done}
    likely = [results[name].at(began) for name in names]
    others = product(*([place for _, place in reversed(results[name].done)] for name in names))
    for choice in islice((tuple(likely), *islice(others, MOST_CHOICES)), MOST_CHOICES):
        places = dict(zip(names, choice, strict=True))
        if guard.lineage(nonces[places[name]] for name in direct) == lineage:
            return places
    return {}


def _results(project: Path, name: Name) -> _Results:
    """Look for the results of a run, those that were set aside since included; also under the names it has now."""
    found = _results_at(project, name, name)
    for moved in _renamed(project, name) if not found.done else ():
        found = _results_at(project, name, moved)
    return found


def _results_at(project: Path, name: Name, at: Name) -> _Results:
    now = os.path.join(project, "runs", *at)
    folders = [now, *(version.folder for version in versions(project, *at))]
    return _Results(name, now, tuple((ended, place) for place in folders if (ended := _ended(place)) is not None))


def _renamed(project: Path, name: Name) -> Iterator[Name]:
    """Give where a run lies that has other names now."""
    for path in sorted(project.glob(f"runs/*/*/{renames.NAME}")):
        if any(earlier_name(line) == name for line in renames.read(str(path.parent))):
            yield path.parent.parent.name, path.parent.name.partition(".")[0]


def earlier_name(line: Mapping[str, Any]) -> Name:
    """Give the name that a run had before a rename; *line* is of its `renamed.jsonl`."""
    return str(line["from"]["experiment"]), str(line["from"]["run"])


def _ended(folder: str) -> str | None:
    """Give when a run was done; nothing if it is not."""
    record = counting_attempt(folder)
    if record is None or record.end is None or record.end.get("state") != "done":
        return None
    return str(record.end.get("time"))


def counting_attempt(folder: str) -> RunRecord | None:
    """Give the attempt of a run that was done; the last one if none was."""
    last = read_run(folder)
    if last is None or (last.end or {}).get("state") == "done":
        return last
    for number in range(last.attempt - 1, 0, -1):
        earlier = read_attempt(folder, number)
        if earlier is not None and (earlier.end or {}).get("state") == "done":
            return earlier
    return last
