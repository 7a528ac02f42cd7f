"""`heatmap` as text: a table of its values, each beside a shade."""

from __future__ import annotations

import math
from typing import Final

from ...grammar.screen import columns
from .figure import Heatmap, Panel
from .terminal_page import Page, cut, right
from .tick_text import cell_texts

_SHADES: Final = (" ", "░", "▒", "▓", "█")
_PLAIN: Final = (" ", ".", ":", "+", "#")


def heatmap_lines(figure: Heatmap, page: Page) -> list[str]:
    values = [value for panel in figure.panels for row in panel.values for value in row if math.isfinite(value)]
    lines = [cut(f"{figure.z.text} by {figure.y.text} (down) and {figure.x.text} (across)", page.width)]
    for panel in figure.panels:
        if len(figure.panels) > 1:
            lines += ["", cut(f"{figure.legend} = {panel.label}", page.width)]
        lines += _panel(figure, panel, values, page)
    return lines


def _panel(figure: Heatmap, panel: Panel, among: list[float], page: Page) -> list[str]:
    """Write a grid, the largest y on top; what does not fit in the width goes below."""
    rows = list(zip(figure.y.ticks, panel.values, strict=True))[::-1]
    names = [cut(text, 20) for (_, text), _ in rows]
    margin = max(map(columns, names))
    cells = [[_cell(value, among, page.unicode) for value in values] for _, values in rows]
    heads = [cut(text, 12) for _, text in figure.x.ticks]
    widths = [max(columns(head), *(columns(row[i]) for row in cells)) for i, head in enumerate(heads)]
    lines: list[str] = []
    for part in _parts(widths, page.width - margin):
        lines.append(" " * margin + "".join("  " + right(heads[i], widths[i]) for i in part))
        for name, row in zip(names, cells, strict=True):
            lines.append(right(name, margin) + "".join("  " + right(row[i], widths[i]) for i in part))
    return lines


def _parts(widths: list[int], room: int) -> list[list[int]]:
    parts: list[list[int]] = [[]]
    used = 0
    for index, width in enumerate(widths):
        if parts[-1] and used + width + 2 > room:
            parts.append([])
            used = 0
        parts[-1].append(index)
        used += width + 2
    return parts


def _cell(value: float, among: list[float], unicode: bool) -> str:
    if not math.isfinite(value):
        return "–"
    low, high = min(among), max(among)
    share = (value - low) / (high - low) if high > low else 0.5
    shades = _SHADES if unicode else _PLAIN
    shade = shades[min(int(share * len(shades)), len(shades) - 1)]
    return f"{shade} {cell_texts([value], among)[0]}"
