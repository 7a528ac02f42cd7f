"""Times `xpc build` as a whole command on 100,000 and 1,000,000 points, beside the hashing of as many JSON rows."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RUN = '    run "python train.py --a {a} --b {b} --c {c} --d {d} --e {e}"\n'
GRIDS = {
    "product": "",
    "skip if, derived": "    skip if a == 1 and b == 1 and c == 1 and d == 1 and e == 1\n",
}


def study(last: int, kind: str) -> str:
    """Give a study of 10,000 × *last* points."""
    if kind == "product":
        config, use = "", ""
    else:
        keys = "".join(f"    {key} = 0\n" for key in "abcde")
        config, use = f"config base:\n{keys}    f = 2 * a + b\n\n", "    config base\n"
    axes = "".join(f"    {key} in range({last if key == 'e' else 10})\n" for key in "abcde")
    return f"{config}grid g:\n{axes}{GRIDS[kind]}\nexperiment train:\n{use}    grid g\n{RUN}"


def measured(command: list[str], folder: Path) -> tuple[float, int]:
    """Give the seconds and the most memory (bytes) of a command."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    child = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{command} ended with {child.returncode}")
    return time.perf_counter() - start, usage.ru_maxrss * 1024


def bare(count: int) -> float:
    """Hash *count* JSON rows in plain Python: what no builder can do without."""
    start = time.perf_counter()
    for i in range(count):
        row = {"a": i % 10, "b": i // 10 % 10, "c": i // 100 % 10, "d": i // 1000 % 10, "e": i // 10000}
        hashlib.blake2b(json.dumps(row, separators=(",", ":")).encode(), digest_size=8).hexdigest()
    return time.perf_counter() - start


def main() -> None:
    xpc = str(Path(sys.executable).with_name("xpc"))
    goals = {100_000: (1.0, 150), 1_000_000: (8.0, 300)}
    heads = f"{'points':>9s}  {'grid':18s} {'xpc build':>10s} {'goal':>6s} {'memory':>8s} {'goal':>6s}"
    print(f"{heads} {'bare hashing':>13s}")
    for count, (seconds, megabytes) in goals.items():
        hashing = bare(count)
        for kind in GRIDS:
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name)
                (folder / "Experimentfile").write_text(study(count // 10_000, kind))
                subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
                took, memory = measured([xpc, "build"], folder)
            print(
                f"{count:9,d}  {kind:18s} {took:8.2f} s {seconds:4.0f} s {memory / 1e6:5.0f} MB {megabytes:3d} MB"
                f" {hashing:11.2f} s"
            )


if __name__ == "__main__":
    main()
