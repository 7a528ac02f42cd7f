"""Configs: what they inherit, how values merge, that types hold and that no key is silent."""

from __future__ import annotations

from typing import Any

from resolving import concise, experiment, faults

from xpc.compiler.study import Code
from xpc.compiler.values import Size, dotted

RUN = """
experiment train:
    config {config}
    run "true"
"""


def keys(text: str, config: str, files: dict[str, str] | None = None) -> dict[str, Any]:
    """Give the values of a config's keys; a late one as its text."""
    found = experiment(text + RUN.format(config=config), files).keys
    return {
        dotted(path): key.value.span.text if isinstance(key.value, Code) else key.value for path, key in found.items()
    }


def test_a_later_value_wins() -> None:
    """Parents come left to right, then the body from top to bottom; the order of keys is that of first mention."""
    text = """
config a:
    x = 1
    y = 1
config b:
    y = 2
    z = 2
config c(a, b):
    z = 3
    z = 4
"""
    assert keys(text, "c") == {"x": 1, "y": 2, "z": 4}


def test_a_shared_parent_stands_once() -> None:
    """What one parent overrides stays overridden when the other has left it as the grandparent gave it."""
    text = """
config base:
    lr = 0.1
config left(base):
    lr = 0.5
config right(base):
    other = 1
config both(left, right):
    last = 1
"""
    assert keys(text, "both") == {"lr": 0.5, "other": 1, "last": 1}


def test_yaml_merges_where_it_stands() -> None:
    """A file's values win over those above it and lose to those below; maps merge key by key, lists replace."""
    text = """
config base:
    model.width = 8
    model.depth = 9
    sizes = [1, 2]
    from "base.yaml"
    model:
        depth = 3
        from "inner.yaml"
"""
    files = {
        "base.yaml": "model:\n  width: 64\n  depth: 2\nsizes: [3]\nopt: {lr: 1.0}\n",
        "inner.yaml": "norm: batch\n",
    }
    assert keys(text, "base", files) == {
        "model.width": 64,
        "model.depth": 3,
        "sizes": [3],
        "opt.lr": 1.0,
        "model.norm": "batch",
    }


def test_maps_are_groups() -> None:
    """A map is a group of keys, however it is written; an empty one holds a place."""
    text = """
config base:
    a = {b: 1, c: {d: 2}}
    a.c.e = 3
    empty = {}
    filled = {}
    filled.x = 1
"""
    assert keys(text, "base") == {"a.b": 1, "a.c.d": 2, "a.c.e": 3, "empty": {}, "filled.x": 1}


def test_types_hold_and_ints_fit_floats() -> None:
    """An int given to a float key is a float from the start; null fits anywhere and a null default takes anything."""
    text = """
config base:
    lr = 0.1
    clip = null
    mem = 4GiB
config wide(base):
    lr = 1
    clip = "none"
    mem = 2 * 4GiB
"""
    found = keys(text, "wide")

    assert found == {"lr": 1.0, "clip": "none", "mem": Size(8 * 1024**3)}
    assert type(found["lr"]) is float


def test_a_value_of_another_type_shows_where_the_type_comes_from() -> None:
    """The error stands at the value and points into the YAML file that gave the first one."""
    text = """
config base:
    from "base.yaml"
config strong(base):
    optimizer.lr = "0.1"
"""
    assert faults(text, {"base.yaml": "seed: 1\noptimizer:\n  lr: 0.1\n"}) == (
        "error[XP034]: `optimizer.lr` is a float, but this is a text\n"
        " --> Experimentfile:4:20\n"
        "  |\n"
        '4 |     optimizer.lr = "0.1"\n'
        "  |                    ^^^^^ text\n"
        "  |\n"
        " ::: base.yaml:3:7\n"
        "  |\n"
        "3 |   lr: 0.1\n"
        "  |       --- it was first given here\n"
        "  |\n"
        "help: write `0.1` without quotes"
    )


def test_derived_values_are_late_and_typed() -> None:
    """A value that names other keys is code over them; its key has the type of its value over the defaults."""
    text = """
config base:
    width = 64
    hidden = 4 * width
    name = "m-{hidden}"
"""
    found = experiment(text + RUN.format(config="base")).keys

    hidden = found[("hidden",)]
    assert isinstance(hidden.value, Code)
    assert (hidden.type, hidden.value.names, hidden.value.call([8])) == ("int", (("width",),), 32)
    assert found[("name",)].type == "text"


def test_lets_never_hide_a_key() -> None:
    """A name that is both a key and a let is the key."""
    text = """
let width = 3
let scale = 2
config base:
    width = 64
    hidden = scale * width
"""
    found = experiment(text + RUN.format(config="base")).keys[("hidden",)].value

    assert isinstance(found, Code)
    assert (found.names, found.call([64])) == ((("width",),), 128)


def test_a_cycle_is_printed() -> None:
    """Values that are defined by each other are one error that prints the cycle."""
    text = """
config base:
    a = b + 1
    b = c * 2
    c = a
    d = d
""" + RUN.format(config="base")
    assert faults(text) == (
        "error[XP031]: `a` is defined by itself: `a` → `b` → `c` → `a`\n"
        " --> Experimentfile:2:9\n"
        "  |\n"
        "2 |     a = b + 1\n"
        "  |         ^^^^^ the cycle closes here\n"
        "3 |     b = c * 2\n"
        "  |         ----- `b`\n"
        "4 |     c = a\n"
        "  |         - `c`\n"
        "\n"
        "error[XP031]: `d` is defined by itself: `d` → `d`\n"
        " --> Experimentfile:5:9\n"
        "  |\n"
        "5 |     d = d\n"
        "  |         ^ the cycle closes here\n"
        "  |\n"
        "help: a value that names a key gets its last value, which is this one itself"
    )


def test_groups_and_values_do_not_mix() -> None:
    """A group takes no value and a value no keys below it."""
    text = """
config base:
    model.width = 64
    model = 3
    seed = 1
    seed.x = 2
"""
    assert concise(text) == [
        "Experimentfile:3:13: error[XP050]: `model` is a group of keys and takes no value",
        "Experimentfile:5:5: error[XP050]: `seed.x` cannot be set: `seed` is a value, not a group of keys",
    ]


def test_everything_is_reported_once() -> None:
    """A mistake in a config that several experiments use is one error; an unused config is looked at too."""
    text = """
config base:
    a = 1
    b = aa + 1
config other:
    c = nope(1)
experiment one:
    config base
    run "true"
experiment two:
    config base
    run "true"
"""
    assert concise(text) == [
        "Experimentfile:3:9: error[XP021]: unknown key `aa`",
        "Experimentfile:5:9: error[XP024]: unknown function `nope`",
    ]


def test_a_file_that_cannot_be_read_causes_nothing_else() -> None:
    """With a YAML file missing nobody knows the keys: no key is reported as unknown."""
    text = """
config base:
    from "nope.yaml"
grid g:
    lr in [1]
    skip if seed == 3
experiment train:
    config base
    grid g
    optimizer.lr = 3
    run "true"
"""
    assert concise(text) == ["Experimentfile:2:10: error[XP100]: cannot read `nope.yaml`: no such file or directory"]


def test_inheritance_is_checked() -> None:
    """Unknown parents get the nearest name; a config cannot inherit from itself."""
    text = """
config base:
    a = 1
config wide(bse):
    a = 2
config x(y):
    a = 1
config y(x):
    a = 2
experiment train:
    config bas
    run "true"
"""
    assert concise(text) == [
        "Experimentfile:3:13: error[XP020]: unknown config `bse`",
        "Experimentfile:7:10: error[XP032]: config `x` inherits from itself",
        "Experimentfile:10:12: error[XP020]: unknown config `bas`",
    ]


def test_definitions_are_unique() -> None:
    """A second definition of a name points at the first."""
    assert faults("config a:\n    x = 1\nconfig a:\n    x = 2\n") == (
        "error[XP022]: config `a` is defined twice\n"
        " --> Experimentfile:3:8\n"
        "  |\n"
        "1 | config a:\n"
        "  |        - it was first defined here\n"
        "2 |     x = 1\n"
        "3 | config a:\n"
        "  |        ^ again"
    )


def test_includes_define_in_place() -> None:
    """An included file's definitions count; a cycle and a missing file are errors where they are named."""
    files = {"lib/shared.xpc": 'include "more.xpc"\n', "lib/more.xpc": "config base:\n    lr = 0.1\n"}
    found = experiment('include "lib/shared.xpc"\n' + RUN.format(config="base"), files)
    assert found.keys[("lr",)].value == 0.1

    assert concise('include "a.xpc"\n', {"a.xpc": 'include "Experimentfile"\n'}) == [
        "a.xpc:1:9: error[XP110]: `Experimentfile` includes itself"
    ]
    assert concise('include "nope"\n' + RUN.format(config="base")) == [
        "Experimentfile:1:9: error[XP100]: cannot read `nope`: no such file or directory"
    ]


def test_values_of_lets_are_known_at_once() -> None:
    """A value that names lets alone is no derived value: it has its type, and must fit its key."""
    text = 'let rate = 0.5\nlet name = 3\nconfig base:\n    a = 1.0\n    b = rate\n    name = "x"\n'
    found = experiment(text + "config c(base):\n    a = 2 * rate\n" + RUN.format(config="c")).keys
    assert [(key.type, key.value) for key in found.values()] == [("float", 1.0), ("float", 0.5), ("text", "x")]

    wrong = "let other = 3\n" + text + "config c(base):\n    name = other\n" + RUN.format(config="c")
    assert concise(wrong) == ["Experimentfile:9:12: error[XP034]: `name` is a text, but this is an int"]


def test_a_shell_variable_called_like_a_key_is_asked_about() -> None:
    """`${key}` is OmegaConf's reference and a shell's variable; another name is left to the shell."""
    text = 'config base:\n    lr = 0.1\n    a = "${HOME}"\n    b = "${lr}"\n' + RUN.format(config="base")
    assert concise(text) == ["Experimentfile:4:10: error[XP057]: `${lr}` is left to the shell, and `lr` is a key"]
