"""Expressions: what they give, and how they fail."""

from __future__ import annotations

import math
from typing import Any

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpc.compiler.evaluate import EvaluationError, apply_format, compile_expression, format_value
from xpc.compiler.files import MemoryFiles
from xpc.compiler.scope import Scope, World
from xpc.compiler.values import Duration, Size
from xpc.grammar.diagnostic import Diagnostics
from xpc.grammar.parser import parse, parse_expression
from xpc.grammar.render import render
from xpc.grammar.source import Source
from xpc.grammar.tree import Let

WORLD = World(MemoryFiles({"data/b.txt": "two\n", "data/a.txt": "one\n1\n"}), {"HOME": "/home/ada"})


def evaluate(text: str, **keys: Any) -> Any:
    """Evaluate a right expression over keys; a double underscore in a key's name is its dot."""
    paths = {tuple(name.split("__")): value for name, value in keys.items()}
    diagnostics = Diagnostics()
    statement = parse(Source("<expr>", f"let x = {text}"), diagnostics).statements[0]
    assert isinstance(statement, Let), diagnostics.found
    code = compile_expression(statement.value, Scope(paths, world=WORLD), diagnostics)
    if code is None:
        raise EvaluationError(diagnostics.found[-1])
    return code.call([paths[name] for name in code.names])


def fault(text: str, **keys: Any) -> str:
    """Evaluate a wrong expression and give its error in one line."""
    with pytest.raises(EvaluationError) as caught:
        evaluate(text, **keys)
    line = render([caught.value.diagnostic], "concise", color=False)
    _, row, column, message = line.split(":", 3)
    return f"{row}:{int(column) - len('let x = ')}:{message}"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3", 7),
        ("-2 ** 2", -4),
        ("7 // 2", 3),
        ("-7 // 2", -4),
        ("-7 % 3", 2),
        ("6 / 3", 2.0),
        ("2 ** 62", 2**62),
        ("-9223372036854775808", -(2**63)),
        ("1 - 9223372036854775808", 1 - 2**63),
        ("2 ** -1", 0.5),
        ("0.1 * 3", 0.3),
        ("0.1 + 0.2", 0.3),
        ("1 if 2 > 1 else 1 / 0", 1),
        ("false and 1 / 0 == 1", False),
        ("true or 1 / 0 == 1", True),
        ("not false", True),
        ("1 == 1.0", True),
        ('"a" == "b"', False),
        ("3 in [1, 2, 3]", True),
        ("3 not in [1, 2]", True),
        ('"ell" in "hello"', True),
        ("[1, 2, 3][-1]", 3),
        ('{a: {b: 2}}["a"]["b"]', 2),
        ("[1] + [2]", [1, 2]),
        ('"ab" * 2', "abab"),
        ("null is null", True),
        ("1 is not null", True),
        ("4GiB / 2", Size(2 * 1024**3)),
        ("4GiB / 1GiB", 4.0),
        ("5GiB // 2GiB", 2),
        ("1h + 30min", Duration(5400)),
        ("10min * 3", Duration(1800)),
        ("1d12h", Duration(129600)),
        ("1h > 30min", True),
    ],
)
def test_operators(text: str, value: object) -> None:
    """Operators have Python's precedence and meaning; units go along; computed floats have 12 digits."""
    found = evaluate(text)

    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("range(3)", [0, 1, 2]),
        ("range(5, 0, -2)", [5, 3, 1]),
        ("linspace(0, 1, 5)", [0.0, 0.25, 0.5, 0.75, 1.0]),
        ("linspace(0, 1, num = 1)", [0.0]),
        ("geomspace(1e-5, 1e-1, 5)", [1e-5, 1e-4, 1e-3, 1e-2, 1e-1]),
        ("logspace(-2, 0, 3)", [0.01, 0.1, 1.0]),
        ("logspace(0, 3, 4, 2)", [1.0, 2.0, 4.0, 8.0]),
        ("min(3, 1, 2)", 1),
        ("max([1, 2.5])", 2.5),
        ("max(1GiB, 2GiB)", Size(2 * 1024**3)),
        ("round(2.5)", 2),
        ("round(2.567, 1)", 2.6),
        ('len("abc") + len([1, 2])', 5),
        ("str(1e-5)", "1e-05"),
        ("str([true, null])", "[true, null]"),
        ('int("42") + int(2.9)', 44),
        ('float("1e-3")', 0.001),
        ('env("HOME")', "/home/ada"),
        ('env("NOPE", 3)', 3),
        ('files("data/*.txt")', ["data/a.txt", "data/b.txt"]),
        ('read("data/b.txt")', "two\n"),
        ('lines("data/a.txt")', ["one", "1"]),
    ],
)
def test_functions(text: str, value: object) -> None:
    """Functions mean what Python's or numpy's of that name mean."""
    found = evaluate(text)

    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("10 ** 10 ** 10", "1:1: error[XP028]: the result does not fit into 64 bits"),
        ("9223372036854775807 + 1", "1:1: error[XP028]: the result does not fit into 64 bits"),
        ("1 / 0", "1:1: error[XP028]: division by zero"),
        ("1e308 * 10", "1:1: error[XP028]: the result is not a finite number"),
        ("(-8) ** 0.5", "1:1: error[XP028]: a negative number has no fractional power"),
        (
            "range(10 ** 12)",
            "1:1: error[XP030]: this range has 1,000,000,000,000 elements, and 10,000,000 is the most",
        ),
        ('"a" * 10 ** 9', "1:1: error[XP030]: this would be 1,000,000,000 long, and 1,000,000 is the most"),
        ('"a" + 1', "1:5: error[XP026]: cannot add an int to a text"),
        ("true + 1", "1:6: error[XP026]: cannot add an int to a bool"),
        ("4GiB + 1", "1:6: error[XP026]: cannot add an int to a size"),
        ("4GiB * 2GiB", "1:6: error[XP026]: cannot multiply a size by a size"),
        ("1h + 1GiB", "1:4: error[XP026]: cannot add a size to a duration"),
        ('"1" == 1', "1:5: error[XP027]: a text is never equal to an int"),
        ("1GiB > 5", "1:6: error[XP027]: a size has no order with an int"),
        ("true < false", "1:6: error[XP027]: true and false have no order"),
        ('1 in ["1"]', "1:3: error[XP027]: an int is never in this list"),
        ("1 if 3 else 2", "1:6: error[XP053]: a condition is true or false, but this is an int"),
        ("[1, 2][2]", "1:8: error[XP029]: index 2 is out of range: a list of 2 elements"),
        ('{a: 1}["b"]', "1:8: error[XP029]: the map has no `b`"),
        ("3[0]", "1:1: error[XP029]: an int cannot be indexed"),
        ("linspce(0, 1, 2)", "1:1: error[XP024]: unknown function `linspce`"),
        ("linspace(0, 1)", "1:1: error[XP025]: `linspace` takes 3 arguments, not 2"),
        ("range()", "1:1: error[XP025]: `range` takes 1 to 3 arguments, not 0"),
        ("range(1.5)", "1:7: error[XP025]: `range` takes an int here, but this is a float"),
        ("round(1.5, places = 2)", "1:12: error[XP025]: `round` has no argument called `places`"),
        ("geomspace(0, 1, 3)", "1:11: error[XP025]: `geomspace` needs two bounds of one sign, neither of them 0"),
        ('min(1, "a")', "1:1: error[XP025]: `min` takes numbers, or values of one kind"),
        ('int("x")', "1:5: error[XP025]: `x` is no int"),
        ('env("NOPE")', "1:5: error[XP036]: the environment variable `NOPE` is not set"),
        (
            'env("WANDB_API_KEY")',
            "1:5: error[XP037]: `WANDB_API_KEY` looks secret, and the values of `env` are recorded",
        ),
        ('files("*.csv")', "1:7: error[XP107]: no file matches `*.csv`"),
        ('read("nope")', "1:6: error[XP100]: cannot read `nope`: no such file or directory"),
        ('read("../secret")', "1:6: error[XP049]: `../secret` lies outside the project"),
        ("unknown", "1:1: error[XP021]: unknown key `unknown`"),
        ("run.id", "1:1: error[XP035]: `run.id` is not known here"),
    ],
)
def test_faults(text: str, message: str) -> None:
    """What cannot be evaluated says what and where."""
    assert fault(text) == message


def test_a_name_is_a_key_a_group_or_a_part_of_a_value() -> None:
    """A name of a group gives a map; a name below a key looks inside its value; `config.x` is exact."""
    scope = Scope([("model", "name"), ("model", "width"), ("limits",)])
    diagnostics = Diagnostics()

    def names(text: str) -> tuple[tuple[str, ...], ...]:
        expr = parse_expression(Source("<expr>", text), diagnostics)
        assert expr is not None
        code = compile_expression(expr, scope, diagnostics)
        assert code is not None
        return code.names

    assert names("model") == (("model",),)
    assert names("config.model.name") == (("model", "name"),)
    assert names("limits.low + limits.high") == (("limits",),)
    assert evaluate("limits.low", limits={"low": 3}) == 3
    assert diagnostics.found == []


def test_null_makes_comparisons_false() -> None:
    """A comparison with null is false, either way round; `is null` asks."""
    assert evaluate("[x == 1, x != 1, x < 1, x in [1], x not in [1], x is null]", x=None) == [*[False] * 5, True]
    assert evaluate("1 if x else 2", x=None) == 2


def test_texts_take_placeholders() -> None:
    """A text with placeholders is a text: floats as Python's repr, formats as Python's."""
    assert evaluate('"m-{seed}-{lr}-{lr:.1e}-{seed:03d}"', seed=7, lr=1e-5) == "m-7-1e-05-1.0e-05-007"
    assert fault('"{seed:.1q}"', seed=1) == "1:8: error[XP055]: `.1q` is no format"
    assert fault('"{seed:d}"', seed="x") == "1:8: error[XP055]: the format `d` is for a number, and this is `x`"


def test_lets_are_read_once_however_often_they_are_named() -> None:
    """Lets that double each other cost no more than their number: nothing runs away."""
    source = Source("<lets>", "x + 0")
    first = parse_expression(source, Diagnostics())
    assert first is not None
    lets = {"l0": first}
    for n in range(1, 40):
        doubled = parse_expression(Source("<lets>", f"l{n - 1} * 0 + l{n - 1}"), Diagnostics())
        assert doubled is not None
        lets[f"l{n}"] = doubled
    last = parse_expression(Source("<expr>", "l39"), Diagnostics())
    assert last is not None

    code = compile_expression(last, Scope([("x",)], lets=lets), Diagnostics())

    assert code is not None
    assert [code.call([5]), code.call([6])] == [5, 6]


@given(st.integers(-(2**63), 2**63 - 1), st.integers(-(2**63), 2**63 - 1), st.sampled_from("+-*"))
def test_integers_are_exact_or_an_error(left: int, right: int, operator: str) -> None:
    """A result of integers is the exact one, or an error: it never wraps around and never becomes a float."""
    exact = {"+": left + right, "-": left - right, "*": left * right}[operator]
    if -(2**63) <= exact < 2**63:
        assert evaluate(f"x {operator} y", x=left, y=right) == exact
    else:
        assert "64 bits" in fault(f"x {operator} y", x=left, y=right)


@given(st.floats(-1e100, 1e100), st.floats(-1e100, 1e100), st.sampled_from("+-*"))
def test_computed_floats_have_twelve_digits(left: float, right: float, operator: str) -> None:
    """A computed float is the nearest one with 12 significant digits."""
    exact = {"+": left + right, "-": left - right, "*": left * right}[operator]

    assert evaluate(f"x {operator} y", x=left, y=right) == float(f"{exact:.12g}")


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.integers(0, 50))
def test_linspace_is_numpys(low: float, high: float, count: int) -> None:
    """`linspace` gives numpy's values, to the 12 digits that are kept."""
    found = evaluate("linspace(low, high, n)", low=low, high=high, n=count)

    assert len(found) == count
    assert numpy.allclose(found, numpy.linspace(low, high, count), rtol=1e-11, atol=1e-9)


@given(st.floats(1e-9, 1e9), st.floats(1e-9, 1e9), st.integers(1, 30))
def test_geomspace_is_numpys(low: float, high: float, count: int) -> None:
    """`geomspace` gives numpy's values, to the 12 digits that are kept."""
    found = evaluate("geomspace(low, high, n)", low=low, high=high, n=count)

    assert numpy.allclose(found, numpy.geomspace(low, high, count), rtol=1e-10, atol=0)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_print_so_that_they_read_back(value: float) -> None:
    """A float's text is the shortest that reads back as it."""
    assert float(format_value(value)) == value
    assert format_value(value) == repr(value)


def test_values_print_as_the_language_writes_them() -> None:
    """true, false and null are words; lists and maps are JSON; a size is its bytes."""
    values = [True, None, 3, 0.1, "a b", [1, "x"], {"a": None}, Size(1024), Duration(90)]

    assert [format_value(value) for value in values] == [
        "true", "null", "3", "0.1", "a b", '[1, "x"]', '{"a": null}', "1024", "90.0",
    ]  # fmt: skip


def test_formats_are_bounded() -> None:
    """A format cannot ask for a text of any width."""
    assert apply_format(math.pi, "8.2f") == "    3.14"
    with pytest.raises(ValueError, match="wider than 1000 characters"):
        apply_format(1, "9999d")
