"""What a task costs on a node beside its program: `python3 xpc.pyz task …` that runs `true`, beside `python3 -c pass`.

    python benchmarks/shim_cost.py [--runs 60] [--python /usr/bin/python3]

The goal is 40 ms more than the bare interpreter. Both are taken in turn, and the medians are compared.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from hand_build import Experiment, write_build  # noqa: E402

from xpc.runtime.shim import archive  # noqa: E402

JOB = {"SLURM_JOB_ID": "7", "SLURM_ARRAY_JOB_ID": "7", "SLURMD_NODENAME": "cn1"}


def timed(command: Sequence[str], folder: Path, environ: Mapping[str, str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, cwd=folder, env=environ, check=True)
    return 1000 * (time.perf_counter() - began)


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
        found: dict[str, list[float]] = {"python3 -c pass": [], "a task by hand": [], "a task of SLURM": []}
        for run in range(given.runs):
            found["python3 -c pass"].append(timed([given.python, "-c", "pass"], folder, os.environ))
            found["a task by hand"].append(timed([*task, str(run)], folder, os.environ))
            index = str(given.runs + run)
            found["a task of SLURM"].append(
                timed([*task, index], folder, {**os.environ, **JOB, "SLURM_ARRAY_TASK_ID": index})
            )
    bare = statistics.median(found["python3 -c pass"])
    for name, times in found.items():
        median = statistics.median(times)
        print(f"{name:20s} {median:7.1f} ms   {median - bare:+7.1f} ms   best {min(times):.1f} ms")


if __name__ == "__main__":
    main()
