"""Target blocks to the places where runs may go: this machine, under one name or several."""

from __future__ import annotations

from types import EllipsisType

from ..grammar import tree
from .context import Context
from .evaluate import EvaluationError
from .fault import report
from .nearest import did_you_mean
from .resolve_resources import checked_resource
from .study import Target
from .values import Value, dotted

KINDS = ("local", "oar", "slurm")
LIMITS = ("cpus", "gpus", "memory")


def resolve_targets(context: Context, chosen: str | None) -> dict[str, Target]:
    """Give the targets on this machine by name; *chosen* must be one of them."""
    found = {"local": Target("local", "local", {}, ())}
    for name, block in context.definitions.targets.items():
        kind = _kind(block, context)
        if kind == "local":
            found[name] = _target(block, context)
        elif kind is not None and name == chosen:
            message = f"target `{name}` runs on {kind.upper()}, which this version does not support"
            context.diagnostics.error("XP142", block.base.span, message, "only `local`")
    _check_chosen(chosen, found, context)
    return found


def _check_chosen(chosen: str | None, found: dict[str, Target], context: Context) -> None:
    if chosen is None or chosen in found or chosen in context.definitions.targets:
        return
    if chosen in KINDS:
        message = f"target `{chosen}` is not supported by this version"
        context.diagnostics.error("XP142", None, message)
    elif ("target", chosen) not in context.definitions.broken:
        names = list(dict.fromkeys([*found, *context.definitions.targets]))
        help = did_you_mean(chosen, names) or (f"there are: {', '.join(names)}",)
        context.diagnostics.error("XP020", None, f"unknown target `{chosen}`", help=help)


def _kind(block: tree.Target, context: Context) -> str | None:
    """Give the kind of a target, through the targets that it is made from."""
    seen: list[str] = []
    base = block.base
    while base.text not in KINDS:
        targets = context.definitions.targets
        if base.text in seen:
            context.diagnostics.error("XP032", block.base.span, f"target `{base.text}` is made from itself", "a cycle")
            return None
        if base.text not in targets:
            context.known("target", base, {**dict.fromkeys(KINDS), **targets})
            return None
        seen.append(base.text)
        base = targets[base.text].base
    return base.text


def _target(block: tree.Target, context: Context) -> Target:
    options: dict[str, Value] = {}
    setup: list[tree.Text] = []
    for item in block.body:
        match item:
            case tree.Setup(text=text):
                setup.append(text)
            case tree.Assign(key=key, value=expr):
                name = dotted(key.path)
                if name not in LIMITS:
                    help = did_you_mean(name, LIMITS) or (f"a local target takes {', '.join(LIMITS)}",)
                    context.diagnostics.error("XP141", key.span, f"unknown option `{name}`", "not here", help=help)
                    continue
                value = context.constant(expr, "a target's option")
                if isinstance(value, EllipsisType):
                    continue
                try:
                    options[name] = checked_resource(name, value, expr.span)
                except EvaluationError as error:
                    report(error, context.diagnostics)
            case tree.KeyGroup(key=key):
                message = f"unknown option `{dotted(key.path)}`"
                context.diagnostics.error("XP141", key.span, message, "not here")
    return Target(block.name.text, "local", options, tuple(setup))
