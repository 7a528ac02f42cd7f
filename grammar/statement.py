"""An excerpt to its node; what does not parse is explained by ``mistakes``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import engine
from .node import Node
from .tree import Broken, Expr

if TYPE_CHECKING:
    from .lexer import Excerpt

DEEPEST = 100
_NESTS = "([{+-*/%<>=:"


def parse_excerpt(excerpt: Excerpt) -> Node | None:
    """Parse *excerpt* from its start rule. What is wrong is reported; then nothing comes back, or what was meant if
    only a colon is missing."""
    from lark.exceptions import UnexpectedInput

    try:
        node = engine.run(excerpt)
    except UnexpectedInput as error:
        from .mistakes import explain

        return parse_excerpt(excerpt.with_colon()) if explain(error, excerpt) else None
    if not isinstance(node, Node):
        raise TypeError(f"{excerpt.start_rule} built {type(node).__name__}")
    if _may_be_deep(excerpt) and _depth(node) > DEEPEST:
        span = excerpt.span(excerpt.start, excerpt.end)
        excerpt.report.error("XP018", span, f"this is nested more than {DEEPEST} levels deep", help="name parts of it")
        return None
    return node


def parse_expression_excerpt(excerpt: Excerpt) -> Expr:
    """Parse an excerpt that is an expression; ``Broken`` stands for one that does not parse."""
    found = parse_excerpt(excerpt)
    return found if isinstance(found, Expr) else Broken(excerpt.span(excerpt.start, excerpt.end))


def _may_be_deep(excerpt: Excerpt) -> bool:
    text = excerpt.text[excerpt.start : excerpt.end]
    signs = sum(map(text.count, _NESTS))
    return signs > DEEPEST or (len(text) > 3 * DEEPEST and signs + text.count(" ") + text.count(".") > DEEPEST)


def _depth(node: Node) -> int:
    """Measure the height of a tree without recursion."""
    deepest = 0
    waiting: list[tuple[object, int]] = [(node, 1)]
    while waiting:
        item, depth = waiting.pop()
        if isinstance(item, Node):
            deepest = max(deepest, depth)
            inner = (value for field, value in item.fields().items() if field not in ("values", "span"))
            waiting.extend((value, depth + 1) for value in inner if isinstance(value, Node | tuple))
        elif isinstance(item, tuple):
            waiting.extend((inner, depth) for inner in item if isinstance(inner, Node | tuple))
    return deepest
