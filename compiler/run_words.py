"""A run text to the commands with which it begins, as far as it is plain what they are: words, and where each stands.

Reading stops before what this does not follow (substitutions, here-documents, groups): what comes after is not known.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ..grammar import tree
from ..grammar.node import Node
from .shell_place import Atom

_ENDS: Final = "\n;&|"
_UNKNOWN: Final = "*?[]{}~"


class Given(Node):
    """One word of a command, its quotes taken away; no *text*: it depends on the run. *start* and *length* are of the
    characters in the run text."""

    text: str | None
    start: int
    length: int


def first_commands(atoms: Sequence[Atom]) -> list[tuple[Given, ...]]:
    """Give the simple commands at the beginning of a text, without their redirections."""
    reader = _Reader(atoms)
    while reader.at < len(atoms):
        if not reader.step(atoms[reader.at]):
            return reader.commands
    reader.end_command()
    return reader.commands


class _Reader:
    def __init__(self, atoms: Sequence[Atom]) -> None:
        self.atoms = atoms
        self.at = 0
        self.commands: list[tuple[Given, ...]] = []
        self.words: list[Given] = []
        self.start: int | None = None  # where the present word began
        self.text = ""
        self.known = True
        self.redirected = False  # the next word is a redirection's file

    def peek(self) -> Atom:
        return self.atoms[self.at + 1] if self.at + 1 < len(self.atoms) else ""

    def step(self, atom: Atom) -> bool:
        """Take one atom, or several that belong together; tell whether reading may go on."""
        following = self.peek()
        if isinstance(atom, tree.Placeholder) or (atom in _UNKNOWN and atom):
            return self.add(None)
        if atom in ("`", "(", ")") or (atom == "$" and following == "("):
            return False
        if atom == "$":
            return self.add(None)
        if atom == "\\":
            return self.escape(following)
        if atom in ("'", '"'):
            return self.quoted(atom)
        if atom in " \t":
            self.end_word()
        elif atom in "<>" or (atom == "&" and following == ">"):
            return self.redirection(atom)
        elif atom in _ENDS:
            self.end_command()
        elif atom == "#" and self.start is None:
            return self.comment()
        else:
            return self.add(atom)
        self.at += 1
        return True

    def add(self, char: str | None, length: int = 1) -> bool:
        """Add a character to the present word, or something that is not known."""
        self.start = self.at if self.start is None else self.start
        self.known = self.known and char is not None
        self.text += char or ""
        self.at += length
        return True

    def escape(self, following: Atom) -> bool:
        if following == "\n":
            self.end_word()
            self.at += 2
            return True
        return self.add(following if isinstance(following, str) else None, 2)

    def quoted(self, quote: str) -> bool:
        self.add("")
        while self.at < len(self.atoms) and self.atoms[self.at] != quote:
            atom = self.atoms[self.at]
            self.add(None if isinstance(atom, tree.Placeholder) or (quote == '"' and atom in "$`\\") else atom)
        return self.at < len(self.atoms) and self.add("")

    def redirection(self, sign: str) -> bool:
        """Leave out `2> file`, `&> file` and `>&2`."""
        if self.text.isdigit():
            self.start, self.text = None, ""
        self.end_word()
        self.at += 1 + (sign == "&")
        while self.at < len(self.atoms) and self.atoms[self.at] in (">", "&", "|"):
            self.at += 1
        self.redirected = True
        return self.at < len(self.atoms) and self.atoms[self.at] not in ("<", "(")

    def comment(self) -> bool:
        while self.at < len(self.atoms) and self.atoms[self.at] != "\n":
            self.at += 1
        return True

    def end_word(self) -> None:
        if self.start is not None and not self.redirected:
            self.words.append(Given(self.text if self.known else None, self.start, self.at - self.start))
        if self.start is not None:
            self.redirected = False
        self.start, self.text, self.known = None, "", True

    def end_command(self) -> None:
        self.end_word()
        if self.words:
            self.commands.append(tuple(self.words))
        self.words, self.redirected = [], False
