"""A line that is written as a value where it silently becomes a key is told; a key that is meant is left alone."""

from __future__ import annotations

import pytest
from resolving import concise, faults

OPEN = """
grid sweep:
    lr in [0.1, 0.2]
    GRID

experiment train:
    grid sweep
    LINE
    run "RUN"
"""


def opened(line: str = "", grid: str = "", run: str = "python train.py {lr}") -> str:
    return OPEN.replace("LINE", line).replace("GRID", grid).replace("RUN", run)


def test_directive_as_a_value() -> None:
    """The whole warning of a directive that is written with `=`."""
    assert faults(opened("retries = 2  # twice")) == (
        "warning[XP059]: `retries` becomes a config key here, and nothing reads it\n"
        " --> Experimentfile:7:5\n"
        "  |\n"
        "7 |     retries = 2  # twice\n"
        "  |     ^^^^^^^ a key\n"
        "  |\n"
        "help: write `retries 2`\n"
        'help: if a key is meant, write `"retries" = 2`'
    )


def test_resource_as_a_value_in_a_grid() -> None:
    """The whole warning of a resource in a grid, where `new` says that a key is meant."""
    assert faults(opened(grid="time = 2h")) == (
        "warning[XP059]: `time` becomes a config key here, and nothing reads it\n"
        " --> Experimentfile:3:5\n"
        "  |\n"
        "3 |     time = 2h\n"
        "  |     ^^^^ a key\n"
        "  |\n"
        "help: `time` stands in a `resources` block: `time = 2h` below `resources NAME:`, and `resources NAME` in the "
        "experiment\n"
        "help: if a key is meant, write `new time = 2h`"
    )


def test_resource_as_an_axis() -> None:
    """An axis that nothing reads asks for nothing: the whole warning, with the two lines that do."""
    assert faults(opened(grid="cpus in [1, 2, 4]")) == (
        "warning[XP059]: `cpus` becomes a config key here, and nothing reads it\n"
        " --> Experimentfile:3:5\n"
        "  |\n"
        "3 |     cpus in [1, 2, 4]\n"
        "  |     ^^^^ a key\n"
        "  |\n"
        "help: to ask for each of these, write `n_cpus in [1, 2, 4]` here and `cpus = n_cpus` in a `resources` block\n"
        "help: if a key is meant, write `new cpus in [1, 2, 4]`"
    )


@pytest.mark.parametrize(
    ("line", "cure"),
    [
        ("memory = 4GiB", "`memory = 4GiB` below `resources NAME:`, and `resources NAME` here"),
        ("memory = 1GiB * 4", "`memory = 1GiB * 4` below `resources NAME:`, and `resources NAME` here"),
        ('time = "2:00:00"', '`time = "2:00:00"` below `resources NAME:`, and `resources NAME` here'),
        ("cpus = 4", "`cpus = 4` below `resources NAME:`, and `resources NAME` here"),
        ("pack = 5", "write `pack 5`"),
        ("repeat = 5", "write `repeat 5`"),
        ("checkpoint = 90s", "write `checkpoint 90s`"),
        ('tags = ["a", "b"]', 'write `tags "a", "b"`'),
        ('code = "src/#1/**"  # all', 'write `code "src/#1/**"`'),
        ('workdir = "copy"', "write `workdir copy`"),
        ('grid = "sweep"', "write `grid sweep`"),
        ('output = "model.pt"', 'write `output NAME = "model.pt"`'),
        ('container = "x.sif"', '`container "x.sif"` below `environment NAME:`, and `environment NAME` here'),
        ('slurm.partition = "gpu"', '`slurm.partition = "gpu"` below `resources NAME:`, and `resources NAME` here'),
    ],
)
def test_each_line_has_its_cure(line: str, cure: str) -> None:
    """The help is the line that was meant."""
    found = faults(opened(line)).splitlines()

    assert sum(each.startswith("warning[XP059]") for each in found) == 1
    assert any(each.startswith("help: ") and each.endswith(cure) for each in found), found


@pytest.mark.parametrize(
    "text",
    [
        opened("time = 2h", run="sim --time {time} {lr}"),
        opened("time = 2h", run="sim {args}"),
        opened("tasks = 3", run="sim {run.config}"),
        opened("time = 2h\n    hours = time / 1h", run="sim {hours}"),
        opened('"time" = 2h'),
        opened(grid="new time = 2h"),
        opened(grid="skip if time > 2h\n    time = 1h"),
        opened("input = 784"),
        opened('metric = "f1"'),
        opened('grid = "64x64"'),
        opened('code = "hamming"', run="sim {code}"),
        opened("model.time = 2h"),
    ],
)
def test_keys_that_are_meant(text: str) -> None:
    """What something reads, is in quotes, is new, or has no value that the line could have, is a key."""
    assert concise(text) == []


def test_file_of_all_keys_leaves_only_what_is_hardly_a_key() -> None:
    """A program that gets its config as a file may read any key, but hardly one called `retries`."""
    assert concise(opened("retries = 2\n    nodes = 3", run="sim {run.config}")) == [
        "Experimentfile:7:5: warning[XP059]: `retries` becomes a config key here, and nothing reads it"
    ]


def test_only_the_first_place_of_a_key_is_told() -> None:
    """A config that gives the key is told once; who sets it again sets a key that there is."""
    text = """
    config base:
        time = 2h

    config long(base):
        time = 4h

    grid sweep:
        time in [1h, 2h]

    experiment train:
        config long
        grid sweep
        time = 3h
        run "sim"
    """
    assert concise(text) == [
        "Experimentfile:2:5: warning[XP059]: `time` becomes a config key here, and nothing reads it"
    ]


def test_key_of_a_yaml_file_is_a_key() -> None:
    """What a file gives, the program's own config most likely, is left alone."""
    text = """
    config base:
        from "base.yaml"
        gpus = 4

    experiment train:
        config base
        run "sim"
    """
    assert concise(text, {"base.yaml": "gpus: 2\nretries: 3\n"}) == []


def test_unknown_key_of_that_name_has_the_same_words() -> None:
    """With a config it is an error, and a grid tells the line and how a key is declared."""
    text = """
    config base:
        lr = 0.1

    grid sweep:
        retries = 2

    experiment train:
        config base
        grid sweep
        run "sim {lr}"
    """
    assert faults(text) == (
        "error[XP021]: unknown config key `retries`\n"
        " --> Experimentfile:5:5\n"
        "  |\n"
        "5 |     retries = 2\n"
        "  |     ^^^^^^^ config `base` has no such key\n"
        "  |\n"
        "help: write `retries 2` in the experiment\n"
        "help: to declare a new key write `new retries = …`"
    )
