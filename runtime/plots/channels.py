"""The channels of a plot to expressions: what an alias of the table stands for, what is measured, how it is called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...grammar import tree
from ..query.cells import label as text_of
from ..query.cells import unit_of
from ..query.fields import TIMES
from ..query.lookup import Catalog
from ..query.walk import children, field_of, reduces


def channels_of(plot: tree.Plot, cells: Sequence[tree.Cell]) -> dict[str, tree.Expr]:
    """Give the expressions of a plot by channel; the name of a column of the table stands for what it shows."""
    aliases = {cell.alias.text: cell.expr for cell in cells if cell.alias is not None}
    return {channel.name.text: _meant(channel.value, aliases) for channel in plot.channels if channel.name is not None}


def _meant(expr: tree.Expr, aliases: Mapping[str, tree.Expr]) -> tree.Expr:
    if isinstance(expr, tree.Name) and len(expr.path) == 1:
        return aliases.get(expr.path[0], expr)
    return expr


def is_spread(expr: tree.Expr) -> bool:
    return isinstance(expr, tree.Binary) and expr.operator == "±"


def middle(expr: tree.Expr) -> tree.Expr:
    """Give what an expression measures: of `a ± b` it is `a`."""
    return expr.left if isinstance(expr, tree.Binary) and expr.operator == "±" else expr


def subject(expr: tree.Expr) -> tree.Expr:
    """Give the value of one run that is measured: of `mean(x) ± std(x)` it is `x`."""
    expr = middle(expr)
    return children(expr)[0] if reduces(expr) and children(expr) else expr


def label_of(expr: tree.Expr) -> str:
    """Give an axis its name: `loss`, `mean(loss)` for a median or the like, and `loss` again for `mean(loss) ± …`."""
    if is_spread(expr) and reduces(middle(expr)) and text_of(middle(expr)).startswith("mean("):
        return text_of(subject(expr))
    return text_of(middle(expr))


def unit_kind(expr: tree.Expr, catalog: Catalog) -> str:
    """Give `duration`, `size`, `time` or nothing."""
    if field_of(middle(expr), catalog) in TIMES:
        return "time"
    return unit_of(middle(expr), catalog)
