"""Writes a project with a snapshot and a build by hand, as docs/formats.md describes them."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

TREE = "4f2a91c0"
REQUEST = {
    "cpus": 1,
    "memory": None,
    "gpus": 0,
    "nodes": 1,
    "tasks": 1,
    "time": None,
    "disk": None,
    "options": {},
}


@dataclass
class Experiment:
    """*script* is bash; `$1` is the run's key `n`. *parents* gives the rows before each run, by experiment."""

    name: str
    script: str = "true"
    runs: int = 1
    request: Sequence[Mapping[str, object]] = ({},)
    retries: int = 0
    outputs: Mapping[str, str] = field(default_factory=dict)
    after: Mapping[str, Sequence[Sequence[int]]] = field(default_factory=dict)
    fingerprint: str = "a"
    argv: Sequence[str] | None = None


def run_id(experiment: str, n: int) -> str:
    return blake2b(f"{experiment}/{n}".encode(), digest_size=8).hexdigest()


def write_build(project: Path, experiments: Sequence[Experiment], build: str = "9c3e11f0", **target: object) -> Path:
    """Write everything below *project*; give the build's folder."""
    write_snapshot(project)
    folder = project / ".xpc/builds" / build
    (folder / "arrays").mkdir(parents=True, exist_ok=True)
    plan = {
        "schema": "xpc.plan/1",
        "identity": 1,
        "project": "hand",
        "snapshot": {"tree": TREE, "prefix": ""},
        "links": [],
        "target": {"name": "local", "kind": "local", "options": target},
        "experiments": {},
        "resources": [],
        "arrays": [],
        "cost": {"core_hours": None, "gpu_hours": None, "inodes": 0},
    }
    header: dict[str, object] = {"schema": "xpc.points/1", "shapes": []}
    rows: list[list[object]] = []
    for number, experiment in enumerate(experiments):
        first = len(rows)
        shape = {"experiment": experiment.name, "keys": ["n"], "config": [["n", 0]], "ancestors": []}
        header["shapes"].append(shape)  # type: ignore[attr-defined]
        for n in range(experiment.runs):
            parents = [[run_id(name, parent) for parent in above[n]] for name, above in experiment.after.items()]
            rows.append([run_id(experiment.name, n), number, number, [n], [], parents, []])
        plan["resources"].append([{**REQUEST, **request} for request in experiment.request])  # type: ignore[attr-defined]
        plan["experiments"][experiment.name] = _experiment(experiment, first)  # type: ignore[index]
        array = {"name": f"{experiment.name}-1", "experiment": experiment.name, "resources": number}
        script = f"arrays/{experiment.name}-1.sh"
        array |= {"tasks": experiment.runs, "rows": [[first, experiment.runs]], "after": [], "script": script}
        plan["arrays"].append(array)  # type: ignore[attr-defined]
    (folder / "plan.json").write_text(json.dumps(plan))
    _write_points(folder, [header, *rows])
    provenance = {"schema": "xpc.provenance/1", "commit": "8bd0e3d0", "branch": "main", "dirty": False}
    (folder / "provenance.json").write_text(json.dumps(provenance))
    return folder


def write_snapshot(project: Path) -> None:
    """Write an export with one file, its links, its private git directory and its stamp."""
    snapshots = project / ".xpc/snapshots"
    for name in (TREE, f"{TREE}.links", f"{TREE}.git"):
        (snapshots / name).mkdir(parents=True, exist_ok=True)
    (snapshots / TREE / "code.txt").write_text("code\n")
    link = snapshots / f"{TREE}.links/code.txt"
    if not link.is_symlink():
        link.symlink_to(f"../../../../.xpc/snapshots/{TREE}/code.txt")
    stamp = {"schema": "xpc.snapshot/1", "tree": TREE, "commit": "8bd0e3d0", "prefix": "", "files": 1, "bytes": 5}
    stamp |= {"entries": ["code.txt"], "empty": [], "python_roots": ["."]}
    (snapshots / f"{TREE}.json").write_text(json.dumps(stamp))


def _experiment(experiment: Experiment, first: int) -> dict[str, object]:
    if experiment.argv is not None:
        command: dict[str, object] = {"kind": "argv", "words": [[word] for word in experiment.argv]}
    else:
        command = {"kind": "script", "script": experiment.script, "args": [[{"key": "n"}]]}
    return {
        "first": first,
        "runs": experiment.runs,
        "command": command,
        "workdir": "links",
        "config": True,
        "inputs": {},
        "outputs": {name: [path] for name, path in experiment.outputs.items()},
        "writable": [],
        "metrics_files": [],
        "metrics": [],
        "environment": {"setup": [], "variables": {}, "secrets": [], "container": None},
        "retries": experiment.retries,
        "after": [{"experiment": name, "all": False, "by": []} for name in experiment.after],
        "fingerprint": dict.fromkeys(("command", "code", "environment", "inputs"), experiment.fingerprint),
        "tags": [],
    }


def _write_points(folder: Path, lines: Sequence[object]) -> None:
    offsets: list[int] = []
    with (folder / "points.jsonl").open("wb") as file:
        for line in lines:
            offsets.append(file.tell())
            file.write(json.dumps(line, separators=(",", ":")).encode() + b"\n")
        offsets.append(file.tell())
    (folder / "points.idx").write_bytes(struct.pack(f"<{len(offsets) - 1}Q", *offsets[1:]))
