"""Times one grouped query over 10,000 finished runs, with and without an index: ``python benchmarks/cold_read.py``."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from hashlib import blake2b
from pathlib import Path

RUNS = 10_000
STEPS = 20
RATES = [0.1, 0.03, 0.01, 0.003, 0.001]
KEYS = 20

EXPERIMENTFILE = f"""
grid sweep:
    lr in {RATES}
    seed in range({RUNS // len(RATES)})

experiment train:
    grid sweep
    run "python train.py --lr {{lr}} --seed {{seed}}"
    metric loss minimize
"""
QUERY = "where status == done group by lr show mean(loss) ± std(loss) as loss, min(accuracy.max), count()"


def journal(run: str, values: dict[str, object]) -> str:
    """Give the lines of a run that is done, as its shim writes them."""
    words = ["python", "train.py", *(f"--{key} {value}" for key, value in values.items())]
    request = {"cpus": 1, "memory": 4 << 30, "gpus": 0, "nodes": 1, "tasks": 1, "time": 1800}
    claim = {"schema": "xpc.run/1", "event": "claim", "time": "2026-11-21T09:30:00.123Z", "run": run}
    claim |= {"experiment": "train", "attempt": 1, "nonce": "5f" * 8, "build": "9c3e11f0" * 4}
    claim |= {"snapshot": "4f2a91c0" * 5, "commit": "8bd0e3d0" * 5, "dirty": True, "values": values, "parents": []}
    claim |= {"fingerprint": dict.fromkeys(("command", "code", "environment", "inputs"), "ab" * 16)}
    claim |= {"command": words, "request": request, "tags": [], "host": "cn1", "user": "ada", "boot": "b" * 36}
    claim |= {"shim": {"pid": 41, "start": 123456}, "lease": None}
    claim |= {"scheduler": {"kind": "local", "job": None, "array": None, "task": None, "restart": 0}}
    start = {"event": "start", "time": "2026-11-21T09:30:00.223Z", "program": {"pid": 42, "start": 123460}}
    start |= {"witness": "stamp", "gpus": []}
    end = {"event": "end", "time": "2026-11-21T09:30:12.723Z", "state": "done", "exit": 0, "signal": None}
    end |= {"reason": None, "duration": 12.5, "cpu_time": 11.9, "peak_memory": 104857600, "artifacts": []}
    end |= {"outputs": {"model": {"path": "files/model.pt", "bytes": 123, "carried": False}}, "progress": [10, 10]}
    return "".join(
        json.dumps(line, separators=(",", ":")) + "\n" for line in (claim, start, end | {"witness": "stamp"})
    )


def write_runs(project: Path, ids: list[tuple[str, dict[str, object]]]) -> int:
    """Write the folders of all runs; give how many inodes they take."""
    inodes = 0
    for number, (run, values) in enumerate(ids):
        folder = project / "runs" / "train" / run
        folder.mkdir(parents=True)
        (folder / "run.jsonl").write_text(journal(run, values))
        (folder / "config.json").write_text(json.dumps(values))
        (folder / "stdout.log").write_text("done\n")
        lines = [
            {"time": 1.7e9 + s, "step": s, "loss": 1 / (s + 1) + number / RUNS, "accuracy": s / STEPS}
            for s in range(STEPS)
        ]
        (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        inodes += 5
    return inodes


def planned(project: Path) -> list[tuple[str, dict[str, object]]]:
    """Give the runs of the study, by id."""
    from xpc.cli.session import Session

    table = Session(project).tables["train"]
    extra = {f"model.key{k}": blake2b(bytes([k]), digest_size=4).hexdigest() for k in range(KEYS)}
    values = (
        {".".join(path): value for path, value in table.values(row).items()} | extra for row in range(table.count)
    )
    return list(zip(table.ids(), values, strict=True))


def timed(project: Path) -> float:
    """Give the seconds of a whole `xpc query`, interpreter and all."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "xpc", "query", QUERY], cwd=project, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def main() -> None:
    project = Path(tempfile.mkdtemp(prefix="cold-read-"))
    try:
        (project / ".xpc").mkdir()
        (project / "Experimentfile").write_text(EXPERIMENTFILE)
        inodes = write_runs(project, planned(project))
        os.sync()
        times = {"cold": timed(project), "warm": timed(project), "warm again": timed(project)}
        print(f"{RUNS:,} finished runs, {STEPS} steps each, one grouped query, the whole command")
        for name, seconds in times.items():
            print(f"  {name:<12} {seconds:6.2f} s")
        print(f"  inodes a run {inodes / RUNS:6.1f}")
    finally:
        shutil.rmtree(project)


if __name__ == "__main__":
    main()
