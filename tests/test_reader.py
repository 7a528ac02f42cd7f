"""``xpc.open``: queries, tables, runs, groups and metrics for scripts and notebooks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import console
import pandas as pd
import pytest
from recorded import Recorded, half_finished, series

import xpc
from xpc.reader import Project, QueryError

TYPED = """
from __future__ import annotations
from typing import Any
import pandas as pd
import xpc
from xpc.reader import Project, Runs, StoredRun, Table

project: Project = xpc.open(".")
frame: pd.DataFrame = project.query("show mean(loss)")
table: Table = project.table("show mean(loss)")
texts: list[str] = [table.to_latex(), table.to_markdown(), table.to_csv(), table.to_html(), str(table)]
runs: Runs = project.runs("status == done", "train")
run: StoredRun = runs[0]
some: Runs = runs[:2]
rate: Any = run.config.optimizer.lr
loss: pd.Series[float] = run.metrics["loss"]
log: str = run.log("stdout", tail=3)
for keys, group in project.groups("optimizer.lr", where="status == done"):
    key: Any = keys[0]
    number: int = len(group)
wrong: int = run.status  # refused
"""


@pytest.fixture(name="study")
def _study(tmp_path: Path) -> Recorded:
    return half_finished(tmp_path)


@pytest.fixture(name="project")
def _project(study: Recorded) -> Project:
    return xpc.open(study.folder)


def test_open_looks_upwards(study: Recorded) -> None:
    """From a folder inside the project; elsewhere it says what it looked for."""
    assert xpc.open(study.folder / "runs").folder == study.folder
    with pytest.raises(FileNotFoundError, match="no Experimentfile in /"):
        xpc.open("/")


def test_query_gives_a_frame(project: Project) -> None:
    frame = project.query("from train where status == done group by optimizer.lr show mean(loss) ± std(loss) as loss")

    assert frame.columns.tolist() == ["optimizer.lr", "loss", "loss_err"]
    assert frame["optimizer.lr"].tolist() == [0.1, 0.01]
    assert frame["loss"].tolist() == pytest.approx([0.625, 0.665])


def test_table_prints_itself(project: Project) -> None:
    """In every format that the command line has; `print` gives what the terminal shows."""
    table = project.table("from train where status == done group by optimizer.lr show mean(loss) as loss, count() as n")

    assert str(table).splitlines()[0].split() == ["optimizer.lr", "loss", "n"]
    assert table.to_csv().splitlines()[:2] == ["optimizer.lr,loss,n", "0.1,0.625,6"]
    assert "\\begin{tabular}" in table.to_latex()
    assert table.to_markdown().splitlines()[1].startswith("|")
    assert table.frame["n"].tolist() == [6, 2]
    assert len(table) == 2
    assert len(table.runs(1)) == 2
    assert table.notes == ["Left out: 1 planned, 1 running, 2 failed."]


def test_notebooks_show_texts_as_texts(tmp_path: Path) -> None:
    """A value that looks like a tag is no tag: in tables, runs and lists of runs."""
    study = Recorded(
        tmp_path,
        """
grid sweep:
    model.name in ["<script>alert(1)</script>", "b&b"]

experiment train:
    grid sweep
    run "python train.py"
""",
    )
    study.write(0, metrics=series("<b>", [1.0]))
    project = xpc.open(tmp_path)

    shown = project.table('show model.name, metric."<b>" as "<i>"')._repr_html_()
    runs = project.runs()
    shown += runs[0]._repr_html_() + runs._repr_html_()

    assert not any(tag in shown for tag in ("<script>", "<b>", "<i>"))
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown
    assert "b&amp;b" in shown


def test_runs_are_lazy(project: Project, study: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    """Choosing them reads no journal, and no metrics but those of runs that go on."""
    project.runs()
    live = study.tables["train"].id(8)
    monkeypatch.setattr(
        "xpc.runtime.store.read_metrics", lambda folder, *_: pytest.fail(folder) if live not in folder else {}
    )
    monkeypatch.setattr("xpc.runtime.store.read_run", lambda *_: pytest.fail("a journal was read"))
    runs = project.runs("status == done", "train")

    assert len(runs) == 8
    assert repr(runs) == "<8 runs>"
    assert {run.status for run in runs} == {"done"}
    assert runs[0].config.optimizer.lr == 0.1
    assert runs[0].values == {"optimizer.lr": 0.1, "model.name": "mlp", "seed": 0}
    assert [run.id for run in runs[2:4]] == [study.tables["train"].id(row) for row in (2, 3)]


def test_a_run_tells_everything(project: Project, study: Recorded) -> None:
    """Fields, series with their steps, files and logs; of a planned run nothing is known but its config."""
    run = project.run(study.tables["train"].id(0)[:8])

    assert (run.experiment, run.attempt, run.duration, run.host) == ("train", 1, 60.0, "elsewhere")
    assert run.metrics["loss"].to_dict() == {0: 1.0, 10: 0.5, 20: 0.6}
    assert (run.metrics["loss"].index.name, run.metrics["loss"].name) == ("step", "loss")
    assert list(run.metrics) == ["loss", "accuracy"]
    assert run.metrics.frame.columns.tolist() == ["loss", "accuracy"]
    assert run.log() == "epoch 1\nacc=0.90\n"
    assert run.log(tail=1) == "acc=0.90\n"
    assert run.log("stderr") == ""
    assert run.path("model.pt") == study.folder / "runs/train" / run.id / "files/model.pt"
    with pytest.raises(KeyError, match="no metric `los`; there are: loss, accuracy"):
        run.metrics["los"]
    with pytest.raises(AttributeError, match="a run has no durations; it has id, config, status, attempt"):
        run.durations  # noqa: B018

    planned = project.run(study.tables["train"].id(11))
    assert (planned.status, planned.attempt, planned.log(), dict(planned.metrics)) == ("planned", None, "", {})


def test_a_key_that_is_given_twice_is_one(project: Project) -> None:
    """No count of runs stands for its value; several may stand in one text."""
    keys = [found for found, _ in project.groups("seed", "seed", experiments="train")]
    assert keys == [(0,), (1,), (2,)]
    both = [found for found, _ in project.groups("optimizer.lr, seed", where="seed == 0", experiments="train")]
    assert both == [(0.1, 0), (0.01, 0)]


def test_no_name_of_a_user_hides_another(tmp_path: Path) -> None:
    """A metric called `id` and a key called `status` have the names that they have in queries."""
    text = 'grid g:\n    status in ["up", "down"]\n\nexperiment train:\n    grid g\n    run "true"\n'
    study = Recorded(tmp_path, text)
    study.write(0, metrics=[{"step": 3, "id": 0.75, "ood": 0.5}])
    runs = xpc.open(tmp_path).runs()
    id = runs[0].id

    assert runs.frame.loc[id].to_dict() == {"experiment": "train", "status": "done", "config.status": "up"}
    assert runs.metrics().to_dict("records") == [{"id": id, "step": 3, "metric.id": 0.75, "ood": 0.5}]
    assert runs.metrics("id").to_dict("records") == [{"id": id, "step": 3, "metric.id": 0.75}]


def test_of_a_step_the_last_value_counts(tmp_path: Path) -> None:
    """Also where it is NaN, as for `.at`."""
    study = Recorded(tmp_path)
    study.write(0, metrics=series("loss", [5.0, 0.5, float("nan"), 2.0], [1, 0, 1, 0]))
    run = xpc.open(tmp_path).run(study.tables["train"].id(0))

    assert study.ask("from train where seed == 0 show loss.at(1), loss.at(0) limit 1").records() == [
        {"loss.at(1)": None, "loss.at(0)": 2.0}
    ]
    assert run.metrics.frame["loss"].index.tolist() == [0, 1]
    assert run.metrics.frame["loss"].tolist() == pytest.approx([2.0, float("nan")], nan_ok=True)


def test_groups_come_in_row_order(project: Project) -> None:
    """With the values of their keys; a run of each is whole."""
    found = [
        (keys, [run.values["seed"] for run in runs])
        for keys, runs in project.groups("optimizer.lr", "model.name", where="status == done", experiments="train")
    ]

    assert found == [((0.1, "mlp"), [0, 1, 2]), ((0.1, "cnn"), [0, 1, 2]), ((0.01, "mlp"), [0, 1])]


def test_metrics_of_many_runs_are_one_frame(project: Project) -> None:
    """Long, for seaborn and groupby."""
    runs = project.runs("status == done", "train")
    frame = runs.metrics("loss")

    assert frame.columns.tolist() == ["id", "step", "loss"]
    assert len(frame.dropna()) == 24
    assert runs.frame.loc[runs[0].id, "model.name"] == "mlp"
    assert isinstance(runs.frame.join(frame.set_index("id")), pd.DataFrame)


def test_mistakes_are_whole_diagnostics(project: Project) -> None:
    with pytest.raises(QueryError, match="no run has a metric or key `los`"):
        project.query("show los")
    with pytest.raises(QueryError, match="did you mean `status`"):
        project.runs("statu == done")
    with pytest.raises(QueryError, match="no experiment `trian`"):
        project.runs(experiments="trian")
    with pytest.raises(QueryError, match="there is no run `ffffffff`"):
        project.run("ffffffff")
    with pytest.raises(QueryError, match="no run has a metric or key `modl`"):
        list(project.groups("modl"))
    with pytest.raises(QueryError, match="there is no report `x`; there are: none"):
        project.report("x")


def test_reports_are_tables(tmp_path: Path) -> None:
    study = Recorded(
        tmp_path,
        (console.ROOT / "tests/recorded.py").read_text().split('"""')[3]
        + """
report losses:
    from train
    group by optimizer.lr
    show count() as n
    show mean(loss)
""",
    )
    study.write(0, metrics=series("loss", [1.0]))

    assert [table.frame.columns.tolist()[1] for table in xpc.open(tmp_path).report("losses")] == ["n", "mean(loss)"]


def test_types(pytestconfig: pytest.Config) -> None:
    """A script is checked strictly, and its one mistake is found."""
    kept = pytestconfig.cache.mkdir("mypy-reader")  # what it finds of xpc and libraries, as long as they are the same
    known = Path(os.path.relpath(kept, console.ROOT))  # which a checkout that is moved takes along
    script = known / "script.py"
    (console.ROOT / script).write_text(TYPED)
    said = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", f"--cache-dir={known}", str(script)],
        cwd=console.ROOT,
        env={"PATH": "/usr/bin:/bin", "MYPYPATH": "src"},
        capture_output=True,
        text=True,
        check=False,
    )

    line = TYPED.splitlines().index("wrong: int = run.status  # refused") + 1
    wrong = 'Incompatible types in assignment (expression has type "str", variable has type "int")  [assignment]'
    assert [text for text in said.stdout.splitlines() if "script.py" in text] == [f"{script}:{line}: error: {wrong}"]
