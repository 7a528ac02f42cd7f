"""A text with a shell's ``${…}`` in it to the error for those that are the name of a key."""

from __future__ import annotations

from ..grammar import tree
from ..grammar.diagnostic import Diagnostics
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
