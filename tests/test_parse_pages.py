"""The pages of the syntax errors: their examples fail as they say, and are mended as they say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from xpc.grammar.codes import TITLES
from xpc.grammar.diagnostic import Diagnostics
from xpc.grammar.parser import parse, parse_query
from xpc.grammar.source import Source

PAGES = Path(__file__).parent.parent / "docs" / "errors"
CODES = [code for code in TITLES if code < "XP020" or code in ("XQ001", "XQ002")]
BLOCK = re.compile(r"^```(experimentfile|query)( error)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("code", CODES)
def test_examples(code: str) -> None:
    """A page has its title, an example that gives its code and no other, and one that is right."""
    page = (PAGES / f"{code}.md").read_text(encoding="utf-8")
    assert page.startswith(f"# {code}: {TITLES[code]}\n")

    blocks = BLOCK.findall(page)
    assert [bool(error) for _, error, _ in blocks] == [True, False]
    for language, error, text in blocks:
        report = Diagnostics()
        if language == "query":
            parse_query(Source("<query>", text), report)
        else:
            parse(Source("Experimentfile", text), report)
        assert {found.code for found in report.found} == ({code} if error else set())
