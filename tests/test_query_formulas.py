"""The formulas of functions over runs and over steps, against scipy and numpy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from xpc.runtime.metrics import Series
from xpc.runtime.query import aggregates, student
from xpc.runtime.reducers import REDUCERS, at, reduce, summary, tail

VALUES = st.lists(st.floats(-1e6, 1e6).filter(lambda v: v == 0 or abs(v) > 1e-6), min_size=2, max_size=30)


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 5, 7, 10, 29, 30, 100, 1000, 100_000])
@pytest.mark.parametrize("p", [0.5, 0.6, 0.9, 0.95, 0.975, 0.995, 0.9999, 0.025, 0.1])
def test_quantile_of_student(p: float, freedom: int) -> None:
    """The inverse of Student's t agrees with scipy's to nine digits."""
    assert student.quantile(p, freedom) == pytest.approx(stats.t.ppf(p, freedom), rel=1e-9, abs=1e-12)


@given(st.floats(0.51, 0.9999), st.floats(1, 500))
def test_quantile_of_student_anywhere(p: float, freedom: float) -> None:
    """Degrees of freedom need not be whole."""
    assert student.quantile(p, freedom) == pytest.approx(stats.t.ppf(p, freedom), rel=1e-8)


@pytest.mark.parametrize(("p", "freedom"), [(0, 1), (1, 1), (0.5, 0)])
def test_quantile_of_student_has_bounds(p: float, freedom: float) -> None:
    """What is no probability is refused."""
    with pytest.raises(ValueError, match="quantile"):
        student.quantile(p, freedom)


@given(VALUES)
def test_formulas(values: list[float]) -> None:
    """Means, deviations and quantiles are numpy's and scipy's; those of samples use n - 1."""
    scale = max(map(abs, values)) or 1.0

    def same(found: object, wanted: float) -> None:
        assert found == pytest.approx(wanted, rel=1e-9, abs=1e-9 * scale)

    same(aggregates.mean(values), np.mean(values))
    same(aggregates.total(values), np.sum(values))
    same(aggregates.deviation(values), np.std(values, ddof=1))
    same(aggregates.standard_error(values), stats.sem(values))
    same(aggregates.median(values), np.median(values))
    same(aggregates.interquartile_mean(values), stats.trim_mean(values, 0.25))
    for q in (0.0, 0.1, 0.25, 0.9, 1.0):
        same(aggregates.quantile(values, q), np.quantile(values, q))
    assert aggregates.variance(values) == pytest.approx(np.var(values, ddof=1), rel=1e-8, abs=1e-9 * scale**2)


@given(VALUES.filter(lambda v: np.std(v) > 1e-6))
def test_confidence_interval(values: list[float]) -> None:
    """`ci95` is half of scipy's t interval."""
    low, high = stats.t.interval(0.95, len(values) - 1, loc=np.mean(values), scale=stats.sem(values))

    assert aggregates.confidence(values) == pytest.approx((high - low) / 2, rel=1e-6)


def test_bootstrap_agrees_with_scipy() -> None:
    """The percentile interval is scipy's, as far as two random draws agree."""
    values = list(np.random.RandomState(1).normal(size=40))
    found = aggregates.bootstrap(values)
    wanted = stats.bootstrap((values,), np.mean, method="percentile", n_resamples=10_000, random_state=3)

    assert found is not None
    assert found == pytest.approx([wanted.confidence_interval.low, wanted.confidence_interval.high], abs=0.02)


def test_functions_of_few_values() -> None:
    """A deviation of one value is null, and so is nearly everything of none."""
    one, none = [2.0], list[float]()

    assert [aggregates.NUMERIC[n](one) for n in ("mean", "std", "sem", "var", "ci95")] == [2.0, None, None, None, None]
    assert aggregates.bootstrap(one) == [2.0, 2.0]
    assert {name: function(none) for name, function in aggregates.NUMERIC.items()} == {
        name: 0.0 if name == "sum" else None for name in aggregates.NUMERIC
    }
    assert aggregates.least([]) is None


def test_infinities_are_numbers() -> None:
    """A diverged run is no error."""
    assert aggregates.mean([math.inf, 1.0]) == math.inf
    assert math.isnan(aggregates.mean([math.inf, -math.inf]) or 0)


def test_distinct_values() -> None:
    """1 and 1.0 are one value; true, 1 and "1" are three."""
    assert aggregates.distinct([1, 1.0, True, "1", 1, [1], [1.0]]) == [1, True, "1", [1]]


# ------------------------------------------------------------------ over steps


def series(values: list[float], steps: list[float] | None = None) -> Series:
    found = Series()
    for index, value in enumerate(values):
        found.add(None if steps is None else steps[index], value)
    return found


def test_reducers() -> None:
    """Reducers over steps are numpy's; an extreme's step is that of the first one."""
    values, steps = [3.0, 1.0, 4.0, 1.0, 5.0], [0.0, 10.0, 20.0, 30.0, 50.0]
    found = dict(zip(REDUCERS, summary(series(values, steps)), strict=True))

    assert found == {
        "last": 5.0,
        "first": 3.0,
        "min": 1.0,
        "max": 5.0,
        "mean": pytest.approx(2.8),
        "median": 3.0,
        "sum": 14.0,
        "count": 5,
        "argmin": 10,
        "argmax": 50,
        "auc": np.trapezoid(values, steps) if hasattr(np, "trapezoid") else np.trapz(values, steps),
    }


def test_nan_is_left_out_of_reducers() -> None:
    """But it is counted, and a last NaN is null: the run diverged."""
    found = dict(zip(REDUCERS, summary(series([math.nan, 2.0, 1.0, math.nan])), strict=True))

    assert (found["last"], found["first"], found["count"]) == (None, None, 4)
    assert (found["min"], found["mean"], found["argmin"]) == (1.0, 1.5, 2)
    assert {reduce(series([math.nan]), name) for name in REDUCERS} == {None, 1}


def test_at_and_tail() -> None:
    """`.at` wants a step that was logged, `.tail` means of what there is."""
    found = series([1.0, 2.0, 3.0, 4.0], [0.0, 5.0, 5.0, 7.0])

    assert [at(found, step) for step in (0, 5, 6, 7)] == [1.0, 3.0, None, 4.0]
    assert [tail(found, length) for length in (0, 1, 2, 100)] == [None, 4.0, 3.5, 2.5]


def test_steps_are_places_where_none_are_given() -> None:
    """From 0."""
    assert list(series([9.0, 8.0]).steps) == [0.0, 1.0]
