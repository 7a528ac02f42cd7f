"""Runs faults, each in a study of its own, side by side; prints what came of them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

from . import quick, study
from .cluster_oracle import ClusterOracle
from .clusters import ClusterProject
from .fault import Fault
from .kinds import Kind, known
from .oracle import Oracle
from .project import BIN, Project
from .violation import Violation

POINTS: Final = {"local": 3, "slurm": 2, "oar": 1}
TIME: Final = "1min"


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of a fault: whether it *struck* before the study was done, and what was *wrong* then, if anything."""

    fault: Fault
    struck: bool
    seconds: float
    wrong: str = ""
    kept: str = ""


def run_fault(fault: Fault, template: Path, *, keep: bool = False) -> Finding:
    """Disturb a study, look whether everything holds, complete it."""
    chosen = known()[fault.target, fault.kind]
    random = fault.random()
    began = time.monotonic()
    above = Path(tempfile.mkdtemp(prefix="xpc-campaign-", dir=os.environ.get("XPC_CAMPAIGN_FOLDER")))
    project, oracle = study_of(fault.target, chosen, above, template, random)
    struck, wrong = False, ""
    try:
        struck = chosen.strike(project, oracle, random)
        oracle.complete()
    except Violation as found:
        wrong = str(found)
    except Exception:
        wrong = f"the campaign itself fails\n{traceback.format_exc()}"
    kept = keep and bool(wrong)
    if kept:
        subprocess.run(["cp", "-a", project.folder, above / "kept"], check=True)  # a small disk goes with its mount
        (above / "typed").write_text("\n".join(map(str, project.told)))
        project.cleanup.close()
    else:
        project.remove()
    return Finding(fault, struck, time.monotonic() - began, wrong, str(above) if kept else "")


def study_of(target: str, chosen: Kind, above: Path, template: Path, random: Random) -> tuple[Project, Oracle]:
    """Make a copy of the study, and what knows the truth about it."""
    if target == "local":
        project = Project(above, template, cold=random.random() < chosen.cold)
        return project, Oracle(project, may=chosen.may, overlaps=chosen.overlaps)
    cluster = ClusterProject(above, template, target, POINTS[target])
    return cluster, ClusterOracle(cluster, may=chosen.may, overlaps=chosen.overlaps)


@contextmanager
def templates(targets: Sequence[str]) -> Iterator[dict[str, Path]]:
    """Make the study of each target in a git repository; the local one is built, but never submitted."""
    above = Path(tempfile.mkdtemp(prefix="xpc-campaign-", dir=os.environ.get("XPC_CAMPAIGN_FOLDER")))
    made = {target: above / target for target in targets}
    try:
        for target, folder in made.items():
            make_repository(folder, study.files(target, POINTS[target], TIME))
            if target == "local":
                environ = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}
                subprocess.run(["xpc", "build"], cwd=folder, env=environ, check=True, capture_output=True)
        yield made
    finally:
        subprocess.run(["chmod", "-R", "u+w", above], check=False)
        shutil.rmtree(above)


def make_repository(folder: Path, files: dict[str, str]) -> None:
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text)
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    for command in (("init", "-q", "-b", "main"), ("add", "-A"), ("commit", "-q", "-m", "Begin")):
        subprocess.run(["git", *who, *command], cwd=folder, check=True)


def run_campaign(
    faults: Sequence[Fault], jobs: int, *, keep: bool = False, minutes: float | None = None
) -> Iterator[Finding]:
    """Run faults, *jobs* at once, and those that change a cluster under others one by one; give what came of each.

    After *minutes* no other one is begun.
    """
    limit = None if minutes is None else time.monotonic() + 60 * minutes
    with templates(sorted({fault.target for fault in faults})) as made:
        apart = [fault for fault in faults if known()[fault.target, fault.kind].alone]
        warm = (quick.warm, (made["local"],)) if "local" in made else (None, ())
        with ProcessPoolExecutor(jobs, initializer=warm[0], initargs=warm[1]) as pool:
            together = [fault for fault in faults if fault not in apart]
            futures = [pool.submit(run_fault, fault, made[fault.target], keep=keep) for fault in together]
            for future in as_completed(futures):
                if limit is not None and time.monotonic() > limit:
                    limit = None
                    for one in futures:
                        one.cancel()
                if not future.cancelled():
                    yield future.result()
        for fault in apart:
            yield run_fault(fault, made[fault.target], keep=keep)


def tell(findings: Iterable[Finding], total: int) -> list[Finding]:
    """Print violations as they come, and now and then how far it is."""
    found: list[Finding] = []
    for finding in findings:
        found.append(finding)
        if finding.wrong:
            print(f"VIOLATION {finding.fault}\n{finding.wrong}\n{finding.kept}\n", flush=True)
        if len(found) % 25 == 0:
            print(f"{len(found)} of {total} faults", file=sys.stderr, flush=True)
    return found


def table(findings: Sequence[Finding]) -> str:
    """Give the counts by target and kind."""
    rows = [("target", "kind", "faults", "struck", "violations")]
    keys = sorted({(one.fault.target, one.fault.kind) for one in findings})
    for target, name in keys:
        mine = [one for one in findings if (one.fault.target, one.fault.kind) == (target, name)]
        rows.append((target, name, *map(str, _counts(mine))))
    for target in sorted({target for target, _ in keys}):
        rows.append((target, "all", *map(str, _counts([one for one in findings if one.fault.target == target]))))
    rows.append(("all", "all", *map(str, _counts(findings))))
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    return "\n".join(
        "  ".join(
            cell.ljust(w) if c < 2 else cell.rjust(w) for c, (cell, w) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )


def _counts(findings: Sequence[Finding]) -> tuple[int, int, int]:
    return len(findings), sum(one.struck for one in findings), sum(bool(one.wrong) for one in findings)
