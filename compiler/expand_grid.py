"""A grid to a frame: axes multiply, branches split, samples draw, points are added, in the order of the lines."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, assert_never

from ..grammar.diagnostic import Label
from ..grammar.source import Span
from .constraint import OPPOSITE, Constraints
from .expand_sample import Drawing, drawn, expand_sample
from .findings import Abandoned, Findings
from .late import Late, Poisoned
from .product import HIDDEN, Cell, Cells, Frame, Origin, Pool, in_order_of, overlay
from .study import (
    Axis,
    Branch,
    Code,
    Combination,
    Constraint,
    Draw,
    Experiment,
    Grid,
    GridExpr,
    GridItem,
    GridValue,
    Points,
    Sample,
)
from .table import NONE_HERE
from .values import ABSENT, Absent, Path, dotted

MOST_POINTS: Final = 10_000_000

Item = Draw | GridItem


class GridExpansion:
    """Makes the points of one experiment's grid; raises ``Abandoned`` after a report where going on is vain."""

    def __init__(self, experiment: Experiment, findings: Findings) -> None:
        self.experiment = experiment
        self.findings = findings
        self.constraints = Constraints(experiment, findings)
        self.merged = False  # an override has taken an axis away, so that equal points are no surprise
        self.drawing = Drawing(0, 0)
        self._hidden = 0

    # -------------------------------------------------------------- grids and combinations

    def expand(self, grid: GridExpr, frame: Frame, later: frozenset[Path]) -> Frame:
        """Multiply *frame* by a grid. *later* are keys that will be set after it."""
        match grid:
            case Combination(operator="*"):
                left = self.expand(grid.left, frame, later | keys_of(grid.right))
                return self.expand(grid.right, left, later)
            case Combination():
                tagged, tag = self.tagged(frame)
                parts = [self.expand(part, tagged, later) for part in _summands(grid)]
                return in_order_of(parts, tag)
            case Grid():
                return self.body(grid, frame, later)
            case _:
                assert_never(grid)

    def body(self, grid: Grid, frame: Frame, later: frozenset[Path]) -> Frame:
        constraints = [item for item in grid.items if isinstance(item, Constraint)]
        values = [item for item in grid.items if isinstance(item, GridValue)]
        items = [item for item in grid.items if not isinstance(item, Constraint)]
        if grid.points is None:
            result = self.items(items, frame, grid.name, later)
        else:
            tagged, tag = self.tagged(frame)
            parts = []
            if len(items) > len(values):
                parts.append(self.items(items, tagged, grid.name, later))
            parts.append(self.points(grid.points, values, tagged, grid.name))
            result = in_order_of(parts, tag)
        for constraint in constraints:
            result = self.constraints.add(result, constraint)
        return self.constraints.apply(result, later)

    def items(self, items: Sequence[Item], frame: Frame, grid: str, later: frozenset[Path]) -> Frame:
        """Multiply *frame* by the items of a body, constraints marked but not applied."""
        for at, item in enumerate(items):
            match item:
                case Axis():
                    frame = self.axis(item, frame, grid)
                case GridValue():
                    cells = {item.path: Cells([item.value], None)}
                    frame = self.set(frame, cells, Origin("value", item.span, grid))
                case Branch():
                    frame = self.branch(item, frame, grid, later | keys_of_items(items[at + 1 :]))
                case Sample():
                    later_still = later | keys_of_items(items[at + 1 :])
                    frame = expand_sample(self, item, frame, grid, later_still)
                case Draw():
                    frame = self.set(
                        frame, {item.path: drawn(item, frame, self.drawing)}, Origin("axis", item.span, grid)
                    )
                case Constraint():
                    frame = self.constraints.add(frame, item)
                case _:
                    assert_never(item)
        return frame

    # -------------------------------------------------------------- items

    def axis(self, axis: Axis, frame: Frame, grid: str) -> Frame:
        """Multiply *frame* by the elements of an axis; keys with an override leave it."""
        name = dotted(axis.label or axis.keys[0])
        columns: dict[Path, Sequence[Cell | Absent]] = dict(zip(axis.keys, axis.columns, strict=True))
        count = len(axis.labels) if axis.label is not None else len(axis.columns[0])
        if not count:
            self.findings.error("XP039", axis.span, f"the axis `{name}` has no values", "empty")
            raise Abandoned
        overrides = self.experiment.overrides
        chosen = {path: values for path, values in columns.items() if path not in overrides}
        if axis.label is not None:
            chosen = {axis.label: axis.labels, **chosen}
        if axis.label is not None and axis.label in overrides:
            at = self.labelled(axis, axis.label)
            chosen, count = {path: values[at : at + 1] for path, values in chosen.items()}, 1
        cells = {path: _axis_cells(values) for path, values in chosen.items()}
        if any(path in overrides for path in axis.keys):
            self.merged = True
            cells, count = _distinct(cells, count)
        result = self.multiplied(frame, count, name, axis.span)
        tiled = _tiled(cells, frame.count)
        if axis.label is None:
            return self.set(result, tiled, Origin("axis", axis.span, grid))
        label = {axis.label: tiled.pop(axis.label)}
        result = self.set(result, label, Origin("label", axis.span, grid))
        return self.set(result, tiled, Origin("overlay", axis.span, grid))

    def labelled(self, axis: Axis, label: Path) -> int:
        """Give the element that an override of the label chooses."""
        wanted = self.experiment.overrides[label]
        if wanted in axis.labels:
            return axis.labels.index(str(wanted))
        known = ", ".join(f"`{text}`" for text in axis.labels)
        message = f"the axis `{dotted(label)}` has no element `{wanted}`"
        self.findings.error("XP020", axis.span, message, "the axis", help=f"it has {known}")
        raise Abandoned

    def branch(self, branch: Branch, frame: Frame, grid: str, later: frozenset[Path]) -> Frame:
        """Multiply each point by the first arm whose condition holds for it."""
        rest, tag = self.tagged(frame)
        parts: list[Frame] = []
        for arm in branch.arms:
            if arm.condition is not None:
                self.warn_of_order(arm.condition, rest, later)
            mask = True if arm.condition is None else self.holds(arm.condition, rest)
            if isinstance(mask, bool):
                mask = bytes([mask]) * rest.count
            count = mask.count(1)
            if count:
                parts.append(self.items(arm.body, rest.select(mask, count), grid, later))
            rest = rest.select(mask.translate(OPPOSITE), rest.count - count)
        return in_order_of([*parts, rest] if rest.count or not parts else parts, tag)

    def warn_of_order(self, condition: Code, frame: Frame, later: frozenset[Path]) -> None:
        """Warn of a condition that is asked before what it names has its value: what it gets is another one."""
        named = Late(self.experiment, frame, self.findings).dependencies(condition.names)
        late = [path for path in sorted(later) if path in named or any(path[: len(name)] == name for name in named)]
        if late:
            self.findings.warning(
                "XP069",
                condition.span,
                f"this `if` is asked before the grid sets `{dotted(late[0])}`",
                "asked too early",
                help=f"write `{dotted(late[0])}` above the `if`, or its grid to the left in the product",
            )

    def holds(self, condition: Code, frame: Frame) -> bytes | bool:
        try:
            return Late(self.experiment, frame, self.findings).mask(condition)
        except Poisoned:
            raise Abandoned from None

    def points(self, points: Points, values: Sequence[GridValue], frame: Frame, grid: str) -> Frame:
        """Multiply *frame* by the ``point`` lines; ``key = expr`` of the grid holds in them too."""
        paths = list(dict.fromkeys(path for point in points.points for path in point))
        if any(path in self.experiment.overrides for path in paths):
            self.merged = True
        fallback = {value.path: Cells([value.value], None) for value in values}
        count = len(points.points)
        cells: dict[Path, Cells] = {}
        for path in paths:
            given = _axis_cells([point.get(path, ABSENT) for point in points.points])
            cells[path] = overlay(given, fallback.pop(path), count) if path in fallback else given
        cells.update(fallback)
        span = points.spans[0]
        result = self.multiplied(frame, count, "point", span)
        return self.set(result, _tiled(cells, frame.count), Origin("axis", span, grid))

    # -------------------------------------------------------------- frames

    def multiplied(self, frame: Frame, times: int, name: str, span: Span) -> Frame:
        """Give each row *times* times, unless that would be too many."""
        factors = (*frame.factors, (name, times)) if times != 1 else frame.factors
        if frame.count * times > MOST_POINTS:
            product = " × ".join(f"{name} ({count:,})" for name, count in factors)
            self.findings.error(
                "XP062",
                span,
                f"the grid of `{self.experiment.name}` has more than {MOST_POINTS:,} points",
                f"{frame.count * times:,} points up to here",
                help=f"they are {product}",
            )
            raise Abandoned
        result = frame.repeated(times)
        result.factors = factors
        return result

    def tagged(self, frame: Frame) -> tuple[Frame, Path]:
        """Number the rows in a hidden column, so that they can be brought back into their order."""
        self._hidden += 1
        tag = (HIDDEN, "order", str(self._hidden))
        numbers = range(frame.count)
        return frame.with_columns({tag: Cells(numbers, array("I", numbers))}), tag

    def set(self, frame: Frame, cells: Mapping[Path, Cells], origin: Origin) -> Frame:
        """Set keys in all rows. What a config of an axis has set gives way; what an axis has set does not."""
        columns: dict[Path, Cells] = {}
        for path, new in cells.items():
            if path in self.experiment.overrides and origin.kind != "label":
                continue
            old, before = frame.columns.get(path), frame.origins.get(path)
            if old is None or before is None:
                columns[path] = new
            elif before.kind == "parent" or not _may_follow(before, origin):
                self.clash(path, before, origin)
            elif origin.kind == "overlay" and before.kind != "overlay":
                columns[path] = overlay(old, new, frame.count)
            else:
                columns[path] = overlay(new, old, frame.count)
        origins = {path: origin for path in columns if origin.kind != "overlay" or path not in frame.origins}
        return frame.with_columns(columns, origins)

    def clash(self, path: Path, before: Origin, origin: Origin) -> None:
        name = dotted(path)
        if before.kind == "parent":
            labels = [Label(before.span, "the parent")]
            message = f"`{name}` is an axis of the parent, and its runs have their values already"
            self.findings.error("XP043", origin.span, message, "set again", labels=labels)
            return
        labels = [Label(before.span, "it was set here")] if before.span != origin.span else []
        help = "name it in one of the two, or write the grids as a sum: `a + b`"
        self.findings.error("XP060", origin.span, f"the grid sets `{name}` twice", "again", labels=labels, help=help)


# ------------------------------------------------------------------ what a grid sets


def keys_of(grid: GridExpr | None) -> frozenset[Path]:
    """Give all keys that a grid may set."""
    match grid:
        case None:
            return frozenset()
        case Combination():
            return keys_of(grid.left) | keys_of(grid.right)
        case Grid():
            points = grid.points.points if grid.points is not None else ()
            return keys_of_items(grid.items) | {path for point in points for path in point}


def keys_of_items(items: Iterable[Item]) -> frozenset[Path]:
    found: set[Path] = set()
    for item in items:
        match item:
            case Axis():
                found.update(item.keys, () if item.label is None else (item.label,))
            case Draw() | GridValue():
                found.add(item.path)
            case Branch():
                found.update(*(keys_of_items(arm.body) for arm in item.arms))
            case Sample():
                found |= keys_of_items(item.body)
            case Constraint():
                pass
            case _:
                assert_never(item)
    return frozenset(found)


def _summands(grid: GridExpr) -> Iterator[GridExpr]:
    if isinstance(grid, Combination) and grid.operator == "+":
        yield from _summands(grid.left)
        yield from _summands(grid.right)
    else:
        yield grid


def _may_follow(before: Origin, origin: Origin) -> bool:
    """Tell whether a key may be set a second time."""
    if "overlay" in (before.kind, origin.kind):
        return True
    return before.kind == origin.kind == "value" and before.grid == origin.grid


# ------------------------------------------------------------------ elements of an axis


def _axis_cells(values: Sequence[Cell | Absent]) -> Cells:
    pool = Pool()
    codes = array("I", [NONE_HERE if isinstance(value, Absent) else pool.code(value) for value in values])
    return Cells(pool.values, codes)


def _distinct(cells: dict[Path, Cells], count: int) -> tuple[dict[Path, Cells], int]:
    """Give the elements of an axis without those that are equal to an earlier one."""
    if not cells:
        return {}, 1
    rows = list(dict.fromkeys(zip(*[one.spread(count) for one in cells.values()], strict=True)))
    columns = zip(*rows, strict=True)
    left = {path: Cells(one.pool, array("I", c)) for (path, one), c in zip(cells.items(), columns, strict=True)}
    return left, len(rows)


def _tiled(cells: Mapping[Path, Cells], times: int) -> dict[Path, Cells]:
    """Give the elements of an axis over and over, once for each row that they multiply."""
    return {
        path: Cells(one.pool, None if one.codes is not None and list(one.codes) == [0] else one.spread(1) * times)
        for path, one in cells.items()
    }
