"""Runs beside a baseline: `diff`, `ratio`, `p_value`, how runs are paired, and what is told of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded import Recorded
from scipy import stats

from xpc.cli.session import Session
from xpc.runtime.query.wilcoxon import difference, p_value
from xpc.runtime.tables import render

STUDY = """
grid sweep:
    method in ["base", "ours", "other"]
    data in ["a", "b"]
    seed in range(5)

experiment train:
    grid sweep
    run "python train.py"
    metric loss minimize
"""
SHOWN = 'show diff(loss, baseline = (method == "base")) as d, ratio(loss, baseline = (method == "base")) as r, '
SHOWN += 'p_value(loss, baseline = (method == "base")) as p, count() as n'


def loss(method: str, data: str, seed: int) -> float:
    return {"base": 1.0, "ours": 0.75, "other": 1.5}[method] + (data == "b") * 4.0 + seed * seed / 64


def finished(folder: Path, text: str = STUDY) -> Recorded:
    study = Recorded(folder, text)
    table = study.tables["train"]
    for row in range(table.count):
        values = {".".join(path): value for path, value in table.values(row).items()}
        study.write(row, metrics=[{"loss": loss(values["method"], values["data"], values["seed"])}])  # type: ignore[arg-type]
    return study


# ------------------------------------------------------------------ pairs


def test_past_runs_are_paired_by_keys_that_the_grid_has_lost(tmp_path: Path) -> None:
    """`with past` compares runs as it did while the study asked for all of them."""
    study = finished(tmp_path)
    query = f"from train group by method, data {SHOWN} with past"
    before = study.ask(query).records()
    base = 'config base:\n    method = "base"\n    data = "a"\n    seed = 0\n'
    text = STUDY.replace('    data in ["a", "b"]\n', "")
    text = text.replace("    grid sweep\n", "    config base\n    grid sweep\n")
    (tmp_path / "Experimentfile").write_text(base + text)
    study.tables = Session(tmp_path).tables

    after = study.ask(query)

    assert study.tables["train"].count == 15
    assert [comparison.by for comparison in after.comparisons] == [["seed", "data"]]
    assert {(row["method"], row["data"]): row["d"] for row in after.records()} == {
        (row["method"], row["data"]): row["d"] for row in before
    }
    assert len(after.records()) == 6


def test_runs_are_paired_by_what_varies_in_the_baseline(tmp_path: Path) -> None:
    """Each run is compared with the baseline's of the same data and seed; the baseline with itself has no p-value."""
    found = finished(tmp_path).ask(f"from train group by method {SHOWN}").records()
    pairs = [(loss("base", data, seed), loss("ours", data, seed)) for data in "ab" for seed in range(5)]

    assert [row["method"] for row in found] == ["base", "ours", "other"]
    assert [row["d"] for row in found] == [0.0, -0.25, 0.5]
    assert found[0]["r"] == 1.0
    assert found[1]["r"] == pytest.approx(sum(own / base for base, own in pairs) / 10, rel=1e-15)
    assert found[0]["p"] is None
    assert found[1]["p"] == pytest.approx(2 / 2**10)


def test_the_baseline_is_found_before_where(tmp_path: Path) -> None:
    """What `where` leaves out can still be compared with."""
    (found,) = finished(tmp_path).ask(f'from train where method == "ours" and data == "b" {SHOWN}').records()

    assert (found["d"], found["n"]) == (-0.25, 5)


def test_a_condition_on_the_state_holds_for_the_baseline(tmp_path: Path) -> None:
    """Nobody is compared with half a run: a run whose partner failed is left out, and counted."""
    study = finished(tmp_path)
    study.write(study.row(method="base", data="a", seed=3), "failed", metrics=[{"loss": 99.0}])
    result = study.ask(f'from train where status == done and method == "ours" {SHOWN}')

    assert result.records()[0]["d"] == -0.25
    assert render(result, "table").splitlines()[-1] == (
        'Baseline `method == "base"`: 9 runs, paired by data, seed; 1 run left out for want of a partner; '
        "p-values are of the two-sided Wilcoxon signed-rank test."
    )
    cell = result.provenance(0).cells["d"]
    assert (cell.n, len(cell.baseline), [run.id for run in cell.unpaired]) == (
        9,
        9,
        [study.tables["train"].id(study.row(method="ours", data="a", seed=3))],
    )


def test_without_a_condition_on_the_state_undone_runs_of_the_baseline_are_told(tmp_path: Path) -> None:
    """They have values, so they are compared with; the line below says how many there are."""
    study = finished(tmp_path)
    study.write(study.row(method="base", data="a", seed=3), "failed", metrics=[{"loss": 1.0}])
    result = study.ask('from train group by method show diff(loss, baseline = (method == "base")) as d')

    assert 'Baseline `method == "base"`: 10 runs, 1 of them not done, paired by data, seed.' in render(result, "table")


def test_a_baseline_within_each_group(tmp_path: Path) -> None:
    """Groups are compared with the partners of their own runs."""
    found = finished(tmp_path).ask(f'from train group by data, method {SHOWN} having method == "other"').records()

    assert [(row["data"], row["d"], row["n"]) for row in found] == [("a", 0.5, 5), ("b", 0.5, 5)]
    assert found[0]["r"] > found[1]["r"]


def test_keys_made_of_others_do_not_pair(tmp_path: Path) -> None:
    """A name that holds the method would leave nobody a partner; such keys are left out, whatever their place."""
    text = STUDY.replace("    method in", '    name = "{method}-{seed}"\n    method in')
    result = finished(tmp_path, text).ask(f"from train group by method {SHOWN}")

    assert [row["d"] for row in result.records()] == [0.0, -0.25, 0.5]
    assert result.comparisons[0].by == ["data", "seed"]


def test_keys_that_other_runs_lack_leave_no_partner(tmp_path: Path) -> None:
    """A seed that the baseline never ran has nobody to be compared with."""
    text = STUDY.replace("    seed in range(5)", '    seed in range(5)\n    skip if method == "base" and seed > 2')
    result = finished(tmp_path, text).ask(f"from train group by method {SHOWN}")

    assert [row["d"] for row in result.records()] == [0.0, -0.25, 0.5]
    assert len(result.comparisons[0].unpaired) == 8


def test_runs_without_a_value_are_no_pairs(tmp_path: Path) -> None:
    """Null on either side: the one is counted as missing, the other as without a partner."""
    study = finished(tmp_path)
    study.write(study.row(method="base", data="a", seed=0), metrics=[{"other": 1}])
    study.write(study.row(method="ours", data="a", seed=1), metrics=[{"other": 1}])
    result = study.ask('from train where method == "ours" show diff(loss, baseline = (method == "base")) as d')

    cell = result.provenance(0).cells["d"]
    assert (cell.n, [run.id for run in cell.missing]) == (
        8,
        [study.tables["train"].id(study.row(method="ours", data="a", seed=1))],
    )
    assert (len(result.comparisons[0].unpaired), result.missing) == (1, {"loss": 1})


def test_ratio_to_nothing_is_null(tmp_path: Path) -> None:
    """A mean of ratios of which one has no value is none."""
    study = finished(tmp_path)
    study.write(study.row(method="base", data="a", seed=0), metrics=[{"loss": 0.0}])
    (found,) = study.ask(f'from train where method == "ours" {SHOWN}').records()

    assert found["r"] is None
    assert found["d"] is not None


def test_infinite_losses(tmp_path: Path) -> None:
    """A diverged run makes a difference infinite; two of them make none; neither has a p-value."""
    study = finished(tmp_path)
    for method, seed in (("ours", 0), ("ours", 1), ("base", 1)):
        study.write(study.row(method=method, data="a", seed=seed), metrics=[{"loss": float("inf")}])
    text = 'from train where method == "ours" and data == "a" and seed '

    (one,) = study.ask(f"{text} in [0, 2] {SHOWN}").records()
    (both,) = study.ask(f"{text} in [1, 2] {SHOWN}").records()
    assert (one["d"], one["r"], one["p"]) == (math.inf, math.inf, None)
    assert (both["d"], both["r"], both["p"]) == (None, None, None)


def test_the_test_is_named_in_the_column(tmp_path: Path) -> None:
    """A p-value says what it is of."""
    result = finished(tmp_path).ask('from train group by method show p_value(loss, baseline = (method == "base"))')

    assert [column.name for column in result.columns] == [
        "method",
        'p_value(loss, baseline = (method == "base")) (Wilcoxon)',
    ]


def test_differences_keep_the_direction(tmp_path: Path) -> None:
    """Less of a loss is better, and so is less of a difference of it."""
    text = 'from train group by method show diff(loss, baseline = (method == "base")) as d keep best d'

    assert finished(tmp_path).ask(text).records() == [{"method": "ours", "d": -0.25}]


# ------------------------------------------------------------------ faults


FAULTS = [
    ("diff(loss)", "error[XQ009]: `diff` is not called like this"),
    ('diff(loss, method == "base")', "error[XQ009]: `diff` is not called like this"),
    ('diff(loss, base = (method == "base"))', "error[XQ009]: `diff` is not called like this"),
    ("diff(loss, baseline = seed)", "error[XQ014]: a condition is true or false, but this is a number"),
    ('diff(method, baseline = (method == "base"))', "error[XQ007]: `diff` takes numbers, and this is a text"),
    ("diff(loss, baseline = (seed > 9))", "error[XQ020]: no run is in the baseline `seed > 9`"),
    (
        "diff(loss, baseline = (mean(loss) > 1))",
        "error[XQ016]: `mean` is taken over runs, and here is one run at a time",
    ),
    ("mean(x = loss)", "error[XQ009]: `mean` is not called like this"),
    (
        "count(status == done)",
        "error[XQ009]: `count(x)` counts the runs that have an x, and a condition is always true or false",
    ),
]


@pytest.mark.parametrize(("cell", "message"), FAULTS)
def test_faults(tmp_path: Path, cell: str, message: str) -> None:
    """What is called otherwise is told, once."""
    said = finished(tmp_path).faults(f"from train group by method show {cell}, ratio(loss, baseline = (seed == 0))")

    assert [line for line in said.splitlines() if line.startswith("error")] == [message]


# ------------------------------------------------------------------ the test itself


def counted_out(values: Sequence[float]) -> float:
    """Try all signs of the ranks of the values that are not zero."""
    kept = [value for value in values if value]
    ranks = stats.rankdata(np.abs(kept))
    found = sum(rank for rank, value in zip(ranks, kept, strict=True) if value > 0)
    sums = [float(np.dot(ranks, signs)) for signs in product((0, 1), repeat=len(kept))]
    below, above = sum(s <= found for s in sums), sum(s >= found for s in sums)
    return min(1.0, 2 * min(below, above) / len(sums))


SIZES = st.lists(st.integers(1, 10**6).map(lambda n: n / 1000), min_size=1, max_size=50, unique=True)


@settings(deadline=None)
@given(SIZES, st.integers(0, 2**50 - 1))
def test_p_value_is_exact(sizes: list[float], signs: int) -> None:
    """Up to 50 differences of different sizes it is scipy's exact one."""
    values = [size if signs >> i & 1 else -size for i, size in enumerate(sizes)]

    found = p_value([(value, 0.0) for value in values])
    assert found == pytest.approx(stats.wilcoxon(values, method="exact").pvalue, rel=1e-9)


@settings(deadline=None)
@given(st.lists(st.integers(-4, 4), min_size=1, max_size=8).filter(any))
def test_p_value_with_ties_and_zeros_is_exact(values: list[int]) -> None:
    """With equal sizes and zeros it is what trying all signs gives."""
    assert p_value([(value, 0) for value in values]) == pytest.approx(counted_out(values), rel=1e-12)


@settings(deadline=None)
@given(st.lists(st.integers(-30, 40).filter(bool), min_size=51, max_size=120))
def test_p_value_of_many_is_the_normal_approximation(values: list[int]) -> None:
    """Above 50 it is scipy's asymptotic one: corrected for ties, not for continuity."""
    wanted = stats.wilcoxon(values, method="asymptotic").pvalue

    assert p_value([(value, 0) for value in values]) == pytest.approx(wanted, rel=1e-9, abs=1e-300)


def test_p_value_of_nothing() -> None:
    """No pair, or pairs of equal values alone: there is no difference to test."""
    assert p_value([]) is None
    assert p_value([(1.5, 1.5), (2, 2)]) is None
    assert p_value([(1.0, 2.0)]) == 1.0


def test_noise_of_binary_fractions_makes_no_ranks() -> None:
    """0.3 - 0.2 and 0.2 - 0.1 are ties, as they are on paper."""
    assert 0.3 - 0.2 != 0.2 - 0.1
    assert difference(0.3, 0.2) == difference(0.2, 0.1) == 0.1
    assert difference(2**53 + 1, 2**53) == 1
    assert difference(math.inf, 1.0) == math.inf
    decimals = [(0.93, 0.91), (0.92, 0.90), (0.97, 0.95), (0.81, 0.80), (0.7, 0.75)]
    assert p_value(decimals) == pytest.approx(counted_out([2, 2, 2, 1, -5]))


@settings(deadline=None)
@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_differences_are_right(left: float, right: float) -> None:
    """What is rounded away is below twelve digits of the larger value."""
    assert difference(left, right) == pytest.approx(left - right, abs=1e-11 * max(abs(left), abs(right)))
    assert difference(left, right) == -difference(right, left)
