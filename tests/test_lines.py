"""Where a file is cut into lines, and how they nest."""

from __future__ import annotations

import pytest

from xpc.grammar.diagnostic import Diagnostics
from xpc.grammar.lines import Line, split
from xpc.grammar.source import Source


def cut(text: str) -> tuple[list[object], list[tuple[str, int, str]]]:
    """Give the nested lines, and code, line and marked text of each finding."""
    source, report = Source("Experimentfile", text), Diagnostics()
    lines = split(source, report)

    def show(line: Line) -> object:
        head = text[line.start : line.end] + ("!" if line.broken else "")
        return (head, *map(show, line.body)) if line.body else head

    found = [(d.code, source.position(d.span.start)[0], d.span.text) for d in report.sorted() if d.span]
    return [show(line) for line in lines], found


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", []),
        ("\n\n  \n# a\n   # b\n", []),
        ("a\nb", ["a", "b"]),
        ("a:\n  b\n  c:\n    d\n  e\nf", [("a:", "b", ("c:", "d"), "e"), "f"]),
        ("a  # c\nb", ["a", "b"]),
        ("a '#' # c", ["a '#'"]),
        ("a = [1,\n  2]\nb", ["a = [1,\n  2]", "b"]),
        ("a = [\n  1\n]\nb", ["a = [\n  1\n]", "b"]),
        ("a = [  # x\n\n# y\n  1]", ["a = [  # x\n\n# y\n  1]"]),
        ("a:\n  b = f(\n    1,\n  )\n  c", [("a:", "b = f(\n    1,\n  )", "c")]),
        ('a """x\ny: [\n"z" """\nb', ['a """x\ny: [\n"z" """', "b"]),
        ("a '\\'' (\n  '(')\nb", ["a '\\'' (\n  '(')", "b"]),
        ("a:\r\n  b\r\n\r\nc\r\n", [("a:", "b"), "c"]),
        ("\ufeffa\nb", ["a", "b"]),
        ("a: # x\n    # y\n  b", [("a:", "b")]),
        ("a:\n      b\nc:\n  d", [("a:", "b"), ("c:", "d")]),
    ],
)
def test_lines(text: str, lines: list[object]) -> None:
    """Brackets and long texts join lines; comments and blank lines are nothing."""
    assert cut(text) == (lines, [])


@pytest.mark.parametrize(
    ("text", "lines", "found"),
    [
        ("a = [1\nb", ["a = [1!", "b"], [("XP006", 1, "[")]),
        ("a:\n  b = [1\n  c = 2", [("a:", "b = [1!", "c = 2")], [("XP006", 2, "[")]),
        ("a = {(1\nb", ["a = {(1!", "b"], [("XP006", 1, "(")]),
        ("a = [1,\n\n# x\n\nb", ["a = [1,!", "b"], [("XP006", 1, "[")]),
        ("config a(b:\n  c\nd", [("config a(b:!", "c"), "d"], [("XP006", 1, "(")]),
        ("a = 'b\nc", ["a = 'b!", "c"], [("XP005", 1, "'")]),
        ("a = ['b, 'c']\nd", ["a = ['b, 'c']!", "d"], [("XP005", 1, "'")]),
        ('a """b\nc: d', ['a """b!', "c: d"], [("XP005", 1, '"""')]),
        (
            'a """b\ngrid c:\n  d """e\n  f"""\ng',
            ['a """b!', ("grid c:", 'd """e\n  f"""'), "g"],
            [("XP005", 1, '"""')],
        ),
        ("a:\n\tb\n\tc\n\t\td", [("a:", "b", ("c", "d"))], [("XP003", 2, "\t")]),
        ("a:\n\xa0\xa0b", [("a:", "b")], [("XP003", 2, "\xa0")]),
        ("a = [\n\t1]", ["a = [\n\t1]"], [("XP003", 2, "\t")]),
        ('a """\n\tb"""', ['a """\n\tb"""'], []),
        ("a:\n    b\n  c\n    d", [("a:", "b", "c", "d")], [("XP004", 3, "  ")]),
        ("a:\n    b\n c\nd", [("a:", "b"), "c", "d"], [("XP004", 3, " ")]),
        ("  a\nb", ["a", "b"], [("XP004", 1, "  ")]),
        ("a = 1\x00\nb", ["a = 1\x00", "b"], [("XP002", 1, "\x00")]),
        ("a = '\u202e'\nb\u200b", ["a = '\u202e'", "b\u200b"], [("XP002", 1, "\u202e")]),
    ],
)
def test_faulty_lines(text: str, lines: list[object], found: list[tuple[str, int, str]]) -> None:
    """What is wrong with a line's layout is reported once and costs no other line."""
    assert cut(text) == (lines, found)


def test_unclosed_text_names_the_swallowed_block() -> None:
    """When an open text pairs with the next one's quotes, the one without an end of its own is reported."""
    text = 'experiment a:\n    run """python\n\nexperiment b:\n    run """\n    python\n    """\n'
    report = Diagnostics()

    lines = split(Source("Experimentfile", text), report)

    (finding,) = report.found
    assert finding.help == ('close it with `"""` above line 4, where the next block begins',)
    assert [len(line.body) for line in lines] == [1, 1]


def test_tabs_are_counted() -> None:
    """Many tabs are one finding that says how many."""
    report = Diagnostics()

    split(Source("Experimentfile", "a:\n\tb\n\tc\n\td"), report)

    (finding,) = report.found
    assert finding.help == ("indent with spaces; 2 more lines have such",)


def test_a_long_file_is_cut_in_time() -> None:
    """A list over very many lines costs linear time."""
    import time

    items = ",\n".join(f"        'v{i}'" for i in range(100_000))
    start = time.perf_counter()
    lines, found = cut(f"grid g:\n    a in [\n{items}\n    ]\nb")
    spent = time.perf_counter() - start

    assert len(lines) == 2
    assert found == []
    assert spent < 2
