"""The first token that does not fit, to a diagnostic that says what was probably meant."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from . import engine, habits
from .fault import Fault, Finding, short
from .habit_queries import foreign_clause
from .habit_statements import foreign_statement
from .lexer import Excerpt, Lexeme
from .nearest import nearest

if TYPE_CHECKING:
    from lark.exceptions import UnexpectedInput

_OPERATORS = {
    "EQUAL",
    "UNEQUAL",
    "LESS",
    "LESSEQUAL",
    "MORE",
    "MOREEQUAL",
    "IN",
    "IS",
    "MATCHES",
    "AND",
    "OR",
    "NOT",
    "IF",
}
_OPERATORS |= {"PLUS", "MINUS", "STAR", "SLASH", "FLOOR", "PERCENT", "POWER", "DOT", "LSQB", "LPAR"}
_OPERATORS |= {"PLUSMINUS", "PLUSMINUS_ASCII"}
_LITERALS = {"INTEGER", "FLOAT", "SIZE", "DURATION", "TEXT", "VALUES", "TRUE", "FALSE", "NULL"}
_AFTER_WORD = _LITERALS | {"NAME", "BAD_NUMBER", "LPAR", "LSQB", "LBRACE"}
_BLOCKS = {
    "top_item": "the top level",
    "config_item": "a config",
    "grid_item": "a grid",
    "resources_item": "resources",
    "environment_item": "an environment",
    "target_item": "a target",
    "experiment_item": "an experiment",
    "clause": "a report",
}


def explain(error: UnexpectedInput, excerpt: Excerpt) -> bool:
    """Report what *error* found in *excerpt*; say whether a colon at the end would mend it."""
    fault = _fault(error, excerpt)
    finding = _missing_colon(fault)
    mendable = finding is not None
    finding = finding or _wrong_statement(fault) or habits.recognise(fault) or _general(fault)
    code = "XQ001" if finding.code == "XP001" and excerpt.is_query else finding.code
    excerpt.report.error(code, finding.span, finding.message, finding.label, help=finding.help)
    return mendable


def _fault(error: UnexpectedInput, excerpt: Excerpt) -> Fault:
    found = getattr(error, "token", None)
    parser = getattr(error, "interactive_parser", None)
    accepted = frozenset(parser.accepts()) if parser is not None else frozenset()
    tokens = engine.lexer().tokens(excerpt)
    token = found if isinstance(found, Lexeme) and found.type != "$END" else None
    index = len(tokens)
    if token is not None:
        index = next((i for i, t in enumerate(tokens) if t.start_pos == token.start_pos), len(tokens))
    return Fault(excerpt, tokens, index, token, cast("frozenset[str]", accepted))


def _missing_colon(fault: Fault) -> Finding | None:
    if fault.token is not None or "COLON" not in fault.accepted:
        return None
    first = fault.tokens[0]
    if not fault.excerpt.has_body and (
        "ASSIGN" in fault.accepted or first not in engine.starting_words(fault.excerpt.start_rule)
    ):
        return None
    text = fault.excerpt.text[fault.excerpt.start : fault.excerpt.end]
    more = "" if fault.excerpt.has_body else ", and indent at least one line below it"
    return Finding("XP007", fault.end, "the colon of this block is missing", "", f"write `{short(text)}:`{more}")


# ------------------------------------------------------------------ statements


def _wrong_statement(fault: Fault) -> Finding | None:
    """Recognise a statement whose first word is unknown, or known elsewhere."""
    rule = fault.excerpt.start_rule
    if rule not in _BLOCKS or not fault.tokens or fault.index > 1:
        return None
    first = fault.tokens[0]
    words = engine.starting_words(rule)
    if first.type != "NAME" or first in words:
        return None
    if fault.index == 1 and (fault.token is None or fault.token.type not in _AFTER_WORD):
        return _axis_elsewhere(fault)
    if fault.index == 1 and fault.touching(first, fault.token):
        return None
    if rule == "top_item" and (following := fault.at(1)) and following.type in ("ASSIGN", "DOT", "IN", "TILDE"):
        return _outside(fault, first)
    homes = [name for other, name in _BLOCKS.items() if first in engine.starting_words(other)]
    if rule == "top_item" and _following_is_in(fault):
        return _outside(fault, first)
    if homes:
        return _misplaced(fault, first, homes)
    return _unknown(fault, first, words)


def _following_is_in(fault: Fault) -> bool:
    following = fault.at(1)
    return following is not None and following == "in"


def _outside(fault: Fault, first: Lexeme) -> Finding:
    following = fault.at(1)
    if following == "in" or following == "~":
        return Finding(
            "XP011", first.span, "an axis stands in a grid", "outside a block", "indent it below `grid NAME:`"
        )
    cure = "indent it below `config NAME:`"
    if following == "=":
        cure += f"; to name a value write `let {fault.source_text}`"
    return Finding("XP011", first.span, "a value stands in a block", "outside a block", cure)


def _misplaced(fault: Fault, first: Lexeme, homes: list[str]) -> Finding:
    here = _BLOCKS[fault.excerpt.start_rule]
    where = " or ".join(homes[-2:] if len(homes) > 1 else homes)
    if homes == ["the top level"]:
        message, cure = f"`{first}` stands at the top level, not in {here}", "write it at the start of the line"
    else:
        preposition = "at" if here == "the top level" else "in"
        message = f"`{first}` stands in {where}, not {preposition} {here}"
        cure = f"move the line to {where}"
    return Finding("XP011", first.span, message, "", cure)


def _unknown(fault: Fault, first: Lexeme, words: frozenset[str]) -> Finding:
    rule = fault.excerpt.start_rule
    if rule == "clause":
        return _unknown_clause(fault, first, words)
    found = foreign_statement(fault, first)
    if found:
        return found
    guess = nearest(first, words)
    sign = fault.at(1) if rule == "grid_item" else None
    if guess is None and sign is not None and sign.type == "NAME" and (meant := nearest(sign, ("in", "from"))):
        return Finding("XP001", sign.span, f"expected `{meant}`, found `{sign}`", "", f"did you mean `{meant}`?")
    if guess:
        cure = f"did you mean `{guess}`?"
    elif words:
        forms = sorted(words)
        if rule != "top_item":
            forms += ["key in […]", "key = value"] if rule == "grid_item" else ["key = value"]
        cure = f"{_BLOCKS[rule]} takes {_listed(forms)}"
    else:
        cure = f"{_BLOCKS[rule]} takes lines such as `key = value`"
    return Finding("XP010", first.span, f"unknown statement `{first}`", "", cure)


def _unknown_clause(fault: Fault, first: Lexeme, words: frozenset[str]) -> Finding:
    found = foreign_clause(fault, first)
    if found:
        return found
    guess = nearest(first, words)
    cure = f"did you mean `{guess}`?" if guess else f"a report takes {_listed(sorted(words))}"
    return Finding("XP001", first.span, f"unknown clause `{first}`", "", cure)


def _axis_elsewhere(fault: Fault) -> Finding | None:
    token = fault.token
    if token is None or fault.excerpt.start_rule in ("top_item", "grid_item", "clause") or token not in ("in", "~"):
        return None
    return Finding(
        "XP011",
        token.span,
        f"an axis stands in a grid, not in {_BLOCKS[fault.excerpt.start_rule]}",
        "",
        f"move the line to a grid; for one value write `{fault.tokens[0]} = …`",
    )


# ------------------------------------------------------------------ everything else


def _general(fault: Fault) -> Finding:
    wanted = _wanted(fault)
    token = fault.token
    if token is None:
        what = "query" if fault.excerpt.start_rule == "query" else "expression" if fault.is_expression else "line"
        return Finding("XP001", fault.end, f"expected {wanted}, but the {what} ends")
    shown = "a text" if token.type == "TEXT" and "\n" in token else f"`{short(token)}`"
    words = [word for word in engine.words() if engine.words()[word] in fault.accepted]
    guess = nearest(token, words) if token.type == "NAME" else None
    cure = f"did you mean `{guess}`?" if guess else ""
    if "RSQB" in fault.accepted and token in ("for",):
        cure = "a list has no loop: write `range(5)`, or its elements"
    if fault.excerpt.depth and not cure:
        cure = "a brace of the text's own is written `{{`"
    return Finding("XP001", token.span, f"expected {wanted}, found {shown}", "", cure)


def _wanted(fault: Fault) -> str:
    """Say in a few words what could stand at the fault."""
    if fault.index == 0 and fault.excerpt.start_rule in _BLOCKS:
        return "a statement"
    accepted = set(fault.accepted) or {"$END"}
    wanted: list[str] = []
    if {"NAME", "INTEGER"} <= accepted:
        wanted.append("a value")
        accepted -= _LITERALS | {"NAME", "NOT", "PLUS", "MINUS", "LPAR", "LSQB", "LBRACE"}
    elif {"NAME", "TEXT"} <= accepted:
        wanted.append("a name" if fault.excerpt.is_query else "a key")
        accepted -= {"NAME", "TEXT"}
    if "PLUS" in accepted and "STAR" in accepted:
        wanted.append("an operator")
        accepted -= _OPERATORS
    for kind, words in (("NAME", "a name"), ("TEXT", "a text in quotes"), ("INTEGER", "a whole number")):
        if kind in accepted:
            wanted.append(words)
            accepted.discard(kind)
    if len(accepted) > 1:
        accepted.discard("DOT")
    clauses = {engine.words()[word] for word in engine.starting_words("clause")}
    if len(clauses & accepted) > 3:
        wanted.append("a clause")
        accepted -= clauses
    ends = "$END" in accepted
    spelled = sorted(engine.spelling(kind) for kind in accepted - {"$END"})
    wanted += [f"`{text}`" for text in spelled]
    if ends and fault.token is not None:
        wanted.append(
            "the end" if fault.is_expression or fault.excerpt.start_rule == "query" else "the end of the line"
        )
    return _listed_or(wanted[:6]) if wanted else "something else"


def _listed_or(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _listed(words: list[str]) -> str:
    """List *words* in quotes, over as many lines as it takes."""
    lines = [""]
    for word in words:
        if len(lines[-1]) + len(word) > 68:
            lines.append("")
        lines[-1] += f"`{word}`, "
    return "\n".join(line.rstrip() for line in lines).rstrip(",")
