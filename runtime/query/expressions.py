"""Expressions to columns, whatever a row is: a run, or a group of runs."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Hashable, Sequence
from dataclasses import dataclass, field
from typing import assert_never

from ...grammar import tree
from ...grammar.diagnostic import Diagnostics
from ...grammar.nearest import nearest
from ...grammar.source import Span
from ..reducers import REDUCERS, WITH_ARGUMENT
from .aggregates import USAGE
from .arithmetic import ARITHMETIC, MisfitError, compare, compute, contains, matches, rounded
from .baseline import Baseline, Comparison
from .bulk import types
from .direction import Directions
from .fields import TIMES
from .literals import read_state, read_time, state_word
from .lookup import Catalog, exact
from .planned import Value
from .scalars import SCALARS, apply
from .values import frozen, kind, named, shown
from .walk import field_of, has_name, is_planned, reduces

Column = list[Value]


@dataclass(slots=True)
class Context:
    """What all expressions of a query share. *missing* counts the runs that lack a value, by what was asked for.

    *eligible* are the rows of the frame that `where` does not leave out for their state. *comparisons* are by the form
    of a baseline's condition. *unkept* counts the combinations of which `keep` found no row with a value. *beyond*:
    what has numbers that are too large to reckon with.
    """

    catalog: Catalog
    directions: Directions
    diagnostics: Diagnostics
    missing: dict[str, int] = field(default_factory=dict)
    unkept: int = 0
    beyond: dict[str, None] = field(default_factory=dict)
    eligible: Collection[int] | None = None
    comparisons: dict[Hashable, tuple[Baseline, Comparison] | None] = field(default_factory=dict)


class Evaluator(ABC):
    """Gives a column for an expression, a value a row. None stands for one that could not be made: it is reported.

    *aliases* are columns of `show`, of the same rows.
    """

    def __init__(self, context: Context, size: int) -> None:
        self.context = context
        self.size = size
        self.aliases: dict[str, Column | None] = {}

    @abstractmethod
    def name(self, expr: tree.Name) -> Column | None: ...
    @abstractmethod
    def reduction(self, expr: tree.Call) -> Column | None: ...
    @abstractmethod
    def series(self, expr: tree.Call) -> Column | None: ...

    def evaluate(self, expr: tree.Expr) -> Column | None:
        match expr:
            case tree.Number() | tree.Constant() | tree.Quantity():
                return self._constant(expr.value)
            case tree.Text():
                return self._constant(expr.plain)
            case tree.Values():
                return self._constant(list(expr.values))
            case tree.Name():
                return self.name(expr)
            case tree.ListOf():
                return self._rowwise(expr.items, lambda *values: list(values))
            case tree.Unary():
                return self._unary(expr)
            case tree.Binary():
                return self._binary(expr)
            case tree.IsNull():
                return self._rowwise((expr.operand,), lambda value: (value is None) != expr.negated)
            case tree.Conditional():
                return self._conditional(expr)
            case tree.Index():
                return self._rowwise((expr.base, expr.index), _element)
            case tree.Call():
                return self._call(expr)
            case tree.MapOf() | tree.Member():
                return self._refuse("XQ019", expr.span, "this form has no meaning in a query")
            case tree.Broken():
                return None
            case _:
                assert_never(expr)

    def key(self, expr: tree.Expr) -> Column | None:
        """Evaluate what groups rows, sorts them or tells them apart: a text alone would be the same in all of them."""
        if not isinstance(expr, tree.Text) or expr.plain is None:
            return self.evaluate(expr)
        found = self.context.catalog.find((expr.plain,))
        if expr.plain in self.aliases:
            help = "write what that column shows, or give it a name without quotes: `as NAME`"
        else:
            help = f"write {' or '.join(f'`{exact(ref)}`' for ref in found)}" if found else "a name has no quotes"
        return self._refuse("XQ019", expr.span, "a text is the same in all rows", help=help)

    def condition(self, expr: tree.Expr) -> list[bool] | None:
        """Evaluate an expression that is true or false in each row; null counts as false."""
        column = self.evaluate(expr)
        if column is None:
            return None
        if types(column) <= {bool}:
            return column
        wrong = next((value for value in column if value is not None and type(value) is not bool), None)
        if wrong is not None:
            self._refuse("XQ014", expr.span, f"a condition is true or false, but this is {named(wrong)}", kind(wrong))
            return None
        return [value is True for value in column]

    # -------------------------------------------------------------- forms

    def _constant(self, value: Value) -> Column:
        return [value] * self.size

    def _refuse(self, code: str, span: Span, message: str, label: str = "", help: str = "") -> Column | None:
        """Report what is wrong; the column that can't be made is none."""
        self.context.diagnostics.error(code, span, message, label, help=[help] if help else [])
        return None

    def _rowwise(self, operands: Sequence[tree.Expr], function: Callable[..., Value]) -> Column | None:
        columns = [self.evaluate(operand) for operand in operands]
        if not operands:
            return [function() for _ in range(self.size)]
        known = [column for column in columns if column is not None]
        if len(known) < len(columns):
            return None
        return [function(*values) for values in zip(*known, strict=True)]

    def _unary(self, expr: tree.Unary) -> Column | None:
        if expr.operator == "not":
            found = self.condition(expr.operand)
            return None if found is None else [not value for value in found]
        column = self.evaluate(expr.operand)
        if column is None:
            return None
        wrong = next((v for v in column if kind(v) not in ("null", "number")), None)
        if wrong is not None:
            self._refuse(
                "XQ007", expr.operand.span, f"`{expr.operator}` takes a number, not {named(wrong)}", kind(wrong)
            )
            return None
        return column if expr.operator == "+" else [None if value is None else -value for value in column]

    def _conditional(self, expr: tree.Conditional) -> Column | None:
        condition = self.condition(expr.condition)
        then, otherwise = self.evaluate(expr.then), self.evaluate(expr.otherwise)
        if condition is None or then is None or otherwise is None:
            return None
        return [a if chosen else b for chosen, a, b in zip(condition, then, otherwise, strict=True)]

    def _binary(self, expr: tree.Binary) -> Column | None:
        match expr.operator:
            case "and" | "or":
                left, right = self.condition(expr.left), self.condition(expr.right)
                if left is None or right is None:
                    return None
                both = zip(left, right, strict=True)
                return [a and b for a, b in both] if expr.operator == "and" else [a or b for a, b in both]
            case "±":
                help = "it joins two columns in `show` and `sort by`"
                return self._refuse("XQ019", expr.operator_span, "`±` makes no value here", help=help)
            case "matches":
                return self._matches(expr)
            case _:
                return self._joined(expr)

    def _joined(self, expr: tree.Binary) -> Column | None:
        if (text := self._quoted_name(expr)) is not None:
            found = self.context.catalog.find((text.plain or "",))
            help = f"write {' or '.join(f'`{exact(ref)}`' for ref in found)}"
            return self._refuse("XQ019", text.span, "a text is the same in all rows", help=help)
        left, right = self._sides(expr)
        if left is None or right is None:
            return None
        try:
            if expr.operator in ARITHMETIC:
                found = compute(expr.operator, left, right)
                return rounded(found) if is_planned(expr, self.context.catalog) else found
            if expr.operator in ("in", "not in"):
                return contains(left, right, expr.operator == "not in")
            self._note_null(expr)
            found = compare(expr.operator, left, right)
        except MisfitError as wrong:
            return self._misfit(expr, wrong)
        if expr.operator == "==" and not any(found):
            self._note_absent(expr, left, right)
        return found

    def _quoted_name(self, expr: tree.Binary) -> tree.Text | None:
        """Find a key or metric in quotes in a comparison that reads nothing of the runs: `"batch-size" == 8`."""
        if expr.operator in ARITHMETIC or has_name(expr):
            return None
        texts = [side for side in (expr.left, expr.right) if isinstance(side, tree.Text) and side.plain]
        return next((text for text in texts if self.context.catalog.find((text.plain or "",))), None)

    def _misfit(self, expr: tree.Binary, wrong: MisfitError) -> Column | None:
        left, right = kind(wrong.left), kind(wrong.right)
        if expr.operator in ("in", "not in"):
            message = f"`{expr.operator}` looks into a list, and this is {named(wrong.right)}"
            return self._refuse("XQ007", expr.right.span, message, right)
        if expr.operator in ARITHMETIC:
            message = f"`{expr.operator}` can't bring together a {left} and a {right}"
        else:
            message = f"a {left} and a {right} have no order" if left != right else f"{left}s have no order"
        return self._refuse("XQ007", expr.operator_span, message)

    def _matches(self, expr: tree.Binary) -> Column | None:
        left = self.evaluate(expr.left)
        text = expr.right.plain if isinstance(expr.right, tree.Text) else None
        if text is None:
            return self._refuse("XQ013", expr.right.span, "a pattern is a text", help='write `name matches "^res"`')
        try:
            pattern = re.compile(text)
        except (re.error, OverflowError, RecursionError) as error:
            return self._refuse("XQ013", expr.right.span, f"this pattern can't be read: {error}")
        return None if left is None else matches(left, pattern)

    # -------------------------------------------------------------- comparisons

    def _sides(self, expr: tree.Binary) -> tuple[Column | None, Column | None]:
        """Evaluate both sides; beside a state or a time, words and texts stand for states and times."""
        if expr.operator in ARITHMETIC:
            return self.evaluate(expr.left), self.evaluate(expr.right)
        if self._lacks_quotes(expr.left, expr.right) or self._lacks_quotes(expr.right, expr.left):
            return None, None
        left, right = field_of(expr.left, self.context.catalog), field_of(expr.right, self.context.catalog)
        return self._side(expr.left, right), self._side(expr.right, left)

    def _lacks_quotes(self, expr: tree.Expr, beside: tree.Expr) -> bool:
        """Report words that are no names, and are values of what they stand beside: `model.name == mlp`."""
        words = expr.items if isinstance(expr, tree.ListOf) else (expr,)
        unknown = [word for word in words if isinstance(word, tree.Name) and self._is_unknown(word)]
        if not unknown or not isinstance(beside, tree.Name) or self._is_unknown(beside):
            return False
        if field_of(beside, self.context.catalog) == "status":
            return False
        values = {value for value in self.evaluate(beside) or () if isinstance(value, str)}
        found = [word for word in unknown if word.path[0] in values]
        for word in found:
            message = f"no run has a metric or key `{word.path[0]}`"
            self._refuse("XQ003", word.span, message, help=f'a text stands in quotes: `"{word.path[0]}"`')
        return bool(found)

    def _is_unknown(self, name: tree.Name) -> bool:
        return len(name.path) == 1 and name.path[0] not in self.aliases and not self.context.catalog.find(name.path)

    def _side(self, expr: tree.Expr, beside: str | None) -> Column | None:
        if beside == "status" and field_of(expr, self.context.catalog) != "status":
            return self._literal(expr, read_state, lambda part: state_word(part) is not None)
        if beside in TIMES:
            return self._literal(expr, read_time, lambda part: isinstance(part, tree.Text))
        return self.evaluate(expr)

    def _literal(
        self,
        expr: tree.Expr,
        read: Callable[[tree.Expr, Diagnostics], str | None],
        is_literal: Callable[[tree.Expr], bool],
    ) -> Column | None:
        if isinstance(expr, tree.ListOf):
            columns = [self._literal(item, read, is_literal) for item in expr.items]
            known = [column for column in columns if column is not None]
            if len(known) < len(columns):
                return None
            return [list(values) for values in zip(*known, strict=True)] if known else self._constant([])
        if not is_literal(expr):
            return self.evaluate(expr)
        found = read(expr, self.context.diagnostics)
        return None if found is None else self._constant(found)

    def _note_null(self, expr: tree.Binary) -> None:
        if expr.operator not in ("==", "!="):
            return
        for side, other in ((expr.left, expr.right), (expr.right, expr.left)):
            if isinstance(side, tree.Constant) and side.value is None:
                form = f"{other.span.text} is {'not ' if expr.operator == '!=' else ''}null"
                message = "a comparison with `null` is always false"
                self.context.diagnostics.warning("XQ017", expr.span, message, help=f"write `{form}`")

    def _note_absent(self, expr: tree.Binary, left: Column, right: Column) -> None:
        """Warn of a value that nothing has: mostly it is a slip, and an empty table would not say so."""
        for literal, other, column, wanted in (
            (expr.right, expr.left, left, right),
            (expr.left, expr.right, right, left),
        ):
            if has_name(literal) or not isinstance(other, tree.Name) or not wanted or wanted[0] is None:
                continue
            if field_of(other, self.context.catalog) in ("status", *TIMES):
                continue  # that none is `done` yet is no slip
            present = list({frozen(v): v for v in column if v is not None}.values())
            if not present:
                continue
            close = (
                nearest(wanted[0], [v for v in present if isinstance(v, str)]) if isinstance(wanted[0], str) else None
            )
            listed = ", ".join(f"`{_written(value)}`" for value in present[:6]) + (", …" if len(present) > 6 else "")
            help = f"did you mean `{_written(close)}`?" if close else f"there is {listed}"
            message = f"no run has `{other.span.text}` equal to `{literal.span.text}`"
            self.context.diagnostics.warning("XQ018", literal.span, message, help=help)

    # -------------------------------------------------------------- calls

    def _call(self, expr: tree.Call) -> Column | None:
        path = expr.function.path
        if len(path) > 1:
            return self._method(expr)
        if reduces(expr):
            return self.reduction(expr)
        function = SCALARS.get(path[0])
        if function is None:
            close = nearest(path[0], [*SCALARS, *USAGE])
            help = (
                f"did you mean `{close}`?" if close else f"functions over runs are {', '.join(f'`{n}`' for n in USAGE)}"
            )
            return self._refuse("XQ008", expr.function.span, f"there is no function `{path[0]}`", help=help)
        count = len(expr.arguments)
        if count < function.least or (function.most is not None and count > function.most) or _any_named(expr):
            return self._refuse(
                "XQ009", expr.span, f"`{path[0]}` is not called like this", help=f"write `{function.usage}`"
            )
        columns = [self.evaluate(argument.value) for argument in expr.arguments]
        known = [column for column in columns if column is not None]
        if len(known) < len(columns):
            return None
        for argument, column in zip(expr.arguments, known, strict=True):
            wrong = next((v for v in column if kind(v) not in ("null", *function.takes)), None)
            if wrong is not None:
                message = f"`{path[0]}` takes {' or '.join(f'a {k}' for k in function.takes)}, not {named(wrong)}"
                return self._refuse("XQ007", argument.value.span, message, kind(wrong))
        if self.size and not has_name(expr):
            return self._constant(apply(function, [column[0] for column in known]))
        return [apply(function, values) for values in zip(*known, strict=True)]

    def _method(self, expr: tree.Call) -> Column | None:
        *_, last = expr.function.path
        if last in WITH_ARGUMENT:
            if len(expr.arguments) == 1 and not _any_named(expr):
                return self.series(expr)
            return self._refuse("XQ009", expr.span, f"`.{last}` takes one value", help=f"write `.{last}(10)`")
        span = expr.function.segments[-1].span
        if last in REDUCERS:
            stem = ".".join(expr.function.path[:-1])
            help = f"write `{stem}.{last}` for one number a run, `{last}({stem})` for one over runs"
            return self._refuse("XQ009", expr.span, f"`.{last}` is written without brackets", help=help)
        close = nearest(last, [*REDUCERS, *WITH_ARGUMENT])
        help = (
            f"did you mean `.{close}`?"
            if close
            else f"there is {', '.join(f'`.{n}`' for n in REDUCERS)}, `.at(STEP)`, `.tail(N)`"
        )
        return self._refuse("XQ008", span, f"there is no reducer `.{last}`", help=help)


def _any_named(expr: tree.Call) -> bool:
    return any(argument.name is not None for argument in expr.arguments)


def _element(base: Value, index: Value) -> Value:
    if isinstance(base, list) and type(index) is int and -len(base) <= index < len(base):
        return base[index]
    return base.get(index) if isinstance(base, dict) and isinstance(index, str) else None


def _written(value: Value) -> str:
    return f'"{value}"' if isinstance(value, str) else shown(value)
