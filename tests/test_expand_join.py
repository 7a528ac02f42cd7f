"""`after`: children inherit their parents' points, in rows that join, and their ids follow their parents'."""

from __future__ import annotations

from expansion import after, axis, code, experiment, found, grid, overlay, path, rows, skip, study, tables, text, value

from xpc.compiler.expand import expand
from xpc.compiler.identity import run_id
from xpc.grammar.diagnostic import Diagnostics


def train(**more):
    return experiment(grid(axis("lr", 0.1, 0.2), axis("seed", 0, 1)), **more)


def parents(table, which: int = 0):
    """Give the rows of the parent's table for each row."""
    return [list(table.parents[which].of(row)) for row in range(table.count)]


def test_child_has_a_run_for_each_parent() -> None:
    """It inherits the point and hashes the parent's id with its own values."""
    found = tables(train(), experiment(name="evaluate", after=(after("train"),)))
    child, parent = found["evaluate"], found["train"]

    assert rows(child) == rows(parent)
    assert parents(child) == [[0], [1], [2], [3]]
    assert child.axes == (("lr",), ("seed",))
    assert list(child.ids()) == [run_id("evaluate", child.values(row), [parent.id(row)]) for row in range(child.count)]


def test_own_grid_multiplies_and_sees_the_parents_point() -> None:
    """The child's axes are the faster ones; its conditions may name what it inherits."""
    body = grid(axis("t", 5, 6), skip(code("lr t", lambda lr, t: lr == 0.1 and t == 6)), name="own")
    child = tables(train(), experiment(body, name="evaluate", after=(after("train"),)))["evaluate"]

    assert [(row["lr"], row["seed"], row["t"]) for row in rows(child)] == [
        (0.1, 0, 5),
        (0.1, 1, 5),
        (0.2, 0, 5),
        (0.2, 0, 6),
        (0.2, 1, 5),
        (0.2, 1, 6),
    ]
    assert parents(child) == [[0], [1], [2], [2], [3], [3]]


def test_point_is_inherited_as_it_was_resolved() -> None:
    """Values, labels and late values of the parent's grid come along; what its config derives is derived anew."""
    config = {"lr": 0.0, "w": 1, "h": code("w lr", lambda w, lr: w + lr)}
    body = grid(overlay("model", a={"w": 2}, b={"w": 3}), value("lr", code("w", lambda w: 10 * w)))
    child = experiment(name="evaluate", after=(after("train"),), config={**config, "h": code("lr", lambda lr: -lr)})

    assert rows(tables(experiment(body, config=config), child)["evaluate"]) == [
        {"lr": 20, "w": 2, "h": -20, "model": "a"},
        {"lr": 30, "w": 3, "h": -30, "model": "b"},
    ]


def test_after_all_groups_by_keys() -> None:
    """One run for each combination in order of first appearance; of the point, only the `by` keys come along."""
    found = tables(
        experiment(grid(axis("lr", 0.2, 0.1), axis("seed", 0, 1)), config={"lr": 0.0, "seed": 9, "n": 3}),
        experiment(name="ensemble", after=(after("train", all=True, by="lr"),), config={"lr": 0.0, "seed": 9, "n": 3}),
    )
    child, parent = found["ensemble"], found["train"]

    assert rows(child) == [{"lr": 0.2, "seed": 9, "n": 3}, {"lr": 0.1, "seed": 9, "n": 3}]
    assert parents(child) == [[0, 1], [2, 3]]
    assert child.id(1) == run_id("ensemble", child.values(1), [parent.id(3), parent.id(2)])


def test_after_all_without_keys_is_one_run() -> None:
    """It comes after all runs and has nothing of their points; its own grid multiplies."""
    child = tables(train(), experiment(grid(axis("t", 1, 2)), name="report", after=(after("train", all=True),)))[
        "report"
    ]

    assert rows(child) == [{"t": 1}, {"t": 2}]
    assert parents(child) == [[0, 1, 2, 3], [0, 1, 2, 3]]


def test_by_a_key_that_some_points_lack() -> None:
    """Lacking a key is a group of its own; a key that never differs makes one group."""
    parent = experiment(grid(axis("s", 0), points=[{"k": 1}, {"k": 2}]), config={"n": 3})
    child = experiment(name="c", after=(after("train", all=True, by="k n"),))

    assert rows(tables(parent, child)["c"]) == [{"n": 3}, {"k": 1, "n": 3}, {"k": 2, "n": 3}]


def test_by_a_key_that_no_point_has() -> None:
    """A key of a branch that is never taken parts no groups."""
    child = experiment(name="c", after=(after("train", all=True, by="k seed"),))

    assert rows(tables(train(), child)["c"]) == [{"seed": 0}, {"seed": 1}]


def test_two_parents_join_on_their_common_axes() -> None:
    """Runs pair where the axes of both agree; the rest of both points comes along, in the first parent's order."""
    left = experiment(grid(axis("lr", 1, 2), axis("a", 5, 6)), name="left")
    right = experiment(grid(axis("b", 7, 8), axis("lr", 2.0, 3.0)), name="right")
    child = tables(left, right, experiment(name="both", after=(after("left"), after("right"))))["both"]

    assert rows(child) == [
        {"lr": 2, "a": 5, "b": 7},
        {"lr": 2, "a": 5, "b": 8},
        {"lr": 2, "a": 6, "b": 7},
        {"lr": 2, "a": 6, "b": 8},
    ]
    assert parents(child, 0) == [[2], [2], [3], [3]]
    assert parents(child, 1) == [[0], [2], [0], [2]]


def test_diamond_meets_at_the_common_ancestor() -> None:
    """prepare → left, right → both: each pair comes from one prepared run."""
    found = tables(
        experiment(grid(axis("size", 1, 2)), name="prepare"),
        experiment(grid(axis("a", 3, 4)), name="left", after=(after("prepare"),)),
        experiment(name="right", after=(after("prepare"),)),
        experiment(name="both", after=(after("left"), after("right"))),
    )

    assert parents(found["both"], 1) == [[0], [0], [1], [1]]
    assert found["both"].id(0) == run_id("both", {("size",): 1, ("a",): 3}, [found["left"].id(0), found["right"].id(0)])


def test_each_and_all_join() -> None:
    """`after train` with `after all other by K` pairs each run with the group of its key."""
    other = experiment(grid(axis("seed", 1, 0), axis("fold", 0, 1, 2)), name="other")
    child = tables(train(), other, experiment(name="c", after=(after("train"), after("other", all=True, by="seed"))))

    assert parents(child["c"], 1) == [[3, 4, 5], [0, 1, 2], [3, 4, 5], [0, 1, 2]]


def test_merged_parents_have_one_child() -> None:
    """Equal points of a parent are one run, and so are their children."""
    diagnostics = Diagnostics()
    found = expand(
        study(experiment(grid(axis("a", 1, 1, 2))), experiment(name="c", after=(after("train"),))), diagnostics
    )

    assert [d.code for d in diagnostics.found] == ["XP066"]
    assert parents(found["c"]) == [[0], [1]]


def test_only_expands_ancestors_too() -> None:
    """`only` names experiments; what they come after is expanded with them, nothing else."""
    whole = study(train(), experiment(name="evaluate", after=(after("train"),)), experiment(name="other"))

    assert list(expand(whole, Diagnostics(), ["evaluate"])) == ["train", "evaluate"]
    assert list(expand(whole, Diagnostics(), ["other", "unknown"])) == ["other"]


def test_override_in_a_child_replaces_the_inherited_value() -> None:
    """The parents stay as they are."""
    child = experiment(name="evaluate", after=(after("train"),), overrides={path("lr"): 9})
    found = tables(train(), child)["evaluate"]

    assert [row["lr"] for row in rows(found)] == [9, 9, 9, 9]
    assert parents(found) == [[0], [1], [2], [3]]


# ------------------------------------------------------------------ mistakes


def test_setting_an_inherited_axis_again() -> None:
    """A run takes its parent's value."""
    child = experiment(grid(axis("lr", 5, line=3), name="own"), name="evaluate", after=(after("train", line=2),))

    assert found(train(), child) == text(
        "error[XP043] line 3: `lr` is an axis of the parent, and its runs have their values already | set again\n",
        "  line 2: the parent",
    )


def test_parents_without_a_common_axis() -> None:
    """Each is paired with each, which few people mean."""
    other = experiment(grid(axis("t", 1, 2, 3)), name="other")
    child = experiment(name="c", after=(after("train", line=2), after("other", line=3)))

    assert found(train(), other, child) == text(
        "warning[XP067] line 3: the parents of `c` share no axis, so each is paired with each: 4 × 3 runs ",
        "| no axis in common\n",
        "  line 2: with this one",
    )


def test_parents_that_never_agree() -> None:
    """A join without a row is a mistake; what comes after it stays silent."""
    other = experiment(grid(axis("seed", 5, 6)), name="other")
    child = experiment(name="c", after=(after("train", line=2), after("other", line=3)))

    assert found(train(), other, child, experiment(name="d", after=(after("c"),))) == text(
        "error[XP068] line 3: no two parents of `c` agree in `seed` | a run of these\n",
        "  line 2: and a run of these",
    )


def test_parent_without_runs_gives_children_without_runs() -> None:
    """The warning is the parent's alone."""
    parent = experiment(grid(axis("a", 1, 2), skip(code("a", lambda a: a > 0, line=3))))
    children = [
        experiment(grid(axis("b", 1)), name="each", after=(after("train"),)),
        experiment(name="all", after=(after("train", all=True),)),
        experiment(name="by", after=(after("train", all=True, by="a"),)),
    ]

    assert found(parent, *children) == ["warning[XP061] line 3: no point of `train` is left | takes the last ones away"]
