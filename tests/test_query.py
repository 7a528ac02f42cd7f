"""Queries to results, over studies whose runs are in many states."""

from __future__ import annotations

from pathlib import Path

import pytest
from recorded import START, Recorded, claim, end, half_finished, journal, series

from xpc.grammar.diagnostic import Diagnostics
from xpc.grammar.parser import parse_expression
from xpc.grammar.source import Source
from xpc.runtime.query import select


@pytest.fixture(name="study")
def _study(tmp_path: Path) -> Recorded:
    return half_finished(tmp_path)


def rows(study: Recorded, text: str) -> list[dict[str, object]]:
    return study.ask(text).records()


# ------------------------------------------------------------------ rows


def test_a_row_is_a_run(study: Recorded) -> None:
    """Without `group by` each run is a row: the keys that differ, the status, the metrics."""
    found = rows(study, "from train where seed == 0 limit 2")

    assert found == [
        {"optimizer.lr": 0.1, "model.name": "mlp", "status": "done", "loss": 0.6, "accuracy": 0.90},
        {"optimizer.lr": 0.1, "model.name": "cnn", "status": "done", "loss": 0.63, "accuracy": 0.93},
    ]


def test_every_planned_run_is_a_row_with_its_state(study: Recorded) -> None:
    """Half-finished studies answer: what runs, failed or was never sent has a row and a state."""
    found = rows(study, "from train show status")

    assert [row["status"] for row in found] == ["done"] * 8 + ["running", "failed", "failed", "planned"]


def test_children_of_failed_runs_are_skipped(study: Recorded) -> None:
    """A child that never started is skipped once its parent has ended and is not done; else it is planned."""
    found = rows(study, "from evaluate show status")

    assert [row["status"] for row in found] == ["planned"] * 9 + ["skipped"] * 2 + ["planned"]


def test_groups_come_in_the_order_of_the_study(study: Recorded) -> None:
    """Group keys are the first columns; groups stand where their first run stands."""
    found = rows(study, "from train group by model.name, optimizer.lr show count() as n")

    assert [tuple(row.values()) for row in found] == [
        ("mlp", 0.1, 3),
        ("cnn", 0.1, 3),
        ("mlp", 0.01, 3),
        ("cnn", 0.01, 3),
    ]


def test_reductions_alone_are_one_row(study: Recorded) -> None:
    """All columns reductions and no `group by`: one row, also over no runs."""
    assert rows(study, "from train where seed == 0 and status == done show count(), max(accuracy)") == [
        {"count()": 3, "max(accuracy)": 0.96}
    ]
    assert rows(study, "from train where seed > 7 show count(), mean(loss), sum(loss)") == [
        {"count()": 0, "mean(loss)": None, "sum(loss)": 0.0}
    ]


def test_group_by_without_show(study: Recorded) -> None:
    """Without `show` groups have mean and deviation of each metric, and their number of runs."""
    (found,) = rows(study, 'from train where optimizer.lr == 0.1 and model.name == "mlp" group by optimizer.lr')

    assert found == {
        "optimizer.lr": 0.1,
        "loss": pytest.approx(0.61),
        "loss_err": pytest.approx(0.01),
        "accuracy": pytest.approx(0.91),
        "accuracy_err": pytest.approx(0.01),
        "count()": 3,
    }


def test_group_by_without_show_has_no_nan(tmp_path: Path) -> None:
    """The deviation of infinite values is null, as that of `std(loss)` is."""
    study = Recorded(tmp_path)
    for row, loss in enumerate((1.0, float("inf"), 2.0)):
        study.write(row, metrics=[{"loss": loss}])

    (found,) = rows(study, "from train where loss is not null group by model.name")

    assert (found["loss"], found["loss_err"]) == (float("inf"), None)


def test_a_metric_that_makes_the_groups_is_no_second_column(study: Recorded) -> None:
    """Without `show`, too, a metric by which the groups are made is their key alone: two columns of a name are one."""
    found = study.ask("from train where optimizer.lr == 0.1 group by loss")

    assert [column.name for column in found.columns] == ["loss", "accuracy", "count()"]
    assert found.flat()["loss"] == pytest.approx([0.6, 0.61, 0.62, 0.63, 0.64, 0.65])


def test_a_name_of_show_comes_before_a_key_of_the_groups(study: Recorded) -> None:
    """`seed` is what `show` calls so, although the groups are made by the key of that name."""
    text = "from train where optimizer.lr == 0.1 group by config.seed show -config.seed as seed"

    assert study.ask(f"{text} sort by seed").flat()["seed"] == [-2, -1, 0]
    assert study.ask(f"{text} having seed < -1").flat()["seed"] == [-2]


# ------------------------------------------------------------------ names


def test_reducers_of_a_series(study: Recorded) -> None:
    """A dotted suffix reduces a metric over its steps; the bare metric is its last value."""
    (found,) = rows(
        study,
        "from train where seed == 0 show loss, loss.last, loss.first, loss.min, loss.max, loss.argmin, loss.count, "
        "loss.at(10), loss.at(loss.argmax), loss.tail(2), loss.at(11), loss.auc limit 1",
    )

    assert list(found.values()) == [0.6, 0.6, 1.0, 0.5, 1.0, 10, 3, 0.5, 1.0, pytest.approx(0.55), None, 13.0]


def test_exact_names(study: Recorded) -> None:
    """`config.x`, `metric.x`, `run.x` name one thing each."""
    (found,) = rows(study, "show config.optimizer.lr, metric.loss.min, run.host, run.cpus, run.memory limit 1")

    assert list(found.values()) == [0.1, 0.5, "elsewhere", 2, 4 << 30]


def test_ancestors(study: Recorded) -> None:
    """A child reads its parent's record, by `train.x` and by `after.train.x`."""
    found = rows(study, "from evaluate where seed == 0 show train.loss, after.train.metric.loss.min, train.status")

    assert [tuple(row.values()) for row in found] == [
        (0.6, 0.5, "done"),
        (0.63, 0.53, "done"),
        (pytest.approx(0.66), pytest.approx(0.56), "done"),
        (None, None, "failed"),
    ]


def test_fields(study: Recorded) -> None:
    """What a run never had is null."""
    found = rows(study, "from train where seed == 2 show attempt, duration, exit, started, reason")

    assert found[0] == {
        "attempt": 1,
        "duration": 60.0,
        "exit": 0,
        "started": "2026-11-21T09:30:01.000Z",
        "reason": None,
    }
    assert set(found[-1].values()) == {None}


def test_a_metric_of_the_same_name_as_a_key(tmp_path: Path) -> None:
    """A bare name with two meanings is an error that lists both."""
    study = Recorded(tmp_path)
    study.write(0, metrics=[{"seed": 4.0, "loss": 1.0}])

    assert study.faults("from train show seed") == (
        "error[XQ004]: `seed` is `config.seed` and `metric.seed`\n"
        "  from train show seed\n"
        "                  ^^^^ which one?\n"
        "help: write `config.seed` or `metric.seed`"
    )
    assert study.ask("from train show config.seed, metric.seed limit 1").records() == [
        {"config.seed": 0, "metric.seed": 4.0}
    ]


def test_a_metric_that_is_called_like_a_reduced_one(tmp_path: Path) -> None:
    """A whole name and a suffix that are both possible: the exact forms tell them apart."""
    study = Recorded(tmp_path)
    study.write(0, metrics=[{"loss": 3.0, "loss.min": 7.0}, {"loss": 2.0}])

    assert "`loss.min` is" in study.faults("from train show loss.min")
    assert study.ask('from train show metric."loss.min" as whole, metric.loss.min as least limit 1').records() == [
        {"whole": 7.0, "least": 2.0}
    ]


# ------------------------------------------------------------------ conditions


@pytest.mark.parametrize(
    ("condition", "number"),
    [
        ("status == done", 8),
        ('status == "done"', 8),
        ("status in [failed, running]", 3),
        ("status not in [done]", 4),
        ("failed == status", 2),
        ("status != done and status != planned", 3),
        ("loss is null", 3),
        ("loss is not null", 9),
        ("loss < 0.62", 2),
        ("not (loss < 0.62)", 10),
        ("loss != 0.6", 8),
        ('model.name matches "^m"', 6),
        ('model.name in ["mlp"]', 6),
        ("seed + 1 == 3", 4),
        ("seed % 2 == 0 or optimizer.lr < 0.05", 10),
        ("seed == 1.0", 4),
        ("max(seed, 1) == 1", 8),
        ("(1 if seed == 0 else 2) == 2", 8),
        ('started > "2026-11-21"', 11),
        ('started > "2026-11-21T10:30:00+01:00" and started < "2026-11-21 09:30:02"', 11),
        ('started > "2026-11-22"', 0),
        ("duration >= 1min", 10),
        ("duration < 1min", 0),
        ("memory == 4GiB", 11),
        ("1 / (seed - 1) > 0", 4),
        ("log(seed - 1) >= 0", 4),
        ("tags is null", 0),
    ],
)
def test_conditions(study: Recorded, condition: str, number: int) -> None:
    """Comparing with null is false; states are words beside `status`; times compare with ISO texts."""
    assert len(rows(study, f"from train where {condition} show id")) == number


def test_select(study: Recorded) -> None:
    """`--where` picks rows of the tables by the same expressions."""
    diagnostics = Diagnostics()
    condition = parse_expression(Source("--where", "seed == 0 and status != done"), diagnostics)
    assert condition is not None

    assert select(condition, study.view(), diagnostics, ["train"]) == {"train": [9]}
    assert select(condition, study.view(), diagnostics) == {"train": [9], "evaluate": [0, 3, 6, 9]}
    assert diagnostics.found == []


# ------------------------------------------------------------------ having, keep, sort, limit


def test_having_sees_aliases_and_functions(study: Recorded) -> None:
    """`having` is about groups."""
    text = "from train where status == done group by optimizer.lr, model.name show mean(loss) as m having "

    assert len(rows(study, text + "count() >= 3")) == 2
    assert len(rows(study, text + "m > 0.64")) == 1
    assert len(rows(study, text + 'model.name == "cnn"')) == 1


def test_keep_of_groups(study: Recorded) -> None:
    """`keep best … by …` keeps one group for each combination; an alias has its metric's direction."""
    text = "from train where status == done group by optimizer.lr, model.name show mean(loss) ± std(loss) as loss "

    assert [row["optimizer.lr"] for row in rows(study, text + "keep best loss by model.name")] == [0.1, 0.1]
    assert [row["optimizer.lr"] for row in rows(study, text + "keep max loss")] == [0.01]


def test_keep_of_runs(study: Recorded) -> None:
    """Without groups `keep` is about runs; of equals the first stays."""
    found = rows(study, "from train where status == done keep best accuracy by model.name show model.name, accuracy")

    assert found == [{"model.name": "cnn", "accuracy": 0.95}, {"model.name": "mlp", "accuracy": 0.97}]
    assert rows(study, "from train keep min duration show id") == rows(study, "from train show id limit 1")


def test_sorting_is_stable_and_null_comes_last(study: Recorded) -> None:
    """Rows with the same key stay in the study's order, in both directions."""
    up = [row["loss"] for row in rows(study, "from train sort by loss show loss")]
    down = [row["loss"] for row in rows(study, "from train sort by loss desc show loss")]

    assert up[-3:] == down[-3:] == [None] * 3
    assert up[:-3] == sorted(up[:-3]) == down[:-3][::-1]
    seeds = rows(study, "from train sort by model.name desc, seed show model.name, seed, optimizer.lr limit 3")
    assert [tuple(row.values()) for row in seeds] == [("mlp", 0, 0.1), ("mlp", 0, 0.01), ("mlp", 1, 0.1)]


def test_limit_keeps_count_of_all(study: Recorded) -> None:
    """The result knows how many rows there were."""
    result = study.ask("from train limit 5")

    assert (result.size, result.total) == (5, 12)


# ------------------------------------------------------------------ functions over runs


def test_functions_over_runs(study: Recorded) -> None:
    """Each function gives what its name says; nulls are left out."""
    (found,) = rows(
        study,
        "from train where optimizer.lr == 0.1 show count(), count(loss), sum(seed), unique(model.name), "
        "argmin(loss, seed), argmax(accuracy, model.name), best(accuracy), best(loss), quantile(seed, 0.25), "
        "min(model.name), median(accuracy), iqm(seed)",
    )

    assert list(found.values()) == [
        6,
        6,
        6,
        ["mlp", "cnn"],
        0,
        "cnn",
        0.95,
        0.6,
        0.25,
        "cnn",
        pytest.approx(0.925),
        1.0,
    ]


def test_bootstrap_is_the_same_every_time(study: Recorded) -> None:
    """The interval comes from a fixed seed, and holds the mean."""
    text = "from train where status == done show bootstrap95(loss) as b, mean(loss) as m"
    (found,) = rows(study, text)
    low, high = found["b"]  # type: ignore[misc]

    assert low < found["m"] < high  # type: ignore[operator]
    assert rows(study, text) == [found]


def test_plus_minus_is_two_columns(study: Recorded) -> None:
    """`a ± b` is one cell for people and two columns for machines."""
    result = study.ask("from train show mean(loss) ± ci95(loss) as loss, max(seed) +/- min(seed)")

    assert list(result.frame().columns) == ["loss", "loss_err", "max(seed)", "min(seed)"]


def test_frame_has_plain_types(study: Recorded) -> None:
    """In a DataFrame numbers are numbers, null among them is NaN."""
    frame = study.ask("from train show seed, loss, model.name").frame()

    assert [str(kind) for kind in frame.dtypes] == ["int64", "float64", "object"]
    assert int(frame["loss"].isna().sum()) == 3


def test_counts_beside_the_rows(study: Recorded) -> None:
    """The result counts what a condition on the state leaves out, for each group and in all."""
    result = study.ask("from train where status == done group by optimizer.lr show mean(loss)")

    assert result.left_out == {"planned": 1, "running": 1, "failed": 2}
    assert [dict(undone) for undone in result.undone] == [{}, {"running": 1, "failed": 2, "planned": 1}]
    assert result.waiting == {}
    assert study.ask("from train show mean(loss)").waiting == {"planned": 1, "running": 1, "failed": 2}


def test_done_runs_without_a_value_are_counted(study: Recorded) -> None:
    """Nulls are left out of means, and that is said."""
    study.write(11, metrics=[{"loss": "NaN"}], stdout="acc=0.5\n")

    assert study.ask("from train show mean(loss), mean(accuracy)").missing == {"loss": 1}


# ------------------------------------------------------------------ past runs


def test_past_runs(study: Recorded) -> None:
    """`with past` adds done runs that the study no longer asks for, with the values that they had."""
    study.write(0)
    old = study.run(0).rename(study.run(0).with_name("00000000000000aa"))
    assert old.is_dir()

    assert len(rows(study, "from train where status == done show id")) == 7
    found = rows(study, "from train where status == done show id, optimizer.lr, loss with past")
    assert found[-1] == {"id": "00000000000000aa", "optimizer.lr": 0.1, "loss": 0.6}


def test_keys_of_past_runs(study: Recorded) -> None:
    """A key that was renamed or taken away can be asked for with the runs that had it, and with them alone."""
    folder = study.run(0).with_name("00000000000000aa")
    folder.mkdir()
    (folder / "run.jsonl").write_text(journal(claim("train", folder.name, {"rate": 0.5}), START, end()))

    assert rows(study, "from train where rate > 0 show rate, optimizer.lr with past") == [
        {"rate": 0.5, "optimizer.lr": None}
    ]
    assert "no run has a metric or key `rate`" in study.faults("from train show rate")


def test_all_attempts(study: Recorded) -> None:
    """`with all attempts` adds the earlier attempts of runs that were tried again, as rows of their own."""
    folder = study.write(0, "timeout", metrics=[{"loss": 7.0}])
    again = claim("train", folder.name, {}, attempt=2)
    (folder / "run.2.jsonl").write_text(journal(again, START, end()))
    (folder / "metrics.2.jsonl").write_text(journal({"loss": 3.0}))
    text = "from train where seed == 0 and optimizer.lr == 0.1 show model.name, attempt, status, loss.at(0)"

    assert [tuple(row.values()) for row in rows(study, text)] == [("mlp", 2, "done", 3.0), ("cnn", 1, "done", 1.0)]
    assert [tuple(row.values()) for row in rows(study, text + " with all attempts")] == [
        ("mlp", 2, "done", 3.0),
        ("cnn", 1, "done", 1.0),
        ("mlp", 1, "timeout", 7.0),
    ]


# ------------------------------------------------------------------ wide series


def test_metrics_of_steps_may_be_sparse(tmp_path: Path) -> None:
    """Series of one run may have their own steps; `.at` reads one at the best step of another."""
    study = Recorded(tmp_path)
    lines = [*series("valid.err", [0.3, 0.1, 0.2], [1, 2, 3]), *series("test.err", [0.4, 0.25, 0.2], [1, 2, 3])]
    study.write(0, metrics=lines)

    assert study.ask("from train show test.err.at(valid.err.argmin) as e limit 1").records() == [{"e": 0.25}]
