"""Learning curves and values over settings: the data of `line` and `bar`, against numpy."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from plotting import STUDY, log, points, project
from recorded import START, Recorded, claim, end, journal
from scipy import stats

LOSSES = {0: [2.0, 1.0, 0.5], 1: [2.2, 1.4, 0.7], 2: [1.8, 1.2, 0.9]}
WHERE = 'where optimizer.lr == 0.1 and model.name == "cnn"'


@pytest.fixture(name="study")
def _study(tmp_path: Path) -> Recorded:
    """Three seeds of one group, each with three steps."""
    study = project(tmp_path)
    for seed, values in LOSSES.items():
        row = study.row(optimizer__lr=0.1, model__name="cnn", seed=seed)
        log(study, row, steps=[0, 10, 20], loss=values, accuracy=[1 - value for value in values])
    return study


def test_mean_and_deviation_at_each_step(study: Recorded) -> None:
    """A bare metric is its mean over the runs, with one standard deviation (n - 1) to both sides."""
    found = points(study, f"plot line x = step, y = loss {WHERE}")

    values = np.array(list(LOSSES.values()))
    means, deviations = values.mean(axis=0), values.std(axis=0, ddof=1)
    (trace,) = found.traces
    assert trace.x == (0, 10, 20)
    np.testing.assert_allclose(trace.y, means)
    np.testing.assert_allclose(trace.low, means - deviations)
    np.testing.assert_allclose(trace.high, means + deviations)
    assert trace.n == (3, 3, 3)
    assert len(trace.runs) == 3
    assert (found.x.label, found.y.label, found.error) == ("step", "loss", "standard deviation")
    assert found.y.direction == "minimize"


def test_another_error(study: Recorded) -> None:
    """`mean(x) ± ci95(x)` is Student's interval at each step."""
    found = points(study, f"plot line x = step, y = mean(loss) ± ci95(loss) {WHERE}")

    values = np.array(list(LOSSES.values()))
    half = stats.t.ppf(0.975, 2) * values.std(axis=0, ddof=1) / math.sqrt(3)
    (trace,) = found.traces
    np.testing.assert_allclose(np.array(trace.high) - np.array(trace.y), half, rtol=1e-6)
    assert (found.y.label, found.error) == ("loss", "95 % interval")


def test_an_interval_is_its_own_bounds(study: Recorded) -> None:
    """`± bootstrap95(x)` gives two bounds, those of the table."""
    (trace,) = points(study, f"plot line x = step, y = median(loss) ± bootstrap95(loss) {WHERE}").traces

    expected = [study.ask(f"{WHERE} show bootstrap95(loss.at({step})) as b").records()[0]["b"] for step in (0, 10, 20)]
    assert [[low, high] for low, high in zip(trace.low, trace.high, strict=True)] == expected


def test_a_function_alone_has_no_error(study: Recorded) -> None:
    found = points(study, f"plot line x = step, y = median(loss) {WHERE}")

    assert found.traces[0].y == (2.0, 1.2, 0.7)
    assert found.traces[0].low == ()
    assert (found.y.label, found.error) == ("median(loss)", "")


def test_expressions_at_a_step(study: Recorded) -> None:
    """Metrics in an expression are those of the same step; the x may be computed from it."""
    found = points(study, f"plot line x = step * 32, y = loss + accuracy {WHERE}")

    assert found.traces[0].x == (0, 320, 640)
    assert found.traces[0].y == pytest.approx((1.0, 1.0, 1.0))


def test_a_reduced_metric_stays_one_number_of_the_run(study: Recorded) -> None:
    """Only a bare metric has a value at each step."""
    (trace,) = points(study, f"plot line x = step, y = loss - loss.last {WHERE}").traces

    assert trace.y[2] == 0


def test_ragged_series(study: Recorded, tmp_path: Path) -> None:
    """At each step the mean is over the runs that have a value.

    NaN is none, of a step logged twice the last value counts, and a single run has no error.
    """
    ragged = project(tmp_path / "ragged")
    rows = [ragged.row(optimizer__lr=0.1, model__name="cnn", seed=seed) for seed in range(3)]
    log(ragged, rows[0], steps=[0, 1, 2, 3], loss=[1.0, 2.0, 3.0, 4.0])
    log(ragged, rows[1], steps=[0, 1, 2], loss=[3.0, "NaN", 5.0])
    log(ragged, rows[2], steps=[0, 0, 1], loss=[99.0, 5.0, 4.0])

    (trace,) = points(ragged, "plot line x = step, y = loss").traces

    assert trace.x == (0, 1, 2, 3)
    assert trace.y == (3.0, 3.0, 4.0, 4.0)
    assert trace.n == (3, 2, 2, 1)
    assert trace.high[0] - trace.y[0] == pytest.approx(np.std([1, 3, 5], ddof=1))
    assert trace.low[3] == trace.y[3] == trace.high[3]


def test_a_running_run_counts_as_far_as_it_has_come(study: Recorded) -> None:
    """It is in the mean of its steps, and a note says that it goes on."""
    row = study.row(optimizer__lr=0.01, model__name="cnn", seed=0)
    log(study, row, None, steps=[0, 10], loss=[4.0, 3.0])

    found = points(study, 'plot line x = step, y = loss by optimizer.lr where model.name == "cnn" and loss is not null')

    assert [trace.label for trace in found.traces] == ["0.1", "0.01"]
    assert found.traces[1].y == (4.0, 3.0)
    assert found.traces[1].n == (1, 1)
    assert found.notes == ("Not done: 1 running.",)


def test_runs_without_a_value_are_no_traces(study: Recorded) -> None:
    """Planned runs are seen, and draw nothing."""
    found = points(study, "plot line x = step, y = loss by optimizer.lr, model.name")

    assert [trace.label for trace in found.traces] == ["0.1, cnn"]
    assert found.legend == "optimizer.lr, model.name"


def test_of_many_steps_some_are_drawn(tmp_path: Path) -> None:
    """At most a thousand, the first and the last among them, and a note says so."""
    study = project(tmp_path)
    log(study, 0, steps=range(2500), loss=[float(step) for step in range(2500)])

    found = points(study, "plot line x = step, y = loss where loss is not null")

    (trace,) = found.traces
    assert trace.x[:3] == (0, 3, 6)
    assert trace.x[-1] == 2499
    assert trace.x == trace.y
    assert found.notes == ("Drawn at 834 of 2,500 steps.",)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.dictionaries(st.integers(0, 6), st.floats(-1e6, 1e6) | st.just(math.nan), min_size=1), min_size=1, max_size=3
    )
)
def test_any_ragged_series(tmp_path_factory: pytest.TempPathFactory, runs: list[dict[int, float]]) -> None:
    """Whatever the runs have logged, each step has numpy's mean and deviation of the values that are there."""
    study = project(tmp_path_factory.mktemp("study"))
    for seed, run in enumerate(runs):
        row = study.row(optimizer__lr=0.1, model__name="cnn", seed=seed)
        values = [run[step] if run[step] == run[step] else "NaN" for step in sorted(run)]
        log(study, row, steps=sorted(run), loss=values)

    found = points(study, f"plot line x = step, y = loss {WHERE}")

    expected = {
        step: known
        for step in sorted({step for run in runs for step in run})
        if (known := [run[step] for run in runs if step in run and run[step] == run[step]])
    }
    trace = found.traces[0] if found.traces else None
    assert (trace.x if trace else ()) == tuple(expected)
    for place, known in enumerate(expected.values()):
        assert trace is not None
        assert trace.y[place] == pytest.approx(np.mean(known), rel=1e-9, abs=1e-9)
        spread = np.std(known, ddof=1) if len(known) > 1 else 0.0
        assert trace.high[place] - trace.y[place] == pytest.approx(spread, rel=1e-6, abs=1e-6)
        assert trace.n[place] == len(known)


# ------------------------------------------------------------------ over settings


@pytest.fixture(name="swept", scope="module")
def _swept(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """All runs done: the accuracy is the row over 100, the duration minutes."""
    study = project(tmp_path_factory.mktemp("swept"))
    for row in range(study.tables["train"].count):
        log(study, row, loss=float(row), accuracy=row / 100, duration=60.0 * (row + 2))
    return study


def test_a_line_over_a_setting(swept: Recorded) -> None:
    """The points are sorted by x, which is logarithmic where the values are; each of them is marked."""
    found = points(swept, 'plot line x = model.width, y = accuracy by optimizer.lr where model.name == "mlp"')

    assert found.x.scale == "log"
    assert found.x.ticks == ((16.0, "16"), (32.0, "32"), (64.0, "64"))
    assert [(trace.label, trace.x) for trace in found.traces] == [("0.1", (16, 32, 64)), ("0.01", (16, 32, 64))]
    rows = [swept.row(optimizer__lr=0.1, model__name="mlp", model__width=16, seed=seed) for seed in range(3)]
    assert found.traces[0].y[0] == pytest.approx(np.mean(rows) / 100)


def test_runs_without_x_are_counted(swept: Recorded) -> None:
    """On an axis of numbers null has no place; as a bar it has one, the last."""
    line = points(swept, "plot line x = model.width, y = accuracy")
    bar = points(swept, "plot bar x = model.width, y = accuracy")

    assert line.notes == ("Left out: 6 runs without `model.width`.",)
    assert [text for _, text in bar.x.ticks] == ["16", "32", "64", "–"]
    assert bar.notes == ()


def test_the_clauses_group_by(swept: Recorded) -> None:
    """Without `by` the traces are what the clauses group by, less the x."""
    found = points(swept, "group by optimizer.lr, model.name plot bar x = optimizer.lr, y = accuracy")

    assert found.legend == "model.name"
    assert [trace.label for trace in found.traces] == ["mlp", "cnn"]
    assert [text for _, text in found.x.ticks] == ["0.01", "0.1"]


def test_a_column_of_the_table(swept: Recorded) -> None:
    """A name of `show` stands for what it shows, its error too."""
    by_name = points(
        swept, "show mean(accuracy) ± sem(accuracy) as acc group by model.name plot bar x = model.name, y = acc"
    )
    written = points(swept, "plot bar x = model.name, y = mean(accuracy) ± sem(accuracy)")

    assert by_name.traces == written.traces
    assert by_name.error == "standard error"


def test_the_runs_behind_the_rows_of_the_table(swept: Recorded) -> None:
    """`keep`, `having`, `sort by` and `limit` leave runs out of the plot as they leave rows out of the table."""
    clauses = "group by model.name, optimizer.lr, model.width show mean(accuracy) as acc keep best acc by model.name"

    found = points(swept, f"{clauses} sort by acc plot bar x = optimizer.lr, y = acc by model.name, model.width")

    best = swept.ask(f"{clauses} sort by acc").records()
    assert len(best) == 2
    width = {16: "16", 32: "32", 64: "64", None: "–"}
    assert [trace.label for trace in found.traces] == [
        f"{row['model.name']}, {width[row['model.width']]}" for row in best
    ]
    assert [trace.y[0] for trace in found.traces] == [row["acc"] for row in best]
    assert [len(trace.runs) for trace in found.traces] == [3, 3]


def test_a_baseline_is_that_of_the_table(tmp_path: Path) -> None:
    """A condition on the status holds for the baseline of a plot as for that of its table."""
    study = project(tmp_path)
    for seed, (reference, other) in enumerate([(1.0, 9.0), (2.0, 5.0), (3.0, 4.0)]):
        state = "failed" if seed == 0 else "done"
        log(study, study.row(optimizer__lr=0.1, model__name="cnn", seed=seed), state, loss=reference)
        log(study, study.row(optimizer__lr=0.01, model__name="cnn", seed=seed), loss=other)
    clauses = "where status == done group by optimizer.lr"
    measure = "diff(loss, baseline = (optimizer.lr == 0.1))"

    found = points(study, f"{clauses} plot bar x = optimizer.lr, y = {measure}")

    assert study.ask(f"{clauses} show {measure} as more").flat()["more"] == [0.0, 2.0]
    assert dict(zip(found.traces[0].x, found.traces[0].y, strict=True)) == {0.0: 2.0, 1.0: 0.0}
    assert found.traces[0].n == (2, 2)  # pairs


def test_attempts_and_earlier_results_are_those_of_the_table(tmp_path: Path) -> None:
    """`with all attempts` and `with superseded` draw each attempt and result that is a row, and not those left out."""
    study = project(tmp_path)
    row = study.row(optimizer__lr=0.1, model__name="cnn", seed=0)
    log(study, row, loss=[7.0, 5.0], steps=[0, 1])
    folder = study.run(row)
    folder.rename(f"{folder}.v1")
    log(study, row, "timeout", loss=[4.0, 3.0], steps=[0, 1])
    again = claim("train", folder.name, {}, attempt=2)
    (folder / "run.2.jsonl").write_text(journal(again, START, end()))
    (folder / "metrics.2.jsonl").write_text(journal({"step": 0, "loss": 2.0}, {"step": 1, "loss": 1.0}))
    plot = f"{WHERE} and seed == 0 and loss is not null"

    versions = points(study, f"{plot} plot line x = step, y = loss by version with superseded")
    assert {trace.label: trace.y for trace in versions.traces} == {"2": (2.0, 1.0), "1": (7.0, 5.0)}
    attempts = points(study, f"{plot} plot line x = step, y = loss by attempt with all attempts")
    assert {trace.label: trace.y for trace in attempts.traces} == {"2": (2.0, 1.0), "1": (4.0, 3.0)}
    worst = points(study, f"{plot} keep max loss plot line x = step, y = loss with all attempts with superseded")
    assert [trace.y for trace in worst.traces] == [(7.0, 5.0)]


def test_units(swept: Recorded) -> None:
    """Durations are in the unit that suits the longest."""
    found = points(swept, "plot bar x = model.name, y = duration")

    assert found.y.text == "duration (min)"
    rows = [swept.row(optimizer__lr=lr, model__name="cnn", seed=seed) for lr in (0.1, 0.01) for seed in range(3)]
    assert found.traces[0].y[1] == pytest.approx(np.mean(rows) + 2)


def test_titles_name_what_stands_below(swept: Recorded, tmp_path: Path) -> None:
    """Up to the next title; the clauses of each plot are those of its table."""
    from xpc.runtime.plots.sections import plot_queries

    study = project(
        tmp_path,
        STUDY
        + """
report all:
    from train
    where seed == 0
    title "Curves"
    plot line x = step, y = loss
    show mean(loss)
    where seed == 1
    plot bar x = seed, y = loss
    title "Bars"
    plot bar x = seed, y = accuracy
""",
    )
    assert study.study is not None

    found = plot_queries(study.study.reports["all"].clauses)

    wheres = [[clause.span.text for clause in query.clauses if clause.span.text.startswith("where")] for query in found]
    assert [query.title for query in found] == ["Curves", "Curves", "Bars"]
    assert wheres == [["where seed == 0"], ["where seed == 1"], ["where seed == 1"]]


def test_plots_have_the_runs_that_their_table_is_with(tmp_path: Path) -> None:
    """`with past` above the first `show` holds below a `with all attempts`, too, as it does for the table."""
    from xpc.runtime.plots.sections import plot_queries
    from xpc.runtime.report import queries

    text = "from train\n    with past\n    show count()\n    with all attempts\n    plot bar x = seed, y = loss"
    study = project(tmp_path, f"{STUDY}\nreport all:\n    {text}\n")
    assert study.study is not None
    report = study.study.reports["all"]

    ((table,), (plot,)) = queries(report), plot_queries(report.clauses)

    kinds = [
        [c.span.text for c in clauses if c.span.text.startswith("with")] for clauses in (table.clauses, plot.clauses)
    ]
    assert kinds == [["with past", "with all attempts"]] * 2


def test_of_very_many_traces_the_first_are_drawn(tmp_path: Path) -> None:
    """A hundred are more than anybody can tell apart; a note says how many there are."""
    study = project(
        tmp_path, 'grid sweep:\n    seed in range(130)\n\nexperiment train:\n    grid sweep\n    run "python t.py"\n'
    )
    for row in range(130):
        log(study, row, steps=[0, 1], loss=[1.0, float(row)])

    found = points(study, "plot line x = step, y = loss by seed")

    assert [trace.label for trace in found.traces] == [str(seed) for seed in range(100)]
    assert found.notes == ("The first 100 of 130 traces are drawn: narrow `by` or `where`.",)


def test_what_is_infinite_is_not_drawn(tmp_path: Path) -> None:
    """A mean that is infinite, or too large for any axis, is a gap in the line."""
    study = project(tmp_path)
    log(study, 0, steps=[0, 1, 2, 3], loss=[1.0, "Infinity", 1e200, 2.0])

    (trace,) = points(study, "plot line x = step, y = loss").traces

    assert (trace.x, trace.y) == ((0, 3), (1.0, 2.0))
