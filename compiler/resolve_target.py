"""Target blocks to the places where runs may go: this machine or a cluster, under one name or several."""

from __future__ import annotations

from collections.abc import Sequence
from types import EllipsisType
from typing import Final, Literal, cast

from ..grammar import tree
from ..grammar.source import Span
from .backends.native import checked, known
from .context import Context
from .evaluate import EvaluationError
from .fault import report
from .nearest import did_you_mean
from .resolve_resources import checked_resource
from .study import Target
from .target_options import OPTIONS, checked_option
from .values import Path, Value, dotted

Kind = Literal["local", "oar", "slurm"]

KINDS: Final[tuple[Kind, ...]] = ("local", "oar", "slurm")
LIMITS: Final = ("cpus", "gpus", "memory")
SCHEDULERS: Final = ("oar", "slurm")
SLURM_ARRAY: Final = 1001  # SLURM's own default of MaxArraySize


def resolve_targets(context: Context, chosen: str | None) -> dict[str, Target]:
    """Give the targets by name, those of each kind that need no block included; *chosen* must be one of them."""
    targets: dict[str, Target] = {kind: _finished(kind, kind, {}, (), {}, {}) for kind in KINDS}
    for name, block in context.definitions.targets.items():
        lineage = _lineage(block, context)
        if lineage is not None:
            kind, blocks = lineage
            targets[name] = _Reader(kind, context).target(name, blocks)
    _check_chosen(chosen, targets, context)
    return targets


def _check_chosen(chosen: str | None, found: dict[str, Target], context: Context) -> None:
    if chosen is None or chosen in found or chosen in context.definitions.targets:
        return
    if ("target", chosen) not in context.definitions.broken:
        names = list(dict.fromkeys([*found, *context.definitions.targets]))
        help = did_you_mean(chosen, names) or (f"there are: {', '.join(names)}",)
        context.diagnostics.error("XP020", None, f"unknown target `{chosen}`", help=help)


def _lineage(block: tree.Target, context: Context) -> tuple[Kind, list[tree.Target]] | None:
    """Give the kind of a target and the blocks that make it, the first one first."""
    blocks = [block]
    while True:
        base = blocks[0].base
        targets = context.definitions.targets
        if base.text in KINDS:
            return base.text, blocks
        if base.text not in targets:
            context.known("target", base, {**dict.fromkeys(KINDS), **targets})
            return None
        if targets[base.text] in blocks:
            context.diagnostics.error("XP032", block.base.span, f"target `{base.text}` is made from itself", "a cycle")
            return None
        blocks.insert(0, targets[base.text])


def _finished(
    name: str,
    kind: Kind,
    options: dict[str, Value],
    setup: tuple[tree.Text, ...],
    native: dict[str, Value],
    spans: dict[str, Span],
) -> Target:
    if kind == "slurm":
        options.setdefault("max_array", SLURM_ARRAY)
    return Target(name, kind, options, setup, native, spans)


class _Reader:
    """Reads the blocks of one target; a later line wins, ``setup`` lines add up."""

    def __init__(self, kind: Kind, context: Context) -> None:
        self.kind = kind
        self.context = context
        self.options: dict[str, Value] = {}
        self.native: dict[str, Value] = {}
        self.spans: dict[str, Span] = {}
        self.setup: list[tree.Text] = []

    def target(self, name: str, blocks: Sequence[tree.Target]) -> Target:
        for block in blocks:
            self._items(block.body, ())
        return _finished(name, self.kind, self.options, tuple(self.setup), self.native, self.spans)

    def _items(self, items: Sequence[tree.TargetItem], prefix: Path) -> None:
        for item in items:
            match item:
                case tree.Setup(text=text):
                    self.setup.append(text)
                case tree.Assign(key=key, value=expr):
                    self._option((*prefix, *key.path), key.span, expr)
                case tree.KeyGroup(key=key, body=body):
                    self._items(cast("Sequence[tree.TargetItem]", body), (*prefix, *key.path))

    def _option(self, path: Path, span: Span, expr: tree.Expr) -> None:
        scheduler, name = (path[0], path[-1]) if len(path) == 2 and path[0] in SCHEDULERS else ("", dotted(path))
        long = known(scheduler, name, span, self.context.diagnostics) if scheduler else name
        if long is None or not (scheduler or self._taken(name, span)):
            return
        value = self.context.constant(expr, "a target's option")
        if isinstance(value, EllipsisType):
            return
        try:
            if scheduler:
                self._keep(scheduler, long, checked(scheduler, long, value, expr.span), expr.span)
            elif name in LIMITS:
                self.options[name] = checked_resource(name, value, expr.span)
            else:
                self.options[name] = checked_option(name, value, expr.span)
                self.spans[name] = expr.span
        except EvaluationError as error:
            report(error, self.context.diagnostics)

    def _keep(self, scheduler: str, name: str, value: Value, span: Span) -> None:
        """Keep an option of the target's own scheduler; another's is checked and not used."""
        if scheduler == self.kind:
            self.native[name] = value
            self.spans[f"{scheduler}.{name}"] = span

    def _taken(self, name: str, span: Span) -> bool:
        """Tell whether targets of this kind take an option; else that is reported."""
        here = [*(LIMITS if self.kind == "local" else ()), *(n for n, o in OPTIONS.items() if self.kind in o.kinds)]
        if name in here:
            return True
        diagnostics = self.context.diagnostics
        if name in OPTIONS:
            places = " and ".join(kind.upper() for kind in OPTIONS[name].kinds)
            message = f"`{name}` is an option of {places}, and this target is {_NAMES[self.kind]}"
            diagnostics.error("XP142", span, message, "not here", help=OPTIONS[name].elsewhere.get(self.kind, ()))
            return False
        takes = f"{_TARGETS[self.kind]} takes {', '.join(sorted(here))}"
        native = f", and `{self.kind}.OPTION`" if self.kind in SCHEDULERS else ""
        help = did_you_mean(name, here) or (takes + native,)
        diagnostics.error("XP141", span, f"unknown option `{name}`", "not here", help=help)
        return False


_NAMES: Final = {"local": "this machine", "oar": "OAR", "slurm": "SLURM"}
_TARGETS: Final = {"local": "a local target", "oar": "an OAR target", "slurm": "a SLURM target"}
