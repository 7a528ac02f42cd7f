"""Draws: the same everywhere and for ever, inside their ranges, distributed as their names say."""

from __future__ import annotations

from statistics import NormalDist, fmean, stdev

import pytest
from expansion import axis, code, draw, experiment, found, grid, points, sample, skip, text, times, when
from hypothesis import given
from hypothesis import strategies as st

from xpc.compiler.draws import bits
from xpc.compiler.draws import draw as drawn

SHAPES = [
    ("uniform", (-1.0, 3.0)),
    ("loguniform", (1e-5, 1e-1)),
    ("normal", (2.0, 0.5)),
    ("lognormal", (0.0, 1.0)),
    ("randint", (-2, 9)),
    ("logint", (1, 1000)),
    ("choice", ([32, 64, 128],)),
]


def many(name, arguments, count=2000, seed=0):
    return [drawn(name, arguments, seed, ("x",), i) for i in range(count)]


def test_bits_are_a_hash_of_seed_key_and_number() -> None:
    """Seed, key and number alone decide; another of any of them is another draw."""
    from hashlib import blake2b

    data = blake2b(b'[7,"optimizer.lr",3]', digest_size=8, person=b"xpc.draw").digest()

    assert bits(7, ("optimizer", "lr"), 3) == int.from_bytes(data, "big")
    assert bits(7, ("optimizer", "lr"), 3, 0) != bits(7, ("optimizer", "lr"), 3, 1)


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("uniform", (-1.0, 3.0), [2.84522602642, 0.736143878972, 2.36482531043, 2.07572594084]),
        ("loguniform", (1e-5, 1e-1), [0.0700206320118, 0.000544683072957, 0.0231646269415, 0.011904905184]),
        ("normal", (2.0, 0.5), [2.88302641284, 1.9169459879, 2.49971405861, 2.36766624185]),
        ("lognormal", (0.0, 1.0), [5.84772575412, 0.846954737638, 2.71672773429, 2.08617549654]),
        ("randint", (-2, 9), [9, 3, 8, 7]),
        ("logint", (1, 1000), [766, 20, 334, 202]),
        ("choice", ([32, 64, 128],), [128, 64, 128, 128]),
    ],
)
def test_golden_draws(name, arguments, expected) -> None:
    """The draws of a study are the same in every version of xpc."""
    assert many(name, arguments, 4) == expected


@pytest.mark.parametrize(("name", "arguments"), SHAPES)
def test_floats_have_12_digits(name, arguments) -> None:
    """What is drawn is rounded in the value itself, so that every machine's logarithm gives the same."""
    for value in many(name, arguments, 200):
        assert not isinstance(value, float) or value == float(f"{value:.12g}")


def test_integers_include_both_ends_and_nothing_else() -> None:
    """randint and logint draw every integer of their range; choice every value."""
    assert set(many("randint", (-2, 9))) == set(range(-2, 10))
    assert set(many("logint", (1, 8))) == set(range(1, 9))
    assert set(many("logint", (5, 5), 10)) == {5}
    assert set(many("choice", (["a", None, 3],))) == {"a", None, 3}


def test_large_integers_are_uniform() -> None:
    """A range beyond the floats' precision still reaches all of itself."""
    values = many("randint", (0, 2**62), 500)

    assert any(value % 2 for value in values)
    assert 0.4 < fmean(values) / 2**62 < 0.6


def test_moments() -> None:
    """Means and deviations are those of the distributions' names."""
    uniform, normal = many("uniform", (-1.0, 3.0)), many("normal", (2.0, 0.5))
    below = sum(value < 1e-3 for value in many("loguniform", (1e-5, 1e-1))) / 2000

    assert abs(fmean(uniform) - 1) < 0.1
    assert abs(fmean(normal) - 2) < 0.05
    assert abs(stdev(normal) - 0.5) < 0.03
    assert abs(below - 0.5) < 0.04
    assert abs(sum(value < 1 for value in many("lognormal", (0.0, 1.0))) / 2000 - 0.5) < 0.04
    assert abs(sum(value <= 31 for value in many("logint", (1, 1000))) / 2000 - 0.5) < 0.04


def test_normal_without_deviation_is_its_mean() -> None:
    """A deviation of 0 is allowed."""
    assert many("normal", (1.5, 0), 3) == [1.5, 1.5, 1.5]
    assert NormalDist(0, 1).inv_cdf(0.5) == 0


@given(
    st.integers(0, 2**63 - 1),
    st.floats(-1e9, 1e9),
    st.floats(1e-9, 1e9),
    st.integers(0, 10**6),
)
def test_uniform_stays_inside(seed, low, width, index) -> None:
    """Rounding never leaves the range that was written."""
    value = drawn("uniform", (low, low + width), seed, ("x",), index)

    assert low <= value <= low + width


# ------------------------------------------------------------------ inside a sample


def test_more_samples_begin_with_the_same() -> None:
    """100 samples are the first 100 of 200."""
    body = (draw("x", "uniform", 0, 1), draw("y", "randint", 0, 9), skip(code("x", lambda x: x < 0.3)))

    assert points(grid(sample(100, *body, seed=7))) == points(grid(sample(200, *body, seed=7)))[:100]


def test_new_key_moves_no_other() -> None:
    """A key added to a sample leaves the draws of the others where they are."""
    one = points(grid(sample(20, draw("x", "uniform", 0, 1))))
    two = points(grid(sample(20, draw("w", "normal", 0, 1), draw("x", "uniform", 0, 1))))

    assert [row["x"] for row in two] == [row["x"] for row in one]


def test_redraw_moves_no_other_point() -> None:
    """A constraint of the sample redraws the points it refuses, and those alone; their number holds."""
    free = points(grid(sample(50, draw("x", "uniform", 0, 1), draw("y", "uniform", 0, 1))))
    bound = points(
        grid(sample(50, draw("x", "uniform", 0, 1), draw("y", "uniform", 0, 1), skip(code("x", lambda x: x > 0.6))))
    )

    assert len(bound) == 50
    assert all(row["x"] <= 0.6 for row in bound)
    assert all(after == before for before, after in zip(free, bound, strict=True) if before["x"] <= 0.6)
    assert sum(after != before for before, after in zip(free, bound, strict=True)) > 10


def test_constraint_outside_filters() -> None:
    """Beside the sample, a constraint takes points away and draws none anew."""
    free = points(grid(sample(50, draw("x", "uniform", 0, 1))))

    assert points(grid(sample(50, draw("x", "uniform", 0, 1)), skip(code("x", lambda x: x > 0.6)))) == [
        row for row in free if row["x"] <= 0.6
    ]


def test_drawn_once_under_a_product() -> None:
    """Every seed sees the same 5 points."""
    body = grid(sample(5, draw("x", "uniform", 0, 1)), name="a")
    alone = [row["x"] for row in points(body)]

    assert [row["x"] for row in points(times(grid(axis("seed", 0, 1), name="s"), body))] == alone + alone
    assert [
        row["x"] for row in points(grid(axis("seed", 0, 1), sample(5, draw("x", "uniform", 0, 1))))
    ] == alone + alone


def test_branch_in_a_sample_draws_for_its_points() -> None:
    """A key drawn in a branch is there for the points of that branch, and a redraw may change branches."""
    drawn_again = [draw("k", "randint", 1, 3), skip(code("k", lambda k: k == 2))]
    branch = when((code("m", lambda m: m == "b"), drawn_again))
    rows = points(grid(sample(30, draw("x", "uniform", 0, 1), draw("m", "choice", ["a", "b"]), branch)))

    assert len(rows) == 30
    assert all(("k" in row) == (row["m"] == "b") for row in rows)
    assert {row["k"] for row in rows if "k" in row} == {1, 3}


def test_constraint_over_an_earlier_axis_redraws_for_each_of_its_points() -> None:
    """A constraint that names an axis above the sample refuses draws for some of the axis's values only."""
    small = skip(code("x least", lambda x, least: x < least))
    rows = points(grid(axis("least", 0.0, 0.5), sample(20, draw("x", "uniform", 0, 1), small)))
    low, high = rows[:20], rows[20:]

    assert all(row["x"] >= 0.5 for row in high)
    assert all(b["x"] == a["x"] for a, b in zip(low, high, strict=True) if a["x"] >= 0.5)


def test_int_drawn_for_a_float_key_is_a_float() -> None:
    """A drawn value is converted to its key's type."""
    assert [type(row["x"]) for row in points(grid(sample(2, draw("x", "choice", [1, 2], type="float"))))] == [float] * 2


def test_constraint_that_refuses_everything_is_named() -> None:
    """The number of redraws is bounded, and the constraint is shown."""
    body = (draw("x", "uniform", 0, 1), skip(code("x", lambda x: x < 2, line=3)))

    assert found(experiment(grid(sample(2, *body, line=2)))) == text(
        "error[XP063] line 3: a constraint refuses 2 points of the sample, however often drawn | refused 1,001 times\n",
        "  line 2: the sample\n",
        "  help: widen the distributions, or write `skip if` outside the sample, where it takes points away",
    )


def test_constraint_on_a_later_key_filters_with_a_warning() -> None:
    """What is set below the sample is not known yet when points are drawn anew."""
    body = (draw("x", "uniform", 0, 1), skip(code("x y", lambda x, y: x > y, line=3)))

    assert found(experiment(grid(sample(20, *body), axis("y", 0.5)))) == text(
        "warning[XP064] line 3: `y` is set after the sample, so this constraint takes points away instead of drawing ",
        "them anew | filters\n",
        "  help: write the constraint outside the sample, or the key above it",
    )
