"""Grids to points: products, zips, branches, sums, points, configs as axes, constraints, derived values, overrides."""

from __future__ import annotations

import pytest
from expansion import (
    axis,
    code,
    experiment,
    found,
    grid,
    keep,
    overlay,
    path,
    plus,
    points,
    rows,
    skip,
    tables,
    text,
    times,
    value,
    when,
    zipped,
)

from xpc.compiler.study import Axis
from xpc.compiler.values import ABSENT

CNN = code("m", lambda m: m == "cnn")


def seen(*args, keys: str, **more):
    """Give the points as tuples of some keys, `-` where one is lacking."""
    return [tuple(row.get(key, "-") for key in keys.split()) for row in points(*args, **more)]


def test_axes_multiply_and_the_first_is_slowest() -> None:
    """The order of rows is that of nested loops, written top down."""
    assert seen(grid(axis("a", 1, 2), axis("b", "x", "y")), keys="a b") == [(1, "x"), (1, "y"), (2, "x"), (2, "y")]


def test_experiment_without_a_grid_is_one_run() -> None:
    """A config alone is one point."""
    assert points(config={"lr": 0.1}) == [{"lr": 0.1}]


def test_zip_moves_together() -> None:
    """Keys of a zip are one axis."""
    assert seen(grid(zipped(a=[1, 2], b=[5, 6]), axis("s", 0, 1)), keys="a b s") == [
        (1, 5, 0),
        (1, 5, 1),
        (2, 6, 0),
        (2, 6, 1),
    ]


def test_empty_cells_of_rows_leave_the_default() -> None:
    """An element of `rows from` that does not set a key leaves the config's value, or no key at all."""
    table = Axis((path("a"), path("b")), ([1, ABSENT], [ABSENT, 2]), False, axis("a", 1).span)

    assert points(grid(table), config={"a": 9}) == [{"a": 1}, {"a": 9, "b": 2}]


def test_branches_multiply_the_points_that_they_hold_for() -> None:
    """Each point takes the first arm that holds, in its place; a point without an arm stays."""
    body = when((CNN, [axis("k", 3, 5)]), (code("m", lambda m: m == "vit"), [axis("p", 16)]))

    assert seen(grid(axis("m", "cnn", "mlp", "vit"), body, axis("s", 0, 1)), keys="m k p s") == [
        ("cnn", 3, "-", 0),
        ("cnn", 3, "-", 1),
        ("cnn", 5, "-", 0),
        ("cnn", 5, "-", 1),
        ("mlp", "-", "-", 0),
        ("mlp", "-", "-", 1),
        ("vit", "-", 16, 0),
        ("vit", "-", 16, 1),
    ]


def test_else_takes_the_rest_and_branches_nest() -> None:
    """`else` has no condition; an arm may branch again."""
    inner = when((code("k", lambda k: k == 3), [axis("q", 1, 2)]), (None, [value("q", 0)]))
    body = when((CNN, [axis("k", 3, 5), inner]), (None, [axis("w", 7, 8)]))

    assert seen(grid(axis("m", "mlp", "cnn"), body), keys="m k q w") == [
        ("mlp", "-", "-", 7),
        ("mlp", "-", "-", 8),
        ("cnn", 3, 1, "-"),
        ("cnn", 3, 2, "-"),
        ("cnn", 5, 0, "-"),
    ]


def test_condition_sees_derived_values_of_the_point_so_far() -> None:
    """A branch asks for resolved values: a key derived from an axis above it follows that axis."""
    config = {"w": 1, "wide": code("w", lambda w: w > 2)}

    assert seen(
        grid(axis("w", 2, 3), when((code("wide", lambda wide: wide), [axis("k", 1, 2)]))), config=config, keys="w k"
    ) == [(2, "-"), (3, 1), (3, 2)]


def test_points_come_after_the_product_with_the_grids_values() -> None:
    """A `point` is one more point; `key = expr` of the grid holds in it unless it sets the key itself."""
    lines = [{"a": 8}, {"a": 9, "c": "own"}]

    assert seen(grid(axis("a", 1, 2), value("c", "all"), points=lines), keys="a c") == [
        (1, "all"),
        (2, "all"),
        (8, "all"),
        (9, "own"),
    ]


def test_grid_of_points_only_is_those_points() -> None:
    """There is no empty product beside them; keys that a point leaves out have the config's value."""
    assert points(grid(points=[{"a": 1}, {"b": 2}]), config={"a": 0, "b": 0}) == [{"a": 1, "b": 0}, {"a": 0, "b": 2}]


def test_unions_multiply_as_one() -> None:
    """(x + y) * z: the members one after the other, with the keys that each has."""
    both = plus(grid(axis("a", 1, 2), name="x"), grid(axis("b", 3), name="y"))
    seeds = grid(axis("s", 0, 1), name="z")

    assert seen(times(both, seeds), keys="a b s") == [
        (1, "-", 0),
        (1, "-", 1),
        (2, "-", 0),
        (2, "-", 1),
        ("-", 3, 0),
        ("-", 3, 1),
    ]
    assert seen(times(seeds, both), keys="s a b") == [
        (0, 1, "-"),
        (0, 2, "-"),
        (0, "-", 3),
        (1, 1, "-"),
        (1, 2, "-"),
        (1, "-", 3),
    ]


def test_repeats_are_the_fastest_axes() -> None:
    """`repeat` and `folds` multiply after the grid."""
    repeats = (axis("repeat", 0, 1), axis("fold", 0, 1))

    assert seen(grid(axis("a", 5)), repeats=repeats, keys="a repeat fold") == [
        (5, 0, 0),
        (5, 0, 1),
        (5, 1, 0),
        (5, 1, 1),
    ]


# ------------------------------------------------------------------ configs as axes


def test_elements_of_a_config_axis_set_several_keys() -> None:
    """A config's values replace the defaults where it has them, and its name can be read."""
    axes = overlay("model", mlp={"model.w": 64}, cnn={"model.w": 8, "model.k": 3})

    assert points(grid(axes), config={"lr": 1, "model.w": 1}) == [
        {"lr": 1, "model": "mlp", "model.w": 64},
        {"lr": 1, "model": "cnn", "model.w": 8, "model.k": 3},
    ]


def test_equal_elements_are_two_points_by_their_name() -> None:
    """The label is a value, part of what makes a run."""
    found = tables(experiment(grid(overlay("model", a={"model.w": 1}, b={"model.w": 1}))))["train"]

    assert found.count == 2
    assert found.id(0) != found.id(1)


def test_axis_wins_over_a_config_of_an_axis() -> None:
    """Configs come before the point, wherever the lines stand (rule 1)."""
    sizes = overlay("config", small={"w": 1, "d": 1}, large={"w": 9})
    expected = [("small", 5, 1), ("small", 6, 1), ("large", 5, 0), ("large", 6, 0)]

    assert seen(grid(sizes, axis("w", 5, 6)), config={"w": 0, "d": 0}, keys="config w d") == expected
    assert sorted(seen(grid(axis("w", 5, 6), sizes), config={"w": 0, "d": 0}, keys="config w d")) == sorted(expected)


def test_label_can_be_asked_for_in_conditions() -> None:
    """Bare `model` is the file's stem, not the group of keys."""
    axes = overlay("model", mlp={"model.w": 64}, cnn={"model.w": 8})

    assert seen(grid(axes, when((code("model", lambda m: m == "cnn"), [axis("k", 3)]))), keys="model k") == [
        ("mlp", "-"),
        ("cnn", 3),
    ]


def test_late_values_of_configs_may_name_each_other_across_elements() -> None:
    """One config derives x from y, another y from x: no point has a cycle."""
    sizes = overlay("config", a={"x": code("y", lambda y: 2 * y)}, b={"y": code("x", lambda x: 3 * x)})

    assert seen(grid(sizes), config={"x": 1, "y": 5, "z": code("x y", lambda x, y: x + y)}, keys="config x y z") == [
        ("a", 10, 5, 15),
        ("b", 1, 3, 4),
    ]


# ------------------------------------------------------------------ derived values


def test_derived_values_follow_the_point_and_the_overrides() -> None:
    """A late value is evaluated after all that it names, however far (rule 2)."""
    config = {
        "w": 1,
        "h": code("w", lambda w: 4 * w),
        "total": code("h d", lambda h, d: h + d),
        "d": 100,
    }

    assert seen(grid(axis("w", 2, 3)), config=config, overrides={path("d"): 7}, keys="h total") == [(8, 15), (12, 19)]


def test_derived_value_is_evaluated_once_a_combination() -> None:
    """What a value does not name costs it nothing."""
    calls: list[int] = []
    config = {"w": 1, "h": code("w", lambda w: calls.append(w) or w)}
    found = tables(experiment(grid(axis("w", 2, 3), axis("s", *range(1000))), config=config))["train"]

    assert found.count == 2000
    assert calls == [2, 3]


def test_value_in_a_grid_may_name_axes() -> None:
    """`key = expr` in a grid is late like a config's."""
    assert seen(grid(axis("a", 1, 2), value("b", code("a", lambda a: 10 * a))), keys="a b") == [(1, 10), (2, 20)]


def test_group_of_keys_is_a_map() -> None:
    """A name of a group gives its keys as nested maps, absent ones left out; a key that a point lacks is null."""
    config = {
        "m.w": 1,
        "m.opt.lr": 0.1,
        "all": code("m", lambda m: m),
        "k": code("m.k", lambda k: k),
        "none": code("nothing", lambda n: n),
    }

    assert seen(
        grid(axis("m.w", 1, 2), when((code("m.w", lambda w: w == 2), [axis("m.k", 3)]))),
        config=config,
        keys="all k none",
    ) == [
        ({"w": 1, "opt": {"lr": 0.1}}, None, None),
        ({"w": 2, "opt": {"lr": 0.1}, "k": 3}, 3, None),
    ]


def test_computed_value_takes_its_keys_type() -> None:
    """An int that is computed for a float key is a float."""
    config = {"w": 1, "rate": code("w", lambda w: w)}

    assert [type(row["rate"]) for row in points(config=config, types={"rate": "float"})] == [float]


# ------------------------------------------------------------------ constraints


@pytest.mark.parametrize(
    ("items", "left"),
    [
        ([skip(code("a b", lambda a, b: a == 1 and b == 1))], [(1, 0), (2, 0), (2, 1)]),
        ([keep(code("a b", lambda a, b: a == 1 and b == 1))], [(1, 1)]),
        ([skip(code("a", lambda a: a == 1)), skip(code("b", lambda b: b == 1))], [(2, 0)]),
        ([keep(code("c", lambda c: c > 10))], [(2, 0), (2, 1)]),
        ([skip(code("b", lambda b: None))], [(1, 0), (1, 1), (2, 0), (2, 1)]),
        ([keep(code("", lambda: True))], [(1, 0), (1, 1), (2, 0), (2, 1)]),
    ],
)
def test_constraints_hold_wherever_they_stand(items, left) -> None:
    """Above or below the axes that they name; over derived values; null does not hold."""
    axes = [axis("a", 1, 2), axis("b", 0, 1)]
    config = {"a": 0, "b": 0, "c": code("a", lambda a: 10 * a - 5)}

    assert seen(grid(*items, *axes), config=config, keys="a b") == left
    assert seen(grid(*axes, *items), config=config, keys="a b") == left


def test_constraint_waits_for_the_other_grid_of_a_product() -> None:
    """A constraint holds for the whole product, and within a sum for its own member alone."""
    constrained = grid(axis("a", 1, 2), skip(code("a s", lambda a, s: a == s)), name="x")
    free = grid(axis("a", 1), value("b", 0), name="y")
    seeds = grid(axis("s", 1, 2), name="z")

    assert seen(times(constrained, seeds), keys="a s") == [(1, 2), (2, 1)]
    assert seen(times(seeds, constrained), keys="a s") == [(2, 1), (1, 2)]
    assert seen(times(plus(constrained, free), seeds), keys="a b s") == [
        (1, "-", 2),
        (2, "-", 1),
        (1, 0, 1),
        (1, 0, 2),
    ]
    assert seen(constrained, repeats=(axis("s", 1, 2),), keys="a s") == [(1, 2), (2, 1)]


def test_constraint_in_an_arm_is_for_the_points_of_the_arm() -> None:
    """Also where it names an axis below the branch."""
    body = when((CNN, [axis("k", 3, 5), skip(code("k s", lambda k, s: k == 5 and s == 1))]))

    assert seen(grid(axis("m", "mlp", "cnn"), body, axis("s", 0, 1)), keys="m k s") == [
        ("mlp", "-", 0),
        ("mlp", "-", 1),
        ("cnn", 3, 0),
        ("cnn", 3, 1),
        ("cnn", 5, 0),
    ]


# ------------------------------------------------------------------ overrides


def test_override_replaces_its_axis() -> None:
    """`--set a=7` over an axis: the axis is gone, the others stay, and nobody warns of equal points."""
    body = grid(axis("a", 1, 2), axis("b", 0, 1))
    only = {path("a"): 7}

    assert seen(body, overrides=only, keys="a b") == [(7, 0), (7, 1)]
    assert tables(experiment(body, overrides=only))["train"].axes == (("b",),)
    assert seen(grid(zipped(a=[1, 2, 3], b=[5, 5, 6])), overrides=only, keys="a b") == [(7, 5), (7, 6)]
    assert seen(grid(axis("b", 0), points=[{"a": 1}, {"a": 2}]), overrides=only, keys="a b") == [(7, 0), (7, "-")]


def test_override_decides_branches_and_constraints() -> None:
    """An overridden value is what conditions see."""
    body = grid(axis("m", "mlp", "cnn"), when((CNN, [axis("k", 3, 5)])), skip(code("k", lambda k: k == 5)))

    assert seen(body, overrides={path("m"): "cnn"}, keys="m k") == [("cnn", 3)]


def test_override_of_a_label_chooses_an_element() -> None:
    """`--set model=cnn` keeps one file of a config group, with its keys."""
    axes = overlay("model", mlp={"model.w": 64}, cnn={"model.w": 8})

    assert points(grid(axes), overrides={path("model"): "cnn"}) == [{"model": "cnn", "model.w": 8}]
    assert points(grid(axes), overrides={path("model.w"): 5}) == [
        {"model": "mlp", "model.w": 5},
        {"model": "cnn", "model.w": 5},
    ]


# ------------------------------------------------------------------ the table


def test_table_folds_constants_and_orders_keys() -> None:
    """Keys are in config order, a group's label before the group, new keys last; what never differs is a constant."""
    config = {"lr": 0.1, "model.w": 1, "epochs": 5}
    body = grid(overlay("model", a={"model.w": 1}, b={"model.w": 2}), axis("new", 1, 2), axis("lr", 0.5))
    found = tables(experiment(body, config=config))["train"]

    assert found.order == (("lr",), ("model",), ("model", "w"), ("epochs",), ("new",))
    assert dict(found.constants) == {("lr",): 0.5, ("epochs",): 5}
    assert found.axes == (("model",), ("new",), ("lr",), ("model", "w"))
    assert {key: column.pool for key, column in found.columns.items()} == {
        ("model",): ["a", "b"],
        ("model", "w"): [1, 2],
        ("new",): [1, 2],
    }


def test_pools_hold_what_rows_have() -> None:
    """A value whose points are all gone is gone, and a key with one value left is a constant."""
    body = grid(axis("a", 1, 2, 3), axis("b", 4, 5), skip(code("a b", lambda a, b: a == 2 or b == 4)))
    found = tables(experiment(body))["train"]

    assert dict(found.constants) == {("b",): 5}
    assert found.columns[("a",)].pool == [1, 3]
    assert list(found.columns[("a",)].codes) == [0, 1]


def test_equal_points_are_one_run() -> None:
    """1 and 1.0 are one value; the first point stays; true is another one."""
    assert found(experiment(grid(axis("a", 1, True, 1.0, 2), line=4))) == text(
        "warning[XP066] line 4: 1 point of `train` is the same as another, and run once | equal points\n",
        "  help: such a point has `a = 1`",
    )


def test_points_that_differ_in_ignored_keys_alone_are_one_run() -> None:
    """The warning says which keys."""
    body = experiment(grid(axis("a", 1, 2), axis("workers", 1, 2, 4)), ignore=((path("workers"), ABSENT),))

    assert found(body) == text(
        "warning[XP066] line 0: 4 points of `train` are the same as another, and run once | equal points\n",
        "  help: such a point has `a = 1`, `workers = 2`\n",
        "  help: they differ only in `workers`, which `ignore` leaves out of what makes a run",
    )


def test_new_value_moves_no_other_point() -> None:
    """Adding a value to an axis never renames another run (rule 7)."""
    before = tables(experiment(grid(axis("a", 1, 2), axis("b", 0, 1))))["train"]
    after = tables(experiment(grid(axis("a", 1, 3, 2), axis("b", 0, 1))))["train"]

    assert [id for id, row in zip(after.ids(), rows(after), strict=True) if row["a"] != 3] == list(before.ids())
