"""The two kinds of row that a query can have, runs and groups of runs: names and functions over runs to columns."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, Final

from ...grammar import tree
from ..metrics import Series
from ..reducers import WITH_ARGUMENT
from .aggregates import NUMERIC, ORDERED, USAGE, least, most, quantile
from .baseline import OF_PAIRS, Baseline, Comparison, baseline_of, pair
from .bulk import first_other, known_at
from .direction import direction
from .expressions import Column, Context, Evaluator
from .lookup import Ancestor, Config, Field, Metric, exact, look_up
from .planned import Value
from .provenance import Inputs, Pairing
from .values import LARGEST, finite, kind, named, order_key
from .view import Runs
from .walk import has_reduction, is_condition, shape

BEYOND: Final = 1 << LARGEST  # stands for what Python could not make a float of


class RunRows(Evaluator):
    """A row a run: those of *runs* at *rows*."""

    def __init__(self, context: Context, runs: Runs, rows: Sequence[int]) -> None:
        super().__init__(context, len(rows))
        self.runs = runs
        self.rows = rows
        self.inputs: dict[str, Inputs] = {}
        self._series: dict[Hashable, Column | None] = {}

    def name(self, expr: tree.Name) -> Column | None:
        if len(expr.path) == 1 and expr.path[0] in self.aliases:
            return self.aliases[expr.path[0]]
        ref = look_up(expr.path, expr.span, self.context.catalog, self.context.diagnostics, list(self.aliases))
        return None if ref is None else self.pick(self.runs.column(ref))

    def pick(self, column: Sequence[Value]) -> Column:
        if len(self.rows) == self.runs.size:  # rows are in order: they are all that there are
            return list(column)
        return list(map(column.__getitem__, self.rows))

    def everything(self) -> RunRows:
        """Give the rows of the whole frame, without aliases."""
        return RunRows(self.context, self.runs, range(self.runs.size))

    def reduction(self, expr: tree.Call) -> Column | None:
        name = expr.function.path[0]
        message = f"`{name}` is taken over runs, and here is one run at a time"
        return self._refuse(
            "XQ016", expr.span, message, help="it belongs into `show`, `having`, `sort by` or `keep` of groups"
        )

    def series(self, expr: tree.Call) -> Column | None:
        form = shape(expr, self.context.catalog)
        if form not in self._series:
            self._series[form] = self._read_series(expr)
        return self._series[form]

    def _read_series(self, expr: tree.Call) -> Column | None:
        *path, last = expr.function.path
        argument = self.evaluate(expr.arguments[0].value)
        ref = look_up(tuple(path), expr.function.span, self.context.catalog, self.context.diagnostics)
        if ref is None or argument is None:
            return None
        metric = ref.ref if isinstance(ref, Ancestor) else ref
        if not isinstance(ref, (Metric, Ancestor)) or not isinstance(metric, Metric) or metric.reducer != "last":
            return self._refuse(
                "XQ009", expr.function.span, f"`.{last}` reads a metric's series", help=f"`{exact(ref)}` is none"
            )
        wrong = next((v for v in argument if kind(v) not in ("null", "number")), None)
        if wrong is not None:
            span = expr.arguments[0].value.span
            return self._refuse("XQ007", span, f"`.{last}` takes a number, not {named(wrong)}", kind(wrong))
        reducer = WITH_ARGUMENT[last]

        def reduced(series: Series, place: int) -> Value:
            return None if argument[place] is None else reducer(series, argument[place])

        return self.runs.series(ref, self.rows, reduced)


class GroupRows(Evaluator):
    """A row a group of runs. *groups* are places in *runs*; *keys* the columns that make the groups, by their shape."""

    def __init__(self, runs: RunRows, groups: Sequence[Sequence[int]], keys: Mapping[Hashable, Column]) -> None:
        super().__init__(runs.context, len(groups))
        self.runs = runs
        self.groups = groups
        self.keys = keys
        self.inputs: dict[str, Inputs] = {}
        self.key_names: list[str] = []
        self._columns: list[Column] = []
        self._pairings: list[Pairing] = []

    def begin(self) -> None:
        """Begin to note what is taken over runs."""
        self._columns, self._pairings = [], []

    def taken(self) -> Inputs:
        """Give what was taken over runs since `begin`."""
        return Inputs(self._columns, self._pairings)

    def evaluate(self, expr: tree.Expr) -> Column | None:
        if isinstance(expr, tree.Name) and len(expr.path) == 1 and expr.path[0] in self.aliases:
            return self.aliases[expr.path[0]]
        if self.keys and (found := self.keys.get(shape(expr, self.context.catalog))) is not None:
            return found
        return super().evaluate(expr)

    def name(self, expr: tree.Name) -> Column | None:
        if len(expr.path) == 1 and expr.path[0] in self.aliases:
            return self.aliases[expr.path[0]]
        names = [*self.aliases, *self.key_names]
        if look_up(expr.path, expr.span, self.context.catalog, self.context.diagnostics, names) is None:
            return None
        text = expr.span.text
        if self.keys:
            message = f"`{text}` has a value for each run, and a row here is a group of runs"
            help = f"reduce it, as `mean({text})`, or add it to `group by`"
        else:
            message = f"`{text}` has a value for each run, and other columns are over all runs"
            help = f"reduce it, as `mean({text})`, or add `group by {text}`"
        return self._refuse("XQ006", expr.span, message, help=help)

    def series(self, expr: tree.Call) -> Column | None:
        text = expr.span.text
        message = f"`{text}` has a value for each run, and a row here is not one run"
        return self._refuse("XQ006", expr.span, message, help=f"reduce it, as `mean({text})`")

    def reduction(self, expr: tree.Call) -> Column | None:
        name = expr.function.path[0]
        arguments = [argument.value for argument in expr.arguments]
        if name in OF_PAIRS:
            return self._compared(name, expr)
        if any(argument.name is not None for argument in expr.arguments):
            return self._misused(expr)
        if inner := next((a for a in arguments if has_reduction(a)), None):
            return self._refuse(
                "XQ016", inner.span, f"`{name}` is taken over runs, and so is this", help="take one of them"
            )
        match name, arguments:
            case "count", []:
                return [len(group) for group in self.groups]
            case "count", [x] if is_condition(x):
                message = "`count(x)` counts the runs that have an x, and a condition is always true or false"
                help = f"write `sum(1 if {x.span.text} else 0)`"
                return self._refuse("XQ009", expr.span, message, help=help)
            case "count", [x]:
                return self._reduce(x, len)
            case "quantile", [x, q]:
                return self._quantile(x, q)
            case (("argmin" | "argmax"), [x, id]):
                return self._extreme(x, id, least if name == "argmin" else most)
            case "best", [x]:
                return self._best(expr, x)
            case _, [x] if name in NUMERIC:
                return self._numeric(name, x)
            case _, [x] if name in ORDERED:
                return self._reduce(x, ORDERED[name])
        return self._misused(expr)

    def _misused(self, expr: tree.Call) -> Column | None:
        name = expr.function.path[0]
        return self._refuse("XQ009", expr.span, f"`{name}` is not called like this", help=f"write `{USAGE[name]}`")

    def _compared(self, name: str, expr: tree.Call) -> Column | None:
        """Evaluate a function of runs and their partners in a baseline."""
        match expr.arguments:
            case [tree.Argument(None, x), tree.Argument(tree.Word("baseline"), condition)]:
                pass
            case _:
                return self._misused(expr)
        everything = self.runs.everything()
        column = everything.evaluate(x)
        found = self._baseline(condition, everything)
        if column is None or found is None or not self._are_numbers(name, x, column):
            return None
        baseline, comparison = found
        comparison.tested |= name == "p_value"
        self._count_missing(x, self.runs.pick(column))
        pairing = pair(self.groups, self.runs.rows, column, baseline, self.runs.runs)
        self._pairings.append(pairing)
        comparison.unpaired.update(self.runs.rows[place] for places in pairing.unpaired for place in places)
        made = OF_PAIRS[name]
        return [
            self._made(x, made, [(column[self.runs.rows[own]], column[other]) for own, other in pairs])
            for pairs in pairing.pairs
        ]

    def _baseline(self, condition: tree.Expr, everything: RunRows) -> tuple[Baseline, Comparison] | None:
        """Find the runs of a baseline among all runs, but for those that `where` leaves out for their state."""
        context = self.context
        form = shape(condition, context.catalog)
        if form not in context.comparisons:
            context.comparisons[form] = None  # a mistake is told once
            found = everything.condition(condition)
            if found is not None and not any(found):
                self._refuse("XQ020", condition.span, f"no run is in the baseline `{_inner(condition)}`")
            elif found is not None:
                context.comparisons[form] = self._comparison(condition, found)
        return context.comparisons[form]

    def _comparison(self, condition: tree.Expr, found: Sequence[bool]) -> tuple[Baseline, Comparison]:
        runs, eligible = self.runs.runs, self.context.eligible
        rows = [row for row in range(runs.size) if found[row] and (eligible is None or row in eligible)]
        states = runs.column(Field("status"))
        baseline = baseline_of(runs, rows)
        undone = sum(states[row] != "done" for row in rows)
        names = [ref.name for ref in baseline.by if isinstance(ref, (Config, Field))]
        return baseline, Comparison(_inner(condition), len(rows), undone, names)

    def _are_numbers(self, name: str, x: tree.Expr, column: Column) -> bool:
        wrong = next((v for v in column if kind(v) not in ("null", "number")), None)
        if wrong is not None:
            self._refuse("XQ007", x.span, f"`{name}` takes numbers, and this is {named(wrong)}", kind(wrong))
        return wrong is None

    def _reduce(self, x: tree.Expr, function: Callable[[list[Value]], Value]) -> Column | None:
        column = self.runs.evaluate(x)
        if column is None:
            return None
        self._count_missing(x, column)
        self._columns.append(column)
        groups = (known_at(column, group) for group in self.groups)
        return [self._made(x, function, values) for values in groups]

    def _made(self, x: tree.Expr, function: Callable[[Any], Value], values: Any) -> Value:
        """Reduce the values of *x* in a group; null, and it is noted, where that is beyond all floats."""
        try:
            found = function(values)
        except OverflowError:  # integers that no float comes near
            found = BEYOND
        value = finite(found)
        if value is None and type(found) is int:
            self.context.beyond[" ".join(x.span.text.split())] = None
        return value

    def _numeric(self, name: str, x: tree.Expr) -> Column | None:
        column = self.runs.evaluate(x)
        wrong = first_other(column or (), ("null", "number"))
        if wrong is not None:
            self._refuse("XQ007", x.span, f"`{name}` takes numbers, and this is {named(wrong)}", kind(wrong))
            return None
        return self._reduce(x, NUMERIC[name])

    def _quantile(self, x: tree.Expr, q: tree.Expr) -> Column | None:
        if not isinstance(q, tree.Number) or not 0 <= q.value <= 1:
            return self._refuse("XQ009", q.span, "a quantile is a number from 0 to 1", help="write `quantile(x, 0.9)`")
        share = float(q.value)
        if not self._are_numbers("quantile", x, self.runs.evaluate(x) or []):
            return None
        return self._reduce(x, lambda values: quantile(values, share))

    def _best(self, expr: tree.Call, x: tree.Expr) -> Column | None:
        direction = direction_of(x, self.context)
        if direction is None:
            help = "declare `metric NAME minimize` in the experiment, or write `min(…)` or `max(…)`"
            return self._refuse(
                "XQ010", expr.span, f"nobody knows whether less or more of `{x.span.text}` is best", help=help
            )
        return self._reduce(x, least if direction == "minimize" else most)

    def _extreme(self, x: tree.Expr, id: tree.Expr, function: Callable[[list[Value]], Value]) -> Column | None:
        column, ids = self.runs.evaluate(x), self.runs.evaluate(id)
        if column is None or ids is None:
            return None
        self._count_missing(x, column)
        self._columns.append(column)
        found: Column = []
        for group in self.groups:
            places = [i for i in group if column[i] is not None]
            wanted = order_key(function([column[i] for i in places])) if places else None
            found.append(next((ids[i] for i in places if order_key(column[i]) == wanted), None))
        return found

    def _count_missing(self, x: tree.Expr, column: Sequence[Value]) -> None:
        """Count the done runs that have no value; that others have none is no news."""
        if None not in column:
            return
        states = self.runs.pick(self.runs.runs.column(Field("status")))
        missing = sum(state == "done" and value is None for state, value in zip(states, column, strict=True))
        if missing:
            self.context.missing[x.span.text] = missing


def _inner(condition: tree.Expr) -> str:
    """Give a condition as it is written, in one line and without the parentheses around it."""
    text = " ".join(condition.span.text.split())
    whole = isinstance(condition, tree.Binary) and condition.span.start < condition.left.span.start and text[-1] == ")"
    return text[1:-1].strip() if whole else text


def direction_of(expr: tree.Expr, context: Context) -> str | None:
    """Give whether less or more of *expr* is better, if a metric's declaration says so."""
    return direction(expr, context.catalog, context.directions)
