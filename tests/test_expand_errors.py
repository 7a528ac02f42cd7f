"""Mistakes that show when points are made: each is reported once, with its place and the first point it was met at."""

from __future__ import annotations

from expansion import (
    after,
    axis,
    code,
    draw,
    experiment,
    found,
    grid,
    overlay,
    path,
    sample,
    skip,
    span,
    text,
    times,
    value,
    when,
    zipped,
)

from xpc.compiler.fault import fault


def failing(names: str, wrong, line: int):
    """Give code that fails where *wrong* holds."""

    def call(*values):
        if wrong(*values):
            raise fault("XP028", span(line), "division by zero", "this divides by zero")
        return False

    return code(names, call, line)


def test_key_set_by_both_sides_of_a_product() -> None:
    """Both places are shown; the rest of the file goes on."""
    product = times(grid(axis("a", 1, 2, line=1), name="x"), grid(axis("a", 3, line=2), name="y"))

    assert found(experiment(product)) == text(
        "error[XP060] line 2: the grid sets `a` twice | again\n",
        "  line 1: it was set here\n",
        "  help: name it in one of the two, or write the grids as a sum: `a + b`",
    )


def test_several_mistakes_at_once() -> None:
    """Nothing hides anything else."""
    body = grid(axis("a", 1, line=1), zipped(line=2, a=[1], b=[2]), value("a", 5, line=3), axis("b", 7, line=4))

    assert [one.splitlines()[0] for one in found(experiment(body))] == [
        "error[XP060] line 2: the grid sets `a` twice | again",
        "error[XP060] line 3: the grid sets `a` twice | again",
        "error[XP060] line 4: the grid sets `b` twice | again",
    ]


def test_later_value_of_one_grid_wins() -> None:
    """`key = expr` twice in one grid is no mistake, also in a branch."""
    branch = when((code("a", lambda a: a == 2), [value("v", "two")]))

    assert found(experiment(grid(axis("a", 1, 2), value("v", "one"), branch))) == []


def test_axis_without_values() -> None:
    """An empty axis is an error, not an empty table."""
    assert found(experiment(grid(axis("a", line=3)))) == ["error[XP039] line 3: the axis `a` has no values | empty"]


def test_no_point_left() -> None:
    """All constraints that take points away are named; the last is where it became empty."""
    body = grid(
        axis("a", 1, 2),
        skip(code("a", lambda a: a == 1, line=2)),
        skip(code("a", lambda a: a == 2, line=3)),
        skip(code("a", lambda a: a == 5, line=4)),
    )

    assert found(experiment(body)) == text(
        "warning[XP061] line 3: no point of `train` is left | takes the last ones away\n",
        "  line 2: takes points away too",
    )


def test_too_many_points() -> None:
    """The product is shown instead of a hang."""
    axes = [axis(key, *range(1000), line=n) for n, key in enumerate("abcd", 1)]

    assert found(experiment(grid(*axes))) == text(
        "error[XP062] line 3: the grid of `train` has more than 10,000,000 points | 1,000,000,000 points up to here\n",
        "  help: they are a (1,000) × b (1,000) × c (1,000)",
    )


def test_too_many_pairs_of_parents() -> None:
    """A product of parents is bounded as well."""
    parents = [experiment(grid(axis(key, *range(4000))), name=key) for key in "ab"]
    codes = [one.split("]")[0] for one in found(*parents, experiment(name="c", after=(after("a"), after("b"))))]

    assert codes == ["warning[XP067", "error[XP062"]


def test_cycle_through_the_grid() -> None:
    """A grid's value may close a cycle that the config alone does not have."""
    body = grid(value("w", code("h", lambda h: h, line=2)))
    config = {"w": 1, "h": code("w", lambda w: w, line=3)}

    assert found(experiment(body, config=config)) == [
        "error[XP031] line 2: `w` is defined by itself in some points | the cycle is `w` → `h` → `w`"
    ]


def test_cycle_in_one_element_only() -> None:
    """Of two configs of an axis, the one with the cycle is found."""
    sizes = overlay("config", a={"x": code("y", lambda y: y, line=2)}, b={"x": 5, "y": 1})

    assert found(experiment(grid(sizes), config={"x": 0, "y": code("x", lambda x: x, line=3)})) == [
        "error[XP031] line 2: `x` is defined by itself in some points | the cycle is `x` → `y` → `x`"
    ]


def test_computed_value_of_another_type() -> None:
    """A text that is computed for a float key is an error at the expression; what names the key stays silent."""
    config = {"a": 1, "lr": code("a", lambda a: "0.1", line=2), "b": code("lr", lambda lr: lr * 2)}

    assert found(experiment(grid(axis("a", 1, 2)), config=config, types={"lr": "float"})) == text(
        "error[XP065] line 2: `lr` is a float, but this gives a text | text\n", "  line 31: it was first given here"
    )


def test_grid_value_of_another_type() -> None:
    """A late value of a grid is held to its key's type too."""
    assert found(
        experiment(grid(axis("a", 1), value("n", code("a", lambda a: a / 2, line=2))), config={"n": 3})
    ) == text(
        "error[XP065] line 2: `n` is an int, but this gives a float | float\n", "  line 30: it was first given here"
    )


def test_failing_derived_value_is_reported_once_with_its_first_point() -> None:
    """Not once a row."""
    config = {"a": 0, "s": 0, "h": failing("a", lambda a: a == 2, 5), "g": code("h", lambda h: h)}

    assert found(experiment(grid(axis("a", 1, 2), axis("s", *range(50))), config=config)) == text(
        "error[XP028] line 5: division by zero | this divides by zero\n",
        "  help: the first such point has `a = 2`, `s = 0`",
    )


def test_failing_condition_over_very_many_points() -> None:
    """The point is found as well where conditions are asked row by row."""
    condition = skip(failing("a b", lambda a, b: a == 299 and b == 298, 5))

    assert found(experiment(grid(condition, axis("a", *range(300)), axis("b", *range(300))))) == text(
        "error[XP028] line 5: division by zero | this divides by zero\n",
        "  help: the first such point has `a = 299`, `b = 298`",
    )


def test_condition_that_is_no_bool() -> None:
    """Conditions of branches and constraints are true, false or null."""
    body = grid(axis("a", 1), skip(code("a", lambda a: a, line=2)))

    assert found(experiment(body)) == text(
        "error[XP053] line 2: a condition is true or false, but this is an int | int\n",
        "  help: compare it, such as `… == 0`",
    )
    assert found(experiment(grid(axis("a", 1), when((code("a", lambda a: a, line=2), []))))) == found(experiment(body))


def test_values_of_arms_not_taken_are_not_evaluated() -> None:
    """A derived value may be wrong for points that no longer exist."""
    config = {"a": 1, "h": failing("a", lambda a: a == 0, 5)}

    assert found(experiment(grid(axis("a", 0, 1), skip(code("a", lambda a: a == 0))), config=config)) == []


def test_label_override_without_such_an_element() -> None:
    """The elements are listed."""
    body = grid(overlay("model", line=2, mlp={"model.w": 1}, cnn={"model.w": 2}))

    assert found(experiment(body, overrides={path("model"): "vit"})) == text(
        "error[XP020] line 2: the axis `model` has no element `vit` | the axis\n", "  help: it has `mlp`, `cnn`"
    )


def test_sample_and_axis_of_one_key() -> None:
    """A drawn key is an axis like any other."""
    body = grid(axis("x", 1, line=1), sample(2, draw("x", "uniform", 0, 1, line=2)))

    assert found(experiment(body))[0].splitlines()[0] == "error[XP060] line 2: the grid sets `x` twice | again"
