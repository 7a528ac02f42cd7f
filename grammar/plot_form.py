"""A `plot` clause held against what its kind takes: known kinds, known channels, each once, none missing."""

from __future__ import annotations

from typing import Final

from . import tree
from .diagnostic import Diagnostics, Label
from .nearest import nearest

CHANNELS: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "line": (("x", "y"), ()),
    "scatter": (("x", "y"), ()),
    "bar": (("x", "y"), ()),
    "box": (("y",), ("x",)),
    "heatmap": (("x", "y", "z"), ()),
    "parallel": (("y",), ("x",)),
}
"""The channels that a plot of each kind must have, and those that it may have."""

USAGE: Final = {
    "line": "plot line x = step, y = loss by optimizer.lr",
    "scatter": "plot scatter x = duration, y = accuracy by model.name",
    "bar": "plot bar x = model.name, y = accuracy",
    "box": "plot box x = model.name, y = accuracy",
    "heatmap": "plot heatmap x = optimizer.lr, y = model.width, z = accuracy",
    "parallel": "plot parallel x = [optimizer.lr, model.width], y = accuracy",
}


def check_plot(plot: tree.Plot, report: Diagnostics) -> bool:
    """Report what is wrong with a plot's form; say whether nothing is."""
    kind = plot.kind.text
    if kind not in CHANNELS:
        close = nearest(kind, CHANNELS)
        help = f"did you mean `{close}`?" if close else f"there is {', '.join(f'`{name}`' for name in CHANNELS)}"
        report.error("XQ030", plot.kind.span, f"there is no plot `{kind}`", help=help)
        return False
    needed, allowed = CHANNELS[kind]
    given: dict[str, tree.Argument] = {}
    fine = True
    for channel in plot.channels:
        assert channel.name is not None  # the grammar has no other form
        name = channel.name
        first = given.setdefault(name.text, channel)
        if first is not channel:
            labels = [Label(first.span, "first given here")]
            report.error(
                "XQ030", name.span, f"`{name.text}` is given twice", labels=labels, help=f"write one `{name.text}`"
            )
        elif name.text not in (*needed, *allowed):
            message = f"`plot {kind}` has no `{name.text}`"
            report.error("XQ030", name.span, message, help=f"write it as `{USAGE[kind]}`")
        else:
            continue
        fine = False
    missing = [name for name in needed if name not in given]
    if missing and fine:
        listed = " and ".join(f"`{name}`" for name in missing)
        report.error("XQ030", plot.kind.span, f"`plot {kind}` lacks {listed}", help=f"write it as `{USAGE[kind]}`")
    return fine and not missing
