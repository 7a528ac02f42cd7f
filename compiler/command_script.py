"""A run text with shell syntax to a bash script whose placeholders are expansions of its positional parameters."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from ..grammar import tree
from .shell_place import ANSI, BARE, COMMENT, SINGLE, Atom, Scan
from .template import EachWord, ListWord, Script, Word
from .template_keys import Filled, One

_PLAIN: Final = re.compile(r"[\w./=:+-]+", re.ASCII)
_QUOTING: Final = {BARE: '"{0}"', SINGLE: "'\"{0}\"'", ANSI: "'\"{0}\"$'"}


def script(atoms: Sequence[Atom], found: Scan, filled: Mapping[int, Filled]) -> Script:
    """Give the script and its parameters: single words first, then each list after its count."""
    parameters = _Parameters(filled.values(), found.parameters)
    expansions = {}
    for use in found.uses:
        if use.context == COMMENT:
            expansions[id(use.placeholder)] = " ".join(use.placeholder.span.text.split())
        else:
            expansions[id(use.placeholder)] = parameters.expansion(filled[id(use.placeholder)], use.context)
    text = "".join([expansions[id(atom)] if isinstance(atom, tree.Placeholder) else atom for atom in atoms])
    return Script(parameters.preamble() + text, parameters.words())


def _is_list(word: Word) -> bool:
    return isinstance(word, ListWord | EachWord)


class _Parameters:
    """The positional parameters of one script.

    With one list at most, and in a script that leaves its parameters alone, they are used where they stand. Else the
    script begins with a line that puts them into variables: a function has parameters of its own, ``set`` and
    ``shift`` change them, and behind a list of unknown length nothing has a fixed number.
    """

    def __init__(self, filled: Iterable[Filled], moving: bool) -> None:
        words: dict[Word, None] = {}
        for one in filled:
            if isinstance(one, One):
                words[(one.part,)] = None
            else:
                words.update(dict.fromkeys(word for word in one.words if _written(word) is None))
        self.single = [word for word in words if not _is_list(word)]
        self.lists = [word for word in words if _is_list(word)]
        self.saved = moving or len(self.lists) > 1
        self.number = {word: i for i, word in enumerate([*self.single, *self.lists], 1)}

    def words(self) -> tuple[Word, ...]:
        return (*self.single, *self.lists)

    def preamble(self) -> str:
        if not self.saved or not self.number:
            return ""
        steps = [f"xpc_{i}=${{{i}}}" for i in range(1, len(self.single) + 1)]
        if self.single:
            steps.append(f"shift {len(self.single)}")
        for word in self.lists:
            steps.append(f'xpc_{self.number[word]}=("${{@:2:$1}}"); shift "$(($1 + 1))"')
        return "; ".join(steps) + "\n"

    def expansion(self, filled: Filled, context: str) -> str:
        if isinstance(filled, One):
            value = self.one((filled.part,))
            return value if filled.raw and context == BARE else _QUOTING.get(context, "{0}").replace("{0}", value)
        return " ".join(self.word(word) for word in filled.words)

    def one(self, word: Word) -> str:
        """Give the expansion of a single word, to stand within double quotes."""
        number = self.number[word]
        return f"${{xpc_{number}}}" if self.saved else f"${{{number}}}"

    def word(self, word: Word) -> str:
        """Give a whole word, quoted."""
        written = _written(word)
        if written is not None:
            return written
        if not _is_list(word):
            return f'"{self.one(word)}"'
        number = self.number[word]
        if self.saved:
            return f'"${{xpc_{number}[@]}}"'
        return f'"${{@:{number + 1}:${{{number}}}}}"'


def _written(word: Word) -> str | None:
    """Give a word that is the same in every run and needs no quotes anywhere: the name of a flag, a number."""
    if isinstance(word, tuple) and len(word) == 1 and isinstance(word[0], str) and _PLAIN.fullmatch(word[0]):
        return word[0]
    return None
