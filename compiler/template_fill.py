"""A placeholder to what stands in its place in each run: a part of a word, or any number of words."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import assert_never

from ..grammar import tree
from ..grammar.diagnostic import Diagnostics
from ..grammar.node import Node
from ..grammar.source import Span
from .evaluate import compile_expression
from .fault import EvaluationError
from .format import as_json, format_value
from .plan_distinct import Call, Cell, distinct, leaves, plain, tree_json, used_values
from .scope import Scope
from .study import Experiment
from .table import Table
from .template import KeyPart, ListWord, Part, RunPart, TextPart, Word
from .template_labels import Labels
from .template_names import EachPart, KeyName, LetName, Listed, Meaning, Names, OnePart
from .template_report import Reporter, shown
from .template_texts import (
    Result,
    TextColumn,
    Texts,
    flag_words,
    is_plain_scalar,
    override_words,
    printed,
    raw_words,
)
from .values import Absent, Path, Value


class One(Node):
    """Exactly one text. *raw*: the shell may cut it into words."""

    part: Part
    raw: bool = False


class Many(Node):
    """Any number of whole words."""

    words: tuple[Word, ...]


Filled = One | Many
ValueOf = Callable[[Sequence[Cell]], Value]


class Filler:
    """Fills the placeholders of one experiment's texts. *table* is missing when the grid could not be expanded: then
    only what is wrong with the texts themselves is found."""

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
        self.texts = Texts()

    def fill(self, placeholder: tree.Placeholder) -> Filled | None:
        """Give what stands for a placeholder; nothing if it is wrong, which is reported."""
        expr = placeholder.expr
        if isinstance(expr, tree.Broken):
            return None
        if isinstance(expr, tree.Name):
            meanings = self.names.meanings(expr)
            if len(meanings) > 1:
                self.report.ambiguous(expr, meanings)
                return None
            if meanings and not isinstance(meanings[0], LetName):
                return self._named(placeholder, expr, meanings[0])
            if not meanings and self.report.unknown(expr):
                return None
        return self._computed(placeholder)

    # -------------------------------------------------------------- names

    def _named(self, placeholder: tree.Placeholder, name: tree.Name, meaning: Meaning) -> Filled | None:
        match meaning:
            case KeyName(path, rest):
                if rest:
                    return self._computed(placeholder)
                if self.scope.is_group(path) and not self.scope.is_key(path):
                    return self._group(placeholder, path)
                return self._key(placeholder, path)
            case OnePart(part):
                return self._special(placeholder, name, part)
            case EachPart(word):
                flag: tuple[Word, ...] = ((f"--{name.path[-1]}",),) if placeholder.spec == "flag" else ()
                known = self._format_known(placeholder)
                return Many((*flag, word)) if known else None
            case Listed(what):
                if placeholder.spec is not None:
                    self.report.spec(placeholder, f"`{what}` takes no format")
                    return None
                return self._args() if what == "args" else self._overrides()
            case LetName():
                return self._computed(placeholder)
            case _:
                assert_never(meaning)

    def _special(self, placeholder: tree.Placeholder, name: tree.Name, part: Part) -> Filled | None:
        if isinstance(part, RunPart) and part.name == "config" and placeholder.spec in ("yaml", "json"):
            return One(RunPart("config_yaml") if placeholder.spec == "yaml" else part)
        if not self._format_known(placeholder):
            return None
        return One(part) if placeholder.spec is None else Many(((f"--{name.path[-1]}",), (part,)))

    def _format_known(self, placeholder: tree.Placeholder) -> bool:
        if placeholder.spec in (None, "flag"):
            return True
        self.report.spec(placeholder, f"`{shown(placeholder.expr)}` is known when the run starts, and takes no format")
        return False

    # -------------------------------------------------------------- keys

    def _key(self, placeholder: tree.Placeholder, path: Path) -> Filled | None:
        match placeholder.spec:
            case None:
                return self._value(path)
            case "flag":
                return Many(self._flag(path[-1], path))
            case "json":
                return One(
                    self._column(("json", path), (path,), lambda cells: as_json(plain(cells[0])), placeholder.span)
                )
            case "raw":
                return self._raw(placeholder, path)
            case "yaml":
                self.report.spec(placeholder, "`:yaml` is for `run.config` alone", "write `:json`")
                return None
            case spec:
                return self._format(placeholder, path, spec)

    def _format(self, placeholder: tree.Placeholder, path: Path, spec: str) -> Filled:
        span = placeholder.spec_span or placeholder.span

        def make(cells: Sequence[Cell]) -> Result:
            value = plain(cells[0])
            if isinstance(value, list):
                return [printed(item, spec, span) for item in value]
            text = printed(value, spec, span)
            return [text] if many else text

        many = any(isinstance(value, list) for value in self._values(path))
        number = self.texts.add((spec, path, many), TextColumn((path,), make, span))
        return Many((ListWord(number),)) if many else One(TextPart(number))

    def _value(self, path: Path) -> Filled:
        """Give a key's value: as many words as it has elements where it is a list in some row."""
        values = self._values(path)
        if any(isinstance(value, list) for value in values):
            return self._list(path)
        if any(isinstance(value, Absent) for value in values):
            column = TextColumn((path,), lambda cells: format_value(plain(cells[0])), self.experiment.span)
            return One(TextPart(self.texts.add(("text", path), column)))
        return One(KeyPart(path))

    def _list(self, path: Path) -> Many:
        def make(cells: Sequence[Cell]) -> Result:
            value = plain(cells[0])
            return [printed(item, None, span) for item in (value if isinstance(value, list) else [value])]

        span = self.experiment.span
        return Many((ListWord(self.texts.add(("list", path), TextColumn((path,), make, span))),))

    def _raw(self, placeholder: tree.Placeholder, path: Path) -> Filled:
        span = placeholder.span

        def make(cells: Sequence[Cell]) -> Result:
            raw_words(cells[0], span)
            value = plain(cells[0])
            return value if isinstance(value, str) else ""

        return One(TextPart(self.texts.add(("raw", path), TextColumn((path,), make, span))), raw=True)

    def raw_words(self, placeholder: tree.Placeholder) -> Many | None:
        """Give ``{key:raw}`` where no shell is to cut it: cut at its blanks here."""
        name = placeholder.expr
        assert isinstance(name, tree.Name)
        span = placeholder.span
        meaning = self.names.meanings(name)[0]
        assert isinstance(meaning, KeyName)
        column = TextColumn((meaning.path,), lambda cells: raw_words(cells[0], span), span)
        return Many((ListWord(self.texts.add(("raw words", meaning.path), column)),))

    def _group(self, placeholder: tree.Placeholder, path: Path) -> Filled | None:
        keys = self._leaves(path)
        match placeholder.spec:
            case "flag":
                return Many(tuple(word for key in keys for word in self._flag(".".join(key[len(path) :]), key)))
            case "json":
                part = self._column(
                    ("json", path), keys, lambda cells: tree_json(keys, len(path), cells), placeholder.span
                )
                return One(part)
            case _:
                self.report.group(placeholder, path, keys)
                return None

    def _args(self) -> Many:
        keys = self._leaves(())
        return Many(tuple(word for key in keys for word in self._flag(".".join(key), key)))

    def _flag(self, name: str, path: Path) -> tuple[Word, ...]:
        """Give the words of a flag: as few as do for all rows."""
        values = self._values(path)
        head: Word = (f"--{name}",)
        if all(map(is_plain_scalar, values)):
            return (head, (KeyPart(path),))
        if all(value is True for value in values):
            return (head,)
        if all(value is None or value is False for value in values):
            return ()
        column = TextColumn((path,), lambda cells: flag_words(name, cells[0]), self.experiment.span)
        return (ListWord(self.texts.add(("flag", name, path), column)),)

    def _overrides(self) -> Many:
        """Give what the point, the experiment and ``--set`` gave; a config group by its name, without its keys."""
        groups = {label: keys for label, keys in self.labels.items() if label != ("config",)}
        inside = {key for keys in groups.values() for key in keys}
        axes = () if self.table is None else self.table.axes
        given = {*axes, *self.experiment.own, *self.experiment.overrides}
        said = {*self.experiment.own, *self.experiment.overrides}
        order = () if self.table is None else self.table.order
        keys = [key for key in order if key in given and key != ("config",) and (key not in inside or key in said)]
        return Many(tuple(self._override(key) for key in keys))

    def _override(self, key: Path) -> Word:
        values = self._values(key)
        if all(isinstance(value, int | float) for value in values):
            return (f"{'.'.join(key)}=", KeyPart(key))
        column = TextColumn((key,), lambda cells: override_words(key, cells[0]), self.experiment.span)
        return ListWord(self.texts.add(("override", key), column))

    # -------------------------------------------------------------- expressions

    def _computed(self, placeholder: tree.Placeholder) -> Filled | None:
        """Evaluate an expression when the plan is made, once for each combination of what it names."""
        expr, spec, span = placeholder.expr, placeholder.spec, placeholder.span
        if self.report.runtime_inside(expr):
            return None
        if spec in ("flag", "yaml", "raw"):
            self.report.spec(placeholder, f"`:{spec}` is for a key, and this is an expression")
            return None
        code = compile_expression(expr, self.scope, self.diagnostics)
        if code is None:
            return None
        call = Call(code, self.table, self.labels)
        keys, value_of = call.keys, call.value

        if spec == "json":
            return One(self._column(("json", expr.span.text), keys, lambda cells: as_json(value_of(cells)), span))
        return self._expression(placeholder, keys, value_of)

    def _expression(self, placeholder: tree.Placeholder, keys: tuple[Path, ...], value_of: ValueOf) -> Filled:
        spec, span = placeholder.spec, placeholder.spec_span or placeholder.span
        many = isinstance(placeholder.expr, tree.ListOf | tree.Values) or self._gives_list(keys, value_of)

        def make(cells: Sequence[Cell]) -> Result:
            value = value_of(cells)
            if many:
                return [printed(item, spec, span) for item in (value if isinstance(value, list) else [value])]
            return printed(value, spec, span)

        number = self.texts.add(("expr", placeholder.expr.span.text, spec), TextColumn(keys, make, placeholder.span))
        return Many((ListWord(number),)) if many else One(TextPart(number))

    def _gives_list(self, keys: tuple[Path, ...], value_of: ValueOf) -> bool:
        """Tell whether an expression gives a list in any row; mistakes wait until the texts are made."""
        if self.table is None:
            return False
        for cells in distinct(self.table, keys).cells.values():
            try:
                return isinstance(value_of(cells), list)
            except EvaluationError:
                continue
        return False

    def _column(
        self, name: Hashable, keys: tuple[Path, ...], make: Callable[[Sequence[Cell]], Result], span: Span
    ) -> TextPart:
        return TextPart(self.texts.add(name, TextColumn(keys, make, span)))

    # -------------------------------------------------------------- the table

    def _values(self, path: Path) -> list[Cell]:
        return [] if self.table is None else used_values(self.table, path)

    def _leaves(self, path: Path) -> tuple[Path, ...]:
        return leaves(self.table, path, self.labels)
