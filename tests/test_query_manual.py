"""Sentences of the manual page, each held against what queries do."""

from __future__ import annotations

from pathlib import Path

import pytest
from recorded import STUDY, Recorded, half_finished

MIXED = """
grid g:
    point thing = "text"
    point thing = 2
    point thing = true
    point thing = [10, 1]
    point thing = [9]
    point thing = 1.0
    point thing = false
    point other = 1

experiment train:
    grid g
    run "python train.py"
"""


@pytest.fixture(name="study")
def _study(tmp_path: Path) -> Recorded:
    return half_finished(tmp_path)


def column(study: Recorded, text: str, name: str) -> list[object]:
    return [row[name] for row in study.ask(text).records()]


def test_the_order_of_kinds(tmp_path: Path) -> None:
    """Numbers come before texts, texts before booleans, booleans before lists; null comes last, in both directions."""
    study = Recorded(tmp_path, MIXED)

    up = [1.0, 2, "text", False, True, [9], [10, 1], None]
    assert column(study, "from train sort by thing show thing", "thing") == up
    assert column(study, "from train sort by thing desc show thing", "thing") == [*reversed(up[:-1]), None]
    assert study.ask("from train where thing == true show id").size == 1
    assert study.ask("from train where thing == 1 show id").size == 1
    assert study.ask("from train where thing == [9.0] show id").size == 1


def test_names_that_show_gives_come_first(study: Recorded) -> None:
    """In `having`, `keep` and `sort by`, and not in `show` and `where`."""
    text = "from train where loss < 0.63 show -loss as loss, loss as old having loss < -0.6 sort by loss limit 1"

    assert study.ask(text).records() == [{"loss": -0.62, "old": 0.62}]


def test_group_keys_stand_where_show_names_them(study: Recorded) -> None:
    """Else they come first."""
    text = "from train group by seed, model.name show count() as n, model.name as model limit 1"

    assert study.ask(text).records() == [{"seed": 0, "n": 2, "model": "mlp"}]


def test_a_group_key_given_twice_is_one(study: Recorded) -> None:
    """Also under another spelling."""
    found = study.ask("from train group by seed, config.seed, seed show count() as n")

    assert found.records()[0] == {"seed": 0, "n": 4}
    assert found.undone[0] == {"failed": 1}


def test_nothing_to_keep_is_counted(study: Recorded) -> None:
    """A row without a value is never kept."""
    result = study.ask("from train keep best loss by status show status, loss")

    assert [row["status"] for row in result.records()] == ["done", "running"]
    assert "Nothing to keep for 2 combinations: no value." in study.table(
        "from train keep best loss by status show loss"
    )


def test_runs_for_which_something_holds_are_counted_by_a_sum(study: Recorded) -> None:
    """What the manual says to write does what it says."""
    text = "from train group by optimizer.lr show sum(1 if status == done else 0) as done, count() as planned"

    assert [tuple(row.values()) for row in study.ask(text).records()] == [(0.1, 6, 6), (0.01, 2, 6)]


def test_left_out_are_runs_that_are_missing_only_for_their_state(study: Recorded) -> None:
    """A done run that a condition on a value excludes is not missed; one that has no value yet is."""
    result = study.ask("from train where loss < 0.62 and optimizer.lr == 0.01 group by optimizer.lr show count()")
    assert (result.size, dict(result.left_out)) == (0, {"planned": 1, "failed": 2})

    result = study.ask("from train where loss < 0.62 show count()")
    assert (result.records(), dict(result.left_out)) == ([{"count()": 2}], {"planned": 1, "failed": 2})
    assert study.ask("from train where seed == 0 show count()").left_out == {}


def test_attempts_have_a_column(tmp_path: Path) -> None:
    """Without `show` rows of one run are told apart by their attempt."""
    study = Recorded(tmp_path, STUDY)
    folder = study.write(0, "failed")
    (folder / "run.2.jsonl").write_text((folder / "run.jsonl").read_text().replace('"attempt": 1', '"attempt": 2'))
    text = "from train where seed == 0 and optimizer.lr == 0.1 and attempt > 0 with all attempts"

    assert study.ask(text).records() == [{"attempt": 2, "status": "failed"}, {"attempt": 1, "status": "failed"}]


def test_metrics_that_are_called_like_other_columns(tmp_path: Path) -> None:
    """Without `show` no column is overwritten by another one."""
    study = Recorded(tmp_path)
    study.write(0, metrics=[{"status": 3.0, "seed": 4.0, "loss": 1.0, "loss_err": 2.0}])

    assert study.ask("from train where run.status == done").records() == [
        {"status": "done", "loss": 1.0, "metric.status": 3.0, "metric.seed": 4.0, "loss_err": 2.0}
    ]
    (found,) = study.ask("from train where run.status == done group by optimizer.lr").records()
    assert (found["loss"], found["loss_err"], found["std(loss)"]) == (1.0, 2.0, None)


def test_matches_searches_a_value_as_it_is_written(tmp_path: Path) -> None:
    """`true` is `true`."""
    study = Recorded(tmp_path, MIXED)

    assert column(study, 'from train where thing matches "^true$" show thing', "thing") == [True]
    assert column(study, 'from train where thing matches "^\\\\[9" show thing', "thing") == [[9]]
