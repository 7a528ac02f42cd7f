"""What a broken statement still tells: its key, its kind, its name."""

from __future__ import annotations

from collections.abc import Sequence

from . import engine, tree
from .lexer import Lexeme
from .nearest import nearest
from .node import Node
from .source import Span
from .texts import plain_text
from .tree import Broken, Key, Word

_TOP_BODIES = {
    "config": "config_item",
    "grid": "grid_item",
    "resources": "resources_item",
    "environment": "environment_item",
    "target": "target_item",
    "experiment": "experiment_item",
    "report": "clause",
}
_ARMS = ("if", "elif", "else")


def body_rule_of(tokens: Sequence[Lexeme], rule: str, header: bool) -> str | None:
    """Give the rule of the lines below a broken statement, if its first word tells."""
    if not tokens:
        return None
    first = str(tokens[0])
    if first in _TOP_BODIES and (rule == "top_item" or first not in engine.starting_words(rule)):
        return _TOP_BODIES[first]
    if first in (*_ARMS, "zip", "sample"):
        return "grid_item"
    if rule in ("top_item", "grid_item", "clause") or first in engine.starting_words(rule):
        return None
    return rule if header and _key(tokens) else None


def broken_name(tokens: Sequence[Lexeme], rule: str, block: str, name: str) -> tuple[str, str] | None:
    """Give the entry of ``Tree.broken_names`` for a statement of which nothing could be saved.

    At the top level that is its kind and name; inside a block, the block's kind with the statement's word, and the
    block's name: ``("experiment.run", "train")``.
    """
    if not tokens or tokens[0].type != "NAME":
        return (f"{block}.key", name) if block else None
    words = engine.starting_words(rule)
    first = str(tokens[0])
    word = first if first in words else nearest(first, words)
    if rule != "top_item":
        return f"{block}.{word or 'key'}", name
    if word is None or len(tokens) < 2 or tokens[1].type != "NAME":
        return None
    return word, str(tokens[1])


def salvage(tokens: Sequence[Lexeme], rule: str, span: Span, header: bool) -> Node | None:
    """Give the statement with ``Broken`` in place of what could not be read, where that says enough."""
    if not tokens or rule == "clause":
        return None
    first = str(tokens[0])
    if rule == "top_item":
        if first == "let" and len(tokens) > 2 and tokens[1].type == "NAME" and tokens[2] == "=":
            return tree.Let(Word(str(tokens[1]), tokens[1].span), _rest(tokens, 3, span), span)
        return None
    if rule == "grid_item":
        return _salvage_grid(tokens, first, span, header)
    if first in engine.starting_words(rule) and not (len(tokens) > 1 and tokens[1] in ("=", ".")):
        return None
    found = _key(tokens)
    if found and len(tokens) > found[1] and tokens[found[1]] == "=":
        return tree.Assign(found[0], _rest(tokens, found[1] + 1, span), span)
    return None


def _salvage_grid(tokens: Sequence[Lexeme], first: str, span: Span, header: bool) -> Node | None:
    following = str(tokens[1]) if len(tokens) > 1 else ""
    if header or following not in ("=", ".", "in", "~"):
        if first in ("if", "elif"):
            return tree.Arm(_rest(tokens, 1, span), (), span)
        if first in ("skip", "keep"):
            return tree.Constraint(first == "keep", _rest(tokens, 1, span), span)
        if first == "sample":
            return tree.Sample(_rest(tokens, 1, span), None, (), span)
    new = first == "new" and following not in ("=", ".", "in", "~")
    found = _key(tokens[new:])
    if found is None or len(tokens) <= found[1] + new:
        return None
    key, sign = found[0], tokens[found[1] + new]
    rest = _rest(tokens, found[1] + new + 1, span)
    if sign == "in":
        return tree.Axis(new, key, rest, span)
    if sign == "~":
        return tree.Draw(new, key, rest, span)
    return tree.GridValue(new, key, rest, span) if sign in ("=", ":", "==") else None


def _key(tokens: Sequence[Lexeme]) -> tuple[Key, int] | None:
    """Read a dotted key; give it and the number of its tokens."""
    words: list[Word] = []
    at = 0
    while at < len(tokens) and tokens[at].type in ("NAME", "TEXT"):
        token = tokens[at]
        words.append(Word(plain_text(token) if token.type == "TEXT" else str(token), token.span))
        at += 1
        if at < len(tokens) and tokens[at] == "." and at + 1 < len(tokens) and tokens[at + 1].type in ("NAME", "TEXT"):
            at += 1
        else:
            break
    return (Key(tuple(words), words[0].span.to(words[-1].span)), at) if words else None


def _rest(tokens: Sequence[Lexeme], start: int, span: Span) -> Broken:
    if start < len(tokens):
        return Broken(tokens[start].span.to(tokens[-1].span))
    return Broken(span.sub(span.end - span.start, span.end - span.start))
