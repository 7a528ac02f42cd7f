"""Resources blocks to what one run asks for: constants checked now, the rest when a point's values are known."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import EllipsisType
from typing import Any, Final

from ..grammar import tree
from ..grammar.node import Node
from ..grammar.source import Span
from .backends.native import checked, known
from .context import Context
from .evaluate import EvaluationError
from .fault import fault, report
from .nearest import did_you_mean
from .scope import Scope
from .study import Code, Resources
from .types import label, named
from .values import Path, Value, dotted


class Field(Node):
    """What a resource takes: *kind* is ``int``, ``size`` or ``duration``, *least* the least value."""

    kind: str
    least: float
    example: str


FIELDS: Final[dict[str, Field]] = {
    "cpus": Field("int", 1, "4"),
    "disk": Field("size", 1, "10GiB"),
    "gpus": Field("int", 0, "1"),
    "memory": Field("size", 1, "4GiB"),
    "nodes": Field("int", 1, "1"),
    "tasks": Field("int", 1, "1"),
    "time": Field("duration", 0.001, "30min"),
}
MOST: Final = 2**53
SCHEDULERS: Final = ("slurm", "oar")
_RENAMED: Final = {"mem": "memory", "ram": "memory", "ntasks": "tasks", "walltime": "time", "timeout": "time"}
_OF_SLURM: Final = ("account", "constraint", "exclude", "gres", "nodelist", "partition", "qos", "reservation")
_OF_OAR: Final = ("property", "queue")
_NAMED: Final = {"duration": "a duration", "int": "an int", "size": "a size"}


class Entry(Node):
    path: Path
    key_span: Span
    expr: tree.Expr


def resolve_resources(
    use: tree.UseResources | None, scope_of: Callable[[Mapping[str, tree.Expr]], Scope], context: Context
) -> Resources:
    """Give the resources that an experiment uses with what they inherit; the defaults without one.

    *scope_of* makes the scope of an experiment's keys with the block's own fields added.
    """
    blocks = context.definitions.resources
    if use is None or not context.known("resources", use.name, blocks):
        return Resources()
    lineage, _ = context.lineage("resources", blocks[use.name.text], blocks)
    entries: dict[Path, Entry] = {}
    for block in lineage:
        for entry in _entries(block.body, ()):
            path = _known(entry, context)
            if path is not None:
                entries[path] = entry
    fields = {path[0]: entry.expr for path, entry in entries.items() if len(path) == 1}
    return _build(entries, scope_of(fields), context)


def _entries(items: Sequence[Any], prefix: Path) -> list[Entry]:
    found: list[Entry] = []
    for item in items:
        match item:
            case tree.Assign(key=key, value=value):
                found.append(Entry((*prefix, *key.path), key.span, value))
            case tree.KeyGroup(key=key, body=body):
                found.extend(_entries(body, (*prefix, *key.path)))
    return found


def _known(entry: Entry, context: Context) -> Path | None:
    """Give the path of a resource or of a scheduler's option by its long name; an unknown one is reported."""
    path = entry.path
    if path[0] in SCHEDULERS and len(path) == 2:
        long = known(path[0], path[1], entry.key_span, context.diagnostics)
        return None if long is None else (path[0], long)
    if len(path) == 1 and path[0] in FIELDS:
        return path
    name = dotted(path)
    help = (
        _elsewhere(name)
        or did_you_mean(name, FIELDS)
        or (f"there are {', '.join(FIELDS)}, and `slurm.OPTION`, `oar.OPTION`",)
    )
    context.diagnostics.error("XP141", entry.key_span, f"unknown resource `{name}`", "no such resource", help=help)
    return None


def _elsewhere(name: str) -> tuple[str, ...]:
    """Give the help for a resource as other tools call it, and for an option without its scheduler."""
    if name in _RENAMED:
        return (f"did you mean `{_RENAMED[name]}`?",)
    scheduler = "slurm" if name in _OF_SLURM else "oar" if name in _OF_OAR else ""
    return (f"write `{scheduler}.{name} = …`",) if scheduler else ()


def _build(entries: Mapping[Path, Entry], scope: Scope, context: Context) -> Resources:
    values: dict[str, Any] = {}
    options: dict[str, dict[str, Value | Code]] = {}
    spans: dict[str, Span] = {}
    for path, entry in entries.items():
        code = context.compile(entry.expr, scope)
        if code is None:
            continue
        spans[".".join(path)] = entry.expr.span
        if len(path) == 1:
            value = _resource(path[0], code, context)
            if value is not None:
                values[path[0]] = value
        else:
            option = _native(path[0], path[1], code, context)
            if not isinstance(option, EllipsisType):
                options.setdefault(path[0], {})[path[1]] = option
    return Resources(**values, options=options, spans=spans)


def _native(scheduler: str, name: str, code: Code, context: Context) -> Value | Code | EllipsisType:
    """Give a scheduler's option; ``...`` if it is wrong, which is reported. Null takes the target's own one back."""

    def call(values: Sequence[Value]) -> Value:
        return checked(scheduler, name, code.call(values), code.span)

    if code.names:
        return Code(code.names, call, code.span, code.expr)
    try:
        return call(())
    except EvaluationError as error:
        report(error, context.diagnostics)
        return ...


def _resource(name: str, code: Code, context: Context) -> int | float | Code | None:
    if code.names:
        return Code(
            code.names, lambda values: checked_resource(name, code.call(values), code.span), code.span, code.expr
        )
    try:
        found: int | float | None = checked_resource(name, code.call(()), code.span)
    except EvaluationError as error:
        report(error, context.diagnostics)
        return None
    return found


def checked_resource(name: str, value: Value, span: Span) -> Any:
    """Give a resource's value (an int; time: seconds), null where it is the default; raises ``EvaluationError``."""
    field = FIELDS[name]
    if value is None and name in ("disk", "memory", "time"):
        return None
    kind = "int" if type(value) is int else type(value).__name__.lower()
    if kind != field.kind:
        unit = f"write `{name} = {field.example}`" if field.kind != "int" else ""
        message = f"`{name}` is {_NAMED[field.kind]}, but this is {named(value)}"
        raise fault("XP140", span, message, label(value), help=unit or f"such as `{name} = {field.example}`")
    if not field.least <= value <= MOST:  # type: ignore[operator]  # a number, as its kind says
        few = value < field.least  # type: ignore[operator]
        least = "more than 0" if field.kind != "int" else f"at least {field.least:g}"
        bound = least if few else f"at most {MOST:,}"
        raise fault("XP140", span, f"`{name}` is {bound}", "out of bounds")
    return float(value) if field.kind == "duration" else int(value)  # type: ignore[arg-type]
