"""The data of boxes, scatters, heatmaps and parallel coordinates, against numpy and matplotlib's own statistics."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.cbook import boxplot_stats
from plotting import boxes, heatmap, log, parallel, points, project
from recorded import Recorded

from xpc.runtime.plots.spread import make_box


@pytest.fixture(name="study", scope="module")
def _study(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """All runs are done but one, which was never sent; the loss of a run is its row."""
    study = project(tmp_path_factory.mktemp("study"))
    for row in range(study.tables["train"].count - 1):
        log(
            study,
            row,
            loss=float(row),
            accuracy=1 - row / 100,
            duration=60.0 * (row + 2),
            peak_memory=2**30 * (row + 2),
        )
    return study


def losses(study: Recorded, **wanted: object) -> list[float]:
    """Give the losses of the done runs with these values."""
    table = study.tables["train"]
    values = [{".".join(path): value for path, value in table.values(row).items()} for row in range(table.count - 1)]
    asked = {name.replace("__", "."): value for name, value in wanted.items()}
    return [float(row) for row, own in enumerate(values) if asked.items() <= own.items()]


# ------------------------------------------------------------------ box


def test_boxes_hold_the_values_of_their_runs(study: Recorded) -> None:
    """A box for each x and trace; quartiles are numpy's."""
    found = boxes(study, "plot box x = model.name, y = loss by optimizer.lr")

    assert [text for _, text in found.x.ticks] == ["mlp", "cnn"]
    assert [trace.label for trace in found.traces] == ["0.1", "0.01"]
    box = found.traces[0].boxes[0]
    expected = losses(study, optimizer__lr=0.1, model__name="mlp")
    assert box.values == tuple(expected)
    assert (box.first_quartile, box.median, box.third_quartile) == tuple(np.percentile(expected, [25, 50, 75]))


def test_a_box_without_x(study: Recorded) -> None:
    """All values are in one."""
    ((box,),) = (trace.boxes for trace in boxes(study, "plot box y = loss").traces)

    assert box.values == tuple(losses(study))


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40))
def test_whiskers_and_outliers(values: list[float]) -> None:
    """They are those of matplotlib: to the last value within 1.5 times the range of the quartiles."""
    box = make_box(0.0, values)

    (expected,) = boxplot_stats(values, whis=1.5)
    found = (box.whisker_low, box.first_quartile, box.median, box.third_quartile, box.whisker_high)
    names = ("whislo", "q1", "med", "q3", "whishi")
    assert found == pytest.approx(tuple(float(expected[name]) for name in names), rel=1e-9, abs=1e-6)
    assert box.whisker_low <= box.first_quartile <= box.median <= box.third_quartile <= box.whisker_high


# ------------------------------------------------------------------ scatter


def test_a_point_is_a_run(study: Recorded) -> None:
    """Durations and sizes get handy units; the run that has no values is no point."""
    found = points(study, "plot scatter x = duration, y = peak_memory by model.name")

    assert (found.x.text, found.y.text) == ("duration (min)", "peak_memory (GiB)")
    mlp, cnn = found.traces
    assert (mlp.label, cnn.label) == ("mlp", "cnn")
    assert mlp.x == mlp.y == tuple(loss + 2 for loss in losses(study, model__name="mlp"))
    assert len(cnn.x) == 5
    assert cnn.n == (1,) * 5


def test_what_is_no_point_is_counted(tmp_path: Path) -> None:
    """Runs, or groups, that lack a value of a scatter, or the y of parallel coordinates."""
    study = project(tmp_path)
    for row in range(6):
        log(study, row, loss=float(row) if row else None, accuracy=0.5 if row > 2 else None)
    where = "where status == done"

    assert points(study, f"{where} plot scatter x = loss, y = accuracy").notes == (
        "Left out: 1 run without `loss`, 3 runs without `accuracy`.",
    )
    assert parallel(study, f"{where} plot parallel x = [seed, loss], y = accuracy").notes == (
        "Left out: 3 runs without `accuracy`.",
    )
    assert points(study, f"{where} group by seed, loss plot scatter x = mean(loss), y = count(accuracy)").notes == (
        "Left out: 1 group without `mean(loss)`.",
    )
    assert points(study, f"{where} plot scatter x = seed, y = model.name").notes == ()


def test_a_point_is_a_group(study: Recorded) -> None:
    """A function over runs makes the groups of the clauses to points, with errors to both sides."""
    found = points(
        study,
        "group by model.name, optimizer.lr plot scatter x = mean(loss) ± std(loss), y = median(accuracy) by model.name",
    )

    mlp = found.traces[0]
    groups = [losses(study, model__name="mlp", optimizer__lr=rate) for rate in (0.1, 0.01)]
    assert mlp.x == pytest.approx([np.mean(group) for group in groups])
    assert mlp.x_high[0] - mlp.x[0] == pytest.approx(np.std(groups[0], ddof=1))
    assert mlp.y == pytest.approx([1 - np.median(group) / 100 for group in groups])
    assert mlp.low == ()
    assert mlp.n == (9, 9)


def test_a_scatter_over_time_and_texts(study: Recorded) -> None:
    """Times are on an axis of time, texts on one of categories."""
    found = points(study, "plot scatter x = started, y = model.name where loss is not null")

    assert (found.x.scale, found.y.scale) == ("time", "category")
    assert found.traces[0].x[0] == 1795253401.0
    assert [text for _, text in found.y.ticks] == ["mlp", "cnn"]


# ------------------------------------------------------------------ heatmap


def test_a_grid_of_means(study: Recorded) -> None:
    """A cell that no run has is NaN; null is the last place."""
    found = heatmap(study, "plot heatmap x = optimizer.lr, y = model.width, z = loss by model.name")

    assert [text for _, text in found.x.ticks] == ["0.01", "0.1"]
    assert [text for _, text in found.y.ticks] == ["16", "32", "64", "–"]
    mlp, cnn = found.panels
    assert (mlp.label, cnn.label, found.legend) == ("mlp", "cnn", "model.name")
    assert mlp.values[1][1] == np.mean(losses(study, optimizer__lr=0.1, model__width=32))
    assert mlp.n[1][1] == 3
    assert all(map(math.isnan, mlp.values[3]))
    assert all(math.isnan(value) for row in cnn.values[:3] for value in row)
    assert cnn.n[3] == (2, 3)


# ------------------------------------------------------------------ parallel


def test_axes_of_what_differs(study: Recorded) -> None:
    """Without `x` every key is an axis that differs between the runs; the last axis is y."""
    found = parallel(study, "plot parallel y = loss where optimizer.lr == 0.1")

    assert [axis.label for axis in found.axes] == ["model.name", "model.width", "seed", "loss"]
    (trace,) = found.traces
    assert len(trace.lines) == 12
    assert trace.lines[0] == (0.0, 16.0, 0.0, 0.0)
    assert math.isnan(trace.lines[-1][1])


def test_named_axes_and_traces(study: Recorded) -> None:
    """`x` is a list of axes; `by` gives colours, which are y's otherwise."""
    found = parallel(study, "plot parallel x = [optimizer.lr, seed], y = loss by model.name")

    assert [axis.label for axis in found.axes] == ["optimizer.lr", "seed", "loss"]
    assert [trace.label for trace in found.traces] == ["mlp", "cnn"]
    assert found.legend == "model.name"


def test_a_line_is_a_group(study: Recorded) -> None:
    """A function over runs makes a line of each group."""
    found = parallel(
        study, "group by optimizer.lr, model.name plot parallel x = [optimizer.lr, model.name], y = mean(loss)"
    )

    (trace,) = found.traces
    assert [line[:2] for line in trace.lines] == [(0.1, 0.0), (0.1, 1.0), (0.01, 0.0), (0.01, 1.0)]
    assert [len(runs) for runs in trace.runs] == [9, 3, 9, 3]


def test_an_empty_study_has_empty_figures(tmp_path: Path) -> None:
    """Before anything has run, each plot is there and empty."""
    study = project(tmp_path)

    assert points(study, "plot line x = optimizer.lr, y = duration").traces == ()
    assert boxes(study, "plot box y = duration").traces == ()
    assert parallel(study, "plot parallel y = duration").traces == ()
    assert points(study, "plot scatter x = seed, y = duration").traces == ()
    assert all(
        math.isnan(v)
        for row in heatmap(study, "plot heatmap x = seed, y = seed, z = duration").panels[0].values
        for v in row
    )
