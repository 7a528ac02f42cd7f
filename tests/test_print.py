"""Printing is the inverse of parsing: what is printed reads back as the same tree, and prints as the same text."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_fuzz_front import TEXTS
from test_fuzz_inputs import mutated
from test_query_fuzz import _EXPRESSIONS, _QUERIES

from xpc.grammar import tree
from xpc.grammar.diagnostic import Diagnostics
from xpc.grammar.node import Node
from xpc.grammar.parser import parse, parse_expression, parse_query
from xpc.grammar.print_clause import query_text
from xpc.grammar.print_expression import expression_text
from xpc.grammar.print_statement import tree_text
from xpc.grammar.source import Source

FUZZ = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


def form(value: Any) -> Any:
    """Give what counts of a tree: everything but places. A list is the same however it was read."""
    match value:
        case tree.Values(values=values):
            return ["plain list", *map(repr, values)]
        case tree.ListOf(items=items) if all(map(is_plain, items)):
            return ["plain list", *(repr(plain(item)) for item in items)]
        case tree.Piece(text=text):
            return ["Piece", text]
        case tree.Tree(statements=statements):
            return form(statements)
        case Node():
            fields = value.fields().items()
            return [type(value).__name__, *(form(inside) for name, inside in fields if not name.endswith("span"))]
        case tuple():
            return [form(inside) for inside in value]
        case _:
            return repr(value)


def is_plain(expr: tree.Expr) -> bool:
    match expr:
        case tree.Number() | tree.Constant():
            return True
        case tree.Unary(operator="-" | "+", operand=tree.Number()):
            return True
        case tree.Text():
            return expr.plain is not None
        case _:
            return False


def plain(expr: tree.Expr) -> object:
    match expr:
        case tree.Unary(operator="-", operand=tree.Number(value=value)):
            return -value
        case tree.Unary(operand=tree.Number(value=value)) | tree.Number(value=value) | tree.Constant(value=value):
            return value
        case tree.Text():
            return expr.plain
        case _:
            raise AssertionError


def parsed(text: str) -> tree.Tree | None:
    """Give the tree of a file without a fault."""
    diagnostics = Diagnostics()
    found = parse(Source("Experimentfile", text), diagnostics)
    return None if diagnostics.failed else found


def check(text: str) -> None:
    first = parsed(text)
    if first is None:
        return
    printed = tree_text(first)
    second = parsed(printed)

    assert second is not None, printed
    assert form(second) == form(first), printed
    assert tree_text(second) == printed


@pytest.mark.parametrize("number", range(len(TEXTS)))
def test_files_of_the_tests_and_the_manual(number: int) -> None:
    """Every file that a test compiles or the manual shows."""
    check(TEXTS[number])


@FUZZ
@given(text=mutated())
def test_damaged_files(text: str) -> None:
    """Whatever is left that has no fault."""
    check(text)


@FUZZ
@given(text=_QUERIES)
def test_queries(text: str) -> None:
    """Every clause, every form of expression."""
    diagnostics = Diagnostics()
    first = parse_query(Source("<query>", text), diagnostics)
    if first is None or diagnostics.failed:
        return
    printed = query_text(first)
    second = parse_query(Source("<query>", printed), diagnostics)

    assert second is not None, printed
    assert form(second) == form(first), printed
    assert query_text(second) == printed


NODES = st.recursive(
    _EXPRESSIONS,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "**", "%", "or", "and", "in", "not in", "=="]), inner).map(
            " ".join
        ),
        st.tuples(inner, inner, inner).map(lambda t: f"{t[0]} if {t[1]} else {t[2]}"),
        inner.map("not {}".format),
        inner.map("-{}".format),
        inner.map("({})".format),
        inner.map("({}).tail".format),
        inner.map("[{}, 1][0]".format),
        inner.map('{{a: {}, "b c": 1}}'.format),
    ),
    max_leaves=4,
)


@FUZZ
@given(text=NODES)
def test_expressions(text: str) -> None:
    """Brackets stand where they are needed, whatever they were before."""
    first = parse_expression(Source("--where", text), Diagnostics())
    if first is None:
        return
    printed = expression_text(first, query=True)
    second = parse_expression(Source("--where", printed), Diagnostics())

    assert second is not None, printed
    assert form(second) == form(first), printed


CHARACTERS = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("\"'\\{}$\n\t#:"), max_size=12)


@FUZZ
@given(text=CHARACTERS, plain_text=CHARACTERS)
def test_texts(text: str, plain_text: str) -> None:
    """Characters of any kind, escapes, braces, placeholders, the shell's own braces."""
    check(f'experiment e:\n    run "{text}"\n')
    check(f"experiment e:\n    run '{text}'\n    tags r\"{text}\"\n")
    check(f'experiment e:\n    run """{text}\n    {plain_text}"""\n')
    check(f'let x = "a {{{plain_text}}} ${{{text}}} {{{{b}}}}"\n')


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("((a) + (b * c))", "a + b * c"),
        ("(a + b) * c", "(a + b) * c"),
        ("a - (b - c)", "a - (b - c)"),
        ("(a - b) - c", "a - b - c"),
        ("(-a) ** 2", "(-a) ** 2"),
        ("-(a ** -b)", "-a ** -b"),
        ("2 ** (3 ** 2)", "2 ** 3 ** 2"),
        ("(2 ** 3) ** 2", "(2 ** 3) ** 2"),
        ("not (a and b)", "not (a and b)"),
        ("(not a) == b", "(not a) == b"),
        ("(a if b else c) if d else e", "(a if b else c) if d else e"),
        ("a if b else (c if d else e)", "a if b else c if d else e"),
        ("(a == b) == c", "(a == b) == c"),
        ("(a is null) and (b is not null)", "a is null and b is not null"),
        ("1.50", "1.5"),
        ("1e22", "1e+22"),
        ("4GiB", "4294967296B"),
        ("1d12h0.5ms", "129600.0005s"),
        ("'a\"b'", '"a\\"b"'),
        ('a."b c".d', 'a."b c".d'),
        ('{a: 1, "b.c".d: [1,2,]}', '{a: 1, "b.c".d: [1, 2]}'),
        ("f(1, k = x)[0].y", "f(1, k = x)[0].y"),
        ("-9223372036854775808", "-9223372036854775808"),
    ],
)
def test_forms(text: str, printed: str) -> None:
    """As few brackets as there can be, numbers as they are, texts in double quotes."""
    diagnostics = Diagnostics()
    found = parse_expression(Source("--where", text), diagnostics)

    assert diagnostics.found == []
    assert found is not None
    assert expression_text(found, query=True) == printed


def test_what_could_not_be_read_is_not_printed() -> None:
    """A tree with a hole has no text."""
    found = parse(Source("Experimentfile", 'experiment e:\n    run "{a +}"\n'), Diagnostics())

    with pytest.raises(ValueError, match="could not be read"):
        tree_text(found)
