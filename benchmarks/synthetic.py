"""Writes the records of finished runs, as their shims do, and the same runs in the layout of MLXP."""

from __future__ import annotations

import json
from hashlib import blake2b
from pathlib import Path

STEPS = 20
RATES = [0.1, 0.03, 0.01, 0.003, 0.001]
KEYS = 20  # of a config, beside the rate and the seed

QUERY = "where status == done group by lr show mean(loss) ± std(loss) as loss, min(accuracy.max), count()"

Values = dict[str, object]


def experimentfile(runs: int) -> str:
    """Give a study of so many runs, a multiple of the number of rates."""
    return f"""
grid sweep:
    lr in {RATES}
    seed in range({runs // len(RATES)})

experiment train:
    grid sweep
    run "python train.py --lr {{lr}} --seed {{seed}}"
    metric loss minimize
"""


def planned(project: Path) -> list[tuple[str, Values]]:
    """Give the runs of the study, by id."""
    from xpc.cli.session import Session

    table = Session(project).tables["train"]
    extra = {f"model.key{k}": blake2b(bytes([k]), digest_size=4).hexdigest() for k in range(KEYS)}
    values = (
        {".".join(path): value for path, value in table.values(row).items()} | extra for row in range(table.count)
    )
    return list(zip(table.ids(), values, strict=True))


def steps(number: int, runs: int) -> list[dict[str, float]]:
    """Give what run *number* logs: two metrics, twenty points."""
    return [{"step": s, "loss": 1 / (s + 1) + number / runs, "accuracy": s / STEPS} for s in range(STEPS)]


def journal(run: str, values: Values) -> str:
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
    return lines([claim, start, end | {"witness": "stamp"}])


def lines(objects: list[dict[str, object]]) -> str:
    return "".join(json.dumps(each, separators=(",", ":")) + "\n" for each in objects)


def write_project(project: Path, runs: int) -> list[tuple[str, Values]]:
    """Write a project with so many finished runs; give them."""
    (project / ".xpc").mkdir(parents=True)
    (project / "Experimentfile").write_text(experimentfile(runs))
    found = planned(project)
    for number, (run, values) in enumerate(found):
        folder = project / "runs" / "train" / run
        folder.mkdir(parents=True)
        (folder / "run.jsonl").write_text(journal(run, values))
        (folder / "config.json").write_text(json.dumps(values))
        (folder / "stdout.log").write_text("done\n")
        (folder / "metrics.jsonl").write_text(lines([{"time": 1.7e9 + s["step"], **s} for s in steps(number, runs)]))
    return found


def write_mlxp(folder: Path, runs: list[tuple[str, Values]]) -> None:
    """Write the same runs as MLXP's logger does: numbered folders, YAML for metadata, JSON lines for metrics."""
    for number, (_, values) in enumerate(runs, 1):
        place = folder / str(number)
        (place / "metadata").mkdir(parents=True)
        (place / "metrics" / ".keys").mkdir(parents=True)
        logger = {"log_id": number, "log_dir": str(place), "metrics_dir": str(place / "metrics")}
        info = {"status": "COMPLETE", "executable": "python", "hostname": "cn1", "user": "ada", "logger": logger}
        # JSON is YAML; one entry a line is what OmegaConf writes.
        (place / "metadata" / "config.yaml").write_text(_yaml(values))
        (place / "metadata" / "info.yaml").write_text(_yaml(info))
        (place / "metrics" / "train.json").write_text(
            "".join(json.dumps(s) + "\n" for s in steps(number - 1, len(runs)))
        )
        (place / "metrics" / ".keys" / "train.yaml").write_text("accuracy: ''\nloss: ''\nstep: ''\n")


def _yaml(values: Values) -> str:
    return "".join(f"{key}: {json.dumps(value)}\n" for key, value in values.items())
