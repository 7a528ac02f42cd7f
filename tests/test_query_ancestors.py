"""What a run reads of the runs that it comes after, of runs of the past, and which metric is better which way."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from recorded import START, Recorded, claim, end, journal, series

STUDY = """
grid sweep:
    optimizer.lr in [0.1, 0.01]
    seed in range(2)

experiment train:
    grid sweep
    run "python train.py"
    metric loss minimize
    metric score maximize

experiment evaluate:
    after train
    run "python evaluate.py"
    metric error minimize

experiment ensemble:
    after all evaluate by optimizer.lr
    run "python ensemble.py"
"""


@pytest.fixture(name="study")
def _study(tmp_path: Path) -> Recorded:
    study = Recorded(tmp_path, STUDY)
    for row in range(4):
        study.write(row, metrics=series("loss", [4.0, 2.0 + row, 3.0], [0, 10, 20]), stdout="")
        study.write(row, experiment="evaluate", metrics=[{"error": row / 10, "best": 10}])
    return study


def column(study: Recorded, text: str, name: str) -> list[object]:
    return [row[name] for row in study.ask(text).records()]


def test_series_of_an_ancestor(study: Recorded) -> None:
    """A child reads its parent's series at a step, also at one that it names itself."""
    text = "from evaluate show train.loss.at(10) as x, after.train.metric.loss.tail(2) as y, train.loss.at(best) as z"

    assert [tuple(row.values()) for row in study.ask(text).records()] == [
        (2.0, 2.5, 2.0),
        (3.0, 3.0, 3.0),
        (4.0, 3.5, 4.0),
        (5.0, 4.0, 5.0),
    ]


def test_what_all_ancestors_agree_on(study: Recorded) -> None:
    """After many runs a value is theirs if it is one, else null; a grandparent is an ancestor too."""
    text = (
        "from ensemble show train.optimizer.lr as lr, train.seed as seed, evaluate.status as s, train.loss.count as n"
    )

    assert [tuple(row.values()) for row in study.ask(text).records()] == [
        (0.1, None, "done", 3),
        (0.01, None, "done", 3),
    ]
    assert column(study, "from ensemble show train.loss.at(20) as x", "x") == [3.0, 3.0]
    assert column(study, "from ensemble show train.loss.at(10) as x", "x") == [None, None]


def test_an_ancestor_in_conditions_groups_and_functions(study: Recorded) -> None:
    """An ancestor's value is a value like others."""
    text = "from evaluate where train.loss.min < 4 group by train.optimizer.lr show mean(train.loss.min) as m"

    assert study.ask(text).records() == [
        {"train.optimizer.lr": 0.1, "m": 2.5},
        {"train.optimizer.lr": 0.01, "m": 3.0},
    ]
    assert column(study, 'from evaluate where after.train.started > "2026-11-21" show id', "id")


def test_the_direction_of_an_ancestors_metric(study: Recorded) -> None:
    """The ancestor's experiment declares it."""
    text = "from evaluate group by optimizer.lr show mean(train.loss.min) as m keep best m"

    assert study.ask(text).records() == [{"optimizer.lr": 0.1, "m": 2.5}]


@pytest.mark.parametrize(
    ("expression", "direction"),
    [
        ("loss", "minimize"),
        ("loss.min", "minimize"),
        ("loss.at(10)", "minimize"),
        ("loss.argmin", None),
        ("loss.count", None),
        ("seed", None),
        ("score", "maximize"),
        ("100 * score", "maximize"),
        ("score * 100", "maximize"),
        ("score / 2", "maximize"),
        ("1 - score", "minimize"),
        ("score - 1", "maximize"),
        ("-score", "minimize"),
        ("-2 * loss", "maximize"),
        ("score * seed", None),
        ("1 / score", None),
        ("0 * score", None),
        ("mean(loss) ± std(loss)", "minimize"),
        ("mean(1 - score)", "minimize"),
        ("100 * max(score)", "maximize"),
        ("std(loss)", None),
        ("sum(loss)", None),
        ("ci95(loss)", None),
        ("count(loss)", None),
        ("quantile(loss, 0.9)", "minimize"),
        ("argmin(loss, seed)", None),
        ("best(score)", "maximize"),
    ],
)
def test_directions(study: Recorded, expression: str, direction: str | None) -> None:
    """Of means, extremes and what is scaled a metric's direction is known; of deviations and the like there is none."""
    (shown,) = study.ask(f"from train show {expression} as x").columns

    assert shown.direction == direction


def test_experiments_that_disagree_have_no_direction(tmp_path: Path) -> None:
    """One minimizes what the other maximizes: of both together nobody knows."""
    study = Recorded(tmp_path, STUDY.replace("metric error minimize", "metric loss maximize"))

    assert study.ask("show loss as x").columns[0].direction is None
    assert study.ask("from evaluate show loss as x").columns[0].direction == "maximize"


def test_past_runs_read_their_ancestors(study: Recorded) -> None:
    """A run that the study no longer asks for knows its parents from its own claim."""
    parent = study.tables["train"].id(1)
    folder = study.run(0, "evaluate").with_name("00000000000000aa")
    folder.mkdir()
    own = claim("evaluate", folder.name, {"optimizer.lr": 7.0}, parents=[parent])
    (folder / "run.jsonl").write_text(journal(own, START, end()))
    (folder / "metrics.jsonl").write_text(json.dumps({"best": 10}) + "\n")
    text = "from evaluate where optimizer.lr == 7 show train.seed as s, train.loss.min as m, train.loss.at(best) as a"

    assert study.ask(text + " with past").records() == [{"s": 1, "m": 3.0, "a": 3.0}]


def test_an_experiment_of_the_past(study: Recorded) -> None:
    """Its runs are there, and whoever asks for them is told how."""
    folder = study.folder / "runs/adhoc/00000000000000ab"
    folder.mkdir(parents=True)
    (folder / "run.jsonl").write_text(journal(claim("adhoc", folder.name, {}), START, end()))

    assert "help: its runs are of the past: add `with past`" in study.faults("from adhoc show count()")
    assert study.ask("from adhoc show count() with past").records() == [{"count()": 1}]


def test_a_name_that_needs_quotes_is_told_with_them(tmp_path: Path) -> None:
    """What the help says to write can be written."""
    text = STUDY.replace("    seed in range(2)", '    seed in range(2)\n    optimizer."w-d" in [1, 2]')
    study = Recorded(tmp_path, text)
    study.write(0, metrics=[{"optimizer.w-d": 3.0}])

    assert study.faults('from train show optimizer."w-d"').splitlines()[-1] == (
        'help: write `config.optimizer."w-d"` or `metric."optimizer.w-d"`'
    )
    found = study.ask('from train show config.optimizer."w-d" as key, metric."optimizer.w-d" as value limit 1')
    assert found.records() == [{"key": 1, "value": 3.0}]


def test_ancestors_are_behind_a_cell(study: Recorded) -> None:
    """Whose values a cell reads is told with it; a cell of own values has none."""
    result = study.ask("from evaluate group by optimizer.lr show mean(train.loss.at(10)) as a, mean(error) as b")
    cells = result.provenance(0).cells

    assert [(run.experiment, run.id, run.state) for run in cells["a"].above] == [
        ("train", study.tables["train"].id(row), "done") for row in (0, 1)
    ]
    assert cells["b"].above == ()
    above = study.ask("from ensemble show train.optimizer.lr as lr").provenance(1).cells["lr"].above
    assert [run.id for run in above] == [study.tables["train"].id(row) for row in (2, 3)]
