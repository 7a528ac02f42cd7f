"""Characters that no token begins with: quotes, brackets and signs of other languages."""

from __future__ import annotations

import re

from .fault import Fault, Finding
from .lexer import Lexeme

_QUOTES = {"“": '"', "”": '"', "„": '"', "‟": '"', "«": '"', "»": '"', "‘": "'", "’": "'", "‚": "'", "‛": "'"}
_SIGNS = {"−": "-", "–": "-", "×": "*", "÷": "/", "≤": "<=", "≥": ">=", "≠": "!=", "→": "=", "…": ", "}
_LOGIC = {"&": "and", "|": "or", "!": "not"}
_VARIABLE = re.compile(r"\$\{\s*([\w.:,]*)\s*\}|\$(\w*)")
_CLOSING = frozenset({"RPAR", "RSQB", "RBRACE"})


def open_bracket(fault: Fault) -> Finding | None:
    """Recognise ``f(1, 2`` at the end of what is parsed."""
    if fault.token is not None or not fault.accepted & _CLOSING:
        return None
    opened: list[Lexeme] = []
    for lexeme in fault.tokens:
        if lexeme in ("(", "[", "{"):
            opened.append(lexeme)
        elif lexeme in (")", "]", "}") and opened:
            opened.pop()
    if not opened:
        return None
    closing = {"(": ")", "[": "]", "{": "}"}[opened[-1]]
    return Finding("XP006", opened[-1].span, f"`{opened[-1]}` is not closed", "opened here", f"add `{closing}`")


def open_quote(fault: Fault) -> Finding | None:
    """Recognise a quote without its partner."""
    lexeme = fault.token
    if lexeme is None or lexeme.type != "BAD" or lexeme not in ('"', "'"):
        return None
    return Finding("XP005", lexeme.span, "this text is not closed", "opened here", "close it with the same quote")


def character(fault: Fault) -> Finding | None:
    """Recognise ``“``, ``−``, ``;``, ``^`` and other single characters."""
    lexeme = fault.token
    if lexeme is None or lexeme.type != "BAD":
        return None
    char = str(lexeme)
    if char in _QUOTES:
        return Finding("XP002", lexeme.span, f"`{char}` is a typographic quote", "", f"write `{_QUOTES[char]}`")
    if char in _SIGNS:
        return Finding("XP002", lexeme.span, f"`{char}` is not an operator", "", f"write `{_SIGNS[char]}`")
    if char == ";":
        return Finding("XP002", lexeme.span, "`;` has no place here", "", "a line holds one statement, without `;`")
    if char == "\\":
        return Finding("XP002", lexeme.span, "`\\` does not join lines", "", "a line goes on inside brackets")
    if char == "^":
        return Finding("XP015", lexeme.span, "`^` is written `**`", "", "write `**` for a power")
    if char == "?":
        return Finding("XP015", lexeme.span, "`?` is no operator", "", "write `a if condition else b`")
    return None


def logic(fault: Fault) -> Finding | None:
    """Recognise ``&``, ``&&``, ``|``, ``||``, ``!``."""
    lexeme = fault.token
    if lexeme is None or lexeme.type != "BAD" or lexeme not in _LOGIC:
        return None
    twice = fault.after == lexeme and fault.touching(lexeme, fault.after)
    sign = str(lexeme) * 2 if twice else str(lexeme)
    span = lexeme.span.to(fault.after.span) if twice and fault.after else lexeme.span
    return Finding("XP015", span, f"`{sign}` is written `{_LOGIC[lexeme]}`", "", f"write `{_LOGIC[lexeme]}`")


def dollar(fault: Fault) -> Finding | None:
    """Recognise ``$HOME``, ``${a.b}``, ``${oc.env:HOME}``."""
    lexeme = fault.token
    if lexeme is None or lexeme != "$":
        return None
    found = re.compile(r"\$\{\s*([\w.:,]*)\s*\}|\$(\w*)").match(
        fault.excerpt.text, lexeme.start_pos or 0, fault.excerpt.end
    )
    if found is None:
        return None
    shown, name = found[0], found[1] or found[2] or ""
    span = fault.excerpt.span(found.start(), found.end())
    variable = name.removeprefix("oc.env:").split(",")[0]
    if name.isupper() or name.startswith("oc.env:"):
        return Finding("XP016", span, f'`{shown}` is written `env("{variable}")`', "", f'write `env("{variable}")`')
    return Finding(
        "XP016", span, f"`{shown}` is written without `$`", "", f"write `{name}`" if name else "write the name"
    )


def other_character(fault: Fault) -> Finding | None:
    """Recognise any character that has no place anywhere."""
    lexeme = fault.token
    if lexeme is None or lexeme.type != "BAD":
        return None
    return Finding("XP002", lexeme.span, f"`{lexeme}` has no place here")
