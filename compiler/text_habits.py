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


def doubled_braces(text: tree.Text, scope: Scope, diagnostics: Diagnostics) -> None:
    """Warn of `{{lr}}` in a run text, which is no placeholder, and of a `}` too many behind one that is."""
    pieces = [part for part in text.parts if isinstance(part, tree.Piece)]
    whole = "".join(piece.text for piece in pieces)
    if whole.count("}") <= whole.count("{"):
        return  # braces of the text's own, in pairs
    after_placeholder = False
    for part in text.parts:
        if isinstance(part, tree.Piece):
            for match in re.finditer(r"\{[ ]*([A-Za-z_][\w.]*)[ ]*\}\}", part.text):
                if scope.is_key(tuple(match[1].split("."))):
                    span = Span(part.span.source, part.at[match.start()], part.at[match.end()])
                    message = f"`{span.text}` is no placeholder, and `{match[1]}` is a key"
                    help = f"write `{{{match[1]}}}` for the key"
                    diagnostics.warning("XP014", span, message, "characters as they are", help=help)
            if after_placeholder and part.text.startswith("}"):
                span = Span(part.span.source, part.at[0], part.at[1])
                diagnostics.warning("XP014", span, "this `}` closes nothing", "one too many", help="take it away")
        after_placeholder = isinstance(part, tree.Placeholder)


def _is_given(name: str, text: str) -> bool:
    """Tell whether a script gives a variable its value, or may: then it is the shell's own."""
    giving = rf"\b{name}\s*\+?=|\b(for|read|local|declare|mapfile|export)\b[^\n;|]*\b{name}\b"
    return re.search(giving, text) is not None
