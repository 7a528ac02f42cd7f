"""What a name in a run text means: a key, or something that is known when a run starts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal

from ..grammar import tree
from ..grammar.node import Node
from .scope import Scope
from .study import Experiment
from .template import AncestorPart, EachWord, FilePart, Part, RootPart, RunPart
from .values import Path


class OnePart(Node):
    """A name for exactly one text; *exact* is the spelling that has no other meaning."""

    part: Part
    exact: str


class EachPart(Node):
    """A name for a word an ancestor."""

    word: EachWord
    exact: str


class Listed(Node):
    """``args`` or ``overrides``: any number of words made from keys."""

    what: str
    exact: str


class KeyName(Node):
    """A key or a group of keys; *rest* are names inside its value."""

    path: Path
    rest: Path
    exact: str


class LetName(Node):
    """A ``let``, or a name inside its value."""


Special = OnePart | EachPart | Listed
Meaning = Special | KeyName | LetName


class Ancestor(Node):
    """An experiment before this one. *many*: a run may have several runs of it before it (``perhaps``: two ways lead
    there, which may meet)."""

    outputs: tuple[str, ...]
    many: Literal["no", "perhaps", "yes"]


_BARE: Final = ("attempt", "cpus", "gpus", "memory", "nodes", "tasks")
_OF_RUN: Final = ("id", "dir", "config", *_BARE)


def ancestors_of(name: str, experiments: Mapping[str, Experiment]) -> dict[str, Ancestor]:
    """Give every experiment that runs of *name* come after, near ones first."""
    found: dict[str, Ancestor] = {}
    ways = [(after.experiment, after.all) for after in experiments[name].after]
    for above, many in ways:
        if above not in experiments:
            continue
        outputs = tuple(output.name for output in experiments[above].outputs)
        before = found[above].many if above in found else "no"
        found[above] = Ancestor(outputs, "yes" if many or before == "yes" else "perhaps" if above in found else "no")
        ways.extend((after.experiment, after.all or many) for after in experiments[above].after)
    return found


class Names:
    """The names of one experiment's texts."""

    def __init__(self, experiment: Experiment, scope: Scope, ancestors: Mapping[str, Ancestor]) -> None:
        self.experiment = experiment
        self.scope = scope
        self.ancestors = ancestors
        self.outputs = tuple(output.name for output in experiment.outputs)
        self.inputs = tuple(found.name for found in experiment.inputs)

    def meanings(self, name: tree.Name) -> Sequence[Meaning]:
        """Give what a name means: nothing, one thing, or several that it could be taken for."""
        path = name.path
        if is_quoted(name):
            return self._key(path)
        if path[0] == "config" and len(path) > 1:
            exact = self._key(path[1:])
            if exact:
                return exact
        if path[0] in ("run", "after") and len(path) > 1:
            special = self._exact(path)
            if special is not None:
                return (special,)
        found = self._bare(path)
        keys = self._key(path)
        if found is None:
            return keys or (LetName(),) * (path[0] in self.scope.lets)
        return (found, *keys)

    def _key(self, path: Path) -> tuple[KeyName, ...]:
        for n in range(len(path), 0, -1):
            known = self.scope.is_key(path[:n]) or (n == len(path) and self.scope.is_group(path))
            if known and (n == len(path) or not self.scope.is_group(path[:n])):
                return (KeyName(path[:n], path[n:], "config." + ".".join(path)),)
        return ()

    def _exact(self, path: Path) -> Special | None:
        if path[0] == "after":
            return self._ancestor(path[1:])
        if len(path) == 2 and path[1] in _OF_RUN:
            return OnePart(RunPart(path[1]), ".".join(path))
        return self._bare(path[1:])

    def _bare(self, path: Path) -> Special | None:
        """Give what a name means that is no key, as it is usually written."""
        match path:
            case ("run", field) if field in _OF_RUN:
                return OnePart(RunPart(field), f"run.{field}")
            case ("project", "root"):
                return OnePart(RootPart(), "run.project.root")
            case (field,) if field in _BARE:
                return OnePart(RunPart(field), f"run.{field}")
            case ("args" | "overrides" as what,):
                return Listed(what, f"run.{what}")
            case ("folds",) if self.experiment.folds is not None:
                return OnePart(str(self.experiment.folds), "run.folds")
            case ("output", name) if name in self.outputs:
                return OnePart(FilePart("output", name), f"run.output.{name}")
            case ("input", name) if name in self.inputs:
                return OnePart(FilePart("input", name), f"run.input.{name}")
            case _:
                return self._ancestor(path)

    def _ancestor(self, path: Path) -> Special | None:
        if len(path) != 2 or path[0] not in self.ancestors:
            return None
        experiment, output = path
        ancestor, exact = self.ancestors[experiment], f"after.{experiment}.{output}"
        if output in ancestor.outputs:
            if ancestor.many != "no":
                return EachPart(EachWord(experiment, output), exact)
            return OnePart(AncestorPart(experiment, output), exact)
        return OnePart(AncestorPart(experiment, None), exact) if output == "runs" else None

    def specials(self) -> Iterator[str]:
        """Give every name that is no key, as it is usually written."""
        yield from ("run.id", "run.dir", "run.config", *_BARE, "args", "overrides", "project.root")
        yield from (f"output.{name}" for name in self.outputs)
        yield from (f"input.{name}" for name in self.inputs)
        for experiment, ancestor in self.ancestors.items():
            yield from (f"{experiment}.{name}" for name in (*ancestor.outputs, "runs"))


def is_quoted(name: tree.Name) -> bool:
    """Tell whether a name's first segment was written in quotes, so that it can only be a key."""
    return name.key.segments[0].span.text[:1] in ('"', "'")
