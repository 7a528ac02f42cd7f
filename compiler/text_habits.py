"""A text with a shell's ``${…}`` or ``$…`` in it to what is said of those that are the name of a key."""

from __future__ import annotations

import re

from ..grammar import tree
from ..grammar.diagnostic import Diagnostics
from ..grammar.source import Span
from .scope import Scope


def shell_name(text: tree.Text, scope: Scope, diagnostics: Diagnostics) -> None:
    """Report each ``${name}`` whose name is a key: OmegaConf writes a reference so, a shell its own variable."""
    for word in text.shell:
        path = tuple(word.text.split("."))
        if scope.is_key(path) or scope.is_group(path):
            diagnostics.error(
                "XP057",
                word.span,
                f"`${{{word.text}}}` is left to the shell, and `{word.text}` is a key",
                "the key, or the shell's?",
                help=f"write `{{{word.text}}}` for the key, `${{{{{word.text}}}` for the characters as they are",
            )


def bare_shell_name(text: tree.Text, scope: Scope, diagnostics: Diagnostics) -> None:
    """Warn of each ``$name`` in a run text whose name is a key, and that the text itself gives no value."""
    pieces = [part for part in text.parts if isinstance(part, tree.Piece)]
    whole = "\0".join(piece.text for piece in pieces)
    for piece in pieces:
        for match in re.finditer(r"(?<![\\$])\$([A-Za-z_][A-Za-z0-9_]*)", piece.text):
            name = match[1]
            if not scope.is_key((name,)) or _is_given(name, whole):
                continue
            diagnostics.warning(
                "XP057",
                Span(piece.span.source, piece.at[match.start()], piece.at[match.end()]),
                f"`${name}` is left to the shell, and `{name}` is a key",
                "the key, or the shell's?",
                help=f"write `{{{name}}}` for the key",
            )


def _is_given(name: str, text: str) -> bool:
    """Tell whether a script gives a variable its value, or may: then it is the shell's own."""
    giving = rf"\b{name}\s*\+?=|\b(for|read|local|declare|mapfile|export)\b[^\n;|]*\b{name}\b"
    return re.search(giving, text) is not None
