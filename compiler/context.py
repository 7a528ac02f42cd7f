"""What the parts of ``resolve`` share: the definitions, the world, where findings go."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping as AnyMapping
from types import EllipsisType
from typing import TYPE_CHECKING, Any, TypeVar

from ..grammar import tree
from ..grammar.diagnostic import Diagnostics, Label
from ..grammar.source import Span
from .definitions import Definitions
from .evaluate import compile_expression, constant
from .nearest import did_you_mean
from .scope import Scope, World
from .study import Code
from .values import Value

if TYPE_CHECKING:
    from .yaml_core import Mapping

Block = tree.Config | tree.Experiment | tree.Resources | tree.Environment
B = TypeVar("B", bound=Block)


_HARMLESS = frozenset(
    {
        "checkpoint",
        "code",
        "environment",
        "ignore",
        "input",
        "metric",
        "metrics",
        "output",
        "pack",
        "resources",
        "retries",
        "run",
        "tags",
        "workdir",
        "writable",
    }
)
"""Lines that give no keys: if one cannot be read, a key that nobody knows is a mistake all the same."""


class Once(Diagnostics):
    """A sink that takes one finding a place: what is read for several experiments is reported for the first."""

    __slots__ = ("_seen", "errors")

    def __init__(self, sink: Diagnostics) -> None:
        super().__init__(sink.found)
        self.errors = 0  # how often an error was met, those for a second time included
        self._seen = {self._place(d.code, d.span) for d in sink.found}

    def add(
        self,
        severity: Any,
        code: str,
        span: Span | None,
        message: str,
        label: str,
        labels: Iterable[Label],
        help: str | Iterable[str],
    ) -> None:
        place = self._place(code, span)
        self.errors += severity == "error"
        if span is None or place not in self._seen:
            self._seen.add(place)
            super().add(severity, code, span, message, label, labels, help)

    @staticmethod
    def _place(code: str, span: Span | None) -> tuple[str, int, int, int]:
        return (code, 0, 0, 0) if span is None else (code, id(span.source), span.start, span.end)


class Context:
    """One resolution. *constants* keeps the values of ``let``s that name no key."""

    def __init__(self, definitions: Definitions, world: World, diagnostics: Diagnostics) -> None:
        self.definitions = definitions
        self.world = world
        self.diagnostics = Once(diagnostics)
        self.constants: dict[str, Value] = {}
        self.yaml: dict[str, Mapping | None] = {}  # files read so far; none for one with a fault

    def scope(self, **more: Any) -> Scope:
        """Give a scope with the file's ``let``s; further fields as ``Scope`` takes them."""
        return Scope(lets=self.definitions.lets, world=self.world, constants=self.constants, **more)

    def compile(self, expr: tree.Expr, scope: Scope) -> Code | None:
        return compile_expression(expr, scope, self.diagnostics)

    def constant(self, expr: tree.Expr, what: str, scope: Scope | None = None) -> Value | EllipsisType:
        return constant(expr, scope or self.scope(), self.diagnostics, what)

    def text(self, text: tree.Text, what: str) -> str | None:
        """Give the characters of a directive's text, which may name ``let``s but no keys."""
        value = self.constant(text, what)
        return value if isinstance(value, str) else None

    def known(self, kind: str, word: tree.Word, blocks: AnyMapping[str, object]) -> bool:
        """Tell whether a name is defined; an unknown one is reported, one whose definition is broken is not."""
        if word.text in blocks:
            return True
        if self.definitions.whole and (kind, word.text) not in self.definitions.broken:
            help = did_you_mean(word.text, blocks)
            if not help and not blocks:
                help = (f"define it: `{kind} {word.text}:`",)
            self.diagnostics.error("XP020", word.span, f"unknown {kind} `{word.text}`", f"no such {kind}", help=help)
        else:
            self.diagnostics.errors += 1
        return False

    def lost(self, kind: str, name: str) -> frozenset[str]:
        """Give the first words of a block's unreadable lines; an empty one stands for its header."""
        found = (k.partition(".") for k, n in self.definitions.broken if n == name)
        return frozenset(word for block, _, word in found if block == kind)

    def lineage(self, kind: str, block: B, blocks: AnyMapping[str, B]) -> tuple[list[B], bool]:
        """Give a block after everything it inherits from, each once, parents left to right; and whether all is known.

        A block that two parents share stands once, before both: what one of them overrides stays overridden.
        """
        order: dict[str, B] = {}
        whole = self._visit(kind, block, blocks, order, [])
        return list(order.values()), whole

    def _visit(self, kind: str, block: B, blocks: AnyMapping[str, B], order: dict[str, B], path: list[str]) -> bool:
        name = block.name.text
        if name in order:
            return True
        whole = self.lost(kind, name) <= _HARMLESS
        for parent in block.parents:
            if parent.text in (*path, name):
                self._circular(kind, parent, [*path, name])
                whole = False
            elif self.known(kind, parent, blocks):
                whole = self._visit(kind, blocks[parent.text], blocks, order, [*path, name]) and whole
            else:
                whole = False
        order[name] = block
        return whole

    def _circular(self, kind: str, parent: tree.Word, path: list[str]) -> None:
        cycle = " → ".join(f"`{n}`" for n in [*path[path.index(parent.text) :], parent.text])
        first = min(path[path.index(parent.text) :])
        if path[0] == first or parent.text == first:
            self.diagnostics.error("XP032", parent.span, f"{kind} `{parent.text}` inherits from itself", cycle)
