"""A grid's syntax, read for one experiment, to its axes, draws and constraints: values known to fit their keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from ..grammar import tree
from ..grammar.diagnostic import Label
from ..grammar.source import Span
from .context import Context
from .grid_axes import AxisReader
from .grid_draws import read_distribution, whole_number
from .grid_keys import GridReader
from .keys import UNKNOWN, KeyTable, Late, Set, Unknown, fitted, unknown_key
from .resolve_config import ConfigReader
from .scope import Scope
from .study import Arm, Branch, Code, Combination, Constraint, Draw, Grid, GridExpr, GridItem, GridValue, Points
from .study import Sample as StudySample
from .values import Path, Type, Value, dotted


class GridResolver:
    """Resolves one experiment's grids. *table* has its keys and their types, *scope* what its expressions may name."""

    def __init__(
        self,
        context: Context,
        configs: ConfigReader,
        files: GridReader,
        table: KeyTable,
        scope: Scope,
        *,
        closed: bool,
        new: set[Path],
        used: set[str],
    ) -> None:
        self.context = context
        self.configs = configs
        self.files = files
        self.table = table
        self.scope = scope
        self.closed = closed  # there is a config, and all its keys are known
        self.new = new
        self.used = used  # configs whose values the table has already
        self.axes = AxisReader(self)
        self._done: dict[str, Grid] = {}

    # -------------------------------------------------------------- expressions over grids

    def expression(self, expr: tree.GridExpr) -> GridExpr | None:
        """Give the combination of grids; nothing if one of them is unknown."""
        return self._expression(expr, [])

    def _expression(self, expr: tree.GridExpr, open: list[str]) -> GridExpr | None:
        if isinstance(expr, tree.GridCombine):
            left, right = self._expression(expr.left, open), self._expression(expr.right, open)
            if left is None or right is None:
                return None
            return Combination(expr.operator, left, right, expr.span)
        grid = self.files.find(expr, open)
        if grid is None:
            return None
        if not isinstance(grid.body, tuple):
            return self._expression(grid.body, [*open, grid.name.text])
        return self._grid(grid, grid.body)

    def _grid(self, grid: tree.Grid, body: tuple[tree.GridItem, ...]) -> Grid:
        name = grid.name.text
        if name not in self._done:
            points = [item for item in body if isinstance(item, tree.Point)]
            items = self.items([item for item in body if not isinstance(item, tree.Point)])
            self._done[name] = Grid(name, items, self._points(points), grid.span)
        return self._done[name]

    # -------------------------------------------------------------- items

    def items(self, body: Sequence[tree.GridItem], where: str = "grid") -> tuple[GridItem, ...]:
        """Give the items of a body; *where* is ``grid``, ``branch``, ``sample`` or ``sampled branch``."""
        found: list[GridItem] = []
        for item in body:
            if isinstance(item, tree.Broken):  # the parser's mark for a line that it could not read
                self.context.diagnostics.errors += 1
                continue
            resolved = self._item(item, where)
            if resolved is not None:
                found.append(resolved)
        return tuple(found)

    def _item(self, item: tree.GridItem, where: str) -> GridItem | None:
        sampled = where.startswith("sample")
        if sampled and isinstance(item, tree.Axis | tree.AxisFrom | tree.Zip | tree.Sample):
            self._not_sampled(item)
            return None
        match item:
            case tree.Axis():
                return self.axes.axis(item)
            case tree.AxisFrom():
                return self.axes.axis_from(item)
            case tree.Zip():
                return self.axes.zip(item)
            case tree.Draw():
                return self._draw(item, sampled)
            case tree.GridValue():
                return self._value(item)
            case tree.Branch():
                return self._branch(item, "sampled branch" if sampled else "branch")
            case tree.Sample():
                return self._sample(item)
            case tree.Constraint():
                code = self.context.compile(item.condition, self.scope)
                return None if code is None else Constraint(item.keep, code, item.span)
            case tree.Point():
                message = "`point` stands in a grid itself, not below another line"
                self.context.diagnostics.error("XP042", item.span, message, "not here")
                return None
            case _:
                assert_never(item)

    def _not_sampled(self, item: tree.Axis | tree.AxisFrom | tree.Zip | tree.Sample) -> None:
        help: tuple[str, ...] = ("put it beside the `sample`: the two multiply",)
        if isinstance(item, tree.Axis):
            key, values = item.key.span.text, item.values.span.text
            choice = f"write `{key} ~ choice({values})`, or put the axis beside the `sample`: the two multiply"
            help = (choice if len(values) < 60 and "\n" not in values else help[0],)
        self.context.diagnostics.error("XP042", item.span, "a sample draws its values with `~`", "not here", help=help)

    def _value(self, item: tree.GridValue) -> GridValue | None:
        path = item.key.path
        if not self.may_set(path, item.key.span, f"new {item.key.span.text} = …", item.new):
            return None
        value = self.value(path, item.key.span, item.value)
        if isinstance(value, list) and self.type(path) == "any":
            self.context.diagnostics.warning(
                "XP044",
                item.value.span,
                f"`{dotted(path)}` has this list as its one value",
                "one value",
                help=f"for an axis write `{item.key.span.text} in {item.value.span.text}`",
            )
        return None if isinstance(value, Unknown) else GridValue(path, value, item.span)

    def _draw(self, item: tree.Draw, sampled: bool) -> Draw | None:
        path = item.key.path
        if not self.may_set(path, item.key.span, f"new {item.key.span.text} ~ …", item.new):
            return None
        drawn = read_distribution(item.distribution, path, self)
        if not sampled:
            message = "`~` draws a value, and stands below a `sample` only"
            self.context.diagnostics.error("XP042", item.span, message, "not in a sample", help="write `sample 50:`")
            return None
        return None if drawn is None else Draw(path, drawn[0], drawn[1], item.span)

    def _branch(self, item: tree.Branch, where: str) -> Branch:
        arms: list[Arm] = []
        for arm in item.arms:
            code = None if arm.condition is None else self.context.compile(arm.condition, self.scope)
            body = self.items(arm.body, where)
            if arm.condition is None or code is not None:
                arms.append(Arm(code, body))
        return Branch(tuple(arms), item.span)

    def _sample(self, item: tree.Sample) -> StudySample | None:
        count = whole_number(item.count, "the number of a sample", 1, 10_000_000, self.context)
        seed = 0 if item.seed is None else whole_number(item.seed, "a seed", 0, 2**63 - 1, self.context)
        body = self.items(item.body, "sample")
        return None if count is None or seed is None else StudySample(count, seed, body, item.span)

    def _points(self, points: Sequence[tree.Point]) -> Points | None:
        maps: list[dict[Path, Value | Code]] = []
        for point in points:
            values: dict[Path, Value | Code] = {}
            for assign in point.values:
                path = assign.key.path
                if path in values:
                    name = dotted(path)
                    self.context.diagnostics.error("XP022", assign.key.span, f"`{name}` is given twice", "again")
                if self.may_set(path, assign.key.span, "", False):
                    value = self.value(path, assign.key.span, assign.value)
                    if not isinstance(value, Unknown):
                        values[path] = value
            maps.append(values)
        return Points(tuple(maps), tuple(point.span for point in points)) if points else None

    # -------------------------------------------------------------- keys and values

    def may_set(self, path: Path, span: Span, declare: str, new: bool) -> bool:
        """Tell whether the grid may set a key (rule 3); one that the config lacks is reported."""
        if path in self.table.groups:
            below = self.table.groups[path]
            first = self.table.drafts[below].first if below in self.table.drafts else span
            self.context.diagnostics.error(
                "XP050",
                span,
                f"`{dotted(path)}` is a group of keys and takes no value",
                "a group",
                labels=[Label(first, f"`{dotted(below)}` was given here")],
                help=f"set its keys, such as `{dotted(below)}`",
            )
            return False
        if new or not self.closed or path in self.new or self.table.knows(path):
            return True
        unknown_key(
            path,
            span,
            self.scope.owner,
            [*self.table.names(), *map(dotted, self.new)],
            self.context.diagnostics,
            declare=declare,
        )
        return False

    def type(self, path: Path) -> Type:
        draft = self.table.drafts.get(path)
        return "any" if draft is None else draft.type

    def fitted(self, given: Set) -> Value | Unknown:
        """Give a value as its key holds it."""
        draft = self.table.drafts.get(given.path)
        if draft is None:
            return given.value  # type: ignore[return-value]  # callers give no late values
        return fitted(given, draft.type, draft.first, self.context.diagnostics)  # type: ignore[return-value]

    def value(self, path: Path, key_span: Span, expr: tree.Expr) -> Value | Code | Unknown:
        """Give the value of an expression as its key holds it, or its code."""
        code = self.context.compile(expr, self.scope)
        if code is None:
            return UNKNOWN
        if code.names:
            return code
        return self.fitted(Set(path, key_span, code.call(()), expr.span))

    def late(self, given: Set) -> Value | Code | Unknown:
        """Give a value that a config or a file sets, or its code."""
        if isinstance(given.value, Late):
            return self.value(given.path, given.key_span, given.value.expr)
        return self.fitted(given)
