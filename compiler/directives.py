"""The lines of an experiment and of those it inherits from to one set of directives: a child's replace or add."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from ..grammar import tree
from ..grammar.diagnostic import Label
from .context import Context

Single = (
    tree.UseConfig
    | tree.UseGrid
    | tree.UseResources
    | tree.UseEnvironment
    | tree.Run
    | tree.Workdir
    | tree.Retries
    | tree.Checkpoint
    | tree.Pack
)
S = TypeVar("S", bound=Single)
Item = TypeVar("Item")

_WORDS = {
    tree.UseConfig: "config",
    tree.UseGrid: "grid",
    tree.UseResources: "resources",
    tree.UseEnvironment: "environment",
    tree.Run: "run",
    tree.Workdir: "workdir",
    tree.Retries: "retries",
    tree.Checkpoint: "checkpoint",
    tree.Pack: "pack",
}


class Directives:
    """What an experiment says, its parents' lines included. *whole*: every parent is known, every line was read."""

    __slots__ = ("_singles", "block", "items", "lost", "own", "repeats", "whole")

    def __init__(self, block: tree.Experiment, whole: bool, lost: frozenset[str]) -> None:
        self.block = block
        self.lost = lost  # what the lines began with that could not be read
        self.whole = whole
        self._singles: dict[type, Single] = {}
        self.own: list[tree.Assign | tree.KeyGroup] = []
        self.repeats: dict[tuple[str, ...], tree.Repeat] = {}
        self.items: list[tree.ExperimentItem] = []

    def one(self, kind: type[S]) -> S | None:
        """Give the line of a directive that stands once; the youngest child's holds."""
        found = self._singles.get(kind)
        return found if isinstance(found, kind) else None

    def all(self, kind: type[Item]) -> list[Item]:
        """Give the lines of a directive that may stand several times, parents' first."""
        return [item for item in self.items if isinstance(item, kind)]

    def add(self, body: Sequence[tree.ExperimentItem], context: Context) -> None:
        here: dict[type, Single] = {}
        for item in body:
            match item:
                case tree.Assign() | tree.KeyGroup():
                    self.own.append(item)
                case tree.Repeat():
                    self.repeats[repeat_path(item)] = item
                case (
                    tree.UseConfig()
                    | tree.UseGrid()
                    | tree.UseResources()
                    | tree.UseEnvironment()
                    | tree.Run()
                    | tree.Workdir()
                    | tree.Retries()
                    | tree.Checkpoint()
                    | tree.Pack()
                ):
                    _twice(item, here, context)
                    here.setdefault(type(item), item)
                case _:
                    self.items.append(item)
        self._singles.update(here)


def _twice(item: Single, here: dict[type, Single], context: Context) -> None:
    first = here.get(type(item))
    if first is None:
        return
    word = _WORDS[type(item)]
    help: tuple[str, ...] = ()
    if isinstance(item, tree.UseGrid):
        help = ("grids are put together on one line: `grid a * b` (product), `grid a + b` (union)",)
    elif isinstance(item, tree.UseConfig):
        help = ("configs are put together by inheritance: `config both(a, b):`",)
    labels = [Label(first.span, "it was first given here")]
    context.diagnostics.error("XP038", item.span, f"an experiment has one `{word}`", "again", labels=labels, help=help)


def repeat_path(item: tree.Repeat) -> tuple[str, ...]:
    """Give the key that ``repeat`` or ``folds`` counts in."""
    if item.key is not None:
        return item.key.path
    return ("repeat",) if item.kind == "repeat" else ("fold",)


def read_directives(block: tree.Experiment, context: Context) -> Directives:
    """Give the directives of an experiment after those of the experiments that it inherits from."""
    lineage, whole = context.lineage("experiment", block, context.definitions.experiments)
    lost = [context.lost("experiment", each.name.text) for each in lineage]
    found = Directives(block, whole, frozenset().union(*lost))
    for each in lineage:
        found.add(each.body, context)
    return found
