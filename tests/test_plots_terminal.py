"""Figures to text: golden pictures in tests/plots (UPDATE_GOLDEN=1 writes them anew), and what holds for all."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from plotting import figure, log, project
from recorded import Recorded

from xpc.grammar.screen import columns
from xpc.runtime.plots.figure import Axis, Points, Trace
from xpc.runtime.plots.terminal import text
from xpc.runtime.plots.ticks import linear_ticks, log_ticks

GOLDEN = Path(__file__).parent / "plots"
PLOTS = {
    "curves": 'title "Curves" plot line x = step, y = loss by optimizer.lr, model.name where model.width is null',
    "setting": "plot line x = model.width, y = mean(accuracy) ± ci95(accuracy) by optimizer.lr where model.width > 0",
    "scatter": "plot scatter x = duration, y = loss by model.name",
    "bars": "plot bar x = model.width, y = accuracy by optimizer.lr",
    "below_zero": "plot bar x = model.name, y = mean(loss - 0.1)",
    "boxes": "plot box x = model.name, y = loss by optimizer.lr",
    "heatmap": "plot heatmap x = optimizer.lr, y = model.width, z = loss by model.name",
    "parallel": "plot parallel y = loss by model.name",
}


@pytest.fixture(name="study", scope="module")
def _study(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """Every run is done but the last, which goes on."""
    study = project(tmp_path_factory.mktemp("study"))
    last = study.tables["train"].count - 1
    for row in range(last + 1):
        losses = [1 / (1 + step * (row + 1) / 30) for step in range(40)]
        accuracies = [0.99 - value for value in losses]
        state = "done" if row < last else None
        log(study, row, state, steps=range(40), loss=losses, accuracy=accuracies, duration=50.0 + 10 * row)
    return study


@pytest.mark.parametrize("unicode", [True, False], ids=["unicode", "ascii"])
@pytest.mark.parametrize("name", PLOTS)
def test_pictures(study: Recorded, name: str, unicode: bool) -> None:
    """Each kind looks as it looked."""
    found = text(figure(study, PLOTS[name]), 80, unicode=unicode) + "\n"
    golden = GOLDEN / f"{name}{'' if unicode else '.ascii'}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(found, encoding="utf-8")

    assert found == golden.read_text(encoding="utf-8")
    assert unicode or found.isascii()


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("name", PLOTS)
def test_no_line_is_too_wide(study: Recorded, name: str, width: int) -> None:
    """What does not fit is cut, or goes below."""
    drawn = text(figure(study, PLOTS[name]), width)

    assert max(columns(line) for line in drawn.splitlines()) <= width


@pytest.mark.parametrize("name", PLOTS)
def test_colour_adds_nothing_but_colour(study: Recorded, name: str) -> None:
    """Without its colours a picture is the one without colours: letters tell the traces apart."""
    drawn = figure(study, PLOTS[name])

    coloured = text(drawn, 80, colour=True)

    assert re.sub(r"\x1b\[\d*m", "", coloured) == text(drawn, 80)


def test_before_anything_has_run(tmp_path: Path) -> None:
    found = text(figure(project(tmp_path), "plot box y = duration"))

    assert found.splitlines()[0] == "Nothing to plot: no run has the values yet."


def test_a_terminal_obeys_no_name() -> None:
    """Control characters of labels are shown, not sent."""
    trace = Trace("\x1b[2J", (0.0, 1.0), (0.0, 1.0), n=(1, 1))
    found = text(Points("line", Axis("a\x07"), Axis("b\n"), (trace, trace), "k\x1b", title="\x1b]0;x"))

    assert "\x1b" not in found
    assert "\x07" not in found
    assert "␛[2J" in found


@example([2.225073858507e-311], "bar")
@example([0.0, 5e-324], "line")
@given(st.lists(st.floats(-1e12, 1e12), min_size=1, max_size=6), st.sampled_from(["line", "scatter", "bar"]))
def test_any_numbers(values: list[float], kind: str) -> None:
    """Whatever the values are, there is a picture of the width that was asked for."""
    places = tuple(map(float, range(len(values))))
    ticks = tuple((x, f"{x:g}") for x in places)
    trace = Trace("t", places, tuple(values), n=(1,) * len(values))
    drawn = text(Points(kind, Axis("x", scale="category", ticks=ticks), Axis("y"), (trace, trace)), 80)  # type: ignore[arg-type]

    assert max(columns(line) for line in drawn.splitlines()) <= 80


@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e9), st.integers(2, 10))
def test_ticks_of_a_range(low: float, width: float, most: int) -> None:
    """They are inside, in order, and no more than asked for."""
    high = low + width
    found = linear_ticks(low, high, most)

    assert len(found) <= most
    assert found == sorted(set(found))
    assert all(low - width * 1e-6 <= tick <= high + width * 1e-6 for tick in found)


@given(st.floats(1e-12, 1e12), st.floats(1.01, 1e12), st.integers(2, 10))
def test_ticks_of_a_logarithmic_range(low: float, ratio: float, most: int) -> None:
    found = log_ticks(low, low * ratio, most)

    assert 1 <= len(found) <= most + 1
    assert found == sorted(set(found))
    assert all(low * (1 - 1e-6) <= tick <= low * ratio * (1 + 1e-6) for tick in found)


def test_round_ticks() -> None:
    assert linear_ticks(0, 1, 6) == [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    assert linear_ticks(0, 14, 6, whole=True) == [0, 5, 10]
    assert linear_ticks(0.83, 0.97, 6) == [0.85, 0.875, 0.9, 0.925, 0.95]
    assert log_ticks(1e-4, 1, 6) == [1e-4, 1e-3, 1e-2, 1e-1, 1]
    assert log_ticks(0.02, 0.9, 6) == [0.02, 0.05, 0.1, 0.2, 0.5]
