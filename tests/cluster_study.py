"""A study of three experiments, one after another, for tests on real schedulers; and what its submits wrote."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cluster_project import ClusterProject

EXPERIMENTFILE = """project "chain"

config base:
    n = 0
    text = "plain"

grid points:
    n in range({points})

resources small:
    cpus = 1
    memory = 100MiB
    time = 5min
{resources}
experiment train:
    config base
    grid points
    resources small
    run "bash train.sh {{n}} {{text}}"
    output model = "model.txt"

experiment evaluate:
    after train
    resources small
    run "cat {{train.model}}"

experiment ensemble:
    after all evaluate
    resources small
    run "true"

target here = {kind}:
{target}
"""

TRAIN = """printf '%s' "$2" > text.txt
env -0 > environment
echo "$1" > model.txt
"""

RUNS = {"train": 4, "evaluate": 4, "ensemble": 1}
WAITING = {"slurm": '    slurm.begin = "now+1hour"', "oar": "    oar.hold = true"}


def study(
    kind: str, *, points: int = 4, target: str = "    lease = 60s", resources: str = "", train: str = TRAIN
) -> dict[str, str]:
    """Give the project's files."""
    text = EXPERIMENTFILE.format(kind=kind, points=points, target=target, resources=resources)
    return {"Experimentfile": text, "train.sh": train}


def lines(project: ClusterProject) -> list[dict[str, Any]]:
    """Give the lines of all submission files, oldest first."""
    paths = sorted((project.folder / ".xpc/submissions").glob("*.jsonl"))
    return [json.loads(line) for path in paths for line in path.read_text().splitlines()]


def intents(project: ClusterProject) -> list[tuple[str, list[list[int]]]]:
    return [(line["array"], line["indices"]) for line in lines(project) if line["event"] == "intent"]


def times_sent(project: ClusterProject) -> Counter[tuple[str, str]]:
    """Count how often each run became a job."""
    from xpc.runtime.submissions import sent_jobs

    return Counter((job.experiment, job.run) for job in sent_jobs(Path(project.folder)) if not job.cancelled)


def all_done(project: ClusterProject, runs: Mapping[str, int] = RUNS) -> bool:
    return project.status() == {name: {"done": number} for name, number in runs.items()}


def environment(project: ClusterProject) -> dict[str, str]:
    """Give what the program of a run of `train` had for its environment."""
    path = next((project.folder / "runs/train").glob("*/files/environment"))
    pairs = (entry.partition("=") for entry in path.read_text().split("\0") if entry)
    return {name: value for name, _, value in pairs}


def wrap(project: ClusterProject, name: str, script: str) -> dict[str, str]:
    """Put a script before a scheduler's command; `$real` in it is the command itself. Give the environment."""
    from shutil import which

    folder = project.folder.parent / f"{project.folder.name}-bin"
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/bash\nreal={which(name)}\ncount={folder}/{name}.count\n{script}\n")
    path.chmod(0o755)
    (folder / f"{name}.count").write_text("")
    (folder / f"{name}.count").chmod(0o666)
    folder.chmod(0o777)
    return {"PATH": f"{folder}:{project.bin}:/usr/local/bin:/usr/bin:/bin:/usr/games"}
