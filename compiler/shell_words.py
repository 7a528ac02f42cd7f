"""The words of the simple command that is being read: enough to know its name, and what a word at its start does."""

from __future__ import annotations

import re
from typing import Final

_SUBSCRIPT: Final = re.compile(r"[A-Za-z_]\w*\[[^]]*")
_INDEX: Final = re.compile(r"\[[^]]*")
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
_BEFORE: Final = (*_AGAIN, "exec", "command", "builtin")
_DECLARE: Final = (["declare"], ["typeset"], ["local"], ["readonly"], ["export"])
_INTEGER: Final = re.compile(r"-[a-zA-Z]*i[a-zA-Z]*")
_TAKE_NAMES: Final = ("read", "mapfile", "readarray", "unset", "getopts", "compgen")
_TAKES_A_WORD: Final = re.compile(r"-[a-zA-Z]*[dinNptuOscC]")  # options of these with a word that is no name
_PARAMETERS: Final = ("set", "shift", "function", "getopts")
NUMBER_TESTS: Final = ("-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-v")


class Command:
    """The simple command that is being read, and the ``case`` and ``[[`` that are open around it."""

    __slots__ = ("array", "cases", "first_use", "quoted", "start", "test", "word", "words")

    def __init__(self, first_use: int = 0, array: bool = False) -> None:
        self.array = array  # these are an array's elements
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
        """Whether the word so far is that of an assignment, up to somewhere in an array's index."""
        if self.array:
            return _INDEX.fullmatch(self.word) is not None
        return self.start and _SUBSCRIPT.fullmatch(self.word) is not None

    @property
    def evaluates(self) -> bool:
        """Whether the command evaluates the word as arithmetic."""
        words = self._from_name()
        return words[:1] == ["let"] or (words[:1] in _DECLARE and any(_INTEGER.fullmatch(w or "") for w in words[1:]))

    @property
    def names(self) -> bool:
        """Whether the command takes the word, so far as it goes, for the name of a variable."""
        words = self._from_name()
        last = words[-1] if words else None
        if not words or words[0] is None:
            return False
        if words[0] in ("[", "test", "printf"):
            return last == "-v"
        if words[0] in ("declare", "typeset", "local", "readonly", "export"):
            return "=" not in self.word
        return words[0] in _TAKE_NAMES and not _TAKES_A_WORD.fullmatch(last or "")

    def _from_name(self) -> list[str | None]:
        """Give the words from the command's name on, without what stands before it."""
        at = 0
        while at < len(self.words) and (self.words[at] in _BEFORE or _ASSIGNMENT.match(self.words[at] or "")):
            at += 1
        return self.words[at:]

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
