"""A run text to the command that each run executes: the words of a program, or a bash script with its parameters.

Values enter as arguments, never as text. Plain words are split here and executed without a shell; where a text uses
the shell, each placeholder becomes an expansion of a positional parameter that is right where it stands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..grammar import tree
from ..grammar.diagnostic import Diagnostics
from ..grammar.node import Node
from ..grammar.source import Span
from .command_argv import argv
from .command_faults import check_place, check_shell_names, many_inside, warn_parsed_again
from .command_script import script
from .shell import scan
from .shell_place import COMMENT, Atom, Scan
from .template import Command
from .template_fill import Filler
from .template_keys import Filled, Many
from .text_habits import bare_shell_name, doubled_braces


class Atoms:
    """The characters of a text and its placeholders, with the place of each; blank ends are left out."""

    __slots__ = ("all", "at", "span")

    def __init__(self, text: tree.Text) -> None:
        found: list[Atom] = []
        at: list[int] = []
        for part in text.parts:
            if isinstance(part, tree.Piece):
                found.extend(part.text)
                at.extend(part.at[i] for i in range(len(part.text)))
            else:
                found.append(part)
                at.append(part.span.start)
        start, end = 0, len(found)
        while start < end and found[start] in (" ", "\t", "\n"):
            start += 1
        while start < end and found[end - 1] in (" ", "\t", "\n") and found[end - 2 : end - 1] != ["\\"]:
            end -= 1
        self.all: Sequence[Atom] = found[start:end]
        self.at = at[start:end]
        self.span = text.span

    def place(self, index: int, length: int = 1) -> Span:
        """Give the span of *length* characters from atom *index*."""
        start = self.at[index]
        last = self.at[min(index + length, len(self.at)) - 1]
        return Span(self.span.source, start, last + 1)


class Reading(Node):
    """A run text that was read: its atoms, where bash would see each placeholder, and what fills it."""

    atoms: Sequence[Atom]
    scan: Scan
    filled: Mapping[int, Filled]  # by the placeholder's ``id``; those in comments are left out

    @property
    def command(self) -> Command:
        return script(self.atoms, self.scan, self.filled) if self.scan.syntax else argv(self.atoms, self.filled)


def read_command(text: tree.Text, filler: Filler, diagnostics: Diagnostics) -> Reading | None:
    """Read a run text; nothing if it is wrong, which is reported."""
    before = len(diagnostics.found)
    check_shell_names(text, filler.scope, diagnostics)
    bare_shell_name(text, filler.scope, diagnostics)
    doubled_braces(text, filler.scope, diagnostics)
    atoms = Atoms(text)
    if not atoms.all:
        help = 'write the command line of the program: `run "python train.py --lr {lr}"`'
        diagnostics.error("XP093", text.span, "nothing to run", "an empty text", help=help)
        return None
    found = scan(atoms.all)
    _check(atoms, found, diagnostics)
    filled = fill_all(found, filler, diagnostics)
    if filled is None or any(d.severity == "error" for d in diagnostics.found[before:]):
        return None
    return Reading(atoms.all, found, filled)


def _check(atoms: Atoms, found: Scan, diagnostics: Diagnostics) -> None:
    if found.unclosed is not None:
        at, what = found.unclosed.at, found.unclosed.what
        message = "a here-document has no end" if what == "<<" else f"`{what}` is opened and never closed"
        help = f"for the character itself write `\\\\{what}`" if what in ("'", '"', "`") else ()
        diagnostics.error("XP080", atoms.place(at, len(what)), message, "opened here", help=help)
    if found.background is not None:
        diagnostics.error(
            "XP092",
            atoms.place(found.background),
            "a `&` at the end leaves the program running when the run has ended",
            "in the background",
            help="leave it out: xpc starts many runs at once by itself",
        )


def fill_all(found: Scan, filler: Filler, diagnostics: Diagnostics) -> dict[int, Filled] | None:
    """Give what stands for each placeholder, those in comments left out; nothing if one is wrong."""
    filled: dict[int, Filled] = {}
    whole = True
    for use in found.uses:
        if use.context == COMMENT:
            continue
        whole = check_place(use, diagnostics) and whole
        warn_parsed_again(use, diagnostics)
        one = filler.fill(use.placeholder, shell=found.syntax or not use.alone)
        if isinstance(one, Many) and not use.alone:
            many_inside(use, diagnostics)
        if one is None or (isinstance(one, Many) and not use.alone):
            whole = False
        else:
            filled[id(use.placeholder)] = one
    return filled if whole else None
