"""Comparisons with a text that a key never has, and that is nearly one that it has, to warnings: `model == "cnnn"`.

Such a slip takes no point away, or gives no point its values, and nothing else tells. What a key may have is known
where its grid gives it constants; a comparison that several experiments share is wrong only if it is in all of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from ..grammar import tree
from ..grammar.diagnostic import Diagnostics
from ..grammar.nearest import nearest
from ..grammar.node import Node
from ..grammar.source import Span
from .study import Axis, Branch, Code, Combination, Constraint, Draw, Experiment, Grid, GridExpr, GridItem, GridValue
from .study import Sample as StudySample
from .values import Path, dotted

_EQUALITIES: Final = ("==", "!=", "in", "not in")

Domains = Mapping[Path, Mapping[str, None] | None]
"""The texts that each key may have; none: nobody knows before the points are made."""


class Compared(Node):
    """A key that is compared with a text."""

    path: Path
    text: str
    span: Span


def warn_of_values(experiments: Iterable[Experiment], diagnostics: Diagnostics) -> None:
    """Warn of each text that a key is compared with, and that is a slip of a value which the key has."""
    slips: dict[Span, tuple[Compared, str] | None] = {}
    for experiment in experiments:
        domains: Domains | None = None
        for compared in _comparisons(experiment):
            if domains is None:
                domains = _domains(experiment)
            meant = _meant(compared, domains)
            if slips.get(compared.span, compared) is not None:
                slips[compared.span] = None if meant is None else (compared, meant)
    for found in slips.values():
        if found is not None:
            compared, meant = found
            name = dotted(compared.path)
            message = f'`{name}` is never `"{compared.text}"`'
            diagnostics.warning(
                "XP052", compared.span, message, "no point has this value", help=f'did you mean `"{meant}"`?'
            )


def _meant(compared: Compared, domains: Domains) -> str | None:
    """Give the value that a text is a slip of; not where one text is the other and more, or another number."""
    known = domains.get(compared.path)
    if known is None or compared.text in known:
        return None
    others = [text for text in known if not _are_related(compared.text, text)]
    return nearest(compared.text, others)


def _are_related(left: str, right: str) -> bool:
    """Tell whether two texts look like two names on purpose: `adam` and `adamw`, `resnet18` and `resnet34`."""
    if re.sub(r"\d", "", left) == re.sub(r"\d", "", right):
        return True
    short, long = sorted((left, right), key=len)
    doubled = long == short + short[-1:]
    return short != long and not doubled and (long.startswith(short) or long.endswith(short))


# ------------------------------------------------------------------ comparisons


def _comparisons(experiment: Experiment) -> Iterator[Compared]:
    codes: list[object] = [key.value for key in experiment.keys.values()]
    codes += [getattr(experiment.resources, name) for name in ("cpus", "memory", "gpus", "nodes", "tasks", "time")]
    for item in _items(experiment.grid):
        match item:
            case Constraint(condition=condition):
                codes.append(condition)
            case GridValue(value=value):
                codes.append(value)
            case Branch(arms=arms):
                codes.extend(arm.condition for arm in arms)
    for code in codes:
        if isinstance(code, Code) and code.names:
            yield from _inside(code.expr, frozenset(code.names))


def _inside(expr: object, names: frozenset[Path]) -> Iterator[Compared]:
    match expr:
        case tree.Binary(operator=operator, left=left, right=right) if operator in _EQUALITIES:
            for key, value in ((left, right), (right, left)):
                if isinstance(key, tree.Name) and (path := _path(key)) in names:
                    yield from (Compared(path, text, span) for text, span in _texts(value))
        case tree.Binary(operator="and" | "or", left=left, right=right):
            yield from _inside(left, names)
            yield from _inside(right, names)
        case tree.Unary(operator="not", operand=operand):
            yield from _inside(operand, names)
        case tree.Conditional(condition=condition, then=then, otherwise=otherwise):
            for part in (condition, then, otherwise):
                yield from _inside(part, names)


def _path(name: tree.Name) -> Path:
    return name.path[1:] if name.path[0] == "config" and len(name.path) > 1 else name.path


def _texts(expr: tree.Expr) -> Iterator[tuple[str, Span]]:
    match expr:
        case tree.Text(plain=str(text), span=span):
            yield text, span
        case tree.ListOf(items=items):
            for item in items:
                yield from _texts(item)
        case tree.Values(values=values):
            yield from ((text, expr.element_span(n)) for n, text in enumerate(values) if isinstance(text, str))


# ------------------------------------------------------------------ what a key may have


def _domains(experiment: Experiment) -> Domains:
    """Give the texts of the keys that the experiment's grid makes axes of; a key with a value of `--set` has any."""
    found: dict[Path, dict[str, None] | None] = {}
    varied: set[Path] = set()
    for item in _items(experiment.grid):
        match item:
            case Axis(keys=keys, columns=columns, label=label, labels=labels):
                for path, column in zip(keys, columns, strict=True):
                    varied.add(path)
                    _put(found, path, column)
                if label is not None:
                    varied.add(label)
                    _put(found, label, labels)
            case GridValue(path=path, value=value):
                _put(found, path, (value,))
            case Draw(path=path, distribution=distribution):
                varied.add(path)
                drawn = distribution.arguments[0] if distribution.name == "choice" else None
                _put(found, path, drawn if isinstance(drawn, list) else (Ellipsis,))
    for grid in _grids(experiment.grid):
        for point in grid.points.points if grid.points is not None else ():
            for path, value in point.items():
                _put(found, path, (value,))
    for path in varied:
        if path in experiment.keys:
            _put(found, path, (experiment.keys[path].value,))
        if path in experiment.overrides:
            found[path] = None
    return {path: texts for path, texts in found.items() if path in varied}


def _put(found: dict[Path, dict[str, None] | None], path: Path, values: Sequence[object]) -> None:
    """Add the texts among *values*; what is computed for each point is not known."""
    texts = found.setdefault(path, {})
    if any(isinstance(value, Code) or value is Ellipsis for value in values):
        found[path] = None
    elif texts is not None:
        texts.update((value, None) for value in values if isinstance(value, str))


def _grids(expr: GridExpr | None) -> Iterator[Grid]:
    match expr:
        case Grid():
            yield expr
        case Combination(left=left, right=right):
            yield from _grids(left)
            yield from _grids(right)


def _items(expr: GridExpr | None) -> Iterator[GridItem | Draw]:
    for grid in _grids(expr):
        yield from _below(grid.items)


def _below(items: Iterable[GridItem | Draw]) -> Iterator[GridItem | Draw]:
    for item in items:
        yield item
        match item:
            case Branch(arms=arms):
                for arm in arms:
                    yield from _below(arm.body)
            case StudySample(body=body):
                yield from _below(body)
