"""Diagnostics as people and machines see them."""

from __future__ import annotations

import json
import textwrap

import pytest

from xpc.grammar.diagnostic import Diagnostic, Label
from xpc.grammar.nearest import nearest
from xpc.grammar.render import render
from xpc.grammar.source import Source, Span

FILE = Source("Experimentfile", "".join(f"line {i}\n" for i in range(1, 14)) + "    optimzer.lr in [0.1, 0.01]\n")
YAML = Source("configs/base.yaml", "optimizer:\n  # rate\n  lr: 0.1\n")


def at(source: Source, text: str) -> Span:
    start = source.text.index(text)
    return source.span(start, start + len(text))


def full(*diagnostics: Diagnostic) -> str:
    return render(diagnostics, "full", color=False)


def block(text: str) -> str:
    return textwrap.dedent(text).strip("\n")


UNKNOWN = Diagnostic(
    "XP021",
    "error",
    "unknown config key `optimzer.lr`",
    at(FILE, "optimzer.lr"),
    "config `base` has no such key",
    help=("did you mean `optimizer.lr`? To declare a new key write `new optimzer.lr in …`",),
)


def test_one_label() -> None:
    """The place, the line, the caret with its label, and the help."""
    assert full(UNKNOWN) == block(
        """
        error[XP021]: unknown config key `optimzer.lr`
          --> Experimentfile:14:5
           |
        14 |     optimzer.lr in [0.1, 0.01]
           |     ^^^^^^^^^^^ config `base` has no such key
           |
        help: did you mean `optimizer.lr`? To declare a new key write `new optimzer.lr in …`
        """
    )


def test_another_file() -> None:
    """A label in another file has a snippet of its own, in the same gutter."""
    source = Source("Experimentfile", "\n" * 21 + '    optimizer.lr = "0.1"\n')
    found = Diagnostic(
        "XP034",
        "error",
        "`optimizer.lr` is a float, but this is a text",
        at(source, '"0.1"'),
        "text",
        (Label(at(YAML, "0.1"), "it was first given here"),),
    )

    assert full(found) == block(
        """
        error[XP034]: `optimizer.lr` is a float, but this is a text
          --> Experimentfile:22:20
           |
        22 |     optimizer.lr = "0.1"
           |                    ^^^^^ text
           |
          ::: configs/base.yaml:3:7
           |
         3 |   lr: 0.1
           |       --- it was first given here
        """
    )


def test_labels_of_one_file_are_in_line_order() -> None:
    """Labels of one file are one snippet: neighbours together, one line between shown, more left out."""
    text = Source("Experimentfile", "alpha\nbeta\ngamma\ndelta\nepsilon\nzeta\niota\n")
    found = Diagnostic(
        "XP999",
        "warning",
        "many places",
        at(text, "gamma"),
        "here",
        (Label(at(text, "alpha"), "first"), Label(at(text, "delta"), "next"), Label(at(text, "iota"), "last")),
    )

    assert full(found) == block(
        """
        warning[XP999]: many places
         --> Experimentfile:3:1
          |
        1 | alpha
          | ----- first
        2 | beta
        3 | gamma
          | ^^^^^ here
        4 | delta
          | ----- next
        ...
        7 | iota
          | ---- last
        """
    )


def test_labels_on_one_line() -> None:
    """Labels of one line hang below it, the last one beside the carets."""
    text = Source("Experimentfile", "a = [one, two, three]\n")
    found = Diagnostic(
        "XP999",
        "note",
        "three places",
        at(text, "two"),
        "here",
        (Label(at(text, "one"), "first"), Label(at(text, "three"), "last")),
    )

    assert full(found) == block(
        """
        note[XP999]: three places
         --> Experimentfile:1:11
          |
        1 | a = [one, two, three]
          |      ---  ^^^  ----- last
          |      |    |
          |      |    here
          |      first
        """
    )


def test_wide_characters_and_tabs() -> None:
    """The caret stands under its text, whatever the characters before it take."""
    text = Source("Experimentfile", "\tx = '数据é'  bad\n")

    assert full(Diagnostic("XP999", "error", "wide", at(text, "bad"))) == block(
        """
        error[XP999]: wide
         --> Experimentfile:1:13
          |
        1 |     x = '数据é'  bad
          |                  ^^^
        """
    )


def test_span_over_lines_shows_its_first() -> None:
    """A place over several lines is marked on its first one."""
    text = Source("Experimentfile", "run [a,\n     b]\n")

    assert full(Diagnostic("XP999", "error", "long", text.span(4, 13))) == block(
        """
        error[XP999]: long
         --> Experimentfile:1:5
          |
        1 | run [a,
          |     ^^^
        """
    )


def test_end_of_file() -> None:
    """A place after the last character has one caret."""
    text = Source("Experimentfile", "a =")

    assert full(Diagnostic("XP999", "error", "end", text.span(3, 3))).splitlines()[-2:] == ["1 | a =", "  |    ^"]


def test_long_lines_are_cut() -> None:
    """Of a very long line only the part around the mark is shown."""
    text = Source("Experimentfile", "a in [" + "1, " * 50_000 + "x, " + "2, " * 50_000 + "]\n")

    line, carets = full(Diagnostic("XP999", "error", "long", at(text, "x"))).splitlines()[-2:]

    assert len(line) < 120
    assert line[carets.index("^")] == "x"
    assert line.startswith("1 | …")
    assert line.endswith("…")


def test_no_place() -> None:
    """A finding without a place is a message and its help, a line each."""
    assert full(Diagnostic("XP999", "error", "nothing", help=("first\nand on", "second"))) == block(
        """
        error[XP999]: nothing
        help: first
              and on
        help: second
        """
    )


def test_query() -> None:
    """A query of one line needs no place and no gutter."""
    query = Source("<query>", "show mean(acuracy)")
    found = Diagnostic(
        "XQ003",
        "error",
        "no run has a metric or key `acuracy`",
        at(query, "acuracy"),
        help=("did you mean `accuracy`?",),
    )

    assert full(found) == block(
        """
        error[XQ003]: no run has a metric or key `acuracy`
          show mean(acuracy)
                    ^^^^^^^
        help: did you mean `accuracy`?
        """
    )


def test_several() -> None:
    """A blank line stands between two findings."""
    assert full(UNKNOWN, UNKNOWN) == full(UNKNOWN) + "\n\n" + full(UNKNOWN)
    assert full() == ""


def test_control_characters_never_reach_the_terminal() -> None:
    """Nothing from a user's file can move the cursor, set a title or turn text around."""
    evil = "\x1b]52;c;aGk=\x07\r\u202e\x9b\x00"
    text = Source(f"a{evil}.xpc", f"x = {evil} y\n")
    found = Diagnostic("XP999", "error", evil, at(text, "y"), evil, (Label(at(text, "x"), evil),), (evil,))

    for format in ("full", "concise", "github", "json"):
        shown = render([found], format, color=False).replace("\n", "")
        assert [char for char in shown if char < " " or char in "\x9b\u202e"] == []


def test_color_changes_no_text() -> None:
    """Colour is added to the same characters."""
    import re

    colored = render([UNKNOWN], "full", color=True)

    assert colored != full(UNKNOWN)
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == full(UNKNOWN)


def test_concise() -> None:
    """One line a finding."""
    place_less = Diagnostic("XP999", "warning", "nothing")

    assert render([UNKNOWN, place_less], "concise", color=False) == (
        "Experimentfile:14:5: error[XP021]: unknown config key `optimzer.lr`\nwarning[XP999]: nothing"
    )


def test_json() -> None:
    """The fields that docs/formats.md promises, lines and columns from 1."""
    records = json.loads(render([UNKNOWN, Diagnostic("XP999", "note", "é")], "json", color=False))

    assert records == [
        {
            "code": "XP021",
            "severity": "error",
            "message": "unknown config key `optimzer.lr`",
            "help": UNKNOWN.help[0],
            "file": "Experimentfile",
            "line": 14,
            "column": 5,
            "end_line": 14,
            "end_column": 16,
        },
        {
            "code": "XP999",
            "severity": "note",
            "message": "é",
            "help": None,
            "file": None,
            "line": None,
            "column": None,
            "end_line": None,
            "end_column": None,
        },
    ]
    assert json.loads(render([], "json", color=False)) == []


def test_github() -> None:
    """Workflow commands, with everything escaped that GitHub reads."""
    text = Source("a,b:c%.xpc", "x\n")
    found = Diagnostic("XP999", "note", "100%\nof it", at(text, "x"), help=("a\nb",))

    assert render([UNKNOWN], "github", color=False) == (
        "::error file=Experimentfile,line=14,col=5,endLine=14,endColumn=16,title=XP021::"
        f"unknown config key `optimzer.lr`%0Ahelp: {UNKNOWN.help[0]}"
    )
    assert render([found], "github", color=False) == (
        "::notice file=a%2Cb%3Ac%25.xpc,line=1,col=1,endLine=1,endColumn=2,title=XP999::100%25%0Aof it%0Ahelp: a%0Ab"
    )


def test_unknown_format() -> None:
    """A format that does not exist is a programming error."""
    with pytest.raises(ValueError, match="unknown format 'xml'"):
        render([], "xml", color=False)


@pytest.mark.parametrize(
    ("word", "guess"),
    [
        ("optimzer.lr", "optimizer.lr"),
        ("learning-rate", "learning_rate"),
        ("LR", "lr"),
        ("Seed", "seed"),
        ("sede", "seed"),
        ("ab", None),
        ("xy", None),
        ("completely", None),
        ("epochss", "epochs"),
        ("lr", None),
    ],
)
def test_nearest(word: str, guess: str | None) -> None:
    """A slip finds its word; short words must fit better; a known word has no other."""
    names = ["optimizer.lr", "learning_rate", "seed", "epochs", "lr"]

    assert nearest(word, names) == guess
    assert nearest(word, reversed(names)) == guess
