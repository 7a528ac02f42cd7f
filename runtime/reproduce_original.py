"""A recorded run to what running it again takes: the attempt that counts, its build's row, its parents as they were."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ..grammar.diagnostic import Diagnostics
from ..grammar.screen import visible
from .build_rows import Rows
from .diff_code import is_tree
from .records import RunRecord, read_run
from .reproduce_parents import Parent, counting_attempt, earlier_name, find_parents
from .shim import renames
from .shim.build_folder import Build, BuildError, Run
from .submissions import BUILDS

WITNESSES: Final = {
    "live": "the original ran in the live project, so nobody knows its code for certain",
    "mixed": "the original loaded modules of the live project, too, so nobody knows its code for certain",
    "altered": "somebody wrote into the export while the original ran, so nobody knows its code for certain",
    "none": "the original never got its code",
}


@dataclass(frozen=True, slots=True)
class Original:
    """The attempt of a run that is reproduced. *folder* is the run's; *row* is that of the open *build*."""

    project: Path
    folder: str
    record: RunRecord
    build: Build
    run: Run
    parents: tuple[Parent, ...]

    @property
    def state(self) -> str:
        return str((self.record.end or {}).get("state"))

    @property
    def tree(self) -> str:
        return str(self.build.plan["snapshot"]["tree"])

    @property
    def commit(self) -> str:
        return str(self.record.claim["commit"])

    @property
    def prefix(self) -> str:
        return str(self.build.plan["snapshot"]["prefix"])

    @property
    def plan(self) -> Mapping[str, Any]:
        """What the build says of the run's experiment."""
        return self.run.plan

    @property
    def notes(self) -> Iterator[str]:
        """Say what makes the original, or its parents, less than certain."""
        witness = str((self.record.end or self.record.start or {}).get("witness"))
        if witness in WITNESSES:
            yield WITNESSES[witness]
        last = read_run(self.folder)
        if last is not None and last.attempt != self.record.attempt:
            yield f"attempt {self.record.attempt} of {last.attempt} is the one that was done"
        elif self.record.attempt > 1:
            yield f"the original was attempt {self.record.attempt}; here it is run as a first one"
        yield from (parent.note for parent in self.parents if parent.note is not None)


def find_original(project: Path, folder: str, diagnostics: Diagnostics) -> Original | None:
    """Find what is needed to run the run in *folder* again; what is missing is reported."""
    record = counting_attempt(folder)
    if record is None or record.end is None:
        _report(folder, "XR020", "it has no end: nothing to compare with", diagnostics)
        return None
    build = _build(project, record, diagnostics)
    if build is None:
        return None
    if not is_tree(build.plan["snapshot"]["tree"]) or not is_tree(record.claim.get("commit")):
        build.close()
        _report(folder, "XR021", "its record or its build names no snapshot", diagnostics)
        return None
    run = find_row(build, record)
    if run is None:
        build.close()
        _report(folder, "XR021", f"its build {build.id[:7]} has no such run", diagnostics)
        return None
    parents = tuple(find_parents(project, run, record))
    missing = [parent for parent in parents if not parent.folder]
    for parent in missing:
        _report(folder, "XR022", f"its parent {parent.experiment} {parent.id[:7]} is gone", diagnostics)
    if missing:
        build.close()
        return None
    return Original(project, folder, record, build, run, parents)


def _build(project: Path, record: RunRecord, diagnostics: Diagnostics) -> Build | None:
    name = record.claim.get("build")
    if not isinstance(name, str) or not name.isalnum():
        _report(record.folder, "XR021", "its record names no build", diagnostics)
        return None
    folder = project / BUILDS / name
    if not folder.is_dir():
        _report(record.folder, "XR021", f"its build {name[:7]} is gone", diagnostics)
        return None
    try:
        return Build(str(folder))
    except BuildError as error:
        _report(record.folder, "XR021", str(error), diagnostics)
        return None


def find_row(build: Build, record: RunRecord) -> Run | None:
    """Find the row that an attempt claimed, by the names that the run had then; it may have others since."""
    rows = Rows(Path(build.folder), build.plan)
    named = [(str(record.claim.get("experiment")), str(record.claim.get("run")))]
    named += [earlier_name(line) for line in renames.read(record.folder)]
    for experiment, id in named:
        row = rows.find(experiment, id)
        if row is not None:
            return build.run(row)
    return None


def _report(folder: str, code: str, why: str, diagnostics: Diagnostics) -> None:
    name = f"{os.path.basename(os.path.dirname(folder))} {os.path.basename(folder)[:7]}"
    helps = {
        "XR020": "`xpc status` says how it stands; a run that has ended can be run again",
        "XR021": "without its build nobody knows what it executed; `xpc show` tells what its record still says",
        "XR022": "a run needs its parents' files, as it had them",
    }
    diagnostics.error(code, None, f"run `{visible(name)}` can't be reproduced: {visible(why)}", help=helps[code])
