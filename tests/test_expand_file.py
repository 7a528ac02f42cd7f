"""From an Experimentfile's text to points: the parser, the resolver and the expansion together."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from expansion import rows
from resolving import attempt, study

from xpc.compiler.expand import expand
from xpc.grammar.diagnostic import Diagnostics
from xpc.grammar.render import render

WHOLE = """
    config base:
        optimizer.lr = 0.1
        model:
            name = "mlp"
            width = 64
        model.hidden = 4 * model.width
        data.size = 1000
        epochs = 5
        seed = 0

    config wide(base):
        model.width = 512

    grid sweep:
        optimizer.lr in [0.1, 0.01, 0.001]
        model.name in ["mlp", "cnn"]
        if model.name == "cnn":
            new model.kernel in [3, 5]
        zip:
            data.size in [100, 1000]
            epochs in [50, 5]
        skip if optimizer.lr == 0.1 and model.name == "cnn"

    grid seeds:
        seed in range(5)

    grid search:
        sample 50 seed 7:
            optimizer.lr ~ loguniform(1e-5, 1e-1)
            model.width ~ choice([32, 64, 128])

    grid full = (sweep + search) * seeds

    experiment train:
        config base
        grid full
        run "python train.py --lr {optimizer.lr} {model.kernel:flag} --seed {seed}"
        output model = "model.pt"

    experiment evaluate:
        after train
        run "python evaluate.py {train.model}"

    experiment ensemble:
        after all train by data.size, model.name
        run "python ensemble.py --members {train.runs}"
"""


def expanded(text: str, files=None, settings=()):
    diagnostics = Diagnostics()
    found = expand(study(text, files, settings=settings), diagnostics)
    assert render(diagnostics.sorted(), "full", color=False) == ""
    return found


def report(text: str, settings=()) -> str:
    made, diagnostics = attempt(text, settings=settings)
    if made is not None:
        expand(made, diagnostics)
    return render(diagnostics.sorted(), "full", color=False)


def test_a_whole_study() -> None:
    """Counts by hand: (3 rates × mlp × 2 zipped + 2 rates × 2 kernels × 2 zipped + 50) × 5 seeds."""
    found = expanded(WHOLE)
    train = found["train"]

    assert {name: table.count for name, table in found.items()} == {"train": 320, "evaluate": 320, "ensemble": 4}
    assert rows(train)[0] == {
        "optimizer.lr": 0.1,
        "model.name": "mlp",
        "model.width": 64,
        "model.hidden": 256,
        "data.size": 100,
        "epochs": 50,
        "seed": 0,
    }
    assert all(row["model.hidden"] == 4 * row["model.width"] for row in rows(train))
    assert {row["model.width"] for row in rows(train)[70:]} == {32, 64, 128}
    assert [list(found["evaluate"].parents[0].of(row)) for row in (0, 319)] == [[0], [319]]
    assert [(row["data.size"], row["model.name"]) for row in rows(found["ensemble"])] == [
        (100, "mlp"),
        (1000, "mlp"),
        (100, "cnn"),
        (1000, "cnn"),
    ]


def test_set_replaces_axes() -> None:
    """`--set` over an axis replaces it, in every experiment that has the key; points that become equal are one.

    2 of mlp, 4 of cnn, 3 widths of the search, of which the width 64 is the default and one of mlp's.
    """
    found = expanded(WHOLE, settings=["seed=3", "optimizer.lr=0.01"])

    assert found["train"].count == 2 + 4 + 3 - 1
    assert {row["seed"] for row in rows(found["train"])} == {3}
    assert {row["optimizer.lr"] for row in rows(found["evaluate"])} == {0.01}


def test_config_groups_and_named_configs() -> None:
    """Files and configs are axes; their keys follow, and what is derived follows them."""
    text = """
        config base:
            model.width = 1
            model.hidden = 2 * model.width

        config wide(base):
            model.width = 10

        grid both:
            new model from "configs/model/*.yaml"
            if model == "cnn":
                new model.pad in [0, 1]

        grid sizes:
            config in [base, wide]

        experiment groups:
            config base
            grid both
            run "python train.py {model} {model.hidden}"

        experiment named:
            config base
            grid sizes
            run "python train.py {model.hidden}"
    """
    files = {"configs/model/cnn.yaml": "width: 3\nkernel: 5\n", "configs/model/mlp.yaml": "width: 4\n"}
    found = expanded(text, files)

    assert [
        (row["model"], row["model.width"], row["model.hidden"], row.get("model.kernel"), row.get("model.pad"))
        for row in rows(found["groups"])
    ] == [("cnn", 3, 6, 5, 0), ("cnn", 3, 6, 5, 1), ("mlp", 4, 8, None, None)]
    assert [(row["config"], row["model.width"], row["model.hidden"]) for row in rows(found["named"])] == [
        ("base", 1, 2),
        ("wide", 10, 20),
    ]


def test_repeats_and_folds() -> None:
    """`repeat` and `folds` are axes over 0, 1, …"""
    found = expanded(
        """
        experiment train:
            lr = 0.1
            folds 3
            repeat 2 as again
            run "python train.py {lr} {fold} {again}"
        """
    )

    assert [(row["fold"], row["again"]) for row in rows(found["train"])] == [
        (fold, again) for fold in range(3) for again in range(2)
    ]


def test_late_mistake_points_into_the_file() -> None:
    """The whole diagnostic, as a user sees it, once for all 6 points."""
    text = """
        config base:
            depth = 2
            width = 64
            head = width / (depth - 2)

        grid sweep:
            depth in [4, 2, 3]
            width in [32, 64]

        experiment train:
            config base
            grid sweep
            run "python train.py {head}"
    """

    assert (
        report(text)
        == """\
error[XP028]: division by zero
 --> Experimentfile:4:12
  |
4 |     head = width / (depth - 2)
  |            ^^^^^^^^^^^^^^^^^^^
  |            |       |
  |            |       0
  |            this divides by zero
  |
help: the first such point has `depth = 2`, `width = 32`"""
    )


def test_key_set_twice_points_into_the_file() -> None:
    """Both lines are shown."""
    text = """
        grid rates:
            lr in [0.1, 0.01]

        grid fine:
            lr in [0.03, 0.003]

        experiment train:
            grid rates * fine
            run "python train.py {lr}"
    """

    assert (
        report(text)
        == """\
error[XP060]: the grid sets `lr` twice
 --> Experimentfile:5:5
  |
2 |     lr in [0.1, 0.01]
  |     ----------------- it was set here
...
5 |     lr in [0.03, 0.003]
  |     ^^^^^^^^^^^^^^^^^^^ again
  |
help: name it in one of the two, or write the grids as a sum: `a + b`"""
    )


def points(condition: str) -> list[tuple[object, ...]]:
    """Give the points of three axes that ``skip if CONDITION`` leaves."""
    text = f"""
        config base:
            x = 0
            y = 0
            name = "a"
            half = 6 / 2
            twice = 2 * x

        grid g:
            x in range(4)
            y in range(3)
            name in ["a", "b"]
            skip if {condition}

        experiment train:
            config base
            grid g
            run "python train.py"
    """
    table = expand(study(text), Diagnostics())["train"]
    return [(row["x"], row["y"], row["name"]) for row in rows(table)]


@pytest.mark.parametrize(
    ("condition", "refused"),
    [
        ("x == 1 and y == 2 and name == 'b'", lambda x, y, n: x == 1 and y == 2 and n == "b"),
        ("x != 0 and 6 / x > 2 and y > 0", lambda x, y, n: x != 0 and 6 / x > 2 and y > 0),
        ("y > 0 and x + y > 3 and twice > x", lambda x, y, n: y > 0 and x + y > 3 and 2 * x > x),
        ("half == 3 and x == 2", lambda x, y, n: x == 2),
        ("x == 2 and half == 3", lambda x, y, n: x == 2),
        ("half == 4 and 1 / x > 0", lambda x, y, n: False),
        ("x > 5 and 1 / (half - 3) > 0", lambda x, y, n: False),
        ("(x == 1 and y == 1) and (name == 'a' or x == 0)", lambda x, y, n: x == 1 and y == 1 and n == "a"),
        ("not (x == 1 and y == 1) and name == 'a'", lambda x, y, n: not (x == 1 and y == 1) and n == "a"),
    ],
)
def test_a_chain_of_and_asks_from_left_to_right(condition: str, refused: Callable[..., bool]) -> None:
    """Each part is asked at the points where all parts before it hold, and nowhere else."""
    whole = [(x, y, name) for x in range(4) for y in range(3) for name in "ab"]

    assert points(condition) == [point for point in whole if not refused(*point)]


def test_a_fault_in_a_chain_of_and_names_the_point_it_was_met_at() -> None:
    """The point is one where the parts before it hold."""
    text = """
        config base:
            x = 0
            y = 0

        grid g:
            x in [3, 2, 1]
            y in [1, 0]
            skip if x < 3 and x / y > 1

        experiment train:
            config base
            grid g
            run "python train.py"
    """

    assert (
        report(text)
        == """\
error[XP028]: division by zero
 --> Experimentfile:8:23
  |
8 |     skip if x < 3 and x / y > 1
  |                       ^^^^^
  |                       |   |
  |                       |   0
  |                       this divides by zero
  |
help: the first such point has `x = 2`, `y = 0`"""
    )
