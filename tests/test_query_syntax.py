"""The text of queries to clauses."""

from __future__ import annotations

import itertools

import pytest

from xpc.grammar.diagnostic import Diagnostics
from xpc.grammar.parser import parse, parse_expression, parse_query
from xpc.grammar.render import render
from xpc.grammar.source import Source
from xpc.grammar.tree import Plot, Query, Report

CLAUSES = {
    "from": "from train, evaluate",
    "where": 'where status == done and model.name in ["mlp", "cnn"] and not (seed == 3)',
    "group": "group by optimizer.lr, model.name",
    "show": "show mean(accuracy) ± std(accuracy) as acc, min(loss.min), ci95(accuracy), count()",
    "having": "having count() >= 3",
    "keep": "keep best acc by model.name",
    "sort": "sort by acc desc, optimizer.lr",
    "limit": "limit 10",
    "past": "with past",
    "attempts": "with all attempts",
    "superseded": "with superseded",
    "title": 'title "Loss"',
    "plot": "plot line x = step, y = mean(loss) ± std(loss) by optimizer.lr, model.name",
}


def read(text: str) -> Query:
    report = Diagnostics()
    query = parse_query(Source("<query>", text), report)
    assert [d.message for d in report.found] == []
    assert query is not None
    return query


def error(text: str) -> str:
    report = Diagnostics()
    parse_query(Source("<query>", text), report)
    return render(report.sorted(), "full", color=False)


def test_all_clauses() -> None:
    """A query may have every clause; a newline is a blank."""
    query = read("\n".join(CLAUSES.values()))

    kinds = [type(clause).__name__ for clause in query.clauses]

    assert kinds == [
        "From",
        "Where",
        "GroupBy",
        "Show",
        "Having",
        "Keep",
        "SortBy",
        "Limit",
        "With",
        "With",
        "With",
        "Title",
        "Plot",
    ]
    assert [clause.span.text for clause in query.clauses] == list(CLAUSES.values())


def test_clauses_come_in_any_order() -> None:
    """Every clause may follow every other."""
    for first, second in itertools.permutations(CLAUSES.values(), 2):
        assert [clause.span.text for clause in read(f"{first} {second}").clauses] == [first, second]


def test_a_report_says_the_same() -> None:
    """In a report a clause is a line, with the same tree."""
    report = Diagnostics()
    lines = "".join(f"    {clause}\n" for clause in CLAUSES.values())
    (node,) = parse(Source("Experimentfile", f"report r:\n{lines}"), report).statements

    assert isinstance(node, Report)
    assert not report.found
    assert [clause.span.text for clause in node.clauses] == list(CLAUSES.values())


def test_a_report_may_show_twice() -> None:
    """The clauses after a `show` belong to it alone, so they may come again after the next."""
    report = Diagnostics()
    parse(
        Source("Experimentfile", "report r:\n    limit 3\n    show a\n    limit 1\n    show b\n    limit 2\n"), report
    )

    assert not report.found


def test_parts_of_clauses() -> None:
    """Aliases, directions and choices."""
    show, sort, keep, more = read(
        'show a ± b as "a text", c +/- d sort by x asc, y desc keep min z with all attempts'
    ).clauses

    cells = [(c.expr.operator, c.expr.operator_span.text, c.alias and c.alias.text) for c in show.fields()["cells"]]
    assert cells == [("±", "±", "a text"), ("±", "+/-", None)]
    assert [key.descending for key in sort.fields()["keys"]] == [False, True]
    assert (keep.fields()["which"], keep.fields()["by"]) == ("min", ())
    assert more.fields()["what"] == "all attempts"


@pytest.mark.parametrize(
    "word", ["where", "group", "by", "show", "keep", "best", "limit", "with", "past", "all", "from"]
)
def test_words_are_names(word: str) -> None:
    """A metric or key may be called like a word of the language."""
    query = read(f"where {word} == 1 group by {word} show {word} as {word} sort by {word} desc")

    assert len(query.clauses) == 4


def test_texts_of_queries_have_no_placeholders() -> None:
    """Braces in a query are braces."""
    (where,) = read('where x == "{a} { b" and y matches "${c}"').clauses

    condition = where.fields()["condition"]
    assert condition.left.right.plain == "{a} { b"
    assert condition.right.right.plain == "${c}"


def test_nothing_is_a_query() -> None:
    """A blank text is a query without clauses."""
    assert read(" \n ").clauses == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "show mean(acc",
            "error[XP006]: `(` is not closed\n  show mean(acc\n           ^ opened here\nhelp: add `)`",
        ),
        (
            "status == done",
            "error[XQ001]: a query is made of clauses\n  status == done\n  ^^^^^^\nhelp: write `where status == done`",
        ),
        (
            "mean(acc)",
            "error[XQ001]: a query is made of clauses\n  mean(acc)\n  ^^^^\nhelp: write `show mean(acc)`",
        ),
        (
            "SELECT acc FROM train",
            "error[XQ001]: `SELECT` is written `show`\n  SELECT acc FROM train\n  ^^^^^^\nhelp: write `show`",
        ),
        (
            "show acc ORDER BY acc",
            (
                "error[XQ001]: `ORDER BY` is written `sort by`\n  show acc ORDER BY acc\n"
                "           ^^^^^^^^\nhelp: write `sort by`"
            ),
        ),
        (
            "where a == 1 AND b == 2",
            "error[XQ001]: `AND` is written `and`\n  where a == 1 AND b == 2\n               ^^^\nhelp: write `and`",
        ),
        (
            "where NOT a",
            "error[XQ001]: `NOT` is written `not`\n  where NOT a\n        ^^^\nhelp: write `not`",
        ),
        (
            "where a = 1",
            "error[XP015]: `=` gives a value, it does not compare\n  where a = 1\n          ^\nhelp: write `==`",
        ),
        (
            "where a <> 1",
            "error[XP015]: `<>` is written `!=`\n  where a <> 1\n          ^^\nhelp: write `!=`",
        ),
        (
            "where a is None",
            "error[XP016]: `None` is written `null`\n  where a is None\n             ^^^^\nhelp: write `null`",
        ),
        (
            "where a == 3 limit 3 where b",
            (
                "error[XQ002]: `where` is given twice\n  where a == 3 limit 3 where b\n"
                "  -----                ^^^^^\n  |\n  first given here\nhelp: join the conditions by `and`"
            ),
        ),
        (
            "from train\nwher a == 3",
            (
                "error[XQ001]: expected a clause, `,` or the end, found `wher`\n --> <query>:2:1\n"
                "  |\n2 | wher a == 3\n  | ^^^^\n  |\nhelp: did you mean `where`?"
            ),
        ),
        (
            "where a ==",
            "error[XQ001]: expected a value, but the query ends\n  where a ==\n            ^",
        ),
        (
            'where a == "b',
            (
                'error[XP005]: this text is not closed\n  where a == "b\n             ^ opened here\n'
                "help: close it with the same quote"
            ),
        ),
        (
            "show (a ± b)",
            (
                "error[XQ001]: `±` has no place here\n  show (a ± b)\n          ^\n"
                "help: it joins two columns in `show` and `sort by`, outside brackets"
            ),
        ),
        (
            "show a as",
            "error[XQ001]: expected a name, but the query ends\n  show a as\n           ^",
        ),
        (
            "show *",
            "error[XQ001]: `*` names no column\n  show *\n       ^\nhelp: leave `show` out to see all that differs",
        ),
        (
            "where 16G < memory",
            "error[XP012]: `16G` is not a number\n  where 16G < memory\n        ^^^\nhelp: write `16GiB`",
        ),
        (
            "limit -1",
            "error[XQ001]: expected a whole number, found `-`\n  limit -1\n        ^",
        ),
    ],
)
def test_errors(text: str, expected: str) -> None:
    """A query that does not parse is told what it was meant to be."""
    assert error(text) == expected


def test_conditions() -> None:
    """`--where` takes an expression, and says what is wrong with it."""
    report = Diagnostics()

    assert parse_expression(Source("<where>", "seed == 0 and"), report) is None
    assert render(report.sorted(), "full", color=False) == (
        "error[XQ001]: expected a value, but the expression ends\n  seed == 0 and\n               ^"
    )


def test_words_of_plots_are_names_too() -> None:
    """A key may be called `title`, `plot`, `line` or `x`: only where a clause begins are the first two words."""
    query = read(
        "show title, plot.line where title == plot group by title, plot sort by plot plot line x = plot, y = title by x"
    )

    assert [type(clause).__name__ for clause in query.clauses] == ["Show", "Where", "GroupBy", "SortBy", "Plot"]


def test_parts_of_a_plot() -> None:
    """A kind, channels with their expressions, and what it is by."""
    query = read("plot bar x = model.name, y = mean(loss) +/- std(loss) by seed, lr * 2")

    (plot,) = query.clauses
    assert isinstance(plot, Plot)
    assert plot.kind.text == "bar"
    assert [(channel.name.text, channel.value.span.text) for channel in plot.channels if channel.name] == [
        ("x", "model.name"),
        ("y", "mean(loss) +/- std(loss)"),
    ]
    assert [key.span.text for key in plot.by] == ["seed", "lr * 2"]
