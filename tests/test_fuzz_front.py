"""Damaged Experimentfiles through the whole front: whatever a file says, it is answered, never with a traceback."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
from resolving import MemoryFiles

from xpc.compiler.expand import expand
from xpc.compiler.resolve import resolve
from xpc.grammar.codes import TITLES
from xpc.grammar.diagnostic import Diagnostics
from xpc.grammar.render import render
from xpc.grammar.source import Source

TESTS = Path(__file__).parent
PAGES = sorted((TESTS.parent / "docs" / "errors").glob("XP*.md"))
BLOCK = re.compile(r"^```experimentfile[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
TEXTS = [
    *(path.read_text(encoding="utf-8") for path in sorted((TESTS / "accept").glob("*/Experimentfile"))),
    *(body for page in PAGES for body in BLOCK.findall(page.read_text(encoding="utf-8"))),
]
TOKEN = re.compile(r"\w+|\"[^\"\n]*\"|[^\w\s]|\s+")
TOKENS = sorted({token for text in TEXTS for token in TOKEN.findall(text)})
ODD = ["\t", '"', "{", "}", "[", "(", "\\", "\0", "\\u0000", "é", "’", "${", '"""', "9" * 25, "-", "\r", "#", ":", "=="]
FILES = {
    "configs/base.yaml": "a: 1\nmodel:\n  width: 3\n",
    "configs/model/small.yaml": "name: small\nwidth: 2\n",
    "points.csv": "a,b\n1,2\n,x\n",
}
SETTINGS = ([], ["a=1"], ["seed=2", "x.y=3"], ['"a b"=[1, 2', "lr=abc"])


def damaged(text: str, chance: random.Random) -> str:
    """Take away, put in, replace and move some characters, tokens and lines."""
    for _ in range(chance.choice((1, 1, 2, 4))):
        lines = text.split("\n")
        line, other = chance.randrange(len(lines)), chance.randrange(len(lines))
        at = chance.randrange(len(text) + 1)
        found = [token.span() for token in TOKEN.finditer(text)] or [(0, 0)]
        match chance.randrange(6):
            case 0:
                text = text[:at] + text[at + chance.randrange(1, 6) :]
            case 1:
                text = text[:at] + chance.choice(ODD) + text[at:]
            case 2:
                start, end = chance.choice(found)
                text = text[:start] + chance.choice(TOKENS) + text[end:]
            case 3:
                text = "\n".join(lines[:line] + lines[line + 1 :])
            case 4:
                text = "\n".join([*lines[:line], lines[other], *lines[line:]])
            case _:
                text = "\n".join([*lines[:line], chance.choice(chance.choice(TEXTS).split("\n")), *lines[line:]])
    return text


@pytest.mark.parametrize("seed", range(6))
def test_no_damage_is_a_traceback(seed: int) -> None:
    """Reading, resolving, expanding and rendering come back; each finding has a known code and stands once."""
    chance = random.Random(seed)  # noqa: S311  # repeatable on purpose
    for _ in range(400):
        text = damaged(chance.choice(TEXTS), chance)
        diagnostics = Diagnostics()
        study = resolve(Source("Experimentfile", text), MemoryFiles(FILES), {}, chance.choice(SETTINGS), diagnostics)
        if study is not None:
            for table in expand(study, diagnostics).values():
                assert len(table.digests) == 8 * table.count
        found = diagnostics.sorted()
        for form in ("full", "concise", "json", "github"):
            render(found, form, color=False)
        seen = [(d.code, d.span.source.name, d.span.start, d.span.end, d.message) for d in found if d.span]

        assert {d.code for d in found} <= set(TITLES), text
        assert len(seen) == len(set(seen)), text
