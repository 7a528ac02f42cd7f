"""An experiment to its fingerprint: when it changes, done runs are stale, never other runs.

The command counts as it is written, not as it is compiled: adding a value to an axis changes how a flag is compiled,
and no run's command.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from typing import Final

from ..grammar import tree
from ..grammar.node import Node
from .format import format_value
from .scope import Scope
from .study import Code, Environment, Experiment, Link
from .template import FilePart, Json
from .template_names import LetName, Names, OnePart
from .template_report import names_in, shown

GLOB: Final = re.compile(r"[*?[]")


class Fingerprint(Node):
    """Four hashes; what each is of, its name says."""

    command: str
    code: str
    environment: str
    inputs: str


def fingerprint(
    experiment: Experiment,
    names: Names,
    code_of: Callable[[Sequence[str]], str],
    contents: Mapping[str, str | None],
    links: Sequence[Link] = (),
) -> Fingerprint:
    """Give the fingerprint. *code_of* hashes the snapshot's files that patterns match (none: all), *contents* are the
    hashes of the inputs by name. *links* are folders that runs see: what failed for want of one is sent again with it.
    What a target sets up is not part of it: the place is not the experiment."""
    form = _Form(experiment, names)
    inputs: list[Json] = [
        [file.name, form.text(file.path), contents.get(file.name)]
        for file in sorted(experiment.inputs, key=lambda file: file.name)
    ]
    seen: list[Json] = [[link.name, link.path] for link in sorted(links, key=lambda link: link.name)]
    environment = experiment.environment
    variables: list[Json] = [
        [name, form.value(value)] for name, value in sorted(environment.variables.items(), key=lambda item: item[0])
    ]
    lines: list[Json] = [form.text(text) for text in environment.setup]
    return Fingerprint(
        _hash(form.text(experiment.run) if experiment.run is not None else None),
        code_of(experiment.code),
        _hash([lines, variables, [*sorted(environment.secrets)], *form.container(environment)]),
        _hash([inputs, seen] if seen else inputs),
    )


def input_contents(experiment: Experiment, content_of: Callable[[str], str | None]) -> dict[str, str | None]:
    """Give the hash of what each input holds. *content_of* is given a pattern, in which `*` stands for a placeholder
    and every other `*`, `?` and `[` is in brackets."""
    return {file.name: content_of(_pattern(file.path)) for file in experiment.inputs}


def _pattern(path: tree.Text) -> str:
    """Give a path with every placeholder as `*`; of several that touch, one is enough."""
    parts = [GLOB.sub(r"[\g<0>]", part.text) if isinstance(part, tree.Piece) else "*" for part in path.parts]
    return "".join(part for at, part in enumerate(parts) if part != "*" or at == 0 or parts[at - 1] != "*")


def _hash(form: Json) -> str:
    text = json.dumps(form, ensure_ascii=False, separators=(",", ":"))
    return blake2b(text.encode("utf-8", "backslashreplace"), digest_size=16).hexdigest()


class _Form:
    """Texts and values as they count: written text, and the definitions of what it names."""

    def __init__(self, experiment: Experiment, names: Names) -> None:
        self.names = names
        self.scope: Scope = names.scope
        self.paths: Mapping[tuple[str, str], tree.Text] = {
            **{("output", file.name): file.path for file in experiment.outputs},
            **{("input", file.name): file.path for file in experiment.inputs},
        }

    def text(self, text: tree.Text) -> Json:
        parts: list[Json] = []
        for part in text.parts:
            if isinstance(part, tree.Piece):
                parts.append(part.text)
            else:
                parts.append([shown(part.expr), part.spec, *self._definitions(part.expr, ())])
        return parts

    def value(self, value: object) -> Json:
        match value:
            case tree.Text():
                return self.text(value)
            case Code(expr=expr):
                written: list[Json] = [shown(expr)]
                return [*written, *self._definitions(expr, ())]
            case _:
                return format_value(value)  # type: ignore[arg-type]

    def container(self, environment: Environment) -> list[Json]:
        """Give what the program runs in; nothing where that is the node itself."""
        if environment.container is None:
            return []
        mounts: list[Json] = [[self.text(mount.path), self.text(mount.at)] for mount in environment.mounts]
        return [self.text(environment.container.image), mounts]

    def _definitions(self, expr: tree.Expr, seen: tuple[str, ...]) -> list[Json]:
        """Give what ``let``s and files stand behind the names of an expression."""
        found: list[Json] = []
        for name in names_in(expr):
            meanings = self.names.meanings(name)
            let = name.path[0]
            if not meanings or len(meanings) > 1 or let in seen:
                continue
            meaning = meanings[0]
            if isinstance(meaning, OnePart) and isinstance(meaning.part, FilePart):
                path = self.paths.get((meaning.part.kind, meaning.part.name))
                if path is not None and path.plain is not None:
                    found.append([meaning.exact, path.plain])
            elif isinstance(meaning, LetName):
                definition = self.scope.lets[let]
                found.append([let, shown(definition), *self._definitions(definition, (*seen, let))])
        return found
