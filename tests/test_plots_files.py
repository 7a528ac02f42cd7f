"""Figures to files: whole, the same bytes every time, and nothing in them that a user's name could break."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image
from plotting import STUDY, figure, log, project
from recorded import Recorded

from xpc.runtime.plots.draw import NoMatplotlibError, draw, svg
from xpc.runtime.plots.figure import (
    Axis,
    Boxes,
    BoxTrace,
    Figure,
    Heatmap,
    Panel,
    Parallel,
    ParallelTrace,
    Points,
    Trace,
)
from xpc.runtime.plots.scales import categories, numeric_axis, setting_axis
from xpc.runtime.plots.spread import make_box
from xpc.runtime.plots.terminal import text

PLOTS = {
    "line": 'title "Curves" plot line x = step, y = loss by optimizer.lr, model.name',
    "bar": "plot bar x = model.width, y = accuracy by optimizer.lr",
    "scatter": "plot scatter x = duration, y = loss by model.name",
    "groups": "group by model.name, seed plot scatter x = mean(duration) ± std(duration), y = mean(loss) ± ci95(loss)",
    "time": "plot scatter x = started, y = loss",
    "box": "plot box x = model.name, y = loss by optimizer.lr",
    "heatmap": "plot heatmap x = optimizer.lr, y = model.width, z = loss by model.name",
    "parallel": "plot parallel y = loss",
    "colours": "plot parallel y = loss by model.name",
}
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(name="study", scope="module")
def _study(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    study = project(tmp_path_factory.mktemp("study"))
    for row in range(study.tables["train"].count):
        losses = [1 / (1 + step * (row + 1) / 30) for step in range(40)]
        log(study, row, steps=range(40), loss=losses, accuracy=[1 - v for v in losses], duration=50.0 + 10 * row)
    return study


def texts(drawn: str) -> list[str]:
    return ["".join(element.itertext()).strip() for element in ElementTree.fromstring(drawn).iter(f"{SVG}text")]  # noqa: S314  # we drew it


@pytest.mark.parametrize("name", PLOTS)
def test_png(study: Recorded, name: str) -> None:
    """It opens, is as wide as a column of print at 200 dots an inch, has ink, and says nothing of when it was made."""
    data = draw(figure(study, PLOTS[name]), "png")

    image = Image.open(io.BytesIO(data))
    image.load()
    assert 600 < image.width < 3000
    assert 400 < image.height < 1600
    assert len(image.convert("RGB").getcolors(10**7) or []) > 10
    assert "Software" not in image.info
    assert not any("date" in key.lower() or "time" in key.lower() for key in image.info)


@pytest.mark.parametrize("name", PLOTS)
def test_svg(study: Recorded, name: str) -> None:
    """It is well-formed, its texts are texts, and it names no date, no program of other people and no script."""
    drawn = svg(figure(study, PLOTS[name]))

    found = texts(drawn)
    assert len(found) > 3
    assert all(found)
    assert "<dc:date>" not in drawn
    assert "<script" not in drawn
    assert drawn == svg(figure(study, PLOTS[name]))


def test_labels_of_curves(study: Recorded) -> None:
    """Title, axes, and a legend with what the traces are by."""
    found = texts(svg(figure(study, PLOTS["line"])))

    assert {"Curves", "step", "loss", "optimizer.lr, model.name", "0.1, mlp", "0.01, cnn"} <= set(found)


def test_a_file_says_what_it_shows(study: Recorded) -> None:
    """In the words of its axes, with what its errors are."""
    drawn = figure(study, PLOTS["line"])
    said = "line: loss over step by optimizer.lr, model.name. Errors: standard deviation."

    assert f"<dc:description>{said}</dc:description>" in svg(drawn)
    assert Image.open(io.BytesIO(draw(drawn, "png"))).info["Description"] == said
    assert Image.open(io.BytesIO(draw(drawn, "png"))).info["Title"] == "Curves"


def test_counts_below_boxes(study: Recorded) -> None:
    """Each place says how many values its boxes have."""
    assert {"n = 9", "n = 3"} <= set(texts(svg(figure(study, PLOTS["box"]))))


def test_pdf(study: Recorded) -> None:
    """It is one, without dates."""
    data = draw(figure(study, PLOTS["line"]), "pdf")

    assert data.startswith(b"%PDF-")
    assert data.rstrip().endswith(b"%%EOF")
    assert b"CreationDate" not in data
    assert data == draw(figure(study, PLOTS["line"]), "pdf")


DRAW = """
import hashlib
from xpc.runtime.plots.draw import draw
from xpc.runtime.plots.figure import Axis, Points, Trace
traces = tuple(Trace(f"t{i}", (1.0, 2.0), (1.0, i + 1.0), (0.5, 0.5), (2.0, 2.0), n=(2, 2)) for i in range(9))
figure = Points("line", Axis("x"), Axis("y"), traces, "t")
print([hashlib.sha256(draw(figure, format)).hexdigest() for format in ("svg", "png", "pdf")])
"""


def test_every_process_draws_the_same_bytes() -> None:
    """Neither hash seeds nor times nor users' settings of matplotlib are in a file."""
    found = {
        subprocess.run(
            [sys.executable, "-c", DRAW],
            env={**os.environ, "PYTHONHASHSEED": seed, "SOURCE_DATE_EPOCH": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }

    assert len(found) == 1


EVIL = ("<script>alert(1)</script>", "$\\alpha_{", "a & b", "%s {x} \\n", '"; --', "名前 ±", "$x$")


@pytest.mark.parametrize("name", EVIL)
@pytest.mark.parametrize("format", ["svg", "png", "pdf"])
def test_names_are_neither_formulas_nor_markup(name: str, format: str) -> None:
    """A metric, a group and a title may be called anything: what was written is what is shown."""
    trace = Trace(name, (1.0, 2.0), (1.0, 3.0), n=(1, 1))
    other = Trace("other", (1.0, 2.0), (2.0, 3.0), n=(1, 1))
    drawn = draw(
        Points("line", Axis(name, ticks=((1.0, name),)), Axis("y", name), (trace, other), name, title=name), format
    )

    if format == "svg":
        found = texts(drawn.decode())
        assert found.count(name) >= 5 - (name not in found)
        assert b"<script" not in drawn


def test_control_characters_are_shown() -> None:
    """They would break an SVG; a reader sees that they are there."""
    trace = Trace("a\x00b", (1.0, 2.0), (1.0, 3.0), n=(1, 1))
    other = Trace("c\x1b[31m\ud800", (1.0, 2.0), (2.0, 3.0), n=(1, 1))

    found = texts(svg(Points("line", Axis("x\x07"), Axis("y"), (trace, other), "t", title="\x02")))

    assert {"a␀b", "c␛[31m\ufffd", "x␇", "␂"} <= set(found)


def test_long_names_are_cut_and_stay_apart() -> None:
    """Names that differ in their middle alone are cut less."""
    names = [f"{'a' * 30}{i}{'b' * 30}" for i in range(2)]
    traces = tuple(Trace(name, (1.0, 2.0), (1.0, 3.0), n=(1, 1)) for name in names)

    found = [text for text in texts(svg(Points("line", Axis("x"), Axis("y"), traces, "t"))) if text.startswith("aa")]

    assert len(set(found)) == 2
    assert all(len(text) < 61 or text in names for text in found)


@pytest.mark.parametrize(
    "values",
    [[1e100, -1e100], [1e-100, 1e100], [0.0], [3.0, 3.0], [1e-12, 1e-3], [123456789.123, 123456789.124]],
    ids=str,
)
def test_numbers_of_any_size(values: list[float]) -> None:
    """The largest and the smallest that are drawn, all alike, one alone, nearly alike."""
    places = tuple(map(float, range(len(values))))
    category, measured = categories("x", list(places))[0], numeric_axis("y", values)
    bounds = tuple(values)
    trace = Trace("t", places, bounds, bounds, bounds, n=(1,) * len(values))
    once = (1,) * len(values)
    figures: list[Figure] = [
        Points("line", setting_axis("x", places), measured, (trace, trace)),
        Points("bar", category, measured, (trace, trace)),
        Boxes(category, measured, (BoxTrace("t", (make_box(0.0, values),)),)),
        Heatmap(category, categories("y", [1])[0], measured, (Panel("p", (bounds,), (once,)),)),
        Parallel((measured, measured), (ParallelTrace("", tuple((v, v) for v in values), (("id",),) * len(values)),)),
    ]

    for drawn in figures:
        assert len(texts(svg(drawn))) > 1
        assert text(drawn)


def test_an_empty_figure_is_a_file() -> None:
    """Before anything has run."""
    assert svg(Points("line", Axis("step"), Axis("loss"), (), "t")).startswith("<?xml")


def test_without_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error is the line that installs it."""
    monkeypatch.setitem(sys.modules, "matplotlib", None)

    with pytest.raises(NoMatplotlibError, match=r'pip install "xpc\[plot\]"'):
        svg(Points("line", Axis("x"), Axis("y"), ()))


def test_nobody_pays_for_matplotlib_who_draws_no_file(tmp_path: Path) -> None:
    """The data of a plot and a plot on the terminal are made without it."""
    study = project(tmp_path, STUDY)
    log(study, 0, steps=[0, 1], loss=[1.0, 0.5])
    code = (
        "import sys; from xpc.cli import main; sys.argv[1:] = ['plot', 'line x = step, y = loss']\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code\n"
        "assert not {'matplotlib', 'pandas'} & set(sys.modules), 'too much is imported'"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True)
