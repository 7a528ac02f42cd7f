"""What runs logged and printed to series."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from xpc.runtime.metrics import Declarations, Metric, planned_declarations, read_metrics
from xpc.runtime.names import split_key, written


def read(
    folder: Path, *metrics: Metric, files: tuple[str, ...] = (), attempt: int = 1, home: str = ""
) -> dict[str, list[float]]:
    found = read_metrics(str(folder), attempt, Declarations(metrics, files, home))
    return {name: list(series.values) for name, series in found.items()}


def test_logged_lines(tmp_path: Path) -> None:
    """Numbers by name; steps, times, reserved names, texts and booleans are no metrics."""
    lines = [
        {"time": 1.0, "step": 1, "loss": 0.5, "note": "x", "ok": True},
        {"xpc.progress": [1, 2]},
        {"xpc.artifact": "model.pt"},
        {"step": 3, "loss": 1, "acc": "NaN", "deep": {"a": 1}},
        {"loss": "Infinity"},
    ]
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = read_metrics(str(tmp_path), 1, Declarations())

    assert list(found) == ["loss", "acc"]
    assert list(found["loss"].values) == [0.5, 1.0, float("inf")]
    assert list(found["loss"].steps) == [1.0, 3.0, 2.0]
    assert str(found["acc"].values[0]) == "nan"


def test_python_nan_is_read(tmp_path: Path) -> None:
    """Python's JSON writes NaN bare."""
    (tmp_path / "metrics.jsonl").write_text('{"a": NaN}\n{"a": -Infinity}\n{"a": 1' + "0" * 400 + "}\n{}\n")

    assert str(read(tmp_path)["a"]) == "[nan, -inf]"


def test_damaged_lines_cost_themselves_alone(tmp_path: Path) -> None:
    """Two lines run into one, binary, a torn tail."""
    (tmp_path / "metrics.jsonl").write_bytes(
        b'{"a": 1}\n{"a": 2}{"a": 3}\n{"a": 4}, {"a": 5}\n\xff\xfe\n\n{"a": 6}\n[1]\n{"a": 7'
    )

    assert read(tmp_path) == {"a": [1.0, 6.0]}


def test_columns_and_lines_agree(tmp_path: Path) -> None:
    """Lines with the same names are read in one go, with the same result."""
    same = [{"step": i, "a": i, "b": i / 2} for i in range(5)]
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in same))
    whole = read_metrics(str(tmp_path), 1, Declarations())
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write("{}\n")

    assert read_metrics(str(tmp_path), 1, Declarations()) == whole
    assert list(whole["b"].steps) == [0.0, 1.0, 2.0, 3.0, 4.0]


def test_later_attempts_have_their_own(tmp_path: Path) -> None:
    """`metrics.2.jsonl`, `stdout.2.log`."""
    (tmp_path / "metrics.jsonl").write_text('{"a": 1}\n')
    (tmp_path / "metrics.2.jsonl").write_text('{"a": 2}\n')
    (tmp_path / "stdout.2.log").write_text("b=3\n")

    assert read(tmp_path, Metric("b", None, "stdout", "b=(.)"), attempt=2) == {"a": [2.0], "b": [3.0]}


def test_declared_files(tmp_path: Path) -> None:
    """JSON lines, CSV and JSON, by their suffix, in the working directory."""
    files = tmp_path / "files" / "lab"
    (files / "out").mkdir(parents=True)
    (files / "out/m.jsonl").write_text('{"a": 1}\n')
    (files / "m.csv").write_text("\ufeffstep,b,name\n1,0.5,x\n2,,y\n3,1e3,1_0\n4\n")
    (files / "m.json").write_text('{"c": 3, "d": [1, 2, null], "e": "x"}')
    (files / "rows.json").write_text('[{"f": 1}, 3, {"f": 2}]')
    (files / "bad.json").write_text("{")
    names = ("out/m.jsonl", "m.csv", "m.json", "rows.json", "bad.json", "missing.csv")

    assert read(tmp_path, files=names, home="lab") == {
        "a": [1.0],
        "b": [0.5, 1000.0],
        "c": [3.0],
        "d": [1.0, 2.0],
        "f": [1.0, 2.0],
    }


@pytest.mark.parametrize(
    ("text", "pattern", "values"),
    [
        ("acc=0.5\nacc=0.75\n", "acc=([0-9.]+)", [0.5, 0.75]),
        ("acc=0.5.\n", "acc=([0-9.]+)", [0.5]),
        ("acc=oops\nacc=1e-3\n", r"acc=(\S+)", [0.001]),
        ("loss=3.2e-05 acc=1\nloss=1E+2.\nloss=2.e3,\n", "loss=([0-9.]+)", [3.2e-05, 100.0, 2000.0]),
        ("step=3epochs\nstep=4e5x\nstep=5e\n", "step=([0-9.]+)", [3.0, 4.0, 5.0]),
        ("10%\r20%\r100%\n", "^([0-9]+)%$", [10.0, 20.0, 100.0]),
        ("loss nan\nloss inf\n", "loss (.*)", [float("inf")]),
        ("final 3", "[0-9]+", [3.0]),
        ("a 1 2\n", "a (1)|b (2)", [1.0]),
        ("nothing\n", "acc=(.*)", []),
    ],
)
def test_patterns(tmp_path: Path, text: str, pattern: str, values: list[float]) -> None:
    """Every match counts, its first group is the number; lines end by returns, too."""
    (tmp_path / "stdout.log").write_bytes(text.encode())
    found = read(tmp_path, Metric("m", None, "stdout", pattern)).get("m", [])

    assert [value for value in found if value == value] == values


def test_patterns_in_long_output(tmp_path: Path) -> None:
    """A match is found wherever the blocks end, and a line without end does no harm."""
    with (tmp_path / "stderr.log").open("w") as file:
        for number in range(30_000):
            file.write(f"{'x' * 70} acc={number}\n")
        file.write("y" * 5_000_000 + "acc=7\n")

    found = read(tmp_path, Metric("m", None, "stderr", "acc=([0-9]+)"))["m"]
    assert found == [*map(float, range(30_000)), 7.0]


def test_a_declared_source_wins_over_what_was_logged(tmp_path: Path) -> None:
    """A metric has one series."""
    (tmp_path / "metrics.jsonl").write_text('{"a": 1}\n')
    (tmp_path / "stdout.log").write_text("a=2\n")

    assert read(tmp_path, Metric("a", None, "stdout", "a=(.)")) == {"a": [2.0]}


def test_declarations_of_a_plan() -> None:
    """The plan of a run's build says how its metrics are read, when the study no longer does."""
    metric = {"name": '"train/loss".raw', "direction": "minimize", "source": "stdout", "pattern": "x"}
    plan = {"snapshot": {"prefix": "lab"}, "experiments": {"train": {"metrics": [metric], "metrics_files": ["m.csv"]}}}

    assert planned_declarations(plan, "train") == Declarations(
        (Metric("train/loss.raw", "minimize", "stdout", "x"),), ("m.csv",), "lab"
    )
    assert planned_declarations(plan, "other") == Declarations()


def test_names() -> None:
    """Quotes go and come."""
    assert split_key('optimizer."learning-rate".x') == ("optimizer", "learning-rate", "x")
    assert split_key('"a.b".c') == ("a.b", "c")
    assert written(("optimizer", "learning-rate")) == 'optimizer."learning-rate"'
