"""Operators of other languages."""

from __future__ import annotations

from .fault import Fault, Finding

_COMPARATORS = frozenset(["EQUAL", "UNEQUAL", "LESS", "LESSEQUAL", "MORE", "MOREEQUAL", "IN", "IS", "MATCHES"])


def doubled_operator(fault: Fault) -> Finding | None:
    """Recognise ``===``, ``<>``, ``=>``."""
    lexeme, before = fault.token, fault.before
    if lexeme is None or before is None or not fault.touching(before, lexeme):
        return None
    meant = {"===": "==", "!==": "!=", "<>": "!=", "=>": ">=", "=<": "<="}.get(f"{before}{lexeme}")
    if meant is None:
        return None
    return Finding(
        "XP015", before.span.to(lexeme.span), f"`{before}{lexeme}` is written `{meant}`", "", f"write `{meant}`"
    )


def single_equals(fault: Fault) -> Finding | None:
    """Recognise ``=`` where only ``==`` can be meant."""
    lexeme = fault.token
    if lexeme is None or lexeme.type != "ASSIGN" or "EQUAL" not in fault.accepted:
        return None
    if fault.after is not None and fault.touching(lexeme, fault.after) and fault.after in ("<", ">"):
        meant = f"{fault.after}="
        span = lexeme.span.to(fault.after.span)
        return Finding("XP015", span, f"`{span.text}` is written `{meant}`", "", f"write `{meant}`")
    return Finding("XP015", lexeme.span, "`=` gives a value, it does not compare", "", "write `==`")


def chained(fault: Fault) -> Finding | None:
    """Recognise ``1 < x < 3``."""
    lexeme = fault.token
    if lexeme is None or "AND" not in fault.accepted or "EQUAL" in fault.accepted:
        return None
    if lexeme.type in _COMPARATORS or (lexeme.type == "NOT" and fault.after == "in"):
        return Finding("XP015", lexeme.span, "comparisons do not chain", "", "write `a < b and b < c`")
    return None


def spread(fault: Fault) -> Finding | None:
    """Recognise ``±`` inside brackets or outside a query."""
    lexeme = fault.token
    if lexeme is None or not lexeme.type.startswith("PLUSMINUS"):
        return None
    cure = "it joins two columns in `show` and `sort by`, outside brackets"
    return Finding("XP001", lexeme.span, f"`{lexeme}` has no place here", "", cure)


def is_something(fault: Fault) -> Finding | None:
    """Recognise ``is None``, ``is 3``."""
    if "NULL" not in fault.accepted or fault.takes_value or fault.token is None:
        return None
    lexeme = fault.token
    if lexeme.lower() in ("none", "null"):
        return Finding("XP016", lexeme.span, f"`{lexeme}` is written `null`", "", "write `null`")
    return Finding("XP015", lexeme.span, "`is` asks for null only", "", "write `==`")


def else_if(fault: Fault) -> Finding | None:
    """Recognise ``else if``."""
    lexeme, before = fault.token, fault.before
    if lexeme is None or before is None or lexeme != "if" or before != "else" or fault.index != 1:
        return None
    return Finding("XP015", before.span.to(lexeme.span), "`else if` is written `elif`", "", "write `elif`")
