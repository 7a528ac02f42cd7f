"""The texts of ``--set key=value`` to values that win over everything, in each experiment that has the key."""

from __future__ import annotations

from collections.abc import Sequence

from ..grammar.diagnostic import Diagnostics
from ..grammar.node import Node
from ..grammar.parser import parse_literal, parse_setting
from ..grammar.source import Source, Span
from .context import Context
from .definitions import Definitions
from .directives import Directives
from .evaluate import compile_expression
from .keys import Set, Unknown, fitted
from .nearest import did_you_mean
from .read_cell import read_cell
from .resolve_experiment import Built, ExperimentResolver
from .scope import Scope
from .values import Path, Type, Value, dotted


class Setting(Node):
    """One ``--set``; *text* is what stands after the ``=``."""

    path: Path
    key_span: Span
    text: str
    span: Span


class Settings:
    """All settings, and which of them some experiment has taken."""

    def __init__(self, settings: Sequence[Setting], definitions: Definitions, context: Context) -> None:
        self._settings = settings
        self._experiments = frozenset(definitions.experiments)
        self._context = context
        self._taken: set[Setting] = set()

    def resolve(self, directives: Directives, resolver: ExperimentResolver) -> None:
        """Resolve one experiment and set its overrides."""
        overrides: dict[Path, Value] = {}
        built = resolver.resolve(directives, overrides)
        for setting in self._settings:
            path = self._path(setting, directives.block.name.text, built)
            if path is not None:
                self._taken.add(setting)
                value = self._value(setting, path, built)
                if not isinstance(value, Unknown):
                    overrides[path] = value

    def _path(self, setting: Setting, experiment: str, built: Built) -> Path | None:
        """Give the key of *experiment* that a setting means: its own name, or after the experiment's."""
        if built.scope.is_key(setting.path):
            return setting.path
        inner = setting.path[1:]
        return inner if setting.path[0] == experiment and inner and built.scope.is_key(inner) else None

    def _value(self, setting: Setting, path: Path, built: Built) -> Value | Unknown:
        draft = built.types.drafts.get(path)
        value = _read(setting, "any" if draft is None else draft.type, self._context.diagnostics)
        if draft is None or isinstance(value, Unknown):
            return value
        given = Set(path, setting.key_span, value, setting.span)
        return fitted(given, draft.type, draft.first, self._context.diagnostics)  # type: ignore[return-value]

    def finish(self, resolver: ExperimentResolver) -> None:
        """Report each setting that no experiment has a key for."""
        if not all(built.whole for built in resolver.built.values()):
            return
        for setting in self._settings:
            if setting in self._taken:
                continue
            name = dotted(setting.path)
            names = [dotted(key) for built in resolver.built.values() for key in built.scope.keys]
            groups = {group for built in resolver.built.values() for group in built.scope.groups}
            help = did_you_mean(name, names)
            if setting.path in groups:
                below = next(key for key in names if key.startswith(name + "."))
                message, help = f"`{name}` is a group of keys and takes no value", (f"set its keys: `--set {below}=…`",)
                self._context.diagnostics.error("XP050", setting.key_span, message, "a group", help=help)
            else:
                label = "no experiment has such a key"
                message = f"unknown config key `{name}`"
                self._context.diagnostics.error("XP021", setting.key_span, message, label, help=help)


def read_settings(texts: Sequence[str], definitions: Definitions, context: Context) -> Settings:
    """Part each text into its key and its value; what is no setting is reported."""
    found: dict[Path, Setting] = {}
    for text in texts:
        source = Source("--set", text)
        parted = parse_setting(source, context.diagnostics)
        if parted is not None:
            key, span = parted
            found[key.path] = Setting(key.path, key.span, span.text, span)
    return Settings(list(found.values()), definitions, context)


def _read(setting: Setting, wanted: Type, diagnostics: Diagnostics) -> Value | Unknown:
    """Read a value by its key's type; what starts like a literal of the language is one."""
    if wanted != "text" and setting.text[:1] in ('"', "'", "[", "{"):
        expr = parse_literal(Source("--set", setting.text), diagnostics)
        code = None if expr is None else compile_expression(expr, Scope(), diagnostics)
        return Unknown() if code is None else code.call(())
    return read_cell(setting.text, wanted)
