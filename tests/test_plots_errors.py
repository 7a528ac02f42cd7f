"""What is said of plots with mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest
from plotting import STUDY, faults, log, project
from recorded import Recorded

from xpc.runtime.plots.scales import scale_of


@pytest.fixture(name="study", scope="module")
def _study(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    study = project(tmp_path_factory.mktemp("study"))
    log(study, 0, steps=[0, 1], loss=[1.0, 0.5])
    return study


def test_an_unknown_name(study: Recorded) -> None:
    """It is that of a query, with caret and nearest name."""
    assert faults(study, "plot line x = step, y = los by optimzer.lr") == (
        "error[XQ003]: no run has a metric or key `los`\n"
        "  plot line x = step, y = los by optimzer.lr\n"
        "                          ^^^\n"
        "help: did you mean `loss`?\n"
        "\n"
        "error[XQ003]: no run has a metric or key `optimzer.lr`\n"
        "  plot line x = step, y = los by optimzer.lr\n"
        "                                 ^^^^^^^^^^^\n"
        "help: did you mean `optimizer.lr`?\n"
    ).rstrip("\n")


def test_an_unknown_experiment(study: Recorded) -> None:
    assert "XQ005" in faults(study, "from trian plot line x = step, y = loss")


def test_a_wrong_condition_is_said_once(study: Recorded) -> None:
    """Also where the table is asked for its rows."""
    found = faults(study, "where los > 1 group by seed show count() as n limit 3 plot line x = step, y = loss")

    assert found.count("error[") == 1


def test_no_value_at_each_step(study: Recorded) -> None:
    """A reduced metric has one value a run."""
    assert faults(study, "plot line x = step, y = loss.min") == (
        "error[XQ031]: this has no value at each step\n"
        "  plot line x = step, y = loss.min\n"
        "                          ^^^^^^^^\n"
        "help: a metric has steps where it is named without a reducer: `y = loss`"
    )


def test_an_ancestors_series(tmp_path: Path) -> None:
    """Its steps are drawn from its own runs, and so it is told."""
    study = project(tmp_path / "study", STUDY + '\nexperiment evaluate:\n    after train\n    run "true"\n')
    log(study, 0, steps=[0, 1], loss=[1.0, 0.5])
    assert faults(study, "from evaluate plot line x = step, y = train.loss") == (
        "error[XQ031]: this has no value at each step\n"
        "  from evaluate plot line x = step, y = train.loss\n"
        "                                        ^^^^^^^^^^\n"
        "help: the steps are those of `train`: `from train`, and `y = loss`"
    )


def test_texts_are_not_measured(study: Recorded) -> None:
    assert faults(study, "plot bar x = seed, y = model.name") == (
        "error[XQ007]: a plot measures numbers, and this is a text\n"
        "  plot bar x = seed, y = model.name\n"
        "                         ^^^^^^^^^^ text"
    )


def test_a_spread_takes_functions(study: Recorded) -> None:
    assert faults(study, "plot line x = step, y = loss ± 0.1") == (
        "error[XQ016]: each side of a `±` is a function over runs\n"
        "  plot line x = step, y = loss ± 0.1\n"
        "                          ^^^^^^^^^^\n"
        "help: write `y = mean(loss) ± std(loss)`"
    )


@pytest.mark.parametrize(
    ("text", "message", "help"),
    [
        ("plot lines x = step, y = loss", "there is no plot `lines`", "did you mean `line`?"),
        ("plot pie x = seed, y = loss", "there is no plot `pie`", "there is `line`, `scatter`, `bar`"),
        ("plot heatmap x = seed, y = seed", "`plot heatmap` lacks `z`", "write it as `plot heatmap x ="),
        ("plot bar x = seed, z = seed", "`plot bar` has no `z`", "write it as `plot bar x ="),
        ("plot bar x = seed, x = seed, y = loss", "`x` is given twice", "write one `x`"),
    ],
)
def test_the_form_of_a_plot(study: Recorded, text: str, message: str, help: str) -> None:
    """Each kind has its channels; what is wrong is said once."""
    found = faults(study, text)

    assert found.startswith(f"error[XQ030]: {message}\n")
    assert f"help: {help}" in found
    assert found.count("error[") == 1


def test_a_report_is_checked_before_anything_runs(tmp_path: Path) -> None:
    """The form of a plot is no matter of the records: `xpc check` sees it."""
    from xpc.cli.session import Session

    (tmp_path / "Experimentfile").write_text(
        'report r:\n    title "x"\n    title "y"\n    plot lien x = step, y = loss\n'
    )
    session = Session(tmp_path)
    session.check()

    assert [d.code for d in session.diagnostics.sorted()] == ["XQ002", "XQ030"]


@pytest.mark.parametrize(
    ("values", "scale"),
    [
        ([0.1, 0.01, 0.001], "log"),
        ([0.3, 0.1, 0.03, 0.01], "log"),
        ([16, 32, 64], "log"),
        ([1, 2, 5, 10, 20], "log"),
        ([1e-5, 1e-3], "log"),
        ([1, 2, 3, 4, 5], "linear"),
        ([10, 20, 30], "linear"),
        ([1, 2, 3, 5], "linear"),
        ([0, 1, 10, 100], "linear"),
        ([-1, 1, 10, 100], "linear"),
        ([5], "linear"),
        ([], "linear"),
        ([10**-i for i in range(20)], "log"),
        (list(range(1, 500)), "linear"),
    ],
)
def test_logarithmic_where_values_are_spaced_geometrically(values: list[float], scale: str) -> None:
    assert scale_of(map(float, values)) == scale
