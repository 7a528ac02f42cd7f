"""The look of figures: colours that colour-blind readers tell apart, dashes and markers for print without colour."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from matplotlib.colors import Colormap

# Okabe and Ito (2008), Color Universal Design, without the yellow, which white paper swallows.
COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
MARKERS: Final = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "*")
DASHES: Final[tuple[object, ...]] = (
    "solid",
    (0, (5, 1.5)),
    (0, (1.2, 1.2)),
    (0, (5, 1.5, 1.2, 1.5)),
    (0, (8, 2)),
    (0, (3, 1.2, 1.2, 1.2, 1.2, 1.2)),
)
HATCHES: Final = ("", "///", "...", "\\\\\\", "xxx", "---", "++", "ooo")
SEQUENTIAL: Final = "viridis"  # even in lightness, so that it prints without colour
_DARK: Final = 0.86  # how much of those colours shows as a thin line on white
LEGEND_ROWS: Final = 18
MOST_ENTRIES: Final = 36  # of a legend

RC: Final[Mapping[str, Any]] = {
    "svg.hashsalt": "xpc",  # ids in the SVG by content, not by chance
    "svg.fonttype": "none",  # texts stay texts: searchable, editable, in the reader's font
    "pdf.fonttype": 42,
    "text.usetex": False,
    "text.parse_math": False,  # `$x$` is a metric's name, not a formula
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # it comes with matplotlib: the same bytes on every machine
    "font.size": 9.0,
    "axes.titlesize": 10.0,
    "axes.labelsize": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.unicode_minus": True,
    "grid.color": "#d9d9d9",
    "grid.linewidth": 0.5,
    "lines.linewidth": 1.5,
    "lines.markersize": 4.5,
    "legend.frameon": False,
    "legend.fontsize": 8.0,
    "legend.title_fontsize": 8.0,
    "xtick.labelsize": 8.0,
    "ytick.labelsize": 8.0,
    "hatch.linewidth": 0.5,
    "savefig.dpi": 200,
    "figure.dpi": 100,
    "figure.constrained_layout.use": True,
    "axes.formatter.use_mathtext": False,
    "axes.formatter.useoffset": False,
    "path.simplify": True,
}


def for_lines() -> Colormap:
    """Give the sequential colours without the brightest, which a thin line on white paper does not show."""
    from matplotlib import colormaps
    from matplotlib.colors import ListedColormap

    whole = colormaps[SEQUENTIAL]
    return ListedColormap([whole(_DARK * i / 255) for i in range(256)])
