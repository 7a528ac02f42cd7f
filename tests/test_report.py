"""Reports of an Experimentfile to their tables."""

from __future__ import annotations

from pathlib import Path

from recorded import STUDY, Recorded

from xpc.grammar.diagnostic import Diagnostics
from xpc.runtime.query import Result
from xpc.runtime.report import run_report
from xpc.runtime.tables import render

REPORTS = """
report accuracy:
    from train
    where status == done
    group by optimizer.lr
    show mean(accuracy) as acc, count()
    sort by acc desc
    show min(loss) as best
    where seed == 0

report plain:
    from train
    where seed == 1
    limit 1

report wrong:
    show mean(acuracy)
    show mean(loss)
"""


def results(folder: Path, name: str) -> tuple[list[Result], Diagnostics]:
    study = Recorded(folder, STUDY + REPORTS)
    for row in range(12):
        study.write(row, metrics=[{"loss": float(row)}], stdout=f"acc={0.5 + row / 100}\n")
    assert study.study is not None
    diagnostics = Diagnostics()
    return run_report(study.study.reports[name], study.view(), diagnostics), diagnostics


def test_clauses_above_the_first_show_hold_for_all(tmp_path: Path) -> None:
    """Those after a `show` hold for it alone, and replace a shared one of their kind."""
    found, diagnostics = results(tmp_path, "accuracy")

    assert [render(result, "table") for result in found] == [
        "optimizer.lr     acc  count()\n0.01          0.5850        6\n0.1           0.5250        6",
        "optimizer.lr  best\n0.1              0\n0.01             6",
    ]
    assert diagnostics.found == []


def test_a_report_without_show(tmp_path: Path) -> None:
    """It is its clauses."""
    found, _ = results(tmp_path, "plain")

    assert [result.records() for result in found] == [
        [{"optimizer.lr": 0.1, "model.name": "mlp", "status": "done", "loss": 1.0, "accuracy": 0.51}]
    ]


def test_a_mistake_in_a_report(tmp_path: Path) -> None:
    """It is told at its place in the file; the other tables are there."""
    found, diagnostics = results(tmp_path, "wrong")

    assert [d.message for d in diagnostics.found] == ["no run has a metric or key `acuracy`"]
    assert [d.span.text for d in diagnostics.found if d.span] == ["acuracy"]
    assert [result.records() for result in found] == [[{"mean(loss)": 5.5}]]
