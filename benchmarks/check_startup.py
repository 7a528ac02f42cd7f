"""Times `xpc check` on a 60-line file beside a bare `import lark, pydantic`, in turns, and prints a table."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 15
GOAL = 1.6  # times the bare import


def sixty_lines() -> str:
    """Give a study of 60 lines that uses most of the language."""
    lines = ['project "bench"', "config base:"]
    lines += [f"    model.key{n} = {n}" for n in range(20)]
    lines += ["    model.sum = model.key1 + model.key2", "grid sweep:"]
    lines += [f"    model.key{n} in [1, 2, 3]" for n in range(3)]
    lines += ["    skip if model.key0 == model.key1", "grid seeds:", "    model.key19 in range(3)"]
    for n in range(4):
        lines += [
            f"experiment train{n}:",
            "    config base",
            "    grid sweep * seeds",
            '    run "python train.py --a {model.key0} --b {model.key1} --sum {model.sum}"',
            '    output model = "model.pt"',
        ]
    lines += ["report all:", "    group by model.key0", "    show count()", "# the end"]
    lines += ["#"] * (60 - len(lines))
    return "\n".join(lines) + "\n"


def timed(command: list[str], folder: Path) -> float:
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    """Run both commands in turns; the first round fills the bytecode caches and does not count."""
    bare = [sys.executable, "-c", "import lark, pydantic"]
    check = [str(Path(sys.executable).with_name("xpc")), "check"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "Experimentfile").write_text(sixty_lines())
        (folder / "train.py").touch()  # without it the check would have a warning to print
        rounds = [(timed(bare, folder), timed(check, folder)) for _ in range(ROUNDS + 1)][1:]
    bare_time, check_time = (statistics.median(times) for times in zip(*rounds, strict=True))
    print(f"{'command':32s} {'median':>9s} {'ratio':>6s}")
    print(f"{'python -c import lark, pydantic':32s} {1000 * bare_time:6.0f} ms {1:6.2f}")
    print(f"{'xpc check, 60 lines':32s} {1000 * check_time:6.0f} ms {check_time / bare_time:6.2f}   goal {GOAL}")


if __name__ == "__main__":
    main()
