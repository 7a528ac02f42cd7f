"""Grids, read for an experiment: axes with converted values, samples, branches, groups of files."""

from __future__ import annotations

from typing import Any

import pytest
from resolving import concise, experiment, faults

from xpc.compiler.study import Axis, Branch, Code, Combination, Draw, Grid, GridValue, Sample
from xpc.compiler.values import ABSENT

CONFIG = """
config base:
    lr = 0.1
    name = "mlp"
    seed = 0
    width = 64
"""
TRAIN = """
experiment train:
    {config}
    grid g
    run "true"
"""


def wrap(body: str, config: str = "config base", before: str = CONFIG) -> str:
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return f"{before}\ngrid g:\n{lines}{TRAIN.format(config=config)}"


def grid(body: str, config: str = "config base", files: dict[str, str] | None = None, before: str = CONFIG) -> Grid:
    found = experiment(wrap(body, config, before), files).grid
    assert isinstance(found, Grid)
    return found


def axis(body: str, config: str = "config base", files: dict[str, str] | None = None, before: str = CONFIG) -> Axis:
    item = grid(body, config, files, before).items[0]
    assert isinstance(item, Axis)
    return item


def findings(body: str, config: str = "config base", files: dict[str, str] | None = None) -> list[str]:
    """Give the findings without their place."""
    return [line.split(": ", 1)[1] for line in concise(wrap(body, config), files)]


@pytest.mark.parametrize(
    ("body", "config", "values"),
    [
        ("lr in [1, 0.5]", "config base", [1.0, 0.5]),
        ("lr in [1, 2]", "config base", [1.0, 2.0]),
        ("seed in range(3)", "config base", [0, 1, 2]),
        ("lr in geomspace(1, 100, 3)", "config base", [1.0, 10.0, 100.0]),
        ("lr in [0.1, null]", "config base", [0.1, None]),
        ("lr in [1, 0.5]", 'tags "x"', [1.0, 0.5]),
        ('lr in [1, "a"]', 'tags "x"', [1, "a"]),
        ("lr in [1, true, 0.5]", 'tags "x"', [1, True, 0.5]),
    ],
)
def test_values_take_the_type_of_their_key(body: str, config: str, values: list[Any]) -> None:
    """With a config they are converted to it; without one ints beside floats are floats, other mixtures stay."""
    found = list(axis(body, config).columns[0])

    assert found == values
    assert [type(value) for value in found] == [type(value) for value in values]


def test_elements_may_be_late() -> None:
    """An element that names a key is code; what the list is may not depend on one."""
    found = axis("lr in [0.5, width / 100]").columns[0]
    assert found[0] == 0.5
    assert isinstance(found[1], Code)
    assert found[1].call([64]) == 0.64

    assert findings("seed in range(width)") == ["error[XP051]: what an axis goes through cannot depend on a key"]


def test_a_zip_is_one_axis() -> None:
    """Axes that move together are one axis of several keys, of one length."""
    found = axis("zip:\n    lr in [1, 2]\n    seed in [3, 4]")
    assert (found.keys, found.columns) == ((("lr",), ("seed",)), ([1.0, 2.0], [3, 4]))

    assert faults(wrap("zip:\n    lr in [1, 2]\n    seed in range(3)")) == (
        "error[XP040]: the axes of a `zip` have one length, but `lr` has 2 values and `seed` 3 values\n"
        "  --> Experimentfile:10:9\n"
        "   |\n"
        " 9 |         lr in [1, 2]\n"
        "   |         ------------ 2 values\n"
        "10 |         seed in range(3)\n"
        "   |         ^^^^^^^^^^^^^^^^ 3 values"
    )


def test_config_groups_are_merged_under_their_key() -> None:
    """Each file is one element; the bare key is the file's stem; what a file does not set is absent."""
    files = {"m/cnn.yaml": "kernel: 3\nname: cnn\n", "m/mlp.yaml": "name: mlp\n"}
    found = axis('new model from "m/*.yaml"\nskip if model == "cnn" and model.kernel == 3', files=files)

    assert found.keys == (("model", "kernel"), ("model", "name"))
    assert [list(column) for column in found.columns] == [[3, ABSENT], ["cnn", "mlp"]]
    assert (found.label, found.labels) == (("model",), ("cnn", "mlp"))
    assert findings('model from "m/*.yaml"', files=files) == ["error[XP021]: unknown config key `model`"]
    assert findings('new model from "x/*.yaml"') == ["error[XP107]: no file matches `x/*.yaml`"]


def test_configs_are_an_axis() -> None:
    """`config in` gives what a config sets beyond the experiment's own; derived values stay late."""
    before = CONFIG + "config small(base):\n    width = 8\nconfig large(base):\n    lr = 1\n    width = 8 * seed\n"
    found = axis("config in [small, large]", before=before)

    assert found.keys == (("width",), ("lr",))
    assert (found.label, found.labels) == (("config",), ("small", "large"))
    assert found.columns[0][0] == 8
    assert isinstance(found.columns[0][1], Code)
    assert list(found.columns[1]) == [ABSENT, 1.0]


def test_configs_alone_define_the_keys() -> None:
    """Without a config of its own an experiment has the keys of the configs on its axis."""
    before = CONFIG + "config small(base):\n    width = 8\n"
    found = axis("config in [base, small]", 'tags "x"', before=before)

    assert found.keys == (("lr",), ("name",), ("seed",), ("width",))
    assert list(found.columns[3]) == [64, 8]
    text = wrap("config in [base, small]\nlrr in [1]", 'tags "x"', before)
    assert concise(text) == ["Experimentfile:11:5: error[XP021]: unknown config key `lrr`"]


def test_samples_hold_draws() -> None:
    """A sample's count and seed are constants; a draw has the type of its key."""
    item = grid(
        "sample 50 seed 7:\n    lr ~ loguniform(1e-5, 1e-1)\n    seed ~ choice([1, 2])\n    width = 2 * seed"
    ).items[0]
    assert isinstance(item, Sample)
    first, second, third = item.body

    assert (item.count, item.seed) == (50, 7)
    assert isinstance(first, Draw)
    assert (first.distribution.name, first.distribution.arguments, first.type) == ("loguniform", (1e-5, 0.1), "float")
    assert isinstance(second, Draw)
    assert (second.distribution.arguments, second.type) == (([1, 2],), "int")
    assert isinstance(third, GridValue)


def test_branches_and_constraints() -> None:
    """Arms are in order, the last without a condition; a key of a branch is known everywhere."""
    found = grid(
        "seed in [1, 2]\nif seed == 1:\n    new k in [1]\nelse:\n    new k in [2, 3]\nkeep if k is null or k > 1"
    )
    item = found.items[1]

    assert isinstance(item, Branch)
    assert [arm.condition is None for arm in item.arms] == [False, True]
    assert len(found.items) == 3


def test_points_stand_beside_the_product() -> None:
    """Points are maps of converted values."""
    found = grid("point lr = 1, seed = 2\npoint lr = 2, seed = seed + 1").points

    assert found is not None
    assert found.points[0] == {("lr",): 1.0, ("seed",): 2}
    assert isinstance(found.points[1][("seed",)], Code)


def test_grids_combine() -> None:
    """Names of combinations stand for them; a grid cannot be defined by itself."""
    text = (
        CONFIG
        + "grid a:\n    seed in [1]\ngrid b:\n    lr in [1]\ngrid g = a + b\n"
        + TRAIN.format(config="config base")
    )
    found = experiment(text).grid
    assert isinstance(found, Combination)
    assert isinstance(found.left, Grid)
    assert (found.operator, found.left.name) == ("+", "a")

    text = "grid g = g2\ngrid g2 = g\n" + TRAIN.format(config='tags "x"')
    assert concise(text) == ["Experimentfile:2:11: error[XP033]: grid `g` is defined by itself"]


@pytest.mark.parametrize(
    ("body", "finding"),
    [
        ("lrr in [1]", "error[XP021]: unknown config key `lrr`"),
        ("lr in []", "error[XP039]: the axis `lr` has no values"),
        ("lr in 0.1", "error[XP041]: an axis goes through a list, but this is a float"),
        ('lr in [0.1, "x"]', "error[XP034]: `lr` is a float, but this is a text"),
        ("seed in [1, 0.5]", "error[XP034]: `seed` is an int, but this is a float"),
        ("lr ~ uniform(0, 1)", "error[XP042]: `~` draws a value, and stands below a `sample` only"),
        ("sample 3:\n    lr in [1]", "error[XP042]: a sample draws its values with `~`"),
        ("sample 0:\n    lr ~ uniform(0, 1)", "error[XP045]: the number of a sample is at least 1, not 0"),
        ("sample 2:\n    lr ~ unifrom(0, 1)", "error[XP048]: unknown distribution `unifrom`"),
        ("sample 2:\n    lr ~ uniform(1, 0)", "error[XP048]: `uniform` needs low < high"),
        ("sample 2:\n    lr ~ uniform(1)", "error[XP048]: `uniform` lacks its `high`"),
        ("sample 2:\n    seed ~ uniform(0, 1)", "error[XP034]: `seed` is an int, but this is a float"),
        ("sample 2:\n    seed ~ randint(0, 1.5)", "error[XP048]: `randint` takes an int here, but this is a float"),
        (
            "sample 2:\n    seed ~ choice([])",
            "error[XP048]: `choice` takes a list of values, not an empty list",
        ),
        ("skip if sed == 1", "error[XP021]: unknown key `sed`"),
        ("point lrr = 1", "error[XP021]: unknown config key `lrr`"),
        ("point lr = 1, lr = 2", "error[XP022]: `lr` is given twice"),
        ("lr = [1, 2]", "error[XP034]: `lr` is a float, but this is a list"),
        ("new x = [1, 2]", "warning[XP044]: `x` has this list as its one value"),
        ("config in [nope]", "error[XP020]: unknown config `nope`"),
        ("config in [1]", "error[XP041]: `config in` goes through a list of configs"),
    ],
)
def test_faults(body: str, finding: str) -> None:
    """Each mistake in a grid is one finding."""
    assert findings(body) == [finding]


def test_a_list_given_by_equals_shows_the_axis() -> None:
    """The cure is the line to write."""
    assert faults(wrap("new x = [1, 2]")).split("\n")[-1] == "help: for an axis write `x in [1, 2]`"


def test_a_number_is_not_drawn_for_a_text() -> None:
    """The cure is a distribution that can be typed there; a bool that is written as a number is told its word."""
    text = """
        config base:
            name = "x"
            deep = false

        grid g:
            sample 3:
                name ~ randint(1, 2)
            deep in [0, true]

        experiment train:
            config base
            grid g
            run "true"
    """
    assert faults(text) == (
        "error[XP034]: `name` is a text, but `randint` draws an int\n"
        " --> Experimentfile:7:16\n  |\n"
        '2 |     name = "x"\n  |            --- it was first given here\n...\n'
        "7 |         name ~ randint(1, 2)\n  |                ^^^^^^^^^^^^^ int\n  |\n"
        "help: `choice([…, …])` draws from values of any type\n\n"
        "error[XP034]: `deep` is a bool, but this is an int\n"
        " --> Experimentfile:8:14\n  |\n"
        "3 |     deep = false\n  |            ----- it was first given here\n...\n"
        "8 |     deep in [0, true]\n  |              ^ int\n  |\n"
        "help: write `false`"
    )
