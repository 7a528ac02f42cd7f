"""A run text with shell syntax to a bash script whose placeholders are expansions of its positional parameters."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from ..grammar import tree
from .shell import ANSI, BARE, COMMENT, SINGLE, Atom, Scan
from .template import EachWord, ListWord, Script, Word
from .template_fill import Filled, Many, One

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
            for word in one.words if isinstance(one, Many) else ((one.part,),):
                if not _is_constant(word):
                    words[word] = None
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
        if _is_constant(word):
            return str(word[0])  # type: ignore[index]
        number = self.number[word]
        return f"${{xpc_{number}}}" if self.saved else f"${{{number}}}"

    def word(self, word: Word) -> str:
        """Give a whole word, quoted."""
        if _is_constant(word):
            return shlex.quote("".join(map(str, word)))  # type: ignore[arg-type]
        if not _is_list(word):
            return f'"{self.one(word)}"'
        number = self.number[word]
        if self.saved:
            return f'"${{xpc_{number}[@]}}"'
        return f'"${{@:{number + 1}:${{{number}}}}}"'


def _is_constant(word: Word) -> bool:
    return isinstance(word, tuple) and all(isinstance(part, str) for part in word)
