"""A syntax tree and the files it includes to definitions by kind and name."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from typing import TypeVar

from ..grammar import tree
from ..grammar.diagnostic import Diagnostics, Label
from ..grammar.source import Source, Span
from .fault import EvaluationError, report
from .read_text import read_text
from .scope import World

T = TypeVar("T")
Parse = Callable[[Source, Diagnostics], tree.Tree]


class Definitions:
    """Everything that the top level of a study defines, in file order."""

    def __init__(self) -> None:
        self.project: tree.Project | None = None
        self.links: list[tree.Link] = []
        self.lets: dict[str, tree.Expr] = {}
        self.configs: dict[str, tree.Config] = {}
        self.grids: dict[str, tree.Grid] = {}
        self.resources: dict[str, tree.Resources] = {}
        self.environments: dict[str, tree.Environment] = {}
        self.targets: dict[str, tree.Target] = {}
        self.experiments: dict[str, tree.Experiment] = {}
        self.reports: dict[str, tree.Report] = {}
        self.sources: list[str] = []
        self.broken: set[tuple[str, str]] = set()
        self.whole = True  # an include that cannot be read may define anything
        self.firsts: dict[tuple[str, str], tree.Word] = {}

    def add(self, statement: tree.Statement, diagnostics: Diagnostics) -> None:
        """Take one statement that defines something; the first definition of a name holds."""
        match statement:
            case tree.Project():
                if self.project is None:
                    self.project = statement
                else:
                    _twice("`project`", self.project.span, statement.span, diagnostics)
            case tree.Link():
                self.links.append(statement)
            case tree.Let(name=name, value=value):
                self._name("let", name, self.lets, value, diagnostics)
            case tree.Config(name=name):
                self._name("config", name, self.configs, statement, diagnostics)
            case tree.Grid(name=name):
                self._name("grid", name, self.grids, statement, diagnostics)
            case tree.Resources(name=name):
                self._name("resources", name, self.resources, statement, diagnostics)
            case tree.Environment(name=name):
                self._name("environment", name, self.environments, statement, diagnostics)
            case tree.Target(name=name):
                self._name("target", name, self.targets, statement, diagnostics)
            case tree.Experiment(name=name):
                self._name("experiment", name, self.experiments, statement, diagnostics)
            case tree.Report(name=name):
                self._name("report", name, self.reports, statement, diagnostics)
            case tree.Include():
                pass

    def _name(self, kind: str, word: tree.Word, known: dict[str, T], value: T, diagnostics: Diagnostics) -> None:
        first = self.firsts.setdefault((kind, word.text), word)
        if first is word:
            known[word.text] = value
            return
        diagnostics.error(
            "XP022",
            word.span,
            f"{kind} `{word.text}` is defined twice",
            "again",
            labels=[Label(first.span, "it was first defined here")],
        )


def _twice(what: str, first: Span, again: Span, diagnostics: Diagnostics) -> None:
    labels = [Label(first, "it was first given here")]
    diagnostics.error("XP022", again, f"{what} is given twice", "again", labels=labels)


def collect(source: Source, parse: Parse, world: World, diagnostics: Diagnostics) -> Definitions:
    """Parse *source* and what it includes; an included file's definitions stand where the ``include`` stands."""
    definitions = Definitions()
    _collect(source, parse, world, diagnostics, definitions, [source.name])
    return definitions


def _collect(
    source: Source, parse: Parse, world: World, diagnostics: Diagnostics, into: Definitions, open: list[str]
) -> None:
    into.sources.append(source.name)
    parsed = parse(source, diagnostics)
    into.broken |= parsed.broken_names
    folder = posixpath.dirname(source.name)
    for statement in parsed.statements:
        if not isinstance(statement, tree.Include):
            into.add(statement, diagnostics)
            continue
        plain = statement.path.plain
        if plain is None:
            diagnostics.error("XP045", statement.path.span, "the path of `include` takes no placeholder", "placeholder")
            continue
        path = posixpath.normpath(posixpath.join(folder, plain))
        if path in open:
            cycle = " → ".join(f"`{name}`" for name in [*open[open.index(path) :], path])
            diagnostics.error("XP110", statement.path.span, f"`{path}` includes itself", cycle)
        elif path not in into.sources:
            try:
                text = read_text(path, statement.path.span, World(world.files, world.env, roots(into)))
            except EvaluationError as error:
                report(error, diagnostics)
                into.whole = False
                continue
            _collect(Source(path, text), parse, world, diagnostics, into, [*open, path])


def roots(definitions: Definitions) -> tuple[str, ...]:
    """Give the folders in which files may be read: the project and its links, relative to the Experimentfile."""
    project = definitions.project
    root = project.root.plain if project is not None and project.root is not None else None
    return (root or ".", *(link.path.plain for link in definitions.links if link.path.plain))
