"""YAML by the core rules of 1.2: values, places, and what is refused."""

from __future__ import annotations

import pytest

from xpc.compiler.values import Value
from xpc.compiler.yaml_core import Mapping, load_yaml
from xpc.grammar.diagnostic import Diagnostics
from xpc.grammar.render import render
from xpc.grammar.source import Source


def load(text: str) -> tuple[Mapping | None, str]:
    """Read a text; give what it holds and the findings, rendered."""
    diagnostics = Diagnostics()
    found = load_yaml(Source("base.yaml", text), diagnostics)
    return found, render(diagnostics.sorted(), "full", color=False)


def scalar(text: str) -> Value:
    found, _ = load(f"key: {text}\n")
    assert found is not None
    node = found.entries[0][2]
    assert not isinstance(node, Mapping)
    return node.value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("1E5", 100000.0),
        (".5", 0.5),
        ("1.", 1.0),
        ("017", 17),
        ("0o17", 15),
        ("0x1F", 31),
        ("-3", -3),
        ("1_000", "1_000"),
        ("12:30:45", "12:30:45"),
        ("2020-01-01", "2020-01-01"),
        ("no", "no"),
        ("On", "On"),
        ("True", True),
        ("~", None),
        ("", None),
        ('"1"', "1"),
        ("'true'", "true"),
        ("[1, a, null]", [1, "a", None]),
        ("[{a: 1}]", [{"a": 1}]),
        ("|\n  two\n  lines", "two\nlines\n"),
        ("9223372036854775807", 2**63 - 1),
    ],
)
def test_scalars(text: str, value: Value) -> None:
    """Plain scalars are read by the core schema, quoted ones are texts."""
    found = scalar(text)

    assert found == value
    assert type(found) is type(value)


def test_places_are_characters() -> None:
    """Keys and values know their places, counted in characters, beyond letters that need several bytes."""
    found, _ = load('# ü — 日本\nmodel:\n  "naïve key": "é"  # ß\n  width: 64\n')
    assert found is not None
    model = found.entries[0][2]
    assert isinstance(model, Mapping)

    assert [(key, span.text, node.span.text) for key, span, node in model.entries] == [
        ("naïve key", '"naïve key"', '"é"'),
        ("width", "width", "64"),
    ]


@pytest.mark.parametrize(
    ("text", "help"),
    [
        ("no", 'put a text in quotes: `"no"`'),
        ("1e-3", "write `1.0e-3`"),
        ("1.5e3", "write `1.5e+3`"),
        ("0777", "write `777`"),
        ("12:30:45", 'put a text in quotes: `"12:30:45"`'),
        ("1_000", 'put a text in quotes: `"1_000"`'),
        ("2020-01-01", 'put a text in quotes: `"2020-01-01"`'),
    ],
)
def test_two_readings_are_warned_of(text: str, help: str) -> None:
    """Where YAML 1.1 reads something else there is a warning that shows what all versions read alike."""
    _, findings = load(f"key: {text}\n")

    assert findings.startswith(f"warning[XP104]: `{text}` is read as ")
    assert findings.endswith(f"help: {help}")


@pytest.mark.parametrize("text", ["1.0e-3", "1.5e+3", '"no"', "777", "true", "0.1", "abc", "-1", "1.0"])
def test_one_reading_is_not_warned_of(text: str) -> None:
    """What every version of YAML reads alike passes silently."""
    assert load(f"key: {text}\n")[1] == ""


def test_ill_formed_yaml_is_reported_in_its_own_file() -> None:
    """The error stands at the place in the YAML file."""
    assert load("a: 1\nb: [1, 2\nc: 3\n")[1] == (
        "error[XP101]: `base.yaml` is no YAML: did not find expected ',' or ']'\n"
        " --> base.yaml:3:2\n"
        "  |\n"
        "3 | c: 3\n"
        "  |  ^ here"
    )


def test_a_key_given_twice_is_an_error_with_both_places() -> None:
    """A key that stands twice shows where it stood first."""
    assert load("lr: 1\nlr: 2\n")[1] == (
        "error[XP102]: the key `lr` stands twice in one mapping\n"
        " --> base.yaml:2:1\n"
        "  |\n"
        "1 | lr: 1\n"
        "  | -- the first\n"
        "2 | lr: 2\n"
        "  | ^^ again"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1: a\n", "error[XP103]: a key is a text"),
        ("true: a\n", "error[XP103]: a key is a text"),
        ("[a]: b\n", "error[XP103]: a key is a text"),
        ("a: !!python/object:os.system x\n", "error[XP103]: tags are not read"),
        ("a: !!int 3\n", "error[XP103]: tags are not read"),
        ("a: !x {b: 1}\n", "error[XP103]: tags are not read"),
        ("a: &x {b: 1}\nc:\n  <<: *x\n", "error[XP103]: merge keys are not part of YAML 1.2"),
        ("a: 1\n---\nb: 2\n", "error[XP103]: `base.yaml` holds several documents"),
        ("- a\n", "error[XP103]: `base.yaml` holds no mapping of keys"),
        ("just a text\n", "error[XP103]: `base.yaml` holds no mapping of keys"),
        ("a: &x [*x]\n", "error[XP105]: an alias holds itself"),
        ("a: .nan\n", "error[XP106]: `.nan` is not a finite number"),
        ("a: -.inf\n", "error[XP106]: `-.inf` is not a finite number"),
        ("a: 1.0e+999\n", "error[XP106]: `1.0e+999` is not a finite number"),
        ("a: 9223372036854775808\n", "error[XP106]: this number does not fit into 64 bits"),
        ("a: \x07\n", "error[XP101]: `base.yaml` holds a character that YAML does not take"),
    ],
)
def test_refused(text: str, message: str) -> None:
    """What has no place in a config is refused, once."""
    found, findings = load(text)

    assert found is None
    assert findings.split("\n")[0] == message
    assert findings.count("error[") == 1


def test_an_alias_bomb_is_bounded() -> None:
    """Nine aliases of nine aliases nine times do not fill the memory."""
    text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    for n in range(1, 12):
        text += f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n"

    found, findings = load(text)

    assert found is None
    assert findings.startswith("error[XP105]: `base.yaml` grows to more than 1,000,000 values by its aliases")


def test_deep_nesting_is_bounded() -> None:
    """A text nested ten thousand deep is an error, not a crash."""
    found, findings = load("a: " + "[" * 10_000 + "]" * 10_000)

    assert found is None
    assert findings.startswith("error[XP10")


def test_an_alias_stands_for_its_value() -> None:
    """A plain alias is read as what it names."""
    found, findings = load("a: &x 3\nb: *x\n")

    assert findings == ""
    assert found is not None
    assert [node.value for _, _, node in found.entries if not isinstance(node, Mapping)] == [3, 3]


def test_an_empty_file_sets_nothing() -> None:
    """An empty file, or one of comments, is an empty mapping."""
    for text in ("", "# nothing\n"):
        found, findings = load(text)
        assert findings == ""
        assert found is not None
        assert found.entries == ()
