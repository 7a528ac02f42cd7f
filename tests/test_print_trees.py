"""Any tree at all, printed and read: soft words as names, keys of any characters, every statement in every order."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_print import form

from xpc.grammar import tree
from xpc.grammar.diagnostic import Diagnostics
from xpc.grammar.engine import lexer
from xpc.grammar.parser import parse, parse_expression, parse_query
from xpc.grammar.print_clause import query_text
from xpc.grammar.print_expression import expression_text
from xpc.grammar.print_statement import tree_text
from xpc.grammar.render import render
from xpc.grammar.source import Source, Span

FUZZ = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
NOWHERE = Source("nowhere", "")
AT = Span(NOWHERE, 0, 0)

WORDS = sorted(word for word in set(lexer().spellings.values()) if word.isidentifier())
RESERVED = {"not", "true", "false", "null"}  # what an expression may begin with
NAMES = st.sampled_from(["a", "lr", "model", "é_1", "seed", *(word for word in WORDS if word not in RESERVED)])
SEGMENTS = NAMES | st.sampled_from(["true", "not"]) | st.text(st.characters(exclude_categories=["Cs"]), max_size=6)


def words(names: st.SearchStrategy[str]) -> st.SearchStrategy[tree.Word]:
    return names.map(lambda text: tree.Word(text, AT))


def key(first: tree.Word, rest: list[tree.Word]) -> tree.Key:
    return tree.Key((first, *rest), AT)


WORD = words(st.sampled_from(["a", "base", "sweep", "x1", "é"]))
KEYS = st.builds(key, words(SEGMENTS), st.lists(words(SEGMENTS), max_size=2))
REFERENCES = st.builds(key, words(NAMES), st.lists(words(SEGMENTS), max_size=2))

CHARACTERS = st.text(
    st.characters(exclude_categories=["Cs"]) | st.sampled_from("\"'\\{}\n\t#:="), min_size=1, max_size=8
)
PLAIN = CHARACTERS.map(lambda text: tree.Text((tree.Piece(text, range(len(text) + 1), AT),), False, AT))
NUMBERS = st.builds(tree.Number, st.integers(0, 2**63 - 1) | st.floats(0, 1e300, allow_nan=False).map(abs), st.just(AT))
QUANTITIES = st.integers(0, 2**60).map(lambda value: tree.Quantity(value, "size", AT)) | st.integers(0, 10**9).map(
    lambda ms: tree.Quantity(ms // 1000 if ms % 1000 == 0 else ms / 1000, "duration", AT)
)
ATOMS = (
    NUMBERS
    | QUANTITIES
    | PLAIN
    | st.sampled_from([True, False, None]).map(lambda value: tree.Constant(value, AT))
    | REFERENCES.map(lambda found: tree.Name(found, AT))
)
OPERATORS = ["+", "-", "*", "/", "//", "%", "**", "==", "!=", "<", "<=", ">", ">=", "in", "not in", "and", "or"]


def larger(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    argument = st.builds(tree.Argument, st.none() | words(NAMES), inner, st.just(AT))
    return st.one_of(
        st.builds(tree.Binary, st.sampled_from(OPERATORS), inner, inner, st.just(AT), st.just(AT)),
        st.builds(tree.Unary, st.sampled_from(["-", "+", "not"]), inner, st.just(AT)),
        st.builds(tree.IsNull, inner, st.booleans(), st.just(AT)),
        st.builds(tree.Conditional, inner, inner, inner, st.just(AT)),
        st.builds(tree.Index, inner, inner, st.just(AT)),
        st.builds(tree.Call, REFERENCES, st.lists(argument, max_size=2).map(tuple), st.just(AT)),
        st.builds(tree.ListOf, st.lists(inner, max_size=3).map(tuple), st.just(AT)),
        st.builds(tree.MapOf, st.lists(st.tuples(KEYS, inner), max_size=2).map(tuple), st.just(AT)),
    )


EXPRESSIONS = st.recursive(ATOMS, larger, max_leaves=6)


def same(first: Any, printed: str, second: Any, diagnostics: Diagnostics) -> None:
    said = render(diagnostics.sorted(), "concise", color=False)
    assert not diagnostics.failed, f"{printed}\n{said}"
    assert form(second) == form(first), printed


@FUZZ
@given(expr=EXPRESSIONS)
def test_expressions(expr: tree.Expr) -> None:
    """What is built reads back, in a query and in an Experimentfile."""
    printed = expression_text(expr, query=True)
    diagnostics = Diagnostics()
    same(expr, printed, parse_expression(Source("--where", printed), diagnostics), diagnostics)
    let = tree.Tree(NOWHERE, (tree.Let(tree.Word("x", AT), expr, AT),))
    check(let)


def check(whole: tree.Tree) -> None:
    printed = tree_text(whole)
    diagnostics = Diagnostics()
    same(whole, printed, parse(Source("Experimentfile", printed), diagnostics), diagnostics)


# ------------------------------------------------------------------ statements

PLACEHOLDERS = st.builds(
    tree.Placeholder, EXPRESSIONS, st.none() | st.sampled_from([".3f", "flag", ">10"]), st.just(AT), st.none()
)
PIECES = st.text(st.sampled_from('ab {}"\\\n#'), min_size=1, max_size=6).map(
    lambda text: tree.Piece(text, range(len(text) + 1), AT)
)
TEXTS = st.lists(st.tuples(PIECES, PLACEHOLDERS), max_size=2).map(
    lambda pairs: tree.Text(tuple(part for pair in pairs for part in pair), False, AT)
)
ASSIGNS = st.builds(tree.Assign, KEYS, EXPRESSIONS, st.just(AT))
GRIDS = st.recursive(
    st.builds(tree.GridName, WORD, st.just(AT)),
    lambda inner: st.builds(tree.GridCombine, st.sampled_from(["+", "*"]), inner, inner, st.just(AT)),
    max_leaves=4,
)
AXES = st.builds(tree.Axis, st.booleans(), KEYS, EXPRESSIONS, st.just(AT))
GRID_LINES = st.one_of(
    AXES,
    st.builds(tree.Draw, st.booleans(), KEYS, EXPRESSIONS, st.just(AT)),
    st.builds(tree.GridValue, st.booleans(), KEYS, EXPRESSIONS, st.just(AT)),
    st.builds(tree.AxisFrom, st.booleans(), KEYS, TEXTS, st.just(AT)),
    st.builds(tree.Constraint, st.booleans(), EXPRESSIONS, st.just(AT)),
    st.builds(tree.Point, st.lists(ASSIGNS, min_size=1, max_size=2).map(tuple), st.just(AT)),
)


def arms(bodies: list[Any], condition: Any, last: bool) -> tree.Branch:
    made = [tree.Arm(condition, tuple(body), AT) for body in bodies]
    if last and len(made) > 1:
        made[-1] = made[-1].replace(condition=None)
    return tree.Branch(tuple(made), AT)


GRID_ITEMS = st.recursive(
    GRID_LINES,
    lambda inner: st.one_of(
        st.builds(tree.Zip, st.lists(AXES, min_size=1, max_size=2).map(tuple), st.just(AT)),
        st.builds(
            tree.Sample,
            EXPRESSIONS,
            st.none() | EXPRESSIONS,
            st.lists(inner, min_size=1, max_size=2).map(tuple),
            st.just(AT),
        ),
        st.builds(
            arms, st.lists(st.lists(inner, min_size=1, max_size=2), min_size=1, max_size=3), EXPRESSIONS, st.booleans()
        ),
    ),
    max_leaves=4,
)


GROUPS = st.recursive(
    ASSIGNS,
    lambda inner: st.builds(tree.KeyGroup, KEYS, st.lists(inner, min_size=1, max_size=2).map(tuple), st.just(AT)),
    max_leaves=3,
)
METRICS = st.one_of(
    st.builds(
        tree.Metric,
        KEYS,
        st.none() | words(st.sampled_from(["minimize", "maximize"])),
        st.none(),
        st.none(),
        st.just(AT),
    ),
    st.builds(
        tree.Metric,
        KEYS,
        st.none() | words(st.sampled_from(["minimize", "maximize"])),
        words(st.sampled_from(["stdout", "stderr"])) | PLAIN,
        PLAIN,
        st.just(AT),
    ),
)
RUN_LINES = st.one_of(
    GROUPS,
    METRICS,
    st.builds(tree.UseConfig, WORD, st.just(AT)),
    st.builds(tree.UseGrid, GRIDS, st.just(AT)),
    st.builds(tree.UseResources, WORD, st.just(AT)),
    st.builds(tree.UseEnvironment, WORD, st.just(AT)),
    st.builds(tree.Repeat, st.sampled_from(["repeat", "folds"]), EXPRESSIONS, st.none() | KEYS, st.just(AT)),
    st.builds(tree.After, WORD, st.just(True), st.lists(KEYS, max_size=2).map(tuple), st.just(AT)),
    st.builds(tree.After, WORD, st.just(False), st.just(()), st.just(AT)),
    st.builds(tree.Run, TEXTS, st.just(AT)),
    st.builds(tree.Workdir, WORD, st.just(AT)),
    st.builds(tree.File, st.sampled_from(["input", "output"]), WORD, TEXTS, st.just(AT)),
    st.builds(tree.Writable, TEXTS, st.just(AT)),
    st.builds(tree.MetricsFile, TEXTS, st.just(AT)),
    st.builds(tree.Retries, EXPRESSIONS, st.just(AT)),
    st.builds(tree.Checkpoint, EXPRESSIONS, st.none() | WORD, st.just(AT)),
    st.builds(tree.Pack, EXPRESSIONS, st.booleans(), st.just(AT)),
    st.builds(tree.Ignore, st.lists(KEYS, min_size=1, max_size=2).map(tuple), st.none(), st.just(AT)),
    st.builds(tree.Ignore, st.tuples(KEYS), EXPRESSIONS, st.just(AT)),
    st.builds(tree.Code, st.lists(TEXTS, min_size=1, max_size=2).map(tuple), st.just(AT)),
    st.builds(tree.Tags, st.lists(TEXTS, min_size=1, max_size=2).map(tuple), st.just(AT)),
)
PARENTS = st.lists(WORD, max_size=2).map(tuple)


def body(items: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(items, min_size=1, max_size=3).map(tuple)


CONFIG_LINES = GROUPS | st.builds(tree.FromFile, TEXTS, st.just(AT))
SETUPS = st.builds(tree.Setup, TEXTS, st.just(AT))
STATEMENTS = st.one_of(
    st.builds(tree.Project, TEXTS, st.none() | TEXTS, st.just(AT)),
    st.builds(tree.Include, TEXTS, st.just(AT)),
    st.builds(tree.Link, TEXTS, st.none() | WORD, st.just(AT)),
    st.builds(tree.Let, WORD, EXPRESSIONS, st.just(AT)),
    st.builds(tree.Config, WORD, PARENTS, body(CONFIG_LINES), st.just(AT)),
    st.builds(tree.Grid, WORD, body(GRID_ITEMS) | GRIDS, st.just(AT)),
    st.builds(tree.Resources, WORD, PARENTS, body(GROUPS), st.just(AT)),
    st.builds(
        tree.Environment,
        WORD,
        PARENTS,
        body(
            st.one_of(
                ASSIGNS,
                SETUPS,
                st.builds(tree.Secret, WORD, st.just(AT)),
                st.builds(tree.Container, TEXTS, st.none() | WORD, st.just(AT)),
                st.builds(tree.Mount, TEXTS, TEXTS, st.just(AT)),
            )
        ),
        st.just(AT),
    ),
    st.builds(tree.Target, WORD, WORD, body(GROUPS | SETUPS), st.just(AT)),
    st.builds(tree.Experiment, WORD, PARENTS, body(RUN_LINES), st.just(AT)),
)


@FUZZ
@given(statements=st.lists(STATEMENTS, min_size=1, max_size=2))
def test_statements(statements: list[tree.Statement]) -> None:
    """Every statement, every block, in any order."""
    check(tree.Tree(NOWHERE, tuple(statements)))


# ------------------------------------------------------------------ queries

SPREADS = EXPRESSIONS | st.builds(tree.Binary, st.just("±"), EXPRESSIONS, EXPRESSIONS, st.just(AT), st.just(AT))
LISTS = st.lists(EXPRESSIONS, min_size=1, max_size=2).map(tuple)
CLAUSES = [
    st.builds(tree.From, st.lists(WORD, min_size=1, max_size=2).map(tuple), st.just(AT)),
    st.builds(tree.Where, EXPRESSIONS, st.just(AT)),
    st.builds(tree.GroupBy, LISTS, st.just(AT)),
    st.builds(
        tree.Show,
        st.lists(st.builds(tree.Cell, SPREADS, st.none() | words(SEGMENTS), st.just(AT)), min_size=1, max_size=2).map(
            tuple
        ),
        st.just(AT),
    ),
    st.builds(tree.Having, EXPRESSIONS, st.just(AT)),
    st.builds(tree.Keep, st.sampled_from(["best", "min", "max"]), EXPRESSIONS, st.just(()) | LISTS, st.just(AT)),
    st.builds(
        tree.SortBy,
        st.lists(st.builds(tree.SortKey, SPREADS, st.booleans(), st.just(AT)), min_size=1, max_size=2).map(tuple),
        st.just(AT),
    ),
    st.builds(tree.Limit, st.integers(0, 99).map(lambda count: tree.Number(count, AT)), st.just(AT)),
    st.builds(tree.With, st.sampled_from(["past", "all attempts"]), st.just(AT)),
]


@FUZZ
@given(data=st.data())
def test_queries(data: st.DataObject) -> None:
    """Any clauses, in the order in which a query has them."""
    chosen = data.draw(st.lists(st.sampled_from(range(len(CLAUSES))), min_size=1, max_size=4, unique=True))
    query = tree.Query(tuple(data.draw(CLAUSES[number]) for number in sorted(chosen)), AT)
    printed = query_text(query)
    diagnostics = Diagnostics()
    same(query, printed, parse_query(Source("<query>", printed), diagnostics), diagnostics)
