"""The manual's queries: each one runs, and each failing example has the fault that its page explains."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from recorded import Recorded, half_finished

from xpc.grammar.diagnostic import Diagnostics
from xpc.grammar.parser import parse_query
from xpc.grammar.source import Source
from xpc.runtime.plots.make import make_figure
from xpc.runtime.plots.sections import plot_queries
from xpc.runtime.query import evaluate

DOCS = Path(__file__).resolve().parent.parent / "docs"
BLOCK = re.compile(r"^```query(?P<error> error)?\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
EXAMPLES = [
    (page.stem, match["error"] is not None, match["text"])
    for page in [DOCS / "query.md", DOCS / "plots.md", *sorted(DOCS.glob("errors/XQ*.md"))]
    for match in BLOCK.finditer(page.read_text())
]


@pytest.fixture(name="study", scope="module")
def _study(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    return half_finished(tmp_path_factory.mktemp("study"))


@pytest.mark.parametrize(("page", "fails", "text"), EXAMPLES)
def test_examples(study: Recorded, page: str, fails: bool, text: str) -> None:
    """A failing example gives exactly the page's code; any other gives an answer without a word."""
    diagnostics = Diagnostics()
    query = parse_query(Source("<query>", text), diagnostics)
    if query is not None:
        plots = plot_queries(query.clauses)
        if not plots or page == "XQ032":
            evaluate(query, study.view(), diagnostics)
        for plot in plots:
            make_figure(plot, study.view(), diagnostics)

    assert {d.code for d in diagnostics.found} == ({page} if fails else set())
