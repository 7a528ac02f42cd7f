"""The figures of answers, side by side in one run: ``python benchmarks/answers.py``; ``--quick`` takes seconds.

Opening and one grouped query over runs with two metrics of twenty points each: xpc, and MLXP's Reader (from PyPI, in an
environment of its own that is made here) on the same runs in its own layout. Then a cold index, a warm query over
100,000 runs, and how many numbers a program can log in a second.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import synthetic

HERE = Path(__file__).resolve().parent
LOG = """
import os, tempfile, time
folder = tempfile.mkdtemp()
names = dict(XPC_RUN_ID="0" * 16, XPC_RUN_DIR=folder, XPC_METRICS=folder + "/metrics.jsonl")
os.environ.update(names)
import xpc
run = xpc.run()
began = time.perf_counter()
for step in range({steps}):
    run.log(step=step, {names})
run.flush()
print(time.perf_counter() - began)
import shutil
shutil.rmtree(folder)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="no MLXP, and 10,000 runs at most")
    parser.add_argument("--mlxp", type=int, nargs="*", default=[1_000, 5_000], metavar="RUNS", help="sizes for MLXP")
    chosen = parser.parse_args()
    print(f"{'runs':>8}  {'what':<44}  {'time':>9}  {'memory':>8}  wanted")
    with scratch() as folder:
        if not chosen.quick:
            against_mlxp(folder, chosen.mlxp)
        cold_and_warm(folder, 10_000, {"cold": "3 s"})
        if not chosen.quick:
            cold_and_warm(folder, 100_000, {"warm": "0.5 s, 1 GB"})
    logging()


def row(runs: int | None, what: str, seconds: float, memory: int | None = None, wanted: str = "") -> None:
    """Print a line of the table; *memory* in bytes."""
    count = "" if runs is None else f"{runs:,}"
    room = "" if memory is None else f"{memory / 1e6:.0f} MB"
    print(f"{count:>8}  {what:<44}  {seconds:>7.2f} s  {room:>8}  {wanted}", flush=True)


@contextmanager
def scratch() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="answers-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


# ------------------------------------------------------------------ questions


def asked(project: Path) -> tuple[float, int]:
    """Give the seconds and the most memory of a whole `xpc query`, interpreter and all."""
    began = time.perf_counter()
    words = [sys.executable, "-m", "xpc", "query", synthetic.QUERY]
    process = subprocess.Popen(words, cwd=project, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit("the query failed")
    return time.perf_counter() - began, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def cold_and_warm(folder: Path, runs: int, wanted: dict[str, str]) -> None:
    project = folder / f"xpc-{runs}"
    synthetic.write_project(project, runs)
    os.sync()
    row(runs, "xpc query, no index yet", *asked(project), wanted.get("cold", ""))
    row(runs, "xpc query again, best of 5", *min(asked(project) for _ in range(5)), wanted.get("warm", ""))
    shutil.rmtree(project)


def against_mlxp(folder: Path, sizes: list[int]) -> None:
    python = environment(folder)
    for runs in sizes:
        project = folder / f"both-{runs}"
        found = synthetic.write_project(project, runs)
        synthetic.write_mlxp(folder / f"mlxp-{runs}", found)
        os.sync()
        row(runs, "xpc query, no index yet", *asked(project))
        row(runs, "xpc query again, best of 5", *min(asked(project) for _ in range(5)))
        said = subprocess.run(
            [python, HERE / "mlxp" / "ask.py", folder / f"mlxp-{runs}"], check=True, capture_output=True, text=True
        ).stdout.split()
        opening, grouping, count = float(said[-3]), float(said[-2]), int(said[-1])
        assert count == runs, f"MLXP grouped {count} runs"
        row(runs, "MLXP: Reader(…) and a grouped query", opening + grouping)
        shutil.rmtree(project)


def environment(folder: Path) -> Path:
    """Make an environment with MLXP in it."""
    place = folder / "environment"
    subprocess.run([sys.executable, "-m", "venv", place], check=True)
    python = place / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", "mlxp"], check=True, stderr=subprocess.DEVNULL)
    return python


# ------------------------------------------------------------------ logging


def logging() -> None:
    """Time `run.log` in a program of its own, with one number a step and with ten."""
    for count in (1, 10):
        names = ", ".join(f"metric{n}=step * 0.{n + 1}" for n in range(count))
        program = LOG.format(steps=200_000 // count, names=names)
        seconds = min(
            float(subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout)
            for _ in range(5)
        )
        each = "a number a step" if count == 1 else f"{count} numbers a step"
        print(f"{'':>8}  {'run.log, ' + each:<44}  {200_000 / seconds:>7,.0f} /s  {'':>6}  200,000/s")


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
