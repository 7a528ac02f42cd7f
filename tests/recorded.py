"""Writes the records of runs by hand, as docs/formats.md describes them, and opens a study over them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from xpc.cli.session import Session
from xpc.grammar.diagnostic import Diagnostics
from xpc.grammar.parser import parse_query
from xpc.grammar.render import render as render_diagnostics
from xpc.grammar.source import Source
from xpc.runtime.query import Result, View, evaluate
from xpc.runtime.store import Store
from xpc.runtime.tables import render

STUDY = """
grid sweep:
    optimizer.lr in [0.1, 0.01]
    model.name in ["mlp", "cnn"]
    seed in range(3)

experiment train:
    grid sweep
    run "python train.py"
    metric loss minimize
    metric accuracy maximize from stdout matching "acc=([0-9.]+)"

experiment evaluate:
    after train
    run "python evaluate.py"
"""


def claim(experiment: str, id: str, values: Mapping[str, object], **fields: object) -> dict[str, object]:
    line: dict[str, object] = {"schema": "xpc.run/1", "event": "claim", "time": "2026-11-21T09:30:00.000Z", "run": id}
    line |= {"experiment": experiment, "attempt": 1, "nonce": "5f", "build": "b0", "commit": "8bd0e3d0", "dirty": False}
    line |= {"values": dict(values), "parents": [], "fingerprint": {}, "command": ["python", "train.py"], "tags": []}
    line |= {"host": "elsewhere", "user": "ada", "boot": "b", "shim": {"pid": 1, "start": 1}, "snapshot": "4f2a91c0"}
    line |= {"request": {"cpus": 2, "memory": 4 << 30, "gpus": 0}, "scheduler": {"kind": "local", "job": None}}
    return line | fields


def end(state: str = "done", **fields: object) -> dict[str, object]:
    line: dict[str, object] = {"event": "end", "time": "2026-11-21T09:31:00.000Z", "state": state, "exit": 0}
    line |= {"signal": None, "reason": None, "duration": 60.0, "cpu_time": 50.0, "peak_memory": 1 << 20}
    return line | {"outputs": {}, "artifacts": [], "progress": None} | fields


START = {"event": "start", "time": "2026-11-21T09:30:01.000Z", "program": {"pid": 2, "start": 2}, "gpus": []}


def journal(*lines: Mapping[str, object]) -> str:
    return "".join(json.dumps(line) + "\n" for line in lines)


class Recorded:
    """A project in *folder* whose runs get the records that a test wants."""

    def __init__(self, folder: Path, text: str = STUDY) -> None:
        self.folder = folder
        (folder / ".xpc").mkdir()
        (folder / "Experimentfile").write_text(text)
        session = Session(folder)
        self.tables = session.tables
        self.study = session.study

    def row(self, experiment: str = "train", **wanted: object) -> int:
        """Give the row whose keys have these values; `__` stands for a dot."""
        table = self.tables[experiment]
        values = {name.replace("__", "."): value for name, value in wanted.items()}
        return next(
            row
            for row in range(table.count)
            if values.items() <= {".".join(path): value for path, value in table.values(row).items()}.items()
        )

    def run(self, row: int, experiment: str = "train") -> Path:
        folder = self.folder / "runs" / experiment / self.tables[experiment].id(row)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def write(
        self,
        row: int,
        state: str | None = "done",
        experiment: str = "train",
        metrics: Iterable[Mapping[str, object]] = (),
        stdout: str = "",
        stderr: str = "",
        **fields: object,
    ) -> Path:
        """Write a run; with no *state* one that goes on, on another host."""
        table = self.tables[experiment]
        folder = self.run(row, experiment)
        values = {".".join(path): value for path, value in table.values(row).items()}
        lines = [claim(experiment, table.id(row), values), START]
        (folder / "run.jsonl").write_text(journal(*lines, *([end(state, **fields)] if state else [])))
        for name, text in (("metrics.jsonl", journal(*metrics)), ("stdout.log", stdout), ("stderr.log", stderr)):
            if text:
                (folder / name).write_text(text)
        return folder

    def store(self, **options: bool) -> Store:
        return Store(self.folder, {}, **options)

    def view(self) -> View:
        return View(self.tables, self.store())

    def ask(self, text: str) -> Result:
        """Answer a query that has no fault."""
        diagnostics = Diagnostics()
        query = parse_query(Source("<query>", text), diagnostics)
        result = evaluate(query, self.view(), diagnostics) if query is not None else None
        assert [d.message for d in diagnostics.found] == []
        assert result is not None
        return result

    def table(self, text: str, format: str = "table", width: int = 100) -> str:
        return render(self.ask(text), format, width)

    def faults(self, text: str) -> str:
        """Answer a query with faults by what is said of them."""
        diagnostics = Diagnostics()
        query = parse_query(Source("<query>", text), diagnostics)
        assert query is not None
        evaluate(query, self.view(), diagnostics)
        return render_diagnostics(diagnostics.sorted(), "full", color=False)


def series(name: str, values: Sequence[object], steps: Sequence[object] | None = None) -> list[dict[str, object]]:
    """Give logged lines of one metric."""
    if steps is None:
        return [{name: value} for value in values]
    return [{"step": step, name: value} for step, value in zip(steps, values, strict=True)]


def half_finished(folder: Path) -> Recorded:
    """Give a study with runs in many states: of 12 training runs 8 are done, 1 runs, 2 failed, 1 was never sent."""
    study = Recorded(folder)
    for row in range(8):
        losses = [1.0, 0.5 + row / 100, 0.6 + row / 100]
        study.write(row, metrics=series("loss", losses, [0, 10, 20]), stdout=f"epoch 1\nacc=0.{90 + row}\n")
    study.write(8, None, metrics=[{"loss": 0.9}, {"xpc.progress": [3, 10]}])
    for row in (9, 10):
        study.write(row, "failed", exit=1, stderr=f"Traceback\nValueError: shape ({row}, 5) at 0x7f{row}\n")
    return study
