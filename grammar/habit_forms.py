"""Values, lists and texts in the forms of YAML, Python and the shell."""

from __future__ import annotations

import re

from . import engine
from .fault import Fault, Finding, short
from .habit_statements import meant_word, sign_free
from .nearest import nearest

_CLOSING = frozenset({"RPAR", "RSQB", "RBRACE"})
_ITEM_RULES = frozenset(
    ["config_item", "grid_item", "resources_item", "environment_item", "target_item", "experiment_item"]
)


def yaml_value(fault: Fault) -> Finding | None:
    """Recognise ``lr: 0.1``, and a group of keys in a grid."""
    tokens = fault.tokens
    here = fault.token
    colon = here if here == ":" else fault.before
    if colon is None or colon != ":" or not tokens or fault.excerpt.start_rule in ("top_item", "clause", "query"):
        return None
    key = tokens[: tokens.index(colon)]
    if not key or any(t.type not in ("NAME", "TEXT", "DOT") for t in key) or fault.is_expression:
        return None
    name = fault.excerpt.text[key[0].start_pos : key[-1].end_pos]
    value = fault.excerpt.text[colon.end_pos : fault.excerpt.end].strip()
    if fault.excerpt.start_rule == "grid_item":
        if "IN" not in fault.accepted:
            return None
        if not value:
            words = engine.starting_words("grid_item")
            if len(key) == 1 and (guess := nearest(name, words)):
                return Finding("XP010", key[0].span, f"unknown statement `{name}`", "", f"did you mean `{guess}`?")
            cure = f"write whole keys, such as `{name}.width in […]`"
            return Finding("XP016", colon.span, "a grid has no groups of keys", "", cure)
        form = f"{name} in {value}" if value.startswith("[") else f"{name} = {value}"
        return Finding("XP016", colon.span, "`:` gives no value", "", f"write `{short(form)}`")
    if not value:
        return None
    meant = meant_word(fault, name)
    bare = sign_free(fault, meant, value) if meant in engine.starting_words(fault.excerpt.start_rule) else None
    if bare is not None:
        return Finding("XP016", colon.span, f"after `{meant}` comes no `:`", "", bare)
    form = f"{name}.{value}" if re.match(r"[A-Za-z_][\w.]*[ \t]*=[^=]", value) else f"{name} = {value}"
    return Finding("XP016", colon.span, "a value is given with `=`", "", f"write `{short(form)}`")


def yaml_item(fault: Fault) -> Finding | None:
    """Recognise ``- a``, an item of a list."""
    lexeme = fault.token
    if lexeme is None or lexeme != "-" or fault.index or fault.excerpt.start_rule not in _ITEM_RULES:
        return None
    return Finding("XP016", lexeme.span, "a list is written in brackets", "", "write `key = [a, b]`")


def trailing_comma(fault: Fault) -> Finding | None:
    """Recognise a comma at the end of a line."""
    comma = fault.before if fault.token is None else fault.token
    if comma is None or comma != "," or comma.start_pos != fault.tokens[-1].start_pos:
        return None
    return Finding("XP001", comma.span, "a comma at the end", "", "a comma may trail inside brackets only")


def bare_list(fault: Fault) -> Finding | None:
    """Recognise ``lr in 0.1, 0.01``."""
    lexeme = fault.token
    if lexeme is None or lexeme != "," or fault.excerpt.start_rule not in _ITEM_RULES or fault.accepted & _CLOSING:
        return None
    sign = next((t for t in fault.tokens if t in ("in", "=") and t.start_pos), None)
    if sign is None or fault.tokens[0] in ("if", "elif", "skip", "keep", "point"):
        return None
    text = fault.excerpt.text
    head = text[fault.excerpt.start : sign.end_pos]
    if fault.excerpt.start_rule == "grid_item" and sign == "=":
        head = f"{text[fault.excerpt.start : sign.start_pos].rstrip()} in"
    items = text[sign.end_pos : fault.excerpt.end].strip()
    return Finding("XP001", lexeme.span, "a list stands in brackets", "", f"write `{short(f'{head} [{items}]')}`")


def tuple_form(fault: Fault) -> Finding | None:
    """Recognise ``(1, 2)``."""
    lexeme = fault.token
    if lexeme is None or lexeme != "," or "RPAR" not in fault.accepted:
        return None
    return Finding("XP016", lexeme.span, "a list stands in square brackets", "", "write `[a, b]`")


def several_after(fault: Fault) -> Finding | None:
    """Recognise ``after a, b``."""
    lexeme = fault.token
    if lexeme is None or lexeme != "," or not fault.tokens or fault.tokens[0] != "after":
        return None
    return Finding("XP001", lexeme.span, "`after` names one experiment", "", "write a line `after …` for each")


def after_all(fault: Fault) -> Finding | None:
    """Recognise ``after al train``."""
    tokens = fault.tokens
    if fault.index != 2 or fault.token is None or fault.token.type != "NAME" or tokens[0] != "after":
        return None
    if not nearest(tokens[1], ["all"]):
        return None
    return Finding("XP001", tokens[1].span, f"expected `all`, found `{tokens[1]}`", "", "did you mean `all`?")


def bare_placeholder(fault: Fault) -> Finding | None:
    """Recognise ``OMP_NUM_THREADS = {cpus}``: a placeholder without the text around it."""
    lexeme = fault.token
    if lexeme is None or lexeme != "}" or fault.excerpt.depth or "COLON" not in fault.accepted:
        return None
    start = next((t for t in reversed(fault.tokens[: fault.index]) if t == "{"), None)
    if start is None:
        return None
    form = fault.excerpt.text[start.start_pos : lexeme.end_pos]
    span = start.span.to(lexeme.span)
    return Finding("XP001", span, "a placeholder stands in a text", "", f'write `"{form}"`, or the name without braces')


def hyphen(fault: Fault) -> Finding | None:
    """Recognise ``my-name`` where a name or a key stands."""
    lexeme, before = fault.token, fault.before
    if lexeme is None or lexeme != "-" or before is None or before.type != "NAME" or "MINUS" in fault.accepted:
        return None
    if not fault.touching(before, lexeme) or not fault.touching(lexeme, fault.after) or fault.after is None:
        return None
    span = before.span.to(fault.after.span)
    if fault.excerpt.start_rule == "setting_key":
        cure = f"""the shell takes quotes away, so write `'"{span.text}"=…'`"""
        return Finding("XP001", span, "a key with `-` stands in quotes", "", cure)
    if fault.tokens[0] in ("slurm", "oar") and fault.index > 2:
        option = f"{fault.tokens[0]}.{span.text.replace('-', '_')}"
        return Finding("XP001", span, "an option is written with `_`", "", f"write `{option}`")
    if fault.accepted & {"ASSIGN", "IN"}:
        return Finding("XP001", span, "a key with `-` stands in quotes", "", f'write `"{span.text}"`')
    cure = f"names are made of letters, digits and `_`: `{span.text.replace('-', '_')}`"
    return Finding("XP001", span, f"`{span.text}` is not a name", "", cure)


def unquoted(fault: Fault) -> Finding | None:
    """Recognise ``run python train.py``."""
    lexeme = fault.token
    if lexeme is None or "TEXT" not in fault.accepted or fault.accepted & {"NAME", "INTEGER"} or lexeme.type == "TEXT":
        return None
    words = [word for word, kind in engine.words().items() if kind in fault.accepted]
    if lexeme.type == "NAME" and nearest(lexeme, words):
        return None  # a slip in a word that may stand here, too
    head = fault.excerpt.text[fault.excerpt.start : lexeme.start_pos].strip()
    rest = fault.excerpt.text[lexeme.start_pos : fault.excerpt.end]
    parts = re.split(r",\s*", rest) if head in ("code", "tags") else [rest]
    quoted = ", ".join(f'"{part}"' for part in parts)
    cure = f"write `{short(f'{head} {quoted}')}`" if '"' not in rest else "put it in quotes"
    return Finding("XP001", lexeme.span, f"after `{head}` comes a text in quotes", "", cure)


def quoted_name(fault: Fault) -> Finding | None:
    """Recognise ``config "base"``, ``output "model.pt"``."""
    lexeme = fault.token
    if lexeme is None or lexeme.type != "TEXT" or "NAME" not in fault.accepted or fault.accepted & {"TEXT", "INTEGER"}:
        return None
    inner = lexeme.strip("\"'")
    if fault.before is not None and fault.before in ("input", "output"):
        word, stem = fault.before, re.sub(r"\W.*", "", inner.rsplit("/", 1)[-1]) or "model"
        return Finding("XP001", lexeme.span, f"an {word} has a name", "", f"write `{word} {stem} = {lexeme}`")
    cure = f"write `{inner}`" if inner.isidentifier() else "a name is made of letters, digits and `_`"
    return Finding("XP001", lexeme.span, "a name stands here, without quotes", "", cure)


def prefixed_text(fault: Fault) -> Finding | None:
    """Recognise ``f"…"``, ``b"…"``."""
    lexeme, before = fault.token, fault.before
    if lexeme is None or before is None or lexeme.type != "TEXT" or not fault.touching(before, lexeme):
        return None
    if before.lower() not in ("f", "b", "u", "rb", "br", "rf", "fr"):
        return None
    cure = (
        "write it without the prefix; every text takes `{…}`"
        if "f" in before.lower()
        else "write it without the prefix"
    )
    return Finding("XP016", before.span, f"a text has no prefix `{before}`", "", cure)
