"""Times `xpc submit` to a real SLURM, beside `sbatch` alone: how many calls, and how long.

    python benchmarks/submit_slurm.py USER [POINTS…]

As root, with a cluster up (`tests/clusters/slurm up`) that takes arrays of POINTS tasks; USER submits. All jobs are
held, and cancelled afterwards. The greatest array is what the cluster says; for others, start it so:

    XPC_SLURM_EXTRA=$'MaxArraySize=51' tests/clusters/slurm up
    XPC_SLURM_EXTRA=$'MaxArraySize=100001\nMaxJobCount=400000' tests/clusters/slurm up

SLURM counts cancelled tasks as jobs for five more minutes (MinJobAge): hence twice as many as two submits need.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

STUDY = """project "many"

config base:
    n = 0

grid points:
    n in range({points})

resources small:
    cpus = 1
    memory = 100MiB
    time = 5min

experiment train:
    config base
    grid points
    resources small
    run "true {{n}}"

target here = slurm:
    max_array = {cap}
    slurm.begin = "now+10days"
"""
RUNUSER = shutil.which("runuser") or "/usr/sbin/runuser"
SBATCH = """#!/bin/bash
echo x >> {count}
exec {real} "$@"
"""


def as_user(user: str, command: list[str], folder: Path, path: str) -> tuple[float, str]:
    """Run a command as the user; give the seconds that it took, and what it said."""
    env = {"PATH": path, "HOME": f"/home/{user}", "USER": user, "NO_COLOR": "1"}
    began = time.perf_counter()
    done = subprocess.run([RUNUSER, "-u", user, "--", *command], cwd=folder, env=env, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{command} ended with {done.returncode}\n{done.stdout}{done.stderr}")
    return time.perf_counter() - began, done.stdout + done.stderr


def project(folder: Path, user: str, points: int, cap: int) -> None:
    (folder / "Experimentfile").write_text(STUDY.format(points=points, cap=cap))
    for command in ("git init -q", "git add -A", "git -c user.name=Ada -c user.email=ada@example.org commit -qm Begin"):
        subprocess.run(command.split(), cwd=folder, check=True)
    shutil.chown(folder, user)
    subprocess.run(["chown", "-R", user, folder], check=True)


def measure(user: str, points: int, cap: int, xpc: str) -> tuple[int, float, float, float]:
    """Give the calls of sbatch, the seconds of the whole command, of its submit alone, and of as many bare sbatch."""
    above = Path(tempfile.mkdtemp(prefix="xpc-bench-", dir="/var/tmp"))
    try:
        above.chmod(0o755)
        folder, count = above / "project", above / "count"
        folder.mkdir()
        project(folder, user, points, cap)
        count.write_text("")
        count.chmod(0o666)
        (above / "bin").mkdir()
        wrapper = above / "bin" / "sbatch"
        wrapper.write_text(SBATCH.format(count=count, real=shutil.which("sbatch")))
        wrapper.chmod(0o755)
        path = f"{above / 'bin'}:{os.path.dirname(xpc)}:/usr/local/bin:/usr/bin:/bin"
        whole, said = as_user(user, [xpc, "submit", "--target", "here"], folder, path)
        own = float(re.search(r"Submitted in ([\d.]+) s", said)[1])  # type: ignore[index]
        calls = len(count.read_text().split())
        as_user(user, [xpc, "cancel", "--all"], folder, path)
        bare = sum(bare_sbatch(user, folder, size) for size in sizes(points, cap))
        return calls, whole, own, bare
    finally:
        shutil.rmtree(above)


def sizes(points: int, cap: int) -> list[int]:
    return [min(cap, points - at) for at in range(0, points, cap)]


def bare_sbatch(user: str, folder: Path, tasks: int) -> float:
    script = folder / "bare.sh"
    script.write_text("#!/bin/sh\ntrue\n")
    command = ["sbatch", "--parsable", "--hold", "--output=/dev/null", f"--array=0-{tasks - 1}", str(script)]
    seconds, job = as_user(user, command, folder, "/usr/bin:/bin")
    as_user(user, ["scancel", job.strip()], folder, "/usr/bin:/bin")
    return seconds


def greatest() -> int:
    said = subprocess.check_output(["scontrol", "show", "config"], text=True)
    return int(re.search(r"MaxArraySize\s*=\s*(\d+)", said)[1])  # type: ignore[index]


def main() -> None:
    user, *given = sys.argv[1:]
    xpc = str(Path(sys.executable).with_name("xpc"))
    cap = greatest()
    print(f"{'points':>9s} {'MaxArraySize':>12s} {'calls':>6s} {'ceil(n/cap)':>11s} {'build + submit':>14s} "
          f"{'submit':>8s} {'sbatch alone':>12s}")  # fmt: skip
    for points in map(int, given or ["1000"]):
        calls, whole, own, bare = measure(user, points, cap, xpc)
        print(f"{points:9,d} {cap:12,d} {calls:6d} {-(-points // cap):11d} {whole:12.2f} s {own:6.2f} s {bare:10.2f} s")


if __name__ == "__main__":
    main()
