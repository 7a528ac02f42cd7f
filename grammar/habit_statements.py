"""Statements of Python, Snakemake, Hydra and the shell, and values given to words that take them without a sign."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from .fault import Fault, Finding, short

if TYPE_CHECKING:
    from .lexer import Lexeme

_MEANT: Final = {
    "class": "there are no classes: a config is a set of keys, and `config NAME(PARENT):` inherits",
    "def": "there are no functions: a key can be an expression of others, and `let` names a value",
    "defaults": 'a config reads YAML by `from "…"`, a grid takes files by `model from "configs/model/*.yaml"`',
    "export": "in an `environment`, write `NAME = …`",
    "for": "the grid is the loop: write an axis, `key in [a, b]`",
    "import": 'no code is run here; another file is read by `include "…"`',
    "params": "the keys and their values stand in `config NAME:`, their axes in `grid NAME:`",
    "rule": "write `experiment NAME:`",
    "sweep": "write `grid NAME:`",
    "while": "the grid is the loop: write an axis, `key in [a, b]`",
}
_RENAMED: Final = {
    **dict.fromkeys(("cmd", "command", "script", "shell"), "run"),
    **dict.fromkeys(("dependency", "depends", "depends_on", "needs", "requires"), "after"),
    **dict.fromkeys(("retry", "max_retries"), "retries"),
}


def foreign_statement(fault: Fault, first: Lexeme) -> Finding | None:
    """Recognise ``import``, ``for``, ``rule``, ``shell "…"`` at the beginning of a line."""
    cure = _MEANT.get(first)
    meant = meant_word(fault, first)
    if meant != first:
        cure = sign_free(fault, meant, _after(fault, first))
    return None if cure is None else Finding("XP010", first.span, f"unknown statement `{first}`", "", cure)


def meant_word(fault: Fault, word: str) -> str:
    """Give the word that an experiment has for what other tools call *word*."""
    return _RENAMED.get(word, word) if fault.excerpt.start_rule == "experiment_item" else word


def sign_free(fault: Fault, word: str, value: str) -> str | None:
    """Give the cure for ``run: "…"``: the first form with *word* that can stand here, nothing if none can."""
    value = re.sub(r"^[:=]\s*", "", value)
    forms = [f"{word} {value}"]
    if '"' not in value and "\\" not in value:
        forms.append(f'{word} "{value}"')
    if word in ("input", "output"):
        stem = re.sub(r"\W.*", "", value.strip("\"'").rsplit("/", 1)[-1])
        forms += [f"{word} {stem or 'model'} = {value}"]
    return next((f"write `{short(form)}`" for form in forms if _parses(form, fault.excerpt.start_rule)), None)


def _after(fault: Fault, first: Lexeme) -> str:
    return fault.excerpt.text[first.end_pos : fault.excerpt.end].strip()


def _parses(text: str, rule: str) -> bool:
    from lark.exceptions import UnexpectedInput

    from . import engine
    from .diagnostic import Diagnostics
    from .lexer import Excerpt
    from .source import Source

    report = Diagnostics()
    try:
        engine.run(Excerpt(Source("", text), report, rule, 0, len(text)))
    except UnexpectedInput:
        return False
    return not report.failed
