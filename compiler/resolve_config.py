"""The body of a config to the values that it sets, in order, files merged where they are named."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import EllipsisType

from ..grammar import tree
from ..grammar.diagnostic import Diagnostics
from ..grammar.source import Span
from .context import Context
from .keys import UNKNOWN, KeyTable, Late, Set, has_names
from .values import Path, Value


class Layer:
    """What one block sets. Not *whole*: a file or a name is missing, so keys may be."""

    __slots__ = ("sets", "whole")

    def __init__(self, sets: list[Set], whole: bool) -> None:
        self.sets = sets
        self.whole = whole


class ConfigReader:
    """Reads each config once, however many experiments use it."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._layers: dict[str, Layer] = {}

    def layer(self, config: tree.Config) -> Layer:
        name = config.name.text
        if name not in self._layers:
            broken = bool(self._context.lost("config", name))
            read = self.body(config.body)
            self._layers[name] = Layer(read.sets, read.whole and not broken)
        return self._layers[name]

    def seen(self, config: tree.Config) -> bool:
        """Tell whether some experiment has used the config."""
        return config.name.text in self._layers

    def lineage(self, config: tree.Config) -> tuple[list[tree.Config], bool]:
        """Give the config after all its ancestors, and whether all of them could be read."""
        configs, whole = self._context.lineage("config", config, self._context.definitions.configs)
        return configs, whole and all(self.layer(each).whole for each in configs)

    def table(self, config: tree.Config, diagnostics: Diagnostics | None = None) -> tuple[KeyTable, bool]:
        """Give the keys of a config with all it inherits, and whether they are all known."""
        table = KeyTable()
        configs, whole = self.lineage(config)
        for each in configs:
            for given in self.layer(each).sets:
                table.put(given, diagnostics or self._context.diagnostics)
        return table, whole

    def body(self, items: Sequence[tree.ConfigItem]) -> Layer:
        """Give what assignments, groups of keys and files set, below no key."""
        layer = Layer([], True)
        for item in items:
            self._item(item, (), layer)
        return layer

    def _item(self, item: tree.ConfigItem, prefix: Path, layer: Layer) -> None:
        match item:
            case tree.Assign(key=key, value=value):
                layer.sets.extend(self.assigned((*prefix, *key.path), key.span, value))
            case tree.KeyGroup(key=key, body=body):
                for inner in body:
                    self._item(inner, (*prefix, *key.path), layer)
            case tree.FromFile(path=text):
                path = self._context.text(text, "the path of a file")
                sets = None if path is None else self.file(path, text.span, prefix)
                layer.whole = layer.whole and sets is not None
                layer.sets.extend(sets or ())

    def assigned(self, path: Path, key_span: Span, expr: tree.Expr) -> Iterator[Set]:
        """Give what ``path = expr`` sets: a map sets each of its keys."""
        if isinstance(expr, tree.MapOf) and expr.items:
            for key, inner in expr.items:
                yield from self.assigned((*path, *key.path), key.span, inner)
        elif has_names(expr):
            yield Set(path, key_span, Late(expr), expr.span)
        else:
            yield from _spread(path, key_span, self._context.constant(expr, "a value"), expr.span)

    def file(self, path: str, span: Span, prefix: Path) -> list[Set] | None:
        """Give what a YAML file sets below *prefix*; nothing if it cannot be read, which is reported."""
        from .resolve_yaml import read_yaml

        return read_yaml(path, span, prefix, self._context)


def _spread(path: Path, key_span: Span, value: Value | EllipsisType, span: Span) -> Iterator[Set]:
    if isinstance(value, EllipsisType):
        yield Set(path, key_span, UNKNOWN, span)
    elif isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from _spread((*path, name), key_span, inner, span)
    else:
        yield Set(path, key_span, value, span)
