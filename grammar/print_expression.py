"""Expressions to text that reads back as the same: as few brackets as precedence allows, and one form of text."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from . import tree
from .engine import lexer

# From loose to tight, as expression.lark has it; what is looser than its place asks for gets brackets.
SPREAD, EITHER_IF, OR, AND, NOT, COMPARISON, SUM, PRODUCT, SIGNED, POWER, POSTFIX = range(11)

_LEVELS: Final = {"±": SPREAD, "or": OR, "and": AND, "+": SUM, "-": SUM, "**": POWER} | dict.fromkeys(
    ("*", "/", "//", "%"), PRODUCT
)
_SIDES: Final = {
    SPREAD: (EITHER_IF, EITHER_IF),
    OR: (OR, AND),
    AND: (AND, NOT),
    COMPARISON: (SUM, SUM),
    SUM: (SUM, PRODUCT),
    PRODUCT: (PRODUCT, SIGNED),
    POWER: (POSTFIX, SIGNED),
}
_NAME: Final = re.compile(r"[^\W\d]\w*")
_BEGINS: Final = re.compile(r"[^\W\d]|\(")
_SHELL: Final = re.compile(r"\$\{[#!]?([^\W\d][\w.]*)?")
_ESCAPES: Final = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_RAW: Final = (
    ('r"', re.compile(r'(?!"")[^"\\\n]*(?:\\[^\n][^"\\\n]*)*'), '"'),
    ("r'", re.compile(r"[^'\\\n]*(?:\\[^\n][^'\\\n]*)*"), "'"),
    ('r"""', re.compile(r'[^"\\]*(?:(?:\\[\s\S]|"(?!""))[^"\\]*)*(?<!")'), '"""'),
)


def expression_text(expr: tree.Expr, *, query: bool = False, level: int = EITHER_IF) -> str:
    """Give an expression as text, in brackets if it binds less than *level*. A text of a *query* takes no placeholders.

    Raises ``ValueError`` for an expression that could not be read.
    """
    return _Printer(query).expression(expr, level)


def text_text(text: tree.Text, *, placeholders: bool = True) -> str:
    """Give a text with its quotes."""
    return _Printer(not placeholders).text(text)


def key_text(key: tree.Key) -> str:
    """Give a dotted key; what is no plain name stands in quotes."""
    return ".".join(segment_text(word.text) for word in key.segments)


def segment_text(word: str) -> str:
    """Give one segment of a key, in quotes if it is no name, or a word of the language."""
    return word if _NAME.fullmatch(word) and word not in lexer().spellings.values() else quoted(word)


def quoted(characters: str) -> str:
    """Give characters between quotes, with escapes for what can't be seen."""
    return f'"{"".join(_ESCAPES.get(char) or _seen(char) for char in characters)}"'


def _seen(char: str) -> str:
    if char.isprintable() or "\ud800" <= char <= "\udfff":
        return char
    units = char.encode("utf-16-be")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


class _Printer:
    """Prints the expressions of an Experimentfile, or those of a query."""

    def __init__(self, query: bool) -> None:
        self.query = query

    def expression(self, expr: tree.Expr, level: int) -> str:
        text, own = self._printed(expr)
        return text if own >= level else f"({text})"

    def _printed(self, expr: tree.Expr) -> tuple[str, int]:
        """Give the text, and how tightly it binds."""
        match expr:
            case tree.Binary():
                return self._binary(expr)
            case tree.Unary(operator="not", operand=operand):
                return f"not {self.expression(operand, NOT)}", NOT
            case tree.Unary(operator=operator, operand=operand):
                return f"{operator}{self.expression(operand, SIGNED)}", SIGNED
            case tree.IsNull(operand=operand, negated=negated):
                return f"{self.expression(operand, SUM)} is {'not ' if negated else ''}null", COMPARISON
            case tree.Conditional(condition=condition, then=then, otherwise=otherwise):
                parts = self.expression(then, OR), self.expression(condition, OR), self.expression(otherwise, EITHER_IF)
                return "{} if {} else {}".format(*parts), EITHER_IF
            case _:
                return self._atom(expr), POSTFIX

    def _binary(self, expr: tree.Binary) -> tuple[str, int]:
        level = _LEVELS.get(expr.operator, COMPARISON)
        left, right = _SIDES[level]
        return f"{self.expression(expr.left, left)} {expr.operator} {self.expression(expr.right, right)}", level

    def _atom(self, expr: tree.Expr) -> str:
        match expr:
            case tree.Name(key=key):
                return _named(key)
            case tree.Number(value=value):
                return repr(value)
            case tree.Constant(value=value):
                return {True: "true", False: "false", None: "null"}[value]
            case tree.Quantity():
                return _quantity(expr)
            case tree.Text():
                return self.text(expr)
            case tree.Call(function=function, arguments=arguments):
                return f"{_named(function)}({', '.join(map(self.argument, arguments))})"
            case tree.Index(base=base, index=index):
                return f"{self._base(base)}[{self.expression(index, EITHER_IF)}]"
            case tree.Member(base=base, name=name):
                return f"{self._base(base)}.{segment_text(name.text)}"
            case tree.ListOf(items=items):
                return f"[{', '.join(self.expression(item, EITHER_IF) for item in items)}]"
            case tree.Values(values=values):
                return f"[{', '.join(map(_scalar, values))}]"
            case tree.MapOf(items=pairs):
                inside = (f"{key_text(key)}: {self.expression(value, EITHER_IF)}" for key, value in pairs)
                return f"{{{', '.join(inside)}}}"
            case _:
                raise ValueError("this expression could not be read")

    def argument(self, argument: tree.Argument, level: int = EITHER_IF) -> str:
        value = self.expression(argument.value, level)
        return value if argument.name is None else f"{argument.name.text} = {value}"

    def _base(self, expr: tree.Expr) -> str:
        """Give what an index or a member follows; a number would swallow the dot."""
        text = self._atom(expr) if isinstance(expr, tree.Name | tree.Call | tree.Index | tree.Member) else None
        return text if text is not None else f"({self.expression(expr, EITHER_IF)})"

    # ------------------------------------------------------------------ texts

    def text(self, text: tree.Text) -> str:
        if text.raw:
            return _raw(text.plain or "")
        if self.query:
            return quoted(text.plain or "")
        shell = [word.text for word in text.shell]
        return quoted("".join(self._part(part, shell) for part in text.parts))

    def _part(self, part: tree.Piece | tree.Placeholder, shell: list[str]) -> str:
        if isinstance(part, tree.Piece):
            return _with_braces(part.text, shell)
        inside = self.expression(part.expr, EITHER_IF)
        inside = inside if _BEGINS.match(inside) else f"({inside})"
        return f"{{{inside}}}" if part.spec is None else f"{{{inside}:{part.spec}}}"


def _with_braces(characters: str, shell: list[str]) -> str:
    """Double the braces that are a text's own; a shell's `${…}` stays as it is, *shell* has the names still to come."""
    out, done = [], 0
    while (at := characters.find("{", done)) >= 0:
        found = _SHELL.match(characters, at - 1) if at > done else None
        if found and found[1] and shell and found[1] == shell[0]:
            shell.pop(0)
            end = _balanced(characters, at)
            out.append(characters[done:end])
        else:
            end = at + 1
            out.append(characters[done:at] + "{{")
        done = end
    return "".join([*out, characters[done:]])


def _balanced(characters: str, at: int) -> int:
    depth = 0
    while at < len(characters):
        depth += {"{": 1, "}": -1}.get(characters[at], 0)
        at += 1
        if depth == 0:
            break
    return at


def _raw(characters: str) -> str:
    for begin, fits, end in _RAW:
        if fits.fullmatch(characters):
            return f"{begin}{characters}{end}"
    raise ValueError("no raw text has these characters")


def _named(key: tree.Key) -> str:
    first, *rest = (word.text for word in key.segments)
    return ".".join([first, *map(segment_text, rest)])


def _quantity(expr: tree.Quantity) -> str:
    if expr.dimension == "size":
        return f"{expr.value}B"
    return f"{Decimal(repr(expr.value)):f}s"


def _scalar(value: tree.Scalar) -> str:
    match value:
        case str():
            return quoted(value)
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case _:
            return repr(value)
