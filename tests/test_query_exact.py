"""Every number is right: large integers, infinities, noise, empty groups, single runs."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded import Recorded, half_finished, series

from xpc.runtime.query import aggregates
from xpc.runtime.query.result import Result, ResultColumn
from xpc.runtime.tables import FORMATS, render

BIG = 2**53 + 1
WIDE = """
grid sweep:
    size in [9007199254740993, 9007199254740995, 9007199254740997]
    shape in [[1, 2], [1, 2, 3]]

experiment train:
    grid sweep
    run "python train.py"
    metric loss minimize
"""


def one(study: Recorded, text: str) -> dict[str, object]:
    (found,) = study.ask(text).records()
    return found


# ------------------------------------------------------------------ formulas


@settings(deadline=None)
@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=20))
def test_integers_are_exact(values: list[int]) -> None:
    """Sums are exact; means, variances and medians are the nearest float to the exact value."""
    count = len(values)
    exact = Fraction(sum(values), count)

    assert aggregates.total(values) == sum(values)
    assert aggregates.mean(values) == float(exact)
    if count > 1:
        wanted = sum((value - exact) ** 2 for value in values) / (count - 1)
        assert aggregates.variance(values) == float(wanted)
        assert aggregates.deviation(values) == pytest.approx(math.sqrt(wanted), rel=1e-15)
    ordered = sorted(values)  # the middle itself is exact, what lies between two is the nearest float
    middle = Fraction(ordered[(count - 1) // 2] + ordered[count // 2], 2)
    found = aggregates.median(values)
    is_value = count % 2 == 1 or ordered[count // 2 - 1] == ordered[count // 2]
    assert found == (middle if is_value else float(middle))


FLOATS = st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20)


@settings(deadline=None)
@given(FLOATS)
def test_means_of_floats_are_nearest(values: list[float]) -> None:
    """A mean is exact but for one rounding of the sum and one of the division, however large the numbers are."""
    exact = sum(map(Fraction, values)) / len(values)
    found = aggregates.mean(values)

    assert found is not None
    assert math.isfinite(found)
    assert abs(Fraction(found) - exact) <= abs(exact) * Fraction(1, 2**51) + Fraction(5e-324) * len(values) * 2


@settings(deadline=None)
@given(FLOATS.filter(lambda values: len(values) > 1))
def test_deviations_of_floats(values: list[float]) -> None:
    """Neither an offset nor a scale costs digits; only what no float can be is infinite."""
    mean = sum(map(Fraction, values)) / len(values)
    exact = sum((value - mean) ** 2 for value in map(Fraction, values)) / (len(values) - 1)
    found = aggregates.deviation(values)

    assert found is not None
    spread = max(abs(Fraction(v) - mean) for v in values)
    if spread < Fraction(10) ** 307:
        assert abs(Fraction(found) ** 2 - exact) <= exact * Fraction(1, 10**9) + Fraction(float(mean) * 2**-50) ** 2 + (
            Fraction(1, 10**300)
        )


@settings(deadline=None)
@given(FLOATS, st.floats(0, 1))
def test_quantiles_lie_among_the_values(values: list[float], q: float) -> None:
    """They are numpy's; never outside of the values, and not lost where numbers are too large to be subtracted."""
    found = aggregates.quantile(values, q)

    assert found is not None
    assert (
        min(values) <= found <= max(values)
        or found == pytest.approx(min(values))
        or found == pytest.approx(max(values))
    )
    if max(map(abs, values)) < 1e300:
        with np.errstate(all="ignore"):
            assert found == pytest.approx(float(np.quantile(values, q)), rel=1e-9, abs=1e-9 * max(map(abs, values)))


def test_sums_that_leave_the_floats() -> None:
    """A mean does not overflow because its sum does; infinities are numbers, and have no deviation."""
    assert aggregates.mean([1.7e308, 1.7e308]) == 1.7e308
    assert aggregates.deviation([1e200, 3e200]) == pytest.approx(math.sqrt(2) * 1e200)
    assert aggregates.deviation([1e-200, 3e-200]) == pytest.approx(math.sqrt(2) * 1e-200)
    assert aggregates.quantile([-1.7e308, 1.7e308], 0.5) == 0.0
    assert aggregates.quantile([math.inf, math.inf], 0.5) == math.inf
    assert aggregates.bootstrap([1.0, math.inf]) is None
    assert math.isnan(aggregates.deviation([1.0, math.inf]) or 0.0)
    assert math.isnan(aggregates.deviation([math.inf, math.inf]) or 0.0)


@settings(deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(2, 9))
def test_equal_values_do_not_deviate(value: float, count: int) -> None:
    """Not even by the rounding of their mean."""
    assert [aggregates.NUMERIC[name]([value] * count) for name in ("var", "std", "sem", "ci95")] == [0.0] * 4
    assert aggregates.median([value] * count) == value


def test_integers_that_no_float_comes_near() -> None:
    """Their squares are no floats; sums and means are as exact as ever."""
    values = [2**900, 2**900 + 2**880, 3 * 2**899]

    assert aggregates.total(values) == sum(values)
    assert aggregates.mean(values) == pytest.approx(float(Fraction(sum(values), 3)))
    assert aggregates.deviation(values) == pytest.approx(np.std([v / 2**899 for v in values], ddof=1) * 2.0**899)
    assert aggregates.variance(values) == math.inf


def test_an_offset_costs_no_digits() -> None:
    """The deviation of a million and a bit is that of the bits."""
    offset = 1e15
    values = [offset + bit for bit in (0.0, 0.25, 0.5, 1.0)]

    assert aggregates.deviation(values) == pytest.approx(np.std([0.0, 0.25, 0.5, 1.0], ddof=1), rel=1e-12)


def test_bootstrap_does_not_see_the_order() -> None:
    """The same values give the same interval; a single value is its own."""
    values = [0.1, 0.5, 0.2, 0.9, 0.4]

    assert aggregates.bootstrap(values) == aggregates.bootstrap(sorted(values, reverse=True))
    assert aggregates.bootstrap([BIG]) == [float(BIG), float(BIG)]


# ------------------------------------------------------------------ through the language


def test_integers_beyond_two_to_the_53(tmp_path: Path) -> None:
    """A key keeps its digits: in rows, groups, conditions, sums, JSON, CSV and DataFrames."""
    study = Recorded(tmp_path, WIDE)
    found = study.ask("from train group by size show count() as n, sum(size) as total, max(size) as most")

    assert [row["size"] for row in found.records()] == [BIG, BIG + 2, BIG + 4]
    assert [row["total"] for row in found.records()] == [2 * BIG, 2 * BIG + 4, 2 * BIG + 8]
    assert study.ask(f"from train where size == {BIG} show id").size == 2
    assert study.ask(f"from train where size > {BIG} and size < {BIG + 4} show id").size == 2
    assert one(study, f"from train where size == {BIG + 2} show median(size) as m") == {"m": BIG + 2}
    assert one(study, "from train show size + 1 as more, size * 1000 as far limit 1") == {
        "more": BIG + 1,
        "far": 1000 * BIG,
    }
    assert json.loads(render(found, "json"))[0]["size"] == BIG
    assert render(found, "csv").splitlines()[1] == f"{BIG},2,{2 * BIG},{BIG}"
    assert int(found.frame()["size"][0]) == BIG
    assert "9007199254740993" in render(found, "table")


def test_frames_keep_large_integers_beside_nulls() -> None:
    """Where a float would change a value, the column holds Python's own integers."""
    columns = (
        ResultColumn("a", [BIG, None]),
        ResultColumn("b", [2**70, 1]),
        ResultColumn("c", [BIG, 0.5]),
        ResultColumn("d", [3, None]),
    )
    frame = Result(columns=columns, size=2, total=2, grouped=False).frame()

    assert [frame[name][0] for name in "abc"] == [BIG, 2**70, BIG]
    assert [str(kind) for kind in frame.dtypes] == ["Int64", "object", "object", "float64"]


def test_infinities_and_nan(tmp_path: Path) -> None:
    """An infinite loss is a number like others; NaN is null, and counted."""
    study = Recorded(tmp_path)
    for row, value in enumerate([1.0, "Infinity", "NaN", 3.0, "-Infinity", 2.0]):
        study.write(row, metrics=[{"loss": value}])
    text = "from train where optimizer.lr == 0.1 show "
    result = study.ask(text + "mean(loss) as m, max(loss) as x, min(loss) as i, median(loss) as q, count(loss) as n")

    assert result.records() == [{"m": None, "x": math.inf, "i": -math.inf, "q": 2.0, "n": 5}]
    assert result.missing == {"loss": 1}
    assert json.loads(render(result, "json"))[0]["x"] is None
    assert render(result, "csv").splitlines()[1] == ",inf,-inf,2.0,5"
    up = [row["loss"] for row in study.ask("from train sort by loss show loss limit 7").records()]
    assert up == [-math.inf, 1.0, 2.0, 3.0, math.inf, None, None]
    for format in FORMATS:
        assert "nan" not in render(result, format).lower()


def test_groups_of_one_and_of_none(tmp_path: Path) -> None:
    """One run has a mean and no deviation; a group without a value has neither, and says so."""
    study = Recorded(tmp_path)
    study.write(0, metrics=[{"loss": 0.5}])
    study.write(6, metrics=[{"other": 0.5}])
    text = "from train where status == done group by optimizer.lr show mean(loss) ± ci95(loss) as l, std(loss), "
    result = study.ask(text + "bootstrap95(loss) as b, iqm(loss) as iqm, unique(loss) as u, count(loss) as n")

    assert result.records()[0] == {
        "optimizer.lr": 0.1, "l": 0.5, "l_err": None, "std(loss)": None, "b": [0.5, 0.5], "iqm": 0.5, "u": [0.5],
        "n": 1,
    }  # fmt: skip
    assert result.records()[1] == {
        "optimizer.lr": 0.01, "l": None, "l_err": None, "std(loss)": None, "b": None, "iqm": None, "u": [], "n": 0,
    }  # fmt: skip
    assert result.missing == {"loss": 1}
    assert study.ask("from train where seed > 5 group by seed show mean(loss)").size == 0


def test_constants_are_rounded_as_in_an_experimentfile(tmp_path: Path) -> None:
    """`0.1 * 3 == 0.3`, and a range of powers holds its values; what runs logged keeps all its digits."""
    study = Recorded(tmp_path)
    study.write(0, metrics=[{"loss": 0.1}])

    assert one(study, "from train show 0.1 * 3 as x, optimizer.lr * 3 as y, loss * 3 as z limit 1") == {
        "x": 0.3,
        "y": 0.3,
        "z": 0.1 * 3,
    }
    assert study.ask("from train where optimizer.lr in geomspace(0.001, 0.1, 3) show id").size == 12
    assert study.ask("from train where seed in range(1, 3) show id").size == 8
    assert study.ask("from train where optimizer.lr in linspace(0, 0.1, 11) show id").size == 12
    assert study.ask("from train where optimizer.lr in logspace(-2, -1, 2) show id").size == 12
    text = "from train show range(0) as a, range(10 ** 12) as b, range(0.5) as c, range(3, 0, -1) as d limit 1"
    assert one(study, text) == {
        "a": [], "b": None, "c": None, "d": [3, 2, 1],
    }  # fmt: skip


RUNAWAYS = [
    "10 ** 10 ** 10", "(9 ** 4096) ** 4096", "2 ** 999 * 2 ** 999", "round(5, -10 ** 12)", "round(1.5, 10 ** 12)",
    "log(-1)", "1 / 0", "1 % 0", "exp(1000)", "(0 - 8) ** 0.5", 'int("x")', "geomspace(0, 1, 3)", "range(1, 2, 0)",
    "floor(1e308) * 2", "2 ** 999 * 4",
    "linspace(0, 1, 10 ** 9)", 'float("nan")', "2.0 ** 5000",
]  # fmt: skip


@pytest.mark.parametrize("text", RUNAWAYS)
def test_what_has_no_result_is_null(tmp_path: Path, text: str) -> None:
    """Nothing runs away, and nothing is an exception."""
    value = one(Recorded(tmp_path), f"from train show {text} as x limit 1")["x"]

    assert value is None or value in (0, 1.5)


def test_lists_and_missing_keys_in_groups(tmp_path: Path) -> None:
    """A list is a key like others; runs that lack a key are a group of their own, which is null."""
    text = WIDE.replace("    shape in", "    if size == 9007199254740993:\n        new depth in [1, 2]\n    shape in")
    study = Recorded(tmp_path, text)

    assert study.ask("from train group by shape show count() as n").records() == [
        {"shape": [1, 2], "n": 4},
        {"shape": [1, 2, 3], "n": 4},
    ]
    assert study.ask("from train group by depth show count() as n sort by depth desc").records() == [
        {"depth": 2, "n": 2},
        {"depth": 1, "n": 2},
        {"depth": None, "n": 4},
    ]
    assert study.ask("from train where shape == [1, 2] show id").size == 4
    assert study.ask("from train where shape[2] == 3 show id").size == 4
    assert study.ask("from train where len(shape) == 2 show id").size == 4
    assert [
        row["shape"] for row in study.ask("from train group by shape sort by shape desc show count()").records()
    ] == [
        [1, 2, 3],
        [1, 2],
    ]


def test_groups_by_what_runs_recorded(tmp_path: Path) -> None:
    """States, metrics, fields and ancestors' keys make groups; what a run lacks is null."""
    study = half_finished(tmp_path)

    assert study.ask("from train group by status show count() as n").records() == [
        {"status": "done", "n": 8},
        {"status": "running", "n": 1},
        {"status": "failed", "n": 2},
        {"status": "planned", "n": 1},
    ]
    assert [row["exit"] for row in study.ask("from train group by exit show count()").records()] == [0, None, 1]
    assert [
        tuple(r.values()) for r in study.ask("from evaluate group by train.status show count() as n").records()
    ] == [
        ("done", 8),
        ("running", 1),
        ("failed", 2),
        ("planned", 1),
    ]
    assert study.ask("from train group by loss > 0.62 show count() as n").records() == [
        {"loss > 0.62": False, "n": 6},
        {"loss > 0.62": True, "n": 6},
    ]


def test_ragged_series(tmp_path: Path) -> None:
    """Series of different lengths and steps: each reducer has what it asks for, or null."""
    study = Recorded(tmp_path)
    study.write(0, metrics=series("loss", [3.0, 2.0, 1.0], [0, 5, 10]))
    study.write(1, metrics=series("loss", [4.0], [5]))
    study.write(2, metrics=[{"other": 1}])
    study.write(3, metrics=[{"loss": "NaN"}, {"loss": "NaN"}])
    text = "from train where optimizer.lr == 0.1 and status == done show loss, loss.at(5) as a, loss.at(10) as b, "
    found = study.ask(text + "loss.tail(2) as t, loss.count as n, loss.auc as u, loss.argmin as i").records()

    assert [tuple(row.values()) for row in found] == [
        (1.0, 2.0, 1.0, 1.5, 3, 20.0, 10),
        (4.0, 4.0, None, 4.0, 1, 0.0, 5),
        (None, None, None, None, None, None, None),
        (None, None, None, None, 2, None, None),
    ]
