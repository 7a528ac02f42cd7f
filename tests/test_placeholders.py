"""Texts: escapes, indentation, placeholders, and the place of every character."""

from __future__ import annotations

import pytest

from xpc.grammar.diagnostic import Diagnostics
from xpc.grammar.parser import parse
from xpc.grammar.source import Source
from xpc.grammar.tree import Broken, Experiment, Name, Piece, Placeholder, Run, Text


def read(literal: str) -> tuple[Text, Diagnostics]:
    """Parse *literal* as a run text."""
    report = Diagnostics()
    tree = parse(Source("Experimentfile", f"experiment e:\n    run {literal}\n"), report)
    (experiment,) = tree.statements
    assert isinstance(experiment, Experiment)
    (run,) = experiment.body
    assert isinstance(run, Run)
    return run.text, report


def parts(literal: str) -> list[str]:
    """Show the parts of a text without a fault: pieces bare, placeholders in braces."""
    text, report = read(literal)
    assert [d.message for d in report.found] == []
    return [part.text if isinstance(part, Piece) else part.span.text for part in text.parts]


def faults(literal: str) -> list[tuple[str, str]]:
    """Give code and marked text of each finding."""
    _, report = read(literal)
    return [(d.code, d.span.text if d.span else "") for d in report.sorted()]


@pytest.mark.parametrize(
    ("literal", "expected"),
    [
        ('"a {b} c"', ["a ", "{b}", " c"]),
        ("""'{config."q\\\\"}"} {config."b\\\\\\\\"} c'""", ['{config."q\\\\"}"}', " ", '{config."b\\\\\\\\"}', " c"]),
        ('"{b}{c}"', ["{b}", "{c}"]),
        ('"{(a + b) * 2:.3f}"', ["{(a + b) * 2:.3f}"]),
        ('"{_x}"', ["{_x}"]),
        ('"{é}"', ["{é}"]),
        ('"{{a}"', ["{a}"]),
        ('"{{{a}"', ["{", "{a}"]),
        ('"{{{{"', ["{{"]),
        ("\"awk '{{print $1}'\"", ["awk '{print $1}'"]),
        ('"${HOME}"', ["${HOME}"]),
        ('"${A:-${B}}{c}"', ["${A:-${B}}", "{c}"]),
        ('"${{a}"', ["${a}"]),
        ('"$ {a}"', ["$ ", "{a}"]),
        ('"a } b"', ["a } b"]),
        ("\"{f('}:')}\"", ["{f('}:')}"]),
        ("\"{x['a']:raw}\"", ["{x['a']:raw}"]),
        ('r"{a} \\d"', ["{a} \\d"]),
        ("r'a'", ["a"]),
        ('""', []),
        ('r""', [""]),
    ],
)
def test_parts(literal: str, expected: list[str]) -> None:
    """A placeholder begins with a letter, `_` or `(` right after its brace."""
    assert parts(literal) == expected


def test_spec_and_places() -> None:
    """A placeholder knows where its expression and its format stand."""
    text, report = read('"--lr {optimizer.lr:flag}"')
    placeholder = text.parts[1]

    assert isinstance(placeholder, Placeholder)
    assert isinstance(placeholder.expr, Name)
    assert placeholder.expr.span.text == "optimizer.lr"
    assert placeholder.spec == "flag"
    assert placeholder.spec_span is not None
    assert placeholder.spec_span.text == "flag"
    assert placeholder.span.text == "{optimizer.lr:flag}"
    assert not report.found


def test_places_through_escapes() -> None:
    """Every character knows where it stands, through escapes, doubled braces and indentation."""
    literal = '"""\n        a\\n{{b\n          {x[\\"k\\"]:.1f} \\u00e9!\n        """'
    text, report = read(literal)
    source = text.span.source.text
    first, placeholder, last = text.parts

    assert isinstance(first, Piece)
    assert isinstance(placeholder, Placeholder)
    assert isinstance(last, Piece)
    assert first.text == "\na\n{b\n  "
    assert [source[at] for at in first.at] == ["\n", "a", "\\", "{", "b", "\n", " ", " ", "{"]
    assert placeholder.span.text == '{x[\\"k\\"]:.1f}'
    assert placeholder.expr.span.text == 'x[\\"k\\"]'
    assert last.text == " é!\n"
    assert [source[at] for at in last.at[:4]] == [" ", "\\", "!", "\n"]
    assert not report.found


def test_a_fault_behind_escapes_has_its_place() -> None:
    """A fault inside a placeholder is marked in the file, not in the text that was read."""
    _, report = read('"\\u0041\\n{a b}"')

    (finding,) = report.found
    assert finding.span is not None
    assert (finding.span.text, finding.span.start) == ("b", 22 + len('"\\u0041\\n{a '))


@pytest.mark.parametrize(
    ("literal", "expected"),
    [
        ('"{ print }"', [("XP014", "{ print }")]),
        ("'{\"a\": 1}'", [("XP014", '{"a": 1}')]),
        ('"{}"', [("XP014", "{}")]),
        ('"{1..5}"', [("XP014", "{1..5}")]),
        ('"a {"', [("XP014", "{")]),
        ('"a {b"', [("XP014", "{")]),
        ('"{a:.3f"', [("XP014", "{")]),
        ('"{a b} {c}"', [("XP001", "b")]),
        ('"{a,b}"', [("XP001", ",")]),
        ('"{a + }"', [("XP001", "")]),
        ('"{True}"', [("XP016", "True")]),
        (r'"\d+"', [("XP013", r"\d")]),
        (r'"\ud800"', [("XP013", r"\ud800")]),
        (r'"\u12"', [("XP013", r"\u")]),
        ('"{a b} { c } \\q"', [("XP001", "b"), ("XP014", "{ c }"), ("XP013", "\\q")]),
    ],
)
def test_faults(literal: str, expected: list[tuple[str, str]]) -> None:
    """Each wrong brace and escape is reported once, at its place."""
    assert faults(literal) == expected


def test_a_broken_placeholder_stays() -> None:
    """The rest of the text survives, and `Broken` stands where the expression was."""
    text, _ = read('"{a b} {c}"')

    kinds = [type(part.expr) for part in text.parts if isinstance(part, Placeholder)]

    assert kinds == [Broken, Name]


def test_shell_names() -> None:
    """The shell's own `${…}` are listed, since one may have been meant as a key."""
    text, _ = read('"${optimizer.lr} ${#A} ${B:-x} ${1} {a}"')

    assert [(word.text, word.span.text) for word in text.shell] == [
        ("optimizer.lr", "${optimizer.lr}"),
        ("A", "${#A}"),
        ("B", "${B:-x}"),
    ]


@pytest.mark.parametrize(
    ("literal", "expected"),
    [
        ('"""a"""', "a"),
        ('"""\n    a\n      b\n    """', "\na\n  b\n"),
        ('"""a\n    b\n    c"""', "a\nb\nc"),
        ('"""\n    a\n\n  \n    b"""', "\na\n\n\nb"),
        ('"""\n\ta\n\t\tb"""', "\na\n\tb"),
        ('"""\n    a\\n  b\n    c"""', "\na\n  b\nc"),
        ('r"""\n    \\d\n    {a}"""', "\n\\d\n{a}"),
        ('"""say "hi" """', 'say "hi" '),
        ('"""\r\n    a\r\n    b"""', "\na\nb"),
    ],
)
def test_long_texts(literal: str, expected: str) -> None:
    """A long text loses the indentation that its lines share, before its escapes are read."""
    text, report = read(literal)

    assert text.plain == expected
    assert not report.found


def test_nested_texts() -> None:
    """A text in a placeholder takes placeholders itself, to a bound."""
    text, report = read("\"{f('{a}')}\"")
    outer = text.parts[0]

    assert isinstance(outer, Placeholder)
    inner = outer.expr.fields()["arguments"][0].value.parts[0]
    assert inner.span.text == "{a}"
    assert not report.found
