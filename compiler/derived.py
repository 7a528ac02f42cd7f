"""Values that name other keys: the cycles among them, and the types that they give their keys."""

from __future__ import annotations

from collections.abc import Mapping

from ..grammar.diagnostic import Label
from .context import Context
from .evaluate import EvaluationError, put
from .keys import Draft, KeyTable, Late, Unknown
from .scope import Scope
from .study import Code
from .values import Path, Value, dotted, type_of


def find_cycles(table: KeyTable, codes: Mapping[Path, Code], scope: Scope, context: Context) -> None:
    """Report each cycle of values that are defined by each other, once."""
    done: set[Path] = set()
    for start in codes:
        trail: list[Path] = []
        _visit(start, codes, scope, trail, done, table, context)


def _visit(
    path: Path,
    codes: Mapping[Path, Code],
    scope: Scope,
    trail: list[Path],
    done: set[Path],
    table: KeyTable,
    context: Context,
) -> None:
    if path in trail:
        _report(trail[trail.index(path) :], table, context)
        return
    if path in done or path not in codes:
        return
    trail.append(path)
    for name in codes[path].names:
        for inner in (name,) if name not in scope.groups or name in scope.keys else scope.below(name):
            _visit(inner, codes, scope, trail, done, table, context)
    trail.pop()
    done.add(path)


def _report(cycle: list[Path], table: KeyTable, context: Context) -> None:
    names = [f"`{dotted(path)}`" for path in (*cycle, cycle[0])]
    first = table.drafts[cycle[0]]
    labels = [Label(table.drafts[path].given, f"`{dotted(path)}`") for path in cycle[1:]]
    help: tuple[str, ...] = ()
    if len(cycle) == 1:
        help = ("a value that names a key gets its last value, which is this one itself",)
    context.diagnostics.error(
        "XP031",
        first.given,
        f"{names[0]} is defined by itself: {' → '.join(names)}",
        "the cycle closes here",
        labels=labels,
        help=help,
    )


def infer_types(table: KeyTable, codes: Mapping[Path, Code]) -> None:
    """Give each key that a derived value made the type which that value has over the config's other values."""
    found: dict[Path, Value | None] = {}
    for path, draft in table.drafts.items():
        if draft.type == "any" and isinstance(draft.value, Late) and path in codes:
            value = _value(path, table, codes, found, [])
            if not isinstance(value, Unknown):
                table.drafts[path] = Draft(type_of(value), draft.value, draft.given, draft.first)


def _value(
    path: Path, table: KeyTable, codes: Mapping[Path, Code], found: dict[Path, Value], trail: list[Path]
) -> Value | Unknown:
    """Give a key's value over the config alone; unknown if another key is missing, or if it can't be evaluated."""
    if path in found:
        return found[path]
    if path in table.groups:
        return _group(path, table, codes, found, trail)
    draft = table.drafts.get(path)
    if draft is None or path in trail:
        return Unknown()
    if not isinstance(draft.value, Late):
        return draft.value
    if path not in codes:
        return Unknown()
    arguments: list[Value] = []
    for name in codes[path].names:
        value = _value(name, table, codes, found, [*trail, path])
        if isinstance(value, Unknown):
            return value
        arguments.append(value)
    try:
        found[path] = codes[path].call(arguments)
    except EvaluationError:  # it shows at the points where it matters; here it only leaves the type open
        return Unknown()
    return found[path]


def _group(
    path: Path, table: KeyTable, codes: Mapping[Path, Code], found: dict[Path, Value], trail: list[Path]
) -> Value | Unknown:
    whole: dict[str, Value] = {}
    for key in table.drafts:
        if key[: len(path)] == path:
            value = _value(key, table, codes, found, trail)
            if isinstance(value, Unknown):
                return value
            put(whole, key[len(path) :], value)
    return whole
