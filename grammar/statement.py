"""An excerpt to its node; what does not parse is explained by ``mistakes``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import engine
from .tree import Broken, Expr

if TYPE_CHECKING:
    from .lexer import Excerpt


def parse_excerpt(excerpt: Excerpt) -> object | None:
    """Parse *excerpt* from its start rule. What is wrong is reported, and nothing comes back."""
    from lark.exceptions import UnexpectedInput

    try:
        return engine.run(excerpt)
    except UnexpectedInput as error:
        from .mistakes import explain

        explain(error, excerpt)
        return None


def parse_expression_excerpt(excerpt: Excerpt) -> Expr:
    """Parse an excerpt that is an expression; ``Broken`` stands for one that does not parse."""
    found = parse_excerpt(excerpt)
    return found if isinstance(found, Expr) else Broken(excerpt.span(excerpt.start, excerpt.end))
