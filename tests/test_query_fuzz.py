"""Whatever a query says, it is answered or told what is wrong; every answer can be printed and explained."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded import Recorded, half_finished

from xpc.grammar.diagnostic import Diagnostics
from xpc.grammar.parser import parse_query
from xpc.grammar.render import render as render_diagnostics
from xpc.grammar.source import Source
from xpc.runtime.explain import explain, explained
from xpc.runtime.query import View, evaluate
from xpc.runtime.strictness import check_strictly
from xpc.runtime.table_read import read_tables
from xpc.runtime.tables import FORMATS, as_json, render

NAMES = [
    "loss", "accuracy", "loss.min", "loss.at(10)", "loss.tail(2)", "optimizer.lr", "model.name", "seed", "status", "id",
    "started", "duration", "memory", "tags", "config", "train.loss", "train.status", "after.train.seed", "nothing",
    "config.seed", "metric.loss.argmax", "run.host", "attempt", "done", "optimizer", "x", "exit",
]  # fmt: skip
LITERALS = [
    "0", "1", "-1", "0.5", "1e300", "9007199254740993", "null", "true", "false", '"mlp"', '"2026-11-21"', "[1, 2]",
    "[]", "2h", "4GiB", '["mlp", null]', '"("', "{a: 1}",
]  # fmt: skip
OPERATORS = ["+", "-", "*", "/", "//", "%", "**", "==", "!=", "<", ">=", "in", "not in", "and", "or", "matches", "±"]
FUNCTIONS = [
    "mean", "std", "sum", "count", "min", "max", "median", "iqm", "ci95", "unique", "best", "sem", "var", "abs", "log",
    "round", "int", "str", "len", "float", "sqrt", "exp", "range", "nofunction", "p_value",
]  # fmt: skip

_ATOMS = st.sampled_from(NAMES + LITERALS)
_EXPRESSIONS = st.recursive(
    _ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(OPERATORS), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        st.tuples(st.sampled_from(FUNCTIONS), inner).map(lambda t: f"{t[0]}({t[1]})"),
        st.tuples(st.sampled_from(["quantile", "argmin", "argmax", "max", "round"]), inner, inner).map(
            lambda t: f"{t[0]}({t[1]}, {t[2]})"
        ),
        st.tuples(st.sampled_from(["diff", "ratio", "p_value"]), inner, inner).map(
            lambda t: f"{t[0]}({t[1]}, baseline = ({t[2]}))"
        ),
        st.tuples(inner, inner, inner).map(lambda t: f"({t[0]} if {t[1]} else {t[2]})"),
        inner.map(lambda t: f"not {t}"),
        inner.map(lambda t: f"({t} is null)"),
        st.tuples(inner, inner).map(lambda t: f"({t[0]})[{t[1]}]"),
    ),
    max_leaves=5,
)
_LISTS = st.lists(_EXPRESSIONS, min_size=1, max_size=3).map(", ".join)
_CLAUSES = [
    st.sampled_from(["from train", "from evaluate", "from train, evaluate", ""]),
    st.one_of(st.just(""), st.just("where status == done"), _EXPRESSIONS.map("where {}".format)),
    st.one_of(st.just(""), st.sampled_from(NAMES).map("group by {}".format), _LISTS.map("group by {}".format)),
    st.one_of(st.just(""), _LISTS.map("show {}".format), _EXPRESSIONS.map("show mean(loss) ± {} as x".format)),
    st.one_of(st.just(""), _EXPRESSIONS.map("having {}".format)),
    st.one_of(
        st.just(""),
        st.tuples(st.sampled_from(["best", "min", "max"]), _EXPRESSIONS, _EXPRESSIONS).map(
            lambda t: f"keep {t[0]} {t[1]} by {t[2]}"
        ),
    ),
    st.one_of(st.just(""), _EXPRESSIONS.map("sort by {} desc".format)),
    st.sampled_from(
        ["", "limit 2", "with past", "with all attempts", "with past with all attempts", "with superseded"]
    ),
]
_QUERIES = st.tuples(*_CLAUSES).map(lambda parts: " ".join(filter(None, parts)))


@pytest.fixture(name="view", scope="module")
def _view(tmp_path_factory: pytest.TempPathFactory) -> View:
    study: Recorded = half_finished(tmp_path_factory.mktemp("study"))
    folder: Path = study.run(0).with_name("00000000000000aa")
    folder.mkdir()
    (folder / "run.jsonl").write_text("torn")
    return study.view()


@settings(max_examples=150, deadline=None)
@given(text=_QUERIES)
def test_any_query(view: View, text: str) -> None:
    """No query is an exception; each has an answer or an error, and each answer all its forms."""
    diagnostics = Diagnostics()
    query = parse_query(Source("<query>", text), diagnostics)
    result = evaluate(query, view, diagnostics) if query is not None else None
    render_diagnostics(diagnostics.sorted(), "full", color=False)

    assert (result is None) == diagnostics.failed
    if result is None:
        return
    for format in FORMATS:
        printed = render(result, format)
        if format in ("csv", "json", "github", "latex") and result.columns:
            (table,) = read_tables(printed, format)
            assert len(table.rows) == result.size
    assert explain(result) or not result.size
    as_json(explained(result))
    check_strictly(result, "q", Diagnostics())
    assert len(result.frame()) == result.size
    for row in range(result.size):
        found = result.provenance(row)
        assert [run.id for run in found.runs] == list(result.sources[row])
        for cell in found.cells.values():
            assert {run.id for run in (*cell.used, *cell.missing, *cell.unpaired)} <= {run.id for run in found.runs}
