"""The words of the simple command that is being read: enough to know its name, and what a word at its start does."""

from __future__ import annotations

import re
from typing import Final

_SUBSCRIPT: Final = re.compile(r"[A-Za-z_]\w*\[[^]]*")
_ASSIGNMENT: Final = re.compile(r"[A-Za-z_]\w*(\[[^]]*\])?\+?=")
_AGAIN: Final = ("if", "then", "elif", "else", "while", "until", "do", "!", "time", "{", "coproc", "in")
# fmt: off
_SHELL_ONLY: Final = frozenset([
    "if", "for", "while", "until", "case", "select", "function", "time", "coproc", "[[", "{", "}", "!", ".",
    ":", "alias", "bg", "bind", "break", "builtin", "cd", "command", "continue", "declare", "dirs", "disown",
    "eval", "exec", "exit", "export", "fc", "fg", "getopts", "hash", "history", "jobs", "let", "local",
    "logout", "mapfile", "popd", "pushd", "read", "readarray", "readonly", "return", "set", "shift", "shopt",
    "source", "times", "trap", "type", "typeset", "ulimit", "umask", "unalias", "unset", "wait",
])
# fmt: on
_PARAMETERS: Final = ("set", "shift", "function", "getopts")
NUMBER_TESTS: Final = ("-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-v")


class Command:
    """The simple command that is being read, and the ``case`` and ``[[`` that are open around it."""

    __slots__ = ("cases", "first_use", "quoted", "start", "test", "word", "words")

    def __init__(self, first_use: int = 0) -> None:
        self.words: list[str | None] = []  # None: what is not known before the run
        self.word = ""  # characters of the word so far, quotes taken away; \0 for what is not known
        self.quoted = False
        self.start = True  # the next word is a command's name
        self.cases = 0
        self.test = False
        self.first_use = first_use  # how many placeholders come before the command

    @property
    def begun(self) -> bool:
        """Whether a word has begun."""
        return bool(self.word) or self.quoted

    @property
    def in_subscript(self) -> bool:
        return self.start and not self.quoted and _SUBSCRIPT.fullmatch(self.word) is not None

    def end_word(self) -> str | None:
        """End the word that has begun; give it if it is known."""
        word = None if "\0" in self.word else self.word
        assigns = _ASSIGNMENT.match(self.word) is not None
        if word is not None and self.start and not self.quoted:
            self._first(word)
        elif not (word is None and assigns):
            self.start = False
        if word == "]]":
            self.test = False
        self.words.append(word)
        self.word, self.quoted = "", False
        return word

    def _first(self, word: str) -> None:
        self.test = word == "[["
        if word == "case":
            self.cases += 1
        elif word == "esac" and self.cases:
            self.cases -= 1
        self.start = word in _AGAIN or _ASSIGNMENT.match(word) is not None

    def end(self, uses: int) -> None:
        """End the command; *uses* placeholders have been met."""
        self.words.clear()
        self.start, self.test = True, False
        self.first_use = uses


def needs_shell(word: str) -> bool:
    """Tell whether a command's first word is the shell's own: a keyword, a builtin without a program, an assignment."""
    return word in _SHELL_ONLY or _ASSIGNMENT.match(word) is not None


def moves_parameters(word: str) -> bool:
    """Tell whether a command may change what ``$1`` is."""
    return word in _PARAMETERS
