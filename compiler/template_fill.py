"""A placeholder to what stands in its place in each run: a part of a word, or any number of words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from ..grammar import tree
from ..grammar.diagnostic import Diagnostics
from . import template_keys as keys
from .evaluate import compile_expression
from .fault import EvaluationError
from .format import as_json
from .plan_distinct import Call, Cell, distinct
from .scope import Scope
from .study import Experiment
from .table import Table
from .template import Part, RunPart, Word
from .template_keys import Filled, Many, One
from .template_labels import Labels
from .template_names import EachPart, KeyName, LetName, Listed, Meaning, Names, OnePart
from .template_report import Reporter, shown
from .template_texts import Columns, Result, printed
from .values import Path


class Filler:
    """Fills the placeholders of one experiment's texts. Without a table it still finds what is wrong with them."""

    def __init__(
        self,
        experiment: Experiment,
        names: Names,
        scope: Scope,
        table: Table | None,
        labels: Labels,
        diagnostics: Diagnostics,
    ) -> None:
        self.experiment = experiment
        self.names = names
        self.scope = scope
        self.table = table
        self.labels = labels
        self.diagnostics = diagnostics
        self.report = Reporter(names, scope, diagnostics)
        self.columns = Columns(table, labels, experiment.span)

    def fill(self, placeholder: tree.Placeholder, *, shell: bool = True) -> Filled | None:
        """Give what stands for a placeholder; nothing if it is wrong, which is reported.

        Without a *shell* to cut the text of a ``:raw``, it is cut here.
        """
        expr = placeholder.expr
        if isinstance(expr, tree.Broken):
            return None
        if isinstance(expr, tree.Name):
            meanings = self.names.meanings(expr)
            if len(meanings) > 1:
                self.report.ambiguous(expr, meanings)
                return None
            if not meanings and self.report.unknown(expr):
                return None
            if meanings:
                return self._named(placeholder, expr, meanings[0], shell)
        return self._computed(placeholder)

    def _named(self, placeholder: tree.Placeholder, name: tree.Name, meaning: Meaning, shell: bool) -> Filled | None:
        match meaning:
            case KeyName(path, ()):
                is_group = self.scope.is_group(path) and not self.scope.is_key(path)
                return self._group(placeholder, path) if is_group else self._key(placeholder, path, shell)
            case KeyName() | LetName():
                return self._computed(placeholder)
            case OnePart(part):
                return self._special(placeholder, name, part)
            case EachPart(word):
                flag: tuple[Word, ...] = ((f"--{name.path[-1]}",),) if placeholder.spec == "flag" else ()
                return Many((*flag, word)) if self._takes(placeholder) else None
            case Listed(what):
                if placeholder.spec is not None:
                    self.report.spec(placeholder, f"`{what}` takes no format")
                    return None
                return keys.flags(self.columns, ()) if what == "args" else self._overrides()
            case _:
                assert_never(meaning)

    # -------------------------------------------------------------- what the run knows

    def _special(self, placeholder: tree.Placeholder, name: tree.Name, part: Part) -> Filled | None:
        if isinstance(part, RunPart) and part.name == "config" and placeholder.spec in ("yaml", "json"):
            return One(RunPart("config_yaml") if placeholder.spec == "yaml" else part)
        if not self._takes(placeholder):
            return None
        return One(part) if placeholder.spec is None else Many(((f"--{name.path[-1]}",), (part,)))

    def _takes(self, placeholder: tree.Placeholder) -> bool:
        """Tell whether the placeholder has no format, or is a flag; others are reported."""
        if placeholder.spec not in (None, "flag"):
            name = shown(placeholder.expr)
            self.report.spec(placeholder, f"`{name}` is known when the run starts, and takes no format")
        return placeholder.spec in (None, "flag")

    # -------------------------------------------------------------- keys

    def _key(self, placeholder: tree.Placeholder, path: Path, shell: bool) -> Filled | None:
        columns, span = self.columns, placeholder.span
        match placeholder.spec:
            case None:
                return keys.value(columns, path)
            case "flag":
                return Many(keys.flag(columns, path[-1], path))
            case "json":
                return keys.json_of(columns, path, span)
            case "raw":
                return keys.raw(columns, path, span) if shell else keys.cut(columns, path, span)
            case "yaml":
                self.report.spec(placeholder, "`:yaml` is for `run.config` alone", "write `:json`")
                return None
            case spec:
                return keys.formatted(columns, path, spec, placeholder.spec_span or span)

    def _group(self, placeholder: tree.Placeholder, path: Path) -> Filled | None:
        match placeholder.spec:
            case "flag":
                return keys.flags(self.columns, path)
            case "json":
                return keys.json_of_group(self.columns, path, placeholder.span)
            case _:
                self.report.group(placeholder, path, self.columns.leaves(path))
                return None

    def _overrides(self) -> Many:
        """Give what the point, the experiment and ``--set`` gave; a config group by its name, without its keys."""
        said = {*self.experiment.own, *self.experiment.overrides}
        axes = () if self.table is None else self.table.axes
        inside = {key for label, below in self.labels.items() if label != ("config",) for key in below}
        return keys.overrides(self.columns, {*axes, *said}, {("config",), *(inside - said)})

    # -------------------------------------------------------------- expressions

    def _computed(self, placeholder: tree.Placeholder) -> Filled | None:
        """Evaluate an expression when the plan is made, once for each combination of what it names."""
        expr, spec, span = placeholder.expr, placeholder.spec, placeholder.spec_span or placeholder.span
        if self.report.runtime_inside(expr):
            return None
        if spec in ("flag", "yaml", "raw"):
            self.report.spec(placeholder, f"`:{spec}` is for a key, and this is an expression")
            return None
        code = compile_expression(expr, self.scope, self.diagnostics)
        if code is None:
            return None
        call = Call(code, self.table, self.labels)
        name = ("expression", expr.span.text, spec)
        if spec == "json":
            return One(self.columns.text(name, call.keys, lambda cells: as_json(call.value(cells)), placeholder.span))
        if not self._gives_list(call):
            return One(self.columns.text(name, call.keys, lambda cells: printed(call.value(cells), spec, span), span))

        def make(cells: Sequence[Cell]) -> Result:
            value = call.value(cells)
            return [printed(item, spec, span) for item in (value if isinstance(value, list) else [value])]

        return Many(self.columns.words(name, call.keys, make, span))

    def _gives_list(self, call: Call) -> bool:
        """Tell whether an expression gives a list in any row; mistakes wait until the texts are made."""
        if self.table is None:
            return False
        for cells in distinct(self.table, call.keys).cells.values():
            try:
                if isinstance(call.value(cells), list):
                    return True
            except EvaluationError:
                continue
        return False
