"""`heatmap` on matplotlib's axes: a panel for each grid, the value in each cell while there is room."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from .draw_axes import set_axis, shortened
from .figure import Axis, Heatmap, Panel
from .style import SEQUENTIAL
from .tick_text import cell_texts

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Normalize
    from matplotlib.figure import Figure as Canvas

MOST_WRITTEN: Final = 12  # columns of a panel whose cells hold their values
_LEVELS: Final = 256


def draw_heatmap(figure: Heatmap, canvas: Canvas) -> None:
    import numpy as np

    across = 2 if len(figure.panels) == 4 else min(len(figure.panels), 3) or 1
    down = -(-len(figure.panels) // across) or 1
    columns, rows = len(figure.x.ticks), len(figure.y.ticks)
    width = across * min(max(0.6 * columns, 2.4), 7.0) + 1.6
    height = down * (min(max(0.42 * rows, 1.6), 7.0) + 0.5) + 0.6
    canvas.set_size_inches(min(width, 14.0), min(height, 18.0))
    grid: Any = np.atleast_2d(canvas.subplots(down, across, sharex=True, sharey=True, squeeze=False))
    norm = _norm(figure)
    image = None
    for number, axes in enumerate(grid.flat):
        if number < len(figure.panels):
            image = _panel(axes, figure, figure.panels[number], norm)
        else:
            axes.set_visible(False)
    for number, axes in enumerate(grid.flat):
        edge = number // across == down - 1 or number + across >= len(figure.panels)
        set_axis(axes, "x", figure.x if edge else replace(figure.x, label=""), (width - 1.6) / across)
        set_axis(axes, "y", figure.y if number % across == 0 else replace(figure.y, label=""))
        axes.tick_params(labelbottom=edge, length=0)
    if image is not None:
        _scale(canvas, image, grid, figure.z)
    if figure.title:
        canvas.suptitle(shortened(figure.title, 80), fontsize=10)


def _values(figure: Heatmap) -> list[float]:
    return [value for panel in figure.panels for row in panel.values for value in row if math.isfinite(value)]


def _norm(figure: Heatmap) -> Normalize:
    from matplotlib.colors import LogNorm, Normalize

    values = _values(figure) or [0.0]
    low, high = min(values), max(values)
    if low == high:
        low, high = low - 0.5, high + 0.5
    return LogNorm(low, high) if figure.z.scale == "log" and low > 0 else Normalize(low, high)


def _panel(axes: Axes, figure: Heatmap, panel: Panel, norm: Normalize) -> Any:
    """Draw a grid. What has no value is hatched, so that nobody takes it for a small one."""
    import numpy as np

    values = np.ma.masked_invalid(np.array(panel.values, dtype=float))
    rows, columns = values.shape
    axes.set_facecolor("#f0f0f0")
    axes.patch.set(hatch="////", edgecolor="#bdbdbd")
    places = [np.arange(size + 1) - 0.5 for size in (columns, rows)]
    image = axes.pcolormesh(*places, values, norm=norm, cmap=SEQUENTIAL, edgecolors="white", linewidth=0.6)
    for side in axes.spines.values():
        side.set_visible(False)
    axes.grid(visible=False)
    if columns <= MOST_WRITTEN and rows <= 2 * MOST_WRITTEN:
        _write(axes, figure, panel, norm)
    if len(figure.panels) > 1:
        axes.set_title(shortened(f"{figure.legend} = {panel.label}", 44), fontsize=9)
    return image


def _write(axes: Axes, figure: Heatmap, panel: Panel, norm: Normalize) -> None:
    from matplotlib import colormaps

    texts = iter(cell_texts(_values_of(panel), _values(figure)))
    colours = colormaps[SEQUENTIAL]
    for row, values in enumerate(panel.values):
        for column, value in enumerate(values):
            if not math.isfinite(value):
                continue
            red, green, blue, _ = colours(float(norm(value)))
            bright = 0.299 * red + 0.587 * green + 0.114 * blue > 0.55
            colour = "#000000" if bright else "#ffffff"
            axes.text(column, row, next(texts), ha="center", va="center", fontsize=7, color=colour)


def _values_of(panel: Panel) -> list[float]:
    return [value for row in panel.values for value in row if math.isfinite(value)]


def _scale(canvas: Canvas, image: Any, grid: Any, axis: Axis) -> None:
    bar = canvas.colorbar(image, ax=list(grid.flat), pad=0.02, aspect=25)
    bar.outline.set_visible(False)
    set_axis(bar.ax, "y", replace(axis, scale="linear") if axis.scale != "log" else axis)
    bar.ax.grid(visible=False)
