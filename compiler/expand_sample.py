"""``sample`` to points: drawn once for each number, drawn anew where a constraint of the sample refuses them."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from ..grammar.diagnostic import Label
from .constraint import waits
from .draws import draw
from .findings import Abandoned
from .late import Late
from .product import HIDDEN, Cells, Frame, Pool, in_order_of
from .study import Branch, Constraint, Draw, GridItem, Sample
from .types import Mismatch, convert
from .values import Path, dotted

if TYPE_CHECKING:
    from .expand_grid import GridExpansion

MOST_REDRAWS: Final = 1_000
_INDEX: Final = (HIDDEN, "index")


class Drawing(NamedTuple):
    """Which draws are made just now: those of a seed, and how often they have been made before."""

    seed: int
    attempt: int


def expand_sample(expansion: GridExpansion, sample: Sample, frame: Frame, grid: str, later: frozenset[Path]) -> Frame:
    """Multiply *frame* by the points of a sample. *later* are keys that will be set after it."""
    numbers = array("I", range(sample.count))
    multiplied = expansion.multiplied(frame, sample.count, "sample", sample.span)
    todo, tag = expansion.tagged(multiplied.with_columns({_INDEX: Cells(range(sample.count), numbers * frame.count)}))
    constraints = list(constraints_of(sample.body))
    outside, drawing = expansion.constraints.effective, expansion.drawing
    parts: list[Frame] = []
    refusing: list[Constraint] = []
    for attempt in range(MOST_REDRAWS + 1):
        expansion.drawing = Drawing(sample.seed, attempt)
        made = expansion.items(sample.body, todo, grid, later)
        if not attempt:
            _warn_of_waiting(expansion, constraints, made, later)
        expansion.constraints.effective = refusing = []
        made = expansion.constraints.apply(made, later, constraints)
        parts.append(made)
        survivors = set(made.columns[tag].spread(made.count)) if refusing else set()
        if refusing:
            refused = bytes([code not in survivors for code in todo.columns[tag].spread(todo.count)])
            todo = todo.select(refused, refused.count(1))
        if not refusing or not todo.count:
            break
    else:
        _report_exhausted(expansion, sample, refusing[-1], todo.count)
    expansion.constraints.effective, expansion.drawing = outside, drawing
    return in_order_of(parts, tag).without(_INDEX)


def drawn(item: Draw, frame: Frame, drawing: Drawing) -> Cells:
    """Give a draw for each row, by the row's number in its sample."""
    numbers = frame.columns[_INDEX].spread(frame.count)
    pool = Pool()
    table: dict[int, int] = {}
    name, arguments = item.distribution.name, item.distribution.arguments
    for number in dict.fromkeys(numbers):
        value = draw(name, arguments, drawing.seed, item.path, number, drawing.attempt)
        held = convert(value, item.type)
        table[number] = pool.code(value if isinstance(held, Mismatch) else held)
    return Cells(pool.values, array("I", map(table.__getitem__, numbers)))


def constraints_of(items: Iterable[Draw | GridItem]) -> Iterator[Constraint]:
    """Give the constraints of a sample's body, those in branches too."""
    for item in items:
        if isinstance(item, Constraint):
            yield item
        elif isinstance(item, Branch):
            for arm in item.arms:
                yield from constraints_of(arm.body)


def _warn_of_waiting(
    expansion: GridExpansion, constraints: Iterable[Constraint], frame: Frame, later: frozenset[Path]
) -> None:
    late = Late(expansion.experiment, frame, expansion.findings)
    for constraint in constraints:
        if waits(late, constraint, later):
            names = [name for name in constraint.condition.names if late.dependencies([name]) & later]
            expansion.findings.warning(
                "XP064",
                constraint.span,
                f"`{dotted((names or constraint.condition.names)[0])}` is set after the sample, "
                "so this constraint takes points away instead of drawing them anew",
                "filters",
                help="write the constraint outside the sample, or the key above it",
            )


def _report_exhausted(expansion: GridExpansion, sample: Sample, constraint: Constraint, count: int) -> None:
    what = "`keep if`" if constraint.keep else "`skip if`"
    points = "1 point" if count == 1 else f"{count:,} points"
    expansion.findings.error(
        "XP063",
        constraint.span,
        f"a constraint refuses {points} of the sample, however often drawn",
        f"refused {MOST_REDRAWS + 1:,} times",
        labels=[Label(sample.span, "the sample")],
        help=f"widen the distributions, or write {what} outside the sample, where it takes points away",
    )
    raise Abandoned
