"""The tables and the lexer to one parser, loaded at its first use; an excerpt to what its start rule builds."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from .tables import TABLES

if TYPE_CHECKING:
    from lark import Lark

    from .lexer import Excerpt, SoftLexer


@cache
def _parser() -> Lark:
    from lark import Lark

    from . import clauses, expressions, statements
    from .lexer import ExcerptThread, SoftLexer

    build = SimpleNamespace()
    for module in (expressions, statements, clauses):
        for name, value in vars(module).items():
            if name[0].islower() and getattr(value, "__module__", None) == module.__name__:
                setattr(build, name, value)
    data, memo = _decode()
    load: Callable[..., Lark] = Lark._load_from_dict
    return load(data, memo, transformer=build, _plugins={"ContextualLexer": SoftLexer, "LexerThread": ExcerptThread})


def lexer() -> SoftLexer:
    """Give the parser's lexer."""
    found: Any = _parser().parser.lexer
    return found  # type: ignore[no-any-return]


def run(excerpt: Excerpt) -> object:
    """Parse *excerpt* from its start rule; raise Lark's ``UnexpectedInput`` at the first token that does not fit."""
    return _parser().parse(excerpt, start=excerpt.start_rule)


def words() -> dict[str, str]:
    """Give every soft word with the name of its terminal."""
    return lexer().words


def spelling(terminal: str) -> str:
    """Give the characters of a terminal that is always written alike."""
    return lexer().spellings.get(terminal, terminal.lower())


@cache
def starting_words(rule: str) -> frozenset[str]:
    """Give the words that a statement of *rule* can begin with."""
    frontend: Any = _parser().parser
    table = frontend.parser._parse_table
    accepted = table.states[table.start_states[rule]]
    operators = {"not", "true", "false", "null"}
    return frozenset(word for word, terminal in words().items() if terminal in accepted and word not in operators)


def _decode() -> tuple[dict[str, Any], dict[int, Any]]:
    """Put the tables back into the shape that Lark deserialises."""
    read = json.loads(TABLES)
    data = read["data"]
    data["parser"]["parser"] = {
        "tokens": read["tokens"],
        "states": {index: _state(row) for index, row in enumerate(read["states"])},
        "start_states": read["starts"],
        "end_states": read["ends"],
    }
    return data, dict(enumerate(read["memo"]))


def _state(row: list[int]) -> dict[int, tuple[int, Any]]:
    return {
        token: (0, action) if action >= 0 else (1, {"@": ~action})
        for token, action in zip(row[::2], row[1::2], strict=True)
    }
