"""A text that a key never has, and that is nearly one of its values, is told where it is compared."""

from __future__ import annotations

import pytest
from resolving import concise, faults

STUDY = """
grid sweep:
    model in ["mlp", "transformer"]
    opt in ["adamw", "resnet34"]
    lr in [0.1, 0.01]
    LINE

experiment train:
    grid sweep
    run "python train.py {model} {lr} {opt}"
"""


def test_slip_in_a_constraint() -> None:
    """The whole warning, at the text."""
    assert faults(STUDY.replace("LINE", 'skip if lr == 0.1 and model == "transfromer"')) == (
        'warning[XP052]: `model` is never `"transfromer"`\n'
        " --> Experimentfile:5:36\n"
        "  |\n"
        '5 |     skip if lr == 0.1 and model == "transfromer"\n'
        "  |                                    ^^^^^^^^^^^^^ no point has this value\n"
        "  |\n"
        'help: did you mean `"transformer"`?'
    )


@pytest.mark.parametrize(
    "line",
    [
        'keep if model != "Transformer"',
        'skip if model in ["mlp", "transfomer"]',
        'if model == "trnsformer":\n        heads in [1, 2]',
        'width = 3 if config.model == "transformr" else 4',
        'skip if not ("tranformer" == model or lr == 3.0)',
        'skip if opt == "adamww"',
    ],
)
def test_slips(line: str) -> None:
    """Conditions of all kinds, and values that are computed."""
    (found,) = concise(STUDY.replace("LINE", line))
    assert "warning[XP052]" in found


@pytest.mark.parametrize(
    "line",
    [
        'skip if model == "mlp"',
        'skip if model == "cnn"',
        'skip if opt == "adam"',
        'skip if opt == "resnet18"',
        "skip if lr == 0.15",
        'point model = "transfromer", lr = 0.3, opt = "x"\n    skip if model == "transfromer"',
        'skip if model == "{opt}transfromer"',
    ],
)
def test_no_slips(line: str) -> None:
    """Values that there are, that are like none, or that look like another name on purpose, are left alone."""
    assert [each for each in concise(STUDY.replace("LINE", line)) if "XP052" in each] == []


def test_grid_of_two_experiments() -> None:
    """What one of them has is no slip of the other's."""
    text = """
    grid common:
        lr in [0.1, 0.2]
        skip if lr == 0.1 and model == "linear"

    config base:
        model = "linaer"
        lr = 0.3

    grid kinds:
        model in ["lineer", "mlp"]

    experiment train:
        config base
        grid kinds * common
        run "python train.py {model} {lr}"

    experiment plain:
        config base
        grid common
        run "python train.py {model} {lr}"
    """
    assert concise(text) == []


def test_setting_takes_the_place_of_an_axis() -> None:
    """With `--set` the key may be anything."""
    text = STUDY.replace("LINE", 'skip if model == "transfromer"')
    assert concise(text, settings=["model=transfromer"]) == []
