"""A run text of plain words, without shell syntax, to the words of a command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..grammar import tree
from .shell_place import Atom
from .template import Argv, Part, Word, joined
from .template_keys import Filled, Many, One


def argv(atoms: Sequence[Atom], filled: Mapping[int, Filled]) -> Argv:
    """Split as a shell does: blanks part words, quotes and backslashes keep what they hold together."""
    splitter = _Splitter(filled)
    at = 0
    while at < len(atoms):
        at += splitter.step(atoms[at], atoms[at + 1] if at + 1 < len(atoms) else "")
    splitter.end()
    return Argv(tuple(splitter.words))


class _Splitter:
    def __init__(self, filled: Mapping[int, Filled]) -> None:
        self.filled = filled
        self.words: list[Word] = []
        self.parts: list[Part] = []
        self.begun = False  # quotes make a word even of nothing
        self.quote = ""

    def step(self, atom: Atom, following: Atom) -> int:
        """Take one atom, or a backslash with what follows; give how many."""
        if isinstance(atom, tree.Placeholder):
            self.placeholder(self.filled[id(atom)])
        elif atom == "\\" and self.quote != "'":
            return self.escape(following)
        elif atom == self.quote:
            self.quote = ""
        elif not self.quote and atom in ("'", '"'):
            self.quote, self.begun = atom, True
        elif not self.quote and atom in " \t":
            self.end()
        else:
            self.add(atom)
        return 1

    def escape(self, following: Atom) -> int:
        if following == "\n":
            return 2
        if self.quote and following not in ('"', "\\", "$", "`"):
            self.add("\\")
            return 1
        if isinstance(following, str):
            self.add(following)
        return 2

    def add(self, part: Part) -> None:
        self.parts.append(part)
        self.begun = True

    def placeholder(self, filled: Filled) -> None:
        match filled:
            case One(part=part):
                self.add(part)
            case Many(words):
                self.words.extend(words)

    def end(self) -> None:
        if self.begun:
            self.words.append(joined(self.parts))
        self.parts, self.begun = [], False
