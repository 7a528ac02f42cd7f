"""What a task costs on a node beside its program: `python3 xpc.pyz task …` that runs `true`, beside `python3 -c pass`.

    python benchmarks/shim_cost.py [--runs 60] [--python /usr/bin/python3]

The goal is 40 ms more than the bare interpreter. Both are taken in turn, and the medians are compared.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from hand_build import Experiment, write_build

from xpc.runtime.shim import archive

JOB = {"SLURM_JOB_ID": "7", "SLURM_ARRAY_JOB_ID": "7", "SLURMD_NODENAME": "cn1"}


def timed(command: Sequence[str], folder: Path, environ: Mapping[str, str]) -> tuple[float, float]:
    """Give the milliseconds that a command takes: by the clock, and of a processor."""
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=folder, env=environ, check=True)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    busy = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
    return 1000 * (time.perf_counter() - began), 1000 * busy


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=60)
    parser.add_argument("--python", default=shutil.which("python3", path="/usr/bin:/bin") or sys.executable)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        build = write_build(folder, [Experiment("train", argv=["true"], runs=2 * given.runs)])
        (build / "xpc.pyz").write_bytes(archive.build())
        (build / "plan.json").write_text(
            (build / "plan.json").read_text().replace('"kind": "local"', '"kind": "slurm"')
        )
        place = str(build.relative_to(folder))
        task = [given.python, f"{place}/xpc.pyz", "task", "--build", place, "--array", "train-1", "--index"]
        found: dict[str, list[tuple[float, float]]] = {
            "python3 -c pass": [],
            "a task by hand": [],
            "a task of SLURM": [],
        }
        for run in range(given.runs):
            found["python3 -c pass"].append(timed([given.python, "-c", "pass"], folder, os.environ))
            found["a task by hand"].append(timed([*task, str(run)], folder, os.environ))
            index = str(given.runs + run)
            found["a task of SLURM"].append(
                timed([*task, index], folder, {**os.environ, **JOB, "SLURM_ARRAY_TASK_ID": index})
            )
    print(f"{'':20s} {'by the clock':>24s} {'of a processor':>24s}")
    bare = [statistics.median(column) for column in zip(*found["python3 -c pass"], strict=True)]
    for name, times in found.items():
        medians = [statistics.median(column) for column in zip(*times, strict=True)]
        shown = [f"{one:10.1f} ms {one - zero:+8.1f} ms" for one, zero in zip(medians, bare, strict=True)]
        print(f"{name:20s} {' '.join(shown)}   best {min(times)[0]:.1f} ms")


if __name__ == "__main__":
    main()
