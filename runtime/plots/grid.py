"""`heatmap`: a value for each place of x and of y, a grid for each combination of what it is by."""

from __future__ import annotations

from collections.abc import Sequence

from ...grammar import tree
from .channels import label_of, unit_kind
from .figure import NAN, Heatmap, Panel
from .grouping import Grouping, group_by, over, trace_keys
from .measures import direction, measure
from .scales import categories, numbers, numeric_axis, unit_scale
from .selection import Selection


def heatmap(plot: tree.Plot, channels: dict[str, tree.Expr], selected: Selection) -> Heatmap | None:
    """Give the grids; the same places and the same colours in all of them."""
    rows = selected.rows
    sides = group_by([channels["x"], channels["y"]], rows)
    by = group_by(trace_keys(plot, selected.parts, rows, [channels["x"], channels["y"]]), rows)
    if sides is None or by is None:
        return None
    parted = [sides.groups(trace) for trace in by.groups(range(rows.size))]
    groups = [group for part in parted for group in part]
    found = measure(channels["z"], over(rows, groups, [sides, by]))
    if found is None:
        return None
    raw = numbers(found.values)
    unit, amount = unit_scale(raw, unit_kind(channels["z"], rows.context.catalog))
    firsts = [group[0] for group in groups]
    x, across = categories(label_of(channels["x"]), [sides.columns[0][row] for row in firsts])
    y, up = categories(label_of(channels["y"]), [sides.columns[1][row] for row in firsts])
    cells = [(int(column), int(row)) for column, row in zip(across, up, strict=True)]
    size = (len(x.ticks), len(y.ticks))
    panels = []
    start = 0
    for part in parted:
        own = slice(start, start + len(part))
        panels.append(_panel(_label(by, part), cells[own], [v / amount for v in raw[own]], found.n[own], size))
        start = own.stop
    z = numeric_axis(label_of(channels["z"]), [v / amount for v in raw], unit, direction(channels["z"], rows))
    return Heatmap(x, y, z, tuple(panels), by.legend)


def _label(by: Grouping, part: Sequence[Sequence[int]]) -> str:
    return by.label(part[0][0])


def _panel(
    label: str, cells: Sequence[tuple[int, int]], values: Sequence[float], n: Sequence[int], size: tuple[int, int]
) -> Panel:
    columns, rows = size
    grid = [[NAN] * columns for _ in range(rows)]
    counts = [[0] * columns for _ in range(rows)]
    for (column, row), value, count in zip(cells, values, n, strict=True):
        grid[row][column] = value
        counts[row][column] = count
    return Panel(label, tuple(map(tuple, grid)), tuple(map(tuple, counts)))
