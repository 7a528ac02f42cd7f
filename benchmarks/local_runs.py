"""Times 1,000 runs of `true`, two at a time, with full records, beside GNU parallel and xargs; prints a table."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

RUNS = 1000
ROUNDS = 3
GOAL = 2.4  # milliseconds a run
STUDY = """\
project "bench"
grid numbers:
    n in range({runs})
experiment nothing:
    grid numbers
    run "true"
"""
XPC = str(Path(sys.executable).with_name("xpc"))
IDENTITY = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")


def project(folder: Path, runs: int) -> Path:
    """Make a repository with a study of *runs* runs, snapshot and build included: what is timed is running alone."""
    folder.mkdir()
    (folder / "Experimentfile").write_text(STUDY.format(runs=runs))
    for arguments in (("init", "-q"), ("add", "-A"), ("commit", "-q", "-m", "Begin")):
        subprocess.run(["git", *IDENTITY, *arguments], cwd=folder, check=True)
    subprocess.run([XPC, "build"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return folder


def timed(command: Sequence[str], folder: Path, given: str = "") -> float:
    """Give the seconds that a command takes; nothing is waiting to be written when it starts."""
    os.sync()
    began = time.perf_counter()
    subprocess.run(
        command, cwd=folder, input=given, text=True, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    return time.perf_counter() - began


def inodes(folder: Path) -> int:
    """Count files and folders; a hard link is none of its own."""
    found = {os.lstat(path).st_ino for path in folder.rglob("*")}
    return len(found)


def row(name: str, seconds: float, note: str = "") -> None:
    print(f"{name:40s} {seconds:7.2f} s {1000 * seconds / RUNS:7.2f} ms   {note}".rstrip())


def parallel_is_gnu() -> bool:
    """Tell whether GNU parallel is installed; another program has the same name."""
    found = shutil.which("parallel")
    said = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout if found else ""
    return said.startswith("GNU parallel")


def main() -> None:
    """Run all commands in turns; each is timed as a whole, its own start included, and the median counts."""
    numbers = "".join(f"{n}\n" for n in range(RUNS))
    parallel = ["parallel", "-j", "2", "--joblog", "joblog", "--results", "results", "true", "{}"]
    with_parallel = parallel_is_gnu()
    times: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as name:
        for number in range(ROUNDS):
            folder = Path(name, str(number))
            folder.mkdir()
            many, one = project(folder / "many", RUNS), project(folder / "one", 1)
            times.setdefault("start", []).append(timed([XPC, "submit", "-j", "2"], one))
            times.setdefault("xpc", []).append(timed([XPC, "submit", "-j", "2"], many))
            if with_parallel:
                times.setdefault("parallel", []).append(timed(parallel, folder, numbers))
            xargs = ["xargs", "-P", "2", "-n", "1", "true"]
            times.setdefault("xargs", []).append(timed(xargs, folder, numbers))
        ours = inodes(many / "runs/nothing") / RUNS
        theirs = inodes(folder / "results") / RUNS if with_parallel else 0.0
    show({name: statistics.median(found) for name, found in times.items()}, ours, theirs)


def show(times: dict[str, float], ours: float, theirs: float) -> None:
    print(f"{f'{RUNS:,} runs of `true`, 2 at a time':40s} {'all':>9s} {'a run':>10s}")
    row("xpc submit -j 2", times["xpc"], f"goal {GOAL} ms; {ours:.2f} inodes a run")
    row("  less `xpc submit` of one run", times["xpc"] - times["start"])
    if "parallel" in times:
        row("parallel -j 2 --joblog --results", times["parallel"], f"{theirs:.2f} inodes a run")
    else:
        print(f"{'parallel -j 2 --joblog --results':40s} left out: GNU parallel is not installed")
    row("xargs -P 2 -n 1", times["xargs"], "keeps no record")


if __name__ == "__main__":
    main()
