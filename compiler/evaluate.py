"""Expressions to ``Code``: closures over their names, made once and called for each point; no ``eval`` anywhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import EllipsisType
from typing import Final, assert_never

from ..grammar import tree
from ..grammar.diagnostic import Diagnostics
from ..grammar.source import Span
from .fault import EvaluationError as EvaluationError
from .fault import fault, report
from .format import apply_format as apply_format
from .format import format_value as format_value
from .functions import FUNCTIONS, Function, Given
from .nearest import did_you_mean, hyphened_key, line_named
from .operators import LONGEST_TEXT, arithmetic, checked, compare, contains, kind, truth
from .scope import ELSEWHERE, Inline, Key, Scope
from .scope import World as World
from .study import Code
from .text_habits import shell_name
from .types import label, named
from .values import Duration, Path, Size, Value, dotted

Frame = Sequence[Value]
Step = Callable[[Frame], Value]

DEEPEST: Final = 200
_CONSTANTS: Final = {"True": "true", "False": "false", "None": "null", "nil": "null", "yes": "true", "no": "false"}


def compile_expression(expr: tree.Expr, scope: Scope, diagnostics: Diagnostics) -> Code | None:
    """Give *expr* as ``Code``; nothing if it cannot be right, which is reported then.

    An expression without names is evaluated at once: its ``Code`` only hands out the value.
    """
    compiler = _Compiler(scope, diagnostics)
    step = compiler.expression(expr)
    if compiler.failed:
        return None
    names = tuple(compiler.names)
    if names:
        return Code(names, lambda values: step(tuple(values)), expr.span, expr, _conjuncts(expr, scope, diagnostics))
    try:
        value = step(())
    except EvaluationError as error:
        report(error, diagnostics)
        return None
    return Code((), lambda _values: value, expr.span, expr)


def _conjuncts(expr: tree.Expr, scope: Scope, diagnostics: Diagnostics) -> tuple[Code, ...]:
    """Give the parts of a chain of ``and``, which has been found right as a whole."""
    parts: list[tree.Expr] = []
    while isinstance(expr, tree.Binary) and expr.operator == "and":
        parts.append(expr.right)
        expr = expr.left
    if not parts:
        return ()
    made = [compile_expression(part, scope, diagnostics) for part in (expr, *reversed(parts))]
    codes = tuple(code for code in made if code is not None)
    return codes if len(codes) == len(made) else ()


def constant(expr: tree.Expr, scope: Scope, diagnostics: Diagnostics, what: str) -> Value | EllipsisType:
    """Give the value of an expression that may not depend on a key; ``...`` if that failed and was reported."""
    code = compile_expression(expr, scope, diagnostics)
    if code is None:
        return ...
    if code.names:
        name = dotted(code.names[0])
        diagnostics.error("XP051", expr.span, f"{what} cannot depend on a key", f"names `{name}`")
        return ...
    return code.call(())


class _Compiler:
    """One expression on its way to a closure. *names* collects the keys it names, in the order of the frame."""

    def __init__(self, scope: Scope, diagnostics: Diagnostics) -> None:
        self.scope = scope
        self.diagnostics = diagnostics
        self.names: dict[Path, int] = {}
        self.failed = False
        self.inlined: dict[str, Step] = {}
        self.open: list[str] = []
        self.depth = 0

    def error(self, code: str, span: Span, message: str, label: str = "", *, help: Sequence[str] = ()) -> Step:
        self.diagnostics.error(code, span, message, label, help=help)
        return self.broken()

    def broken(self) -> Step:
        self.failed = True
        return lambda _frame: None

    def expression(self, expr: tree.Expr) -> Step:
        self.depth += 1
        try:
            if self.depth > DEEPEST:
                if self.failed:
                    return self.broken()
                return self.error("XP030", expr.span, f"an expression is nested more than {DEEPEST} deep", "too deep")
            return self._expression(expr)
        finally:
            self.depth -= 1

    def _expression(self, expr: tree.Expr) -> Step:
        match expr:
            case tree.Number(value=value) | tree.Constant(value=value):
                return lambda _frame: value
            case tree.Quantity():
                unit = Size(expr.value) if expr.dimension == "size" else Duration(expr.value)
                return lambda _frame: unit
            case tree.Text():
                return self.text(expr)
            case tree.Name():
                return self.name(expr)
            case tree.ListOf():
                return self.list_of(expr)
            case tree.Values():
                items = expr.values
                return lambda _frame: list(items)
            case tree.MapOf():
                return self.map_of(expr)
            case tree.Unary():
                return self.unary(expr)
            case tree.Binary():
                return self.binary(expr)
            case tree.IsNull():
                operand, negated = self.expression(expr.operand), expr.negated
                return lambda frame: (operand(frame) is None) != negated
            case tree.Conditional():
                return self.conditional(expr)
            case tree.Index():
                base, index = self.expression(expr.base), self.expression(expr.index)
                return lambda frame: _index(base(frame), index(frame), expr)
            case tree.Member():
                base, word = self.expression(expr.base), expr.name
                return lambda frame: _member(base(frame), word.text, word.span)
            case tree.Call():
                return self.call(expr)
            case tree.Broken():
                return self.broken()
            case _:
                assert_never(expr)

    # -------------------------------------------------------------- names

    def name(self, expr: tree.Name) -> Step:
        meanings = self.scope.find(expr.path, quoted=_quoted(expr))
        if len(meanings) > 1:
            return self.ambiguous(expr)
        if not meanings:
            return self.unknown(expr)
        found = meanings[0]
        step = self.inline(found.name, found.expr, expr.span) if isinstance(found, Inline) else self.key(found)
        for word in expr.key.segments[len(expr.path) - len(found.rest) :]:
            step = _member_of(step, word)
        return step

    def key(self, found: Key) -> Step:
        at = self.names.setdefault(found.path, len(self.names))
        return lambda frame: frame[at]

    def inline(self, name: str, expr: tree.Expr, span: Span) -> Step:
        """Give a ``let`` or a resource's own field: evaluated once a call, however often it is named."""
        if name in self.scope.constants:
            value = self.scope.constants[name]
            return lambda _frame: value
        if name in self.open:
            cycle = " → ".join(f"`{n}`" for n in [*self.open[self.open.index(name) :], name])
            return self.error("XP031", span, f"`{name}` is defined by itself", f"the cycle is {cycle}")
        if name not in self.inlined:
            self.open.append(name)
            before = len(self.names)
            step = self.expression(expr)
            self.inlined[name] = _once(step)
            if name in self.scope.lets and len(self.names) == before and not self.failed and not self.names:
                self.remember(name, step)
            self.open.pop()
        return self.inlined[name]

    def remember(self, name: str, step: Step) -> None:
        try:
            self.scope.constants[name] = step(())
        except EvaluationError as error:
            report(error, self.diagnostics)
            self.failed = True

    def ambiguous(self, expr: tree.Name) -> Step:
        name = dotted(expr.path)
        return self.error(
            "XP056",
            expr.span,
            f"`{name}` has two meanings here: a key, and the resource of that name",
            "which one?",
            help=(f"write `config.{name}` for the key, `run.{name}` for the resource",),
        )

    def unknown(self, expr: tree.Name) -> Step:
        if self.scope.silent:
            return self.broken()
        path, first = expr.path, expr.path[0]
        if first in ELSEWHERE and not _quoted(expr) and (len(path) > 1 or first == "attempt"):
            shown = dotted(path)
            return self.error("XP035", expr.span, f"`{shown}` is not known here", f"belongs in {ELSEWHERE[first]}")
        wanted = dotted(path[1:] if first == "config" and len(path) > 1 else path)
        help = did_you_mean(wanted, [*self.scope.names(), *("true", "false", "null")])
        if wanted in _CONSTANTS:
            help = (f"write `{_CONSTANTS[wanted]}`",)
        elif not help and len(path) == 1:
            help = (f'a text stands in quotes: `"{wanted}"`',)
        if (hyphened := hyphened_key(expr.span, self.scope.names())) is not None:
            help = (f"a key with `-` stands in quotes, from its root: `{hyphened}`",)
        elif line := line_named(expr.span):
            help = (f"write `{line}`",)
        label = f"{self.scope.owner} has no such key" if self.scope.owner else "no key of that name"
        return self.error("XP021", expr.span, f"unknown key `{wanted}`", label, help=help)

    # -------------------------------------------------------------- values

    def text(self, expr: tree.Text) -> Step:
        if expr.shell:
            shell_name(expr, self.scope, self.diagnostics)
        plain = expr.plain
        if plain is not None:
            return lambda _frame: plain
        parts: list[str | Step] = []
        for part in expr.parts:
            parts.append(part.text if isinstance(part, tree.Piece) else self.placeholder(part))
        span = expr.span

        def join(frame: Frame) -> Value:
            whole = "".join([part if isinstance(part, str) else str(part(frame)) for part in parts])
            if len(whole) > LONGEST_TEXT:
                raise fault("XP030", span, f"this text would have {len(whole):,} characters", "too long")
            return whole

        return join

    def placeholder(self, part: tree.Placeholder) -> Step:
        value, spec = self.expression(part.expr), part.spec
        span = part.spec_span or part.span
        if spec is None:
            return lambda frame: format_value(value(frame))
        if spec in ("flag", "raw", "yaml"):
            return self.error("XP055", span, f"`:{spec}` belongs in a run text", "not in a value")
        if spec == "json":
            from .format import as_json

            return lambda frame: as_json(value(frame))
        as_spec = spec

        def formatted(frame: Frame) -> Value:
            try:
                return apply_format(value(frame), as_spec)
            except ValueError as reason:
                raise fault("XP055", span, str(reason), "format") from None

        return formatted

    def list_of(self, expr: tree.ListOf) -> Step:
        items = [self.expression(item) for item in expr.items]
        return lambda frame: [item(frame) for item in items]

    def map_of(self, expr: tree.MapOf) -> Step:
        items = [(key.path, self.expression(item)) for key, item in expr.items]
        for i, (key, _) in enumerate(expr.items):
            if any(key.path == other.path for other, _ in expr.items[:i]):
                self.error("XP022", key.span, f"`{dotted(key.path)}` is given twice in one map", "again")

        def build(frame: Frame) -> Value:
            whole: dict[str, Value] = {}
            for path, item in items:
                put(whole, path, item(frame))
            return whole

        return build

    # -------------------------------------------------------------- operators

    def unary(self, expr: tree.Unary) -> Step:
        operand = self.expression(expr.operand)
        if expr.operator == "not":
            return lambda frame: not truth(operand(frame), expr.operand.span)
        return lambda frame: _signed(operand(frame), expr)

    def binary(self, expr: tree.Binary) -> Step:
        left, right, name = self.expression(expr.left), self.expression(expr.right), expr.operator
        match name:
            case "and":
                return lambda frame: truth(left(frame), expr.left.span) and truth(right(frame), expr.right.span)
            case "or":
                return lambda frame: truth(left(frame), expr.left.span) or truth(right(frame), expr.right.span)
            case "==" | "!=" | "<" | "<=" | ">" | ">=":
                self.compared_with_null(expr)
                return lambda frame: compare(name, left(frame), right(frame), expr)
            case "in":
                return lambda frame: _within(left(frame), right(frame), expr)
            case "not in":
                return lambda frame: _without(left(frame), right(frame), expr)
            case "matches" | "±":
                return self.error("XP024", expr.operator_span, f"`{name}` belongs in a query", "not here")
            case _:
                return lambda frame: arithmetic(name, left(frame), right(frame), expr)

    def compared_with_null(self, expr: tree.Binary) -> None:
        for side, other in ((expr.left, expr.right), (expr.right, expr.left)):
            if isinstance(side, tree.Constant) and side.value is None and expr.operator in ("==", "!="):
                asked = "is null" if expr.operator == "==" else "is not null"
                self.diagnostics.warning(
                    "XP047",
                    expr.span,
                    "a comparison with null is always false",
                    "never true",
                    help=f"write `{other.span.text} {asked}`",
                )

    def conditional(self, expr: tree.Conditional) -> Step:
        condition, where = self.expression(expr.condition), expr.condition.span
        then, otherwise = self.expression(expr.then), self.expression(expr.otherwise)
        return lambda frame: then(frame) if truth(condition(frame), where) else otherwise(frame)

    # -------------------------------------------------------------- functions

    def call(self, expr: tree.Call) -> Step:
        name = ".".join(expr.function.path)
        function = FUNCTIONS.get(name)
        if function is None:
            help = did_you_mean(name, FUNCTIONS)
            self.error("XP024", expr.function.span, f"unknown function `{name}`", "no such function", help=help)
        placed = None if function is None else self.arguments(expr, name, function)
        by_argument = {id(argument): self.expression(argument.value) for argument in expr.arguments}
        if function is None or placed is None:
            return self.broken()
        call, apply, world = placed, function.apply, self.scope.world
        steps = [by_argument[id(argument)] for argument in call.arguments]
        return lambda frame: apply(Given(call, [step(frame) for step in steps], world))

    def arguments(self, expr: tree.Call, name: str, function: Function) -> tree.Call | None:
        """Give the call with its named arguments in their places, or nothing if they don't fit."""
        usage = (f"write `{name}({function.usage})`",)
        most = function.most if function.most is not None else max(len(expr.arguments), 1)
        if not function.least <= len(expr.arguments) <= most:
            self.error("XP025", expr.span, _wrong_count(name, function, len(expr.arguments)), "arguments", help=usage)
            return None
        slots: list[tree.Argument | None] = [None] * max(most, len(function.names))
        for index, argument in enumerate(expr.arguments):
            at = index
            if argument.name is not None:
                if function.most is None or argument.name.text not in function.names or name == "range":
                    word = argument.name.text
                    message = f"`{name}` has no argument called `{word}`"
                    self.error("XP025", argument.name.span, message, "no such argument", help=usage)
                    return None
                at = function.names.index(argument.name.text)
            if slots[at] is not None:
                self.error("XP025", argument.span, f"an argument of `{name}` is given twice", "again", help=usage)
                return None
            slots[at] = argument
        given = tuple(slot for slot in slots if slot is not None)
        if None in slots[: len(given)]:
            self.error("XP025", expr.span, f"an argument of `{name}` is missing", "arguments", help=usage)
            return None
        return tree.Call(expr.function, given, expr.span)


def _wrong_count(name: str, function: Function, given: int) -> str:
    least, most = function.least, function.most
    wanted = str(least) if least == most else f"at least {least}" if most is None else f"{least} to {most}"
    single = most == 1 or (most is None and least == 1)
    return f"`{name}` takes {wanted} argument{'' if single else 's'}, not {given}"


def _once(step: Step) -> Step:
    """Give a step that keeps its value for as long as it is called with one frame."""
    kept: list[tuple[Frame, Value]] = []

    def call(frame: Frame) -> Value:
        if kept and kept[0][0] is frame:
            return kept[0][1]
        value = step(frame)
        kept[:] = [(frame, value)]
        return value

    return call


def _member_of(step: Step, word: tree.Word) -> Step:
    return lambda frame: _member(step(frame), word.text, word.span)


def _member(base: Value, name: str, span: Span) -> Value:
    if base is None:
        return None
    if not isinstance(base, dict):
        raise fault("XP029", span, f"{named(base)} has nothing called `{name}`", f"of {named(base)}")
    if name not in base:
        raise fault("XP029", span, f"the map has no `{name}`", "not in the map", help=did_you_mean(name, base))
    return base[name]


def _index(base: Value, index: Value, expr: tree.Index) -> Value:
    where = expr.index.span
    if isinstance(base, dict):
        if not isinstance(index, str):
            raise fault("XP029", where, f"a map is indexed by a text, but this is {named(index)}", label(index))
        return _member(base, index, where)
    if not isinstance(base, list | str):
        raise fault("XP029", expr.base.span, f"{named(base)} cannot be indexed", label(base))
    if type(index) is not int:
        raise fault("XP029", where, f"{named(base)} is indexed by an int, but this is {named(index)}", label(index))
    if not -len(base) <= index < len(base):
        many = f"{len(base)} element{'' if len(base) == 1 else 's'}"
        raise fault("XP029", where, f"index {index} is out of range: {named(base)} of {many}", "out of range")
    return base[index]


def _signed(value: Value, expr: tree.Unary) -> Value:
    if kind(value) not in ("number", "size", "duration"):
        raise fault(
            "XP026", expr.operand.span, f"`{expr.operator}` needs a number, but this is {named(value)}", label(value)
        )
    if expr.operator == "+":
        return value
    match value:
        case Size():
            return Size(-value)
        case Duration():
            return Duration(-value)
        case int():
            return checked(-value, expr.span)
        case float():
            return -value
        case _:
            return value


def _within(left: Value, right: Value, expr: tree.Binary) -> bool:
    return left is not None and right is not None and contains(left, right, expr)


def _without(left: Value, right: Value, expr: tree.Binary) -> bool:
    return left is not None and right is not None and not contains(left, right, expr)


def _quoted(name: tree.Name) -> bool:
    return name.key.segments[0].span.text[:1] in ("'", '"')


def put(whole: dict[str, Value], path: Path, value: Value) -> None:
    """Set a key of nested maps, making the maps on its way."""
    for segment in path[:-1]:
        inner = whole.get(segment)
        if not isinstance(inner, dict):
            inner = whole[segment] = {}
        whole = inner
    whole[path[-1]] = value
