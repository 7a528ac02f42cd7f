"""What people type by habit from other languages, recognised at the lexeme where the parser stopped."""

from __future__ import annotations

import re
from collections.abc import Callable

from lark.exceptions import UnexpectedInput

from . import engine
from .diagnostic import Diagnostics
from .fault import Fault, Finding
from .lexer import Excerpt, Lexeme
from .nearest import nearest
from .tree import Call

_COMPARATORS = frozenset(["EQUAL", "UNEQUAL", "LESS", "LESSEQUAL", "MORE", "MOREEQUAL", "IN", "IS", "MATCHES"])
_QUOTES = {"“": '"', "”": '"', "„": '"', "‟": '"', "«": '"', "»": '"', "‘": "'", "’": "'", "‚": "'", "‛": "'"}
_SIGNS = {"−": "-", "–": "-", "×": "*", "÷": "/", "≤": "<=", "≥": ">=", "≠": "!=", "→": "=", "…": ", "}
_LOGIC = {"&": "and", "|": "or", "!": "not"}
_UNITS = {
    "b": "B",
    "k": "KiB",
    "kb": "kB",
    "kib": "KiB",
    "mb": "MB",
    "mib": "MiB",
    "g": "GiB",
    "gb": "GB",
    "gib": "GiB",
    "gi": "GiB",
    "mi": "MiB",
    "t": "TiB",
    "tb": "TB",
    "tib": "TiB",
    "sec": "s",
    "secs": "s",
    "second": "s",
    "seconds": "s",
    "mins": "min",
    "minute": "min",
    "minutes": "min",
    "hr": "h",
    "hrs": "h",
    "hour": "h",
    "hours": "h",
    "day": "d",
    "days": "d",
    "msec": "ms",
    "s": "s",
    "h": "h",
    "d": "d",
    "ms": "ms",
    "min": "min",
}
_UNIT = re.compile(r"(\d[\d.]*)([A-Za-z]+)")
_VARIABLE = re.compile(r"\$\{\s*([\w.:,]*)\s*\}|\$(\w*)")
_CLAUSES = {
    "ascending": "asc",
    "descending": "desc",
    "select": "show",
    "order": "sort by",
    "order by": "sort by",
    "like": "matches",
    "offset": "limit",
}


def recognise(fault: Fault) -> Finding | None:
    """Give the finding of the first habit that fits."""
    for habit in _HABITS:
        found = habit(fault)
        if found is not None:
            return found
    return None


# ------------------------------------------------------------------ characters


def _open_bracket(fault: Fault) -> Finding | None:
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


def _open_quote(fault: Fault) -> Finding | None:
    lexeme = fault.token
    if lexeme is None or lexeme.type != "BAD" or lexeme not in ('"', "'"):
        return None
    return Finding("XP005", lexeme.span, "this text is not closed", "opened here", "close it with the same quote")


def _character(fault: Fault) -> Finding | None:
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


def _logic(fault: Fault) -> Finding | None:
    lexeme = fault.token
    if lexeme is None or lexeme.type != "BAD" or lexeme not in _LOGIC:
        return None
    twice = fault.after == lexeme and fault.touching(lexeme, fault.after)
    sign = str(lexeme) * 2 if twice else str(lexeme)
    span = lexeme.span.to(fault.after.span) if twice and fault.after else lexeme.span
    return Finding("XP015", span, f"`{sign}` is written `{_LOGIC[lexeme]}`", "", f"write `{_LOGIC[lexeme]}`")


def _dollar(fault: Fault) -> Finding | None:
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


def _other_character(fault: Fault) -> Finding | None:
    lexeme = fault.token
    if lexeme is None or lexeme.type != "BAD":
        return None
    return Finding("XP002", lexeme.span, f"`{lexeme}` has no place here")


# ------------------------------------------------------------------ numbers


def _number(fault: Fault) -> Finding | None:
    lexeme = fault.token
    if lexeme is None or lexeme.type != "BAD_NUMBER":
        return None
    if (
        lexeme.startswith(".")
        and fault.before is not None
        and fault.touching(fault.before, lexeme)
        and not fault.takes_value
    ):
        message = f"`{lexeme}` is not a key segment"
        return Finding(
            "XP012", lexeme.span, message, "", f'a segment that begins with a digit is quoted: `."{lexeme[1:]}"`'
        )
    if fault.after == ":" and fault.at(fault.index + 2) is not None and fault.touching(lexeme, fault.after):
        return _clock(fault, fault.index)
    return Finding("XP012", lexeme.span, f"`{lexeme}` is not a number", "", _number_cure(lexeme))


def _number_cure(lexeme: str) -> str:
    lower = lexeme.lower()
    unit = _UNIT.fullmatch(lexeme)
    if unit and unit[2] in ("m", "M"):
        return f"write `{unit[1]}min` for minutes, `{unit[1]}MiB` for a size"
    if unit and unit[2].lower() in _UNITS:
        return f"write `{unit[1]}{_UNITS[unit[2].lower()]}`"
    if "_" in lexeme and lexeme.replace("_", "").isdigit():
        return f"write `{lexeme.replace('_', '')}`"
    if re.fullmatch(r"\.\d+", lexeme):
        return f"write `0{lexeme}`"
    if re.fullmatch(r"\d+\.", lexeme):
        return f"write `{lexeme}0`"
    if re.fullmatch(r"0\d+(\.\d+)?", lexeme):
        return f"write `{lexeme.lstrip('0') or '0'}`, or quote it if it is a text"
    if lower.startswith(("0x", "0b", "0o")):
        try:
            return f"write `{int(lexeme, 0)}`"
        except ValueError:
            return "numbers are decimal"
    if unit:
        return "units are `B kB MB GB TB KiB MiB GiB TiB` and `ms s min h d`; a text stands in quotes"
    return "if it is a text, quote it"


def _unit_apart(fault: Fault) -> Finding | None:
    lexeme, before = fault.token, fault.before
    if lexeme is None or before is None or before.type not in ("INTEGER", "FLOAT") or lexeme.type != "NAME":
        return None
    unit = "min" if lexeme == "m" else _UNITS.get(lexeme.lower())
    if unit is None or fault.after == "=":
        return None
    span = before.span.to(lexeme.span)
    return Finding("XP012", span, "a unit stands right after its number", "", f"write `{before}{unit}`")


def _clock(fault: Fault, index: int) -> Finding | None:
    first = fault.at(index)
    last = index
    while (
        (colon := fault.at(last + 1)) is not None
        and colon == ":"
        and (part := fault.at(last + 2)) is not None
        and part.type in ("INTEGER", "BAD_NUMBER")
    ):
        last += 2
    end = fault.at(last)
    if first is None or end is None or last == index:
        return None
    span = first.span.to(end.span)
    return Finding(
        "XP012", span, f"`{span.text}` is not a duration", "", "durations have units: `90s`, `30min`, `1d12h`"
    )


def _colon_time(fault: Fault) -> Finding | None:
    lexeme, before = fault.token, fault.before
    if (
        lexeme is None
        or lexeme != ":"
        or before is None
        or before.type != "INTEGER"
        or not fault.touching(before, lexeme)
    ):
        return None
    return _clock(fault, fault.index - 1)


# ------------------------------------------------------------------ operators


def _doubled_operator(fault: Fault) -> Finding | None:
    lexeme, before = fault.token, fault.before
    if lexeme is None or before is None or not fault.touching(before, lexeme):
        return None
    meant = {"===": "==", "!==": "!=", "<>": "!=", "=>": ">=", "=<": "<="}.get(f"{before}{lexeme}")
    if meant is None:
        return None
    return Finding(
        "XP015", before.span.to(lexeme.span), f"`{before}{lexeme}` is written `{meant}`", "", f"write `{meant}`"
    )


def _single_equals(fault: Fault) -> Finding | None:
    lexeme = fault.token
    if lexeme is None or lexeme.type != "ASSIGN" or "EQUAL" not in fault.accepted:
        return None
    if fault.after is not None and fault.touching(lexeme, fault.after) and fault.after in ("<", ">"):
        meant = f"{fault.after}="
        span = lexeme.span.to(fault.after.span)
        return Finding("XP015", span, f"`{span.text}` is written `{meant}`", "", f"write `{meant}`")
    return Finding("XP015", lexeme.span, "`=` gives a value, it does not compare", "", "write `==`")


def _chained(fault: Fault) -> Finding | None:
    lexeme = fault.token
    if lexeme is None or "AND" not in fault.accepted or "EQUAL" in fault.accepted:
        return None
    if lexeme.type in _COMPARATORS or (lexeme.type == "NOT" and fault.after == "in"):
        return Finding("XP015", lexeme.span, "comparisons do not chain", "", "write `a < b and b < c`")
    return None


def _spread(fault: Fault) -> Finding | None:
    lexeme = fault.token
    if lexeme is None or not lexeme.type.startswith("PLUSMINUS"):
        return None
    cure = "it joins two columns in `show` and `sort by`, outside brackets"
    return Finding("XP001", lexeme.span, f"`{lexeme}` has no place here", "", cure)


def _is_something(fault: Fault) -> Finding | None:
    if "NULL" not in fault.accepted or fault.takes_value or fault.token is None:
        return None
    lexeme = fault.token
    if lexeme.lower() in ("none", "null"):
        return Finding("XP016", lexeme.span, f"`{lexeme}` is written `null`", "", "write `null`")
    return Finding("XP015", lexeme.span, "`is` asks for null only", "", "write `==`")


def _else_if(fault: Fault) -> Finding | None:
    lexeme, before = fault.token, fault.before
    if lexeme is None or before is None or lexeme != "if" or before != "else" or fault.index != 1:
        return None
    return Finding("XP015", before.span.to(lexeme.span), "`else if` is written `elif`", "", "write `elif`")


# ------------------------------------------------------------------ values, lists, texts


def _yaml_value(fault: Fault) -> Finding | None:
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
        return Finding("XP016", colon.span, "`:` gives no value", "", f"write `{_short(form)}`")
    if not value:
        return None
    return Finding("XP016", colon.span, "a value is given with `=`", "", f"write `{_short(f'{name} = {value}')}`")


def _yaml_item(fault: Fault) -> Finding | None:
    lexeme = fault.token
    if lexeme is None or lexeme != "-" or fault.index or fault.excerpt.start_rule not in _ITEM_RULES:
        return None
    return Finding("XP016", lexeme.span, "a list is written in brackets", "", "write `key = [a, b]`")


_CLOSING = frozenset({"RPAR", "RSQB", "RBRACE"})
_ITEM_RULES = frozenset(
    ["config_item", "grid_item", "resources_item", "environment_item", "target_item", "experiment_item"]
)


def _trailing_comma(fault: Fault) -> Finding | None:
    comma = fault.before if fault.token is None else fault.token
    if comma is None or comma != "," or comma.start_pos != fault.tokens[-1].start_pos:
        return None
    return Finding("XP001", comma.span, "a comma at the end", "", "a comma may trail inside brackets only")


def _bare_list(fault: Fault) -> Finding | None:
    lexeme = fault.token
    if lexeme is None or lexeme != "," or fault.excerpt.start_rule not in _ITEM_RULES or fault.accepted & _CLOSING:
        return None
    sign = next((t for t in fault.tokens if t in ("in", "=") and t.start_pos), None)
    if sign is None or fault.tokens[0] in ("if", "elif", "skip", "keep", "point"):
        return None
    text = fault.excerpt.text
    head = text[fault.excerpt.start : sign.end_pos]
    items = text[sign.end_pos : fault.excerpt.end].strip()
    return Finding("XP001", lexeme.span, "a list stands in brackets", "", f"write `{_short(f'{head} [{items}]')}`")


def _tuple(fault: Fault) -> Finding | None:
    lexeme = fault.token
    if lexeme is None or lexeme != "," or "RPAR" not in fault.accepted:
        return None
    return Finding("XP016", lexeme.span, "a list stands in square brackets", "", "write `[a, b]`")


def _several_after(fault: Fault) -> Finding | None:
    lexeme = fault.token
    if lexeme is None or lexeme != "," or not fault.tokens or fault.tokens[0] != "after":
        return None
    return Finding("XP001", lexeme.span, "`after` names one experiment", "", "write a line `after …` for each")


def _hyphen(fault: Fault) -> Finding | None:
    lexeme, before = fault.token, fault.before
    if lexeme is None or lexeme != "-" or before is None or before.type != "NAME" or "MINUS" in fault.accepted:
        return None
    if not fault.touching(before, lexeme) or not fault.touching(lexeme, fault.after) or fault.after is None:
        return None
    span = before.span.to(fault.after.span)
    if fault.accepted & {"ASSIGN", "IN"}:
        return Finding("XP001", span, "a key with `-` stands in quotes", "", f'write `"{span.text}"`')
    cure = f"names are made of letters, digits and `_`: `{span.text.replace('-', '_')}`"
    return Finding("XP001", span, f"`{span.text}` is not a name", "", cure)


def _unquoted(fault: Fault) -> Finding | None:
    lexeme = fault.token
    if lexeme is None or "TEXT" not in fault.accepted or fault.accepted & {"NAME", "INTEGER"} or lexeme.type == "TEXT":
        return None
    head = fault.excerpt.text[fault.excerpt.start : lexeme.start_pos].strip()
    rest = fault.excerpt.text[lexeme.start_pos : fault.excerpt.end]
    cure = f"write `{_short(head + ' ' + chr(34) + rest + chr(34))}`" if '"' not in rest else "put it in quotes"
    return Finding("XP001", lexeme.span, f"after `{head}` comes a text in quotes", "", cure)


def _quoted_name(fault: Fault) -> Finding | None:
    lexeme = fault.token
    if lexeme is None or lexeme.type != "TEXT" or "NAME" not in fault.accepted or fault.accepted & {"TEXT", "INTEGER"}:
        return None
    inner = lexeme.strip("\"'")
    if fault.before is not None and fault.before in ("input", "output"):
        word, stem = fault.before, re.sub(r"\W.*", "", inner.rsplit("/", 1)[-1]) or "model"
        return Finding("XP001", lexeme.span, f"an {word} has a name", "", f"write `{word} {stem} = {lexeme}`")
    cure = f"write `{inner}`" if inner.isidentifier() else "a name is made of letters, digits and `_`"
    return Finding("XP001", lexeme.span, "a name stands here, without quotes", "", cure)


def _prefixed_text(fault: Fault) -> Finding | None:
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


# ------------------------------------------------------------------ queries


def foreign_clause(fault: Fault, lexeme: Lexeme) -> Finding | None:
    """Recognise a clause of SQL, or one in capitals."""
    lower = lexeme.lower()
    meant = _CLAUSES.get(lower)
    following = next(
        (t for t in fault.tokens if t.start_pos is not None and t.start_pos > (lexeme.start_pos or 0)), None
    )
    span = lexeme.span
    if meant is None and lexeme != lower and lower in engine.words():
        meant = lower
    if meant is None:
        return None
    if lower in ("order", "group", "sort") and following is not None and following.lower() == "by":
        span = span.to(following.span)
        meant = "sort by" if lower == "order" else f"{lower} by"
    return Finding("XP001", span, f"`{span.text}` is written `{meant}`", "", f"write `{meant}`")


def _sql(fault: Fault) -> Finding | None:
    if not fault.excerpt.is_query:
        return None
    for lexeme in (fault.token, fault.before):
        if lexeme is not None and lexeme.type == "NAME" and (found := foreign_clause(fault, lexeme)):
            return found
    return None


def _all_columns(fault: Fault) -> Finding | None:
    lexeme = fault.token
    if lexeme is None or lexeme != "*" or fault.before != "show":
        return None
    return Finding("XP001", lexeme.span, "`*` names no column", "", "leave `show` out to see all that differs")


def _bare_condition(fault: Fault) -> Finding | None:
    if fault.excerpt.start_rule != "query" or fault.index or not fault.tokens:
        return None
    if nearest(fault.tokens[0], engine.starting_words("clause")):
        return None
    expression = _as_expression(fault.excerpt)
    if expression is None:
        return None
    word = "show" if isinstance(expression, Call) else "where"
    text = fault.source_text.strip()
    return Finding(
        "XP001", fault.tokens[0].span, "a query is made of clauses", "", f"write `{_short(f'{word} {text}')}`"
    )


def _as_expression(excerpt: Excerpt) -> object | None:
    trial = Excerpt(excerpt.source, Diagnostics(), "expression", excerpt.start, excerpt.end, is_query=True)
    try:
        return engine.run(trial)
    except UnexpectedInput:
        return None


def _short(text: str) -> str:
    line = text.split("\n", 1)[0]
    return line if len(line) <= 70 else line[:68] + "…"


_HABITS: tuple[Callable[[Fault], Finding | None], ...] = (
    _open_quote,
    _open_bracket,
    _character,
    _logic,
    _dollar,
    _other_character,
    _doubled_operator,
    _number,
    _unit_apart,
    _colon_time,
    _sql,
    _all_columns,
    _bare_condition,
    _else_if,
    _is_something,
    _spread,
    _single_equals,
    _chained,
    _yaml_value,
    _yaml_item,
    _trailing_comma,
    _tuple,
    _several_after,
    _hyphen,
    _bare_list,
    _prefixed_text,
    _unquoted,
    _quoted_name,
)
