"""Where a placeholder can stand in a shell's text."""

from __future__ import annotations

from typing import Final

from ..grammar import tree
from ..grammar.node import Node

Atom = str | tree.Placeholder

BARE: Final = "bare"
DOUBLE: Final = "double"
SINGLE: Final = "single"
ANSI: Final = "ansi"  # $'…'
HERE: Final = "here"
QUOTED_HERE: Final = "quoted here"
DELIMITER: Final = "delimiter"
ARITHMETIC: Final = "arithmetic"
SUBSCRIPT: Final = "subscript"
NAME: Final = "name"  # of a variable: read {x}
TEST: Final = "test"  # [[ a -eq b ]]
PARAMETER: Final = "parameter"  # ${…}
ESCAPED: Final = "escaped"
COMMENT: Final = "comment"


class Use(Node):
    """A placeholder at its place. *words* are the words of its command before it (``None`` for one that holds a
    placeholder); *alone* when the word is the placeholder and nothing else; *backquotes* that stand around it."""

    placeholder: tree.Placeholder
    context: str
    words: tuple[str | None, ...]
    alone: bool
    backquotes: int = 0


class Unclosed(Node):
    """What is opened at atom *at* and never closed."""

    at: int
    what: str


class Scan(Node):
    """*syntax*: a shell is needed. *parameters*: the script changes its positional parameters, or has functions.
    *background*: the atom of a ``&`` that ends the text."""

    uses: tuple[Use, ...]
    syntax: bool
    parameters: bool
    unclosed: Unclosed | None
    background: int | None
