"""What a wrong file is told: whole rendered errors, all of them, in file order."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from xpc.grammar.codes import TITLES
from xpc.grammar.diagnostic import Diagnostics
from xpc.grammar.parser import parse
from xpc.grammar.render import render
from xpc.grammar.source import Source
from xpc.grammar.tree import Tree

REJECT = sorted((Path(__file__).parent / "reject").iterdir())


def read(text: str) -> tuple[Tree, Diagnostics]:
    report = Diagnostics()
    return parse(Source("Experimentfile", text), report), report


@pytest.mark.parametrize("folder", REJECT, ids=lambda folder: folder.name)
def test_rejected_files(folder: Path) -> None:
    """Each file in tests/reject gets exactly the errors beside it (UPDATE_GOLDEN=1 rewrites them)."""
    _, report = read((folder / "Experimentfile").read_text(encoding="utf-8"))
    found = render(report.sorted(), "full", color=False) + "\n"
    golden = folder / "expected.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(found, encoding="utf-8")

    assert found == golden.read_text(encoding="utf-8")
    assert report.failed


@pytest.mark.parametrize("folder", REJECT, ids=lambda folder: folder.name)
def test_one_error_a_place(folder: Path) -> None:
    """No place is reported twice, and every code has a title."""
    _, report = read((folder / "Experimentfile").read_text(encoding="utf-8"))
    places = [(d.span.start, d.span.end) for d in report.found if d.span]

    assert len(places) == len(set(places))
    assert {d.code for d in report.found} <= set(TITLES)


@pytest.mark.parametrize(
    ("text", "broken"),
    [
        ("config base(:\n    a = 1\n", {("config", "base")}),
        ("config base:\n", {("config", "base")}),
        ("gird sweep:\n    a in [1]\n", {("grid", "sweep")}),
        ("config base\n    a = 1\n", set()),
        ("experiment e:\n    rnu 'x'\n    metric loss\n", {("experiment.run", "e")}),
        ("experiment e:\n    run x\n    output 'm.pt'\n", {("experiment.run", "e"), ("experiment.output", "e")}),
        ("config c:\n    a b\n    d = 1\n", {("config.key", "c")}),
        ("config c:\n    a = = 2\n", set()),
        ("grid g:\n    a in\n", set()),
        ("report r:\n    shwo a\n    limit 3\n", {("report.show", "r")}),
    ],
)
def test_broken_names(text: str, broken: set[tuple[str, str]]) -> None:
    """What could not be read is named, so that nobody reports its absence."""
    tree, report = read(text)

    assert tree.broken_names == broken
    assert report.failed


def test_backspace_in_a_pattern() -> None:
    r"""A pattern with `\b` that is no raw text gets a warning, since it would match nothing."""
    _, report = read('experiment e:\n    run "x"\n    metric loss from stdout matching "a\\b(.*)"\n')

    assert render(report.sorted(), "full", color=False) == (
        "warning[XP013]: `\\b` is a backspace in a text, not the edge of a word\n --> Experimentfile:3:40\n  |\n"
        '3 |     metric loss from stdout matching "a\\b(.*)"\n  |                                        ^^\n  |\n'
        'help: begin the text with r: r"…" reads no escapes'
    )
    assert not report.failed


def test_salvage() -> None:
    """A key whose value is broken keeps its place, with `Broken` for the value."""
    tree, report = read(
        "config c:\n    a.b = = 2\n    d = 1\ngrid g:\n    a.b in\n    if a = 1:\n        d in [1]\nlet x = )\n"
    )

    config, grid, let = (statement.fields() for statement in tree.statements)
    kinds = [type(item.value).__name__ for item in config["body"]]
    axis, branch = grid["body"]

    assert kinds == ["Broken", "Number"]
    assert type(axis.values).__name__ == "Broken"
    assert type(branch.arms[0].condition).__name__ == "Broken"
    assert branch.arms[0].body[0].key.span.text == "d"
    assert type(let["value"]).__name__ == "Broken"
    assert len(report.found) == 4
