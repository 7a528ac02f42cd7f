"""One experiment's directives to the experiment itself: its keys, grid, resources, files and metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import EllipsisType
from typing import Literal

from ..grammar import tree
from ..grammar.diagnostic import Label
from ..grammar.source import Span
from .context import Context
from .derived import find_cycles, infer_types
from .directives import Directives
from .grid_draws import whole_number
from .grid_keys import GridReader
from .keys import Draft, KeyTable, Late, Set, Unknown, fitted, unknown_key
from .nearest import did_you_mean
from .resolve_config import ConfigReader
from .resolve_environment import resolve_environment
from .resolve_files import resolve_code, resolve_files, resolve_metrics, resolve_metrics_files, resolve_writable
from .resolve_grid import GridResolver
from .resolve_life import resolve_checkpoint, resolve_pack
from .resolve_resources import resolve_resources
from .scope import Scope
from .study import After, Axis, Code, Experiment, KeyValue
from .values import ABSENT, Absent, Path, Value, dotted, type_of

ResourceScope = Callable[[Mapping[str, tree.Expr]], Scope]

WORKDIRS = ("links", "copy", "snapshot", "project")
_BLOCKS = ("config", "grid", "resources", "environment")


@dataclass(slots=True)
class Built:
    """What others need to know of an experiment. A *faulty* one has been reported: its keys and texts are those that
    could be read, and it has no points."""

    experiment: Experiment | None
    table: KeyTable
    types: KeyTable  # the table, and the keys of named configs beside it
    axes: dict[Path, Span]
    scope: Scope
    config: str  # as messages name the owner of its keys
    closed: bool
    whole: bool
    faulty: bool = False


class ExperimentResolver:
    """Resolves experiments one after another, parents first."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.configs = ConfigReader(context)
        self.grids = GridReader(context)
        self.built: dict[str, Built] = {}

    def resolve(self, directives: Directives, settings: Mapping[Path, Value]) -> Built:
        """Give an experiment; its parents (``after``) have been resolved."""
        errors = self.context.diagnostics.errors
        parts = _Parts(self, directives)
        built = parts.build(settings)
        if self.context.diagnostics.errors > errors or not built.whole or directives.lost:
            built.faulty = True
        self.built[directives.block.name.text] = built
        return built


class _Parts:
    """One experiment on its way."""

    def __init__(self, resolver: ExperimentResolver, directives: Directives) -> None:
        self.resolver = resolver
        self.context = resolver.context
        self.directives = directives
        self.name = directives.block.name.text
        self.whole = directives.whole
        self.used: set[str] = set()
        self.after = self._after()
        self.inherited = self._inherited_axes()
        use = directives.one(tree.UseGrid)
        self.grid = use.grid if use is not None else None
        self.grid_keys = resolver.grids.keys(self.grid)
        self.whole = self.whole and self.grid_keys.whole

    # -------------------------------------------------------------- keys

    def build(self, settings: Mapping[Path, Value]) -> Built:
        table, owner, closed = self._table()
        own = self._own(table, owner, closed)
        types = self._types(table)
        self.whole = self.whole and (closed or self.grid_keys.known)
        axes = {**self.inherited, **self.grid_keys.axes, **{p: r.span for p, r in self.directives.repeats.items()}}
        self._axes_given_again()
        scope = self.context.scope(
            keys=[*types.drafts, *self._parents_keys(), *axes], owner=owner, silent=not self.whole
        )
        codes = self._codes(table, scope)
        find_cycles(table, codes, scope, self.context)
        infer_types(table, codes)
        infer_types(types, codes)
        built = Built(None, table, types, axes, scope, owner, closed, self.whole)
        built.experiment = self._experiment(built, own, codes, settings)
        built.whole = self.whole
        return built

    def _table(self) -> tuple[KeyTable, str, bool]:
        """Give the config's keys, who owns them in messages, and whether there are no others."""
        use = self.directives.one(tree.UseConfig)
        configs = self.context.definitions.configs
        if use is not None:
            if not self.context.known("config", use.name, configs):
                self.whole = False
                return KeyTable(), "", False
            config = configs[use.name.text]
            self.used = {each.name.text for each in self.resolver.configs.lineage(config)[0]}
            table, whole = self.resolver.configs.table(config)
            self.whole = self.whole and whole
            return table, f"config `{use.name.text}`", whole
        for after in self.after:
            parent = self.resolver.built[after.experiment]
            self.whole = self.whole and parent.whole
            return KeyTable(parent.table), parent.config, parent.closed
        if self.grid_keys.configs:
            return KeyTable(), "config " + ", ".join(f"`{w.text}`" for w in self.grid_keys.configs), True
        return KeyTable(), f"experiment `{self.name}`", False

    def _own(self, table: KeyTable, owner: str, closed: bool) -> tuple[Path, ...]:
        """Set the experiment's own values over its config's."""
        known = self._types(table)
        found: dict[Path, None] = {}
        own = [item for item in self.directives.own if not self._is_block(item, known)]
        layer = self.resolver.configs.body(own)
        self.whole = self.whole and layer.whole
        for given in layer.sets:
            if closed and not known.knows(given.path) and given.path not in self.grid_keys.new:
                unknown_key(given.path, given.key_span, owner, known.names(), self.context.diagnostics)
                continue
            self._own_over_axis(given, table)
            table.put(given, self.context.diagnostics)
            found[given.path] = None
        return tuple(found)

    def _is_block(self, item: tree.Assign | tree.KeyGroup, known: KeyTable) -> bool:
        """Report a block of the top level inside the experiment, unless its name is that of a group of keys."""
        word = item.key.span.text
        if not isinstance(item, tree.KeyGroup) or word not in _BLOCKS or known.knows(item.key.path):
            return False
        self.context.diagnostics.error(
            "XP011",
            item.key.span,
            f"`{word}` stands at the top level, not in an experiment",
            "",
            help=f"write `{word} NAME:` at the start of a line, and `{word} NAME` here",
        )
        return True

    def _own_over_axis(self, given: Set, table: KeyTable) -> None:
        name = dotted(given.path)
        if given.path in self.inherited:
            self._again(given.path, given.key_span)
        elif isinstance(given.value, list) and given.path in self.grid_keys.axes and given.path not in table.drafts:
            self.context.diagnostics.warning(
                "XP044",
                given.span,
                f"`{name}` has this list as its one value",
                "one value",
                help=f"for an axis write `{name} in {given.span.text}` in a grid",
            )

    def _types(self, table: KeyTable) -> KeyTable:
        """Give the keys with those that ``config in [a, b]`` adds."""
        if not self.grid_keys.configs:
            return table
        types = KeyTable(table)
        configs = self.context.definitions.configs
        for word in self.grid_keys.configs:
            if word.text in configs:
                for config in self.resolver.configs.lineage(configs[word.text])[0]:
                    if config.name.text not in self.used:
                        for given in self.resolver.configs.layer(config).sets:
                            types.put(given, self.context.diagnostics)
        return types

    def _codes(self, table: KeyTable, scope: Scope) -> dict[Path, Code]:
        """Compile every value that names other keys, now that it is known which there are."""
        codes: dict[Path, Code] = {}
        for path, draft in list(table.drafts.items()):
            if isinstance(draft.value, Late):
                code = self.context.compile(draft.value.expr, scope)
                if code is not None and code.names:
                    codes[path] = code
                elif code is not None:
                    table.drafts[path] = self._settled(path, draft, code.call(()))
            elif isinstance(draft.value, Unknown):
                self.context.diagnostics.errors += 1
        return codes

    def _settled(self, path: Path, draft: Draft, value: Value) -> Draft:
        """Give a key whose value named ``let``s alone, and so is known after all."""
        given = Set(path, draft.given, value, draft.given)
        kind = type_of(value) if draft.type == "any" and draft.first == draft.given else draft.type
        return Draft(kind, fitted(given, kind, draft.first, self.context.diagnostics), draft.given, draft.first)

    # -------------------------------------------------------------- parents

    def _after(self) -> list[After]:
        found: list[After] = []
        seen: dict[str, Span] = {}
        for item in self.directives.all(tree.After):
            name = item.experiment.text
            parent = self.resolver.built.get(name)
            if parent is None:  # unknown, or in a cycle; that has been reported
                self.whole = False
                continue
            if name in seen:
                labels = [Label(seen[name], "it was first named here")]
                message = f"`{name}` is named by `after` twice"
                self.context.diagnostics.error("XP038", item.span, message, "again", labels=labels)
                continue
            seen[name] = item.span
            for key in item.by:
                if key.path not in parent.axes and not parent.scope.is_key(key.path) and parent.whole:
                    owner = f"experiment `{name}`"
                    names = [dotted(path) for path in parent.axes]
                    unknown_key(key.path, key.span, owner, names, self.context.diagnostics)
            found.append(After(name, item.all, tuple(key.path for key in item.by), item.span))
            self.whole = self.whole and parent.whole and not parent.faulty
        return found

    def _inherited_axes(self) -> dict[Path, Span]:
        axes: dict[Path, Span] = {}
        for after in self.after:
            parent = self.resolver.built[after.experiment].axes
            axes.update({path: span for path, span in parent.items() if not after.all or path in after.by})
        return axes

    def _parents_keys(self) -> list[Path]:
        found: list[Path] = []
        for after in self.after:
            parent = self.resolver.built[after.experiment]
            found.extend(path for path in parent.scope.keys if not after.all or path in after.by)
        return found

    def _axes_given_again(self) -> None:
        grid = self.directives.one(tree.UseGrid)
        same: list[Path] = []  # the very axes of the parent, by a grid that both name
        for path, span in self.grid_keys.axes.items():
            if self.inherited.get(path) == span:
                same.append(path)
            elif path in self.inherited:
                self._again(path, span)
        if same and grid is not None:
            names = ", ".join(f"`{dotted(path)}`" for path in same)
            what = "is an axis" if len(same) == 1 else "are axes"
            self.context.diagnostics.error(
                "XP043",
                grid.span,
                f"{names} {what} of the parent, and its runs have their values already",
                "set again",
                labels=[Label(self.inherited[path], "the parent's axis") for path in same],
                help="a run has the point of its parent: name only grids with axes of its own here",
            )
        for path, item in self.directives.repeats.items():
            if path in self.inherited:
                self._again(path, item.span)

    def _again(self, path: Path, span: Span) -> None:
        name = dotted(path)
        self.context.diagnostics.error(
            "XP043",
            span,
            f"`{name}` is an axis of the parent, and its runs have their values already",
            "set again",
            labels=[Label(self.inherited[path], "the parent's axis")],
        )

    # -------------------------------------------------------------- the rest

    def _experiment(
        self, built: Built, own: tuple[Path, ...], codes: dict[Path, Code], settings: Mapping[Path, Value]
    ) -> Experiment | None:
        context, directives, scope = self.context, self.directives, built.scope
        grid = None
        if self.grid is not None:
            grid = GridResolver(
                context,
                self.resolver.configs,
                self.resolver.grids,
                built.types,
                scope,
                closed=built.closed and self.whole,
                new=set(self.grid_keys.new),
                used=self.used,
            ).expression(self.grid)
            self.whole = self.whole and grid is not None
        run = directives.one(tree.Run)
        if run is None:
            self._without_run()
        repeats, folds = self._repeats(built.types)
        inputs, outputs = resolve_files(directives, context)
        return Experiment(
            name=self.name,
            span=directives.block.span,
            keys=_keys(built.table, codes),
            open=not built.closed,
            own=own,
            overrides=settings,
            grid=grid,
            repeats=repeats,
            folds=folds,
            after=tuple(self.after),
            resources=resolve_resources(directives.one(tree.UseResources), self._resource_scope(scope), context),
            environment=resolve_environment(directives.one(tree.UseEnvironment), scope, context),
            run=None if run is None else run.text,
            workdir=self._workdir(),
            inputs=inputs,
            outputs=outputs,
            writable=resolve_writable(directives, context),
            metrics_files=resolve_metrics_files(directives, context),
            metrics=resolve_metrics(directives, context),
            retries=self._retries(),
            checkpoint=resolve_checkpoint(directives, context),
            pack=resolve_pack(directives, context),
            ignore=self._ignore(built),
            code=resolve_code(directives, context),
            tags=self._tags(),
        )

    def _without_run(self) -> None:
        definitions, name = self.context.definitions, self.name
        is_parent = any(name == word.text for each in definitions.experiments.values() for word in each.parents)
        if is_parent or "run" in self.directives.lost or not self.directives.whole:
            self.context.diagnostics.errors += not is_parent
            return
        message = f"experiment `{name}` has no `run`"
        self.context.diagnostics.error(
            "XP054", self.directives.block.name.span, message, "runs nothing", help='write `run "python train.py …"`'
        )

    def _resource_scope(self, scope: Scope) -> ResourceScope:
        def add(fields: Mapping[str, tree.Expr]) -> Scope:
            return self.context.scope(
                keys=scope.keys, owner=scope.owner, silent=scope.silent, fields=fields, extra=("attempt",)
            )

        return add

    def _repeats(self, types: KeyTable) -> tuple[tuple[Axis, ...], int | None]:
        axes: list[Axis] = []
        folds: int | None = None
        for path, item in self.directives.repeats.items():
            count = whole_number(item.count, f"the number of `{item.kind}`", 1, 1_000_000, self.context)
            if count is None:
                continue
            draft = types.drafts.get(path)
            values: list[Value] = list(range(count))
            if draft is not None and draft.type == "float":
                values = [float(i) for i in range(count)]
            elif draft is not None and draft.type not in ("int", "any"):
                span = item.key.span if item.key is not None else item.span
                fitted(Set(path, span, 0, span), draft.type, draft.first, self.context.diagnostics)
            axes.append(Axis((path,), (values,), False, item.span))
            folds = count if item.kind == "folds" else folds
        if folds is None and ("folds",) not in types.drafts:
            folds = self._parents_folds()
        return tuple(axes), folds

    def _parents_folds(self) -> int | None:
        """Give how many folds there are in the first parent that has folds."""
        parents = (self.resolver.built[after.experiment].experiment for after in self.after)
        return next((parent.folds for parent in parents if parent is not None and parent.folds is not None), None)

    def _workdir(self) -> Literal["links", "copy", "snapshot", "project"]:
        item = self.directives.one(tree.Workdir)
        if item is None:
            return "links"
        match item.mode.text:
            case "links" | "copy" | "snapshot" | "project" as mode:
                return mode
            case mode:
                help = did_you_mean(mode, WORKDIRS) or (f"there are {', '.join(WORKDIRS)}",)
                message = f"unknown working directory `{mode}`"
                self.context.diagnostics.error("XP045", item.mode.span, message, "no such mode", help=help)
                return "links"

    def _retries(self) -> int:
        item = self.directives.one(tree.Retries)
        if item is None:
            return 0
        return whole_number(item.count, "the number of retries", 0, 1000, self.context) or 0

    def _ignore(self, built: Built) -> tuple[tuple[Path, Value | Absent], ...]:
        found: list[tuple[Path, Value | Absent]] = []
        names = [dotted(path) for path in (*built.scope.keys, *built.scope.groups)]
        for item in self.directives.all(tree.Ignore):
            for key in item.keys:
                known = built.scope.is_key(key.path) or built.scope.is_group(key.path)
                if not known and self.whole:
                    unknown_key(key.path, key.span, built.config, names, self.context.diagnostics)
                elif item.value is None:
                    found.extend((path, ABSENT) for path in built.scope.below(key.path) or (key.path,))
                else:
                    found.extend(self._ignored_value(key, item.value, built))
        return tuple(found)

    def _ignored_value(self, key: tree.Key, expr: tree.Expr, built: Built) -> Sequence[tuple[Path, Value]]:
        value = self.context.constant(expr, "an ignored value", built.scope)
        if isinstance(value, EllipsisType):
            return ()
        draft = built.types.drafts.get(key.path)
        if draft is not None:
            fit = fitted(Set(key.path, key.span, value, expr.span), draft.type, draft.first, self.context.diagnostics)
            return () if isinstance(fit, Late | Unknown) else ((key.path, fit),)
        return ((key.path, value),)

    def _tags(self) -> tuple[str, ...]:
        texts = [text for item in self.directives.all(tree.Tags) for text in item.tags]
        found = [self.context.text(text, "a tag") for text in texts]
        return tuple(dict.fromkeys(tag for tag in found if tag is not None))


def _keys(table: KeyTable, codes: Mapping[Path, Code]) -> dict[Path, KeyValue]:
    keys: dict[Path, KeyValue] = {}
    for path, draft in table.drafts.items():
        value = codes.get(path) if isinstance(draft.value, Late) else draft.value
        if not isinstance(value, Late | Unknown) and (value is not None or draft.value is None):
            keys[path] = KeyValue(path, draft.type, value, draft.given, draft.first)
    return keys
