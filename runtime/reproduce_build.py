"""One row of a build to a build of its own, for another place to run it: the same command, config and request."""

from __future__ import annotations

import json
import os
import shutil
import struct
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from .reproduce_original import Original
from .submissions import BUILDS

Plan = Mapping[str, Any]
Script = Callable[[Plan], str]
"""Makes the script of a plan's one array, as the plan's target wants it."""

LOCAL: Final[Plan] = {"name": "local", "kind": "local", "options": {}}
SUFFIXES: Final = {"local": "sh", "slurm": "sbatch", "oar": "oar"}
ARRAY: Final = "reproduction-1"


def one_row_plan(original: Original, target: Plan, setup: Sequence[Plan]) -> dict[str, Any]:
    """Give the plan of the original's run alone, for *target*, whose own setup lines are *setup*; its request is that
    of the attempt that counts.

    It waits for nobody: that its parents are done has been seen.
    """
    plan = original.build.plan
    name = original.run.experiment
    kind = target["kind"]
    experiment = {**plan["experiments"][name], "first": 0, "runs": 1, "retries": 0, "pack": None, "after": []}
    if is_elsewhere(original, target):
        own = [line for line in experiment["environment"]["setup"] if not line.get("target")]
        experiment["environment"] = {**experiment["environment"], "setup": [*setup, *own]}
    one: dict[str, Any] = {"name": ARRAY, "experiment": name, "resources": 0, "tasks": 1, "rows": [[0, 1]]}
    if kind != "local":
        one |= {"indices": [[0, 1]], "sizes": [[1, 1]], "side_by_side": False, "pairwise": [], "throttle": None}
    return {
        **plan,
        "target": dict(target),
        "experiments": {name: experiment},
        "resources": [[original.build.request(original.run, original.record.attempt)]],
        "arrays": [{**one, "after": [], "script": f"arrays/{ARRAY}.{SUFFIXES[kind]}"}],
        "cost": {"core_hours": None, "gpu_hours": None, "inodes": 0},
    }


def is_elsewhere(original: Original, target: Plan) -> bool:
    """Tell whether *target* is another one than the original's."""
    before = original.build.plan["target"]
    return (before["name"], before["kind"]) != (target["name"], target["kind"])


def write_build(original: Original, project: Path, plan: Plan, script: Script) -> Path:
    """Write the build below *project*, under the original's id, with the original's shim; give its folder."""
    source, folder = Path(original.build.folder), project / BUILDS / original.build.id
    (folder / "arrays").mkdir(parents=True)
    (folder / "logs").mkdir()
    (folder / "plan.json").write_text(json.dumps(plan, ensure_ascii=True, indent=1) + "\n")
    shutil.copyfile(source / "xpc.pyz", folder / "xpc.pyz")
    if (source / "provenance.json").is_file():
        shutil.copyfile(source / "provenance.json", folder / "provenance.json")
    path = folder / plan["arrays"][0]["script"]
    path.write_text(script(plan))
    path.chmod(path.stat().st_mode | 0o111 & ~_umask())
    _write_points(source, folder, original.run.row)
    return folder


def _write_points(source: Path, folder: Path, row: int) -> None:
    """Write the original's line as the only one: its parents left out, its class the only one."""
    index = (source / "points.idx").read_bytes()
    start, end = struct.unpack_from("<QQ", index, 8 * row)
    with (source / "points.jsonl").open("rb") as file:
        first = file.readline()
        file.seek(start)
        fields = json.loads(file.read(end - start))
    fields[2] = 0
    if len(fields) > 5:
        fields[5] = []
    line = json.dumps(fields, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"
    (folder / "points.jsonl").write_bytes(first + line)
    (folder / "points.idx").write_bytes(struct.pack("<QQ", len(first), len(first) + len(line)))


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
