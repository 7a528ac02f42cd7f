"""A run text as bash would read it: where each placeholder stands, and whether a shell is needed at all.

This is no parser of commands. It follows quotes, substitutions, here-documents and comments closely enough to know what
bash does to the characters at each place, and the words of each simple command closely enough to know ``eval``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ..grammar import tree
from .shell_place import (
    ANSI,
    ARITHMETIC,
    BARE,
    COMMENT,
    DELIMITER,
    DOUBLE,
    ESCAPED,
    HERE,
    NAME,
    PARAMETER,
    QUOTED_HERE,
    SINGLE,
    SUBSCRIPT,
    TEST,
    Atom,
    Scan,
    Unclosed,
    Use,
)
from .shell_words import NUMBER_TESTS, Command, moves_parameters, needs_shell

_BLANK: Final = " \t"
_GLOB: Final = "*?[]{}"


def scan(atoms: Sequence[Atom]) -> Scan:
    """Read a text whose placeholders stand as single atoms between its characters."""
    scanner = _Scanner(atoms)
    try:
        scanner.command(None)
    except _Stopped as stopped:
        scanner.unclosed = stopped.unclosed
    return Scan(tuple(scanner.uses), scanner.syntax, scanner.parameters, scanner.unclosed, scanner.background)


class _Stopped(Exception):  # noqa: N818  # carries what is reported elsewhere
    def __init__(self, unclosed: Unclosed) -> None:
        super().__init__(unclosed.what)
        self.unclosed = unclosed


class _Scanner:
    def __init__(self, atoms: Sequence[Atom]) -> None:
        self.atoms = atoms
        self.at = 0
        self.uses: list[Use] = []
        self.syntax = False
        self.parameters = False
        self.unclosed: Unclosed | None = None
        self.background: int | None = None
        self.documents: list[tuple[str, bool, bool, int]] = []  # delimiter, quoted, tabs stripped, where
        self.now = Command()
        self.backquotes = 0

    # -------------------------------------------------------------- atoms

    def peek(self, ahead: int = 0) -> Atom:
        """Give an atom, an empty text after the last."""
        place = self.at + ahead
        return self.atoms[place] if place < len(self.atoms) else ""

    def looking_at(self, text: str) -> bool:
        return all(self.peek(i) == char for i, char in enumerate(text))

    def use(self, placeholder: tree.Placeholder, context: str) -> None:
        now = self.now
        if context in (BARE, DOUBLE, SINGLE, ANSI):
            context = self.judged(context)
        following = self.peek(1)
        alone = not now.begun and isinstance(following, str) and following in " \t\n;|&<>()"
        self.uses.append(Use(placeholder, context, tuple(now.words), alone and context == BARE, self.backquotes))
        now.word += "\0"
        self.at += 1

    def judged(self, context: str) -> str:
        """Give the context of a placeholder in a word of the present command: some commands evaluate their words."""
        if self.now.in_subscript:
            return SUBSCRIPT
        if self.now.evaluates:
            return ARITHMETIC
        return NAME if self.now.names else context

    # -------------------------------------------------------------- commands

    def command(self, close: str | None, array: bool = False) -> None:
        """Read commands up to *close* (``)``, a backquote), or to the end; or the elements of an *array*."""
        outer, self.now, opened = self.now, Command(len(self.uses), array), self.at
        self.backquotes += close == "`"
        while True:
            char = self.peek()
            if char == "":
                if close is not None:
                    raise _Stopped(Unclosed(max(opened - 1, 0), "(" if close == ")" else close))
                break
            if char == close:
                self.end_word()  # it may be the `esac` after which the parenthesis closes
                if not (char == ")" and self.now.cases):
                    break
            self.step(char)
        self.end_word()
        self.end_command()
        if close is None:
            self.read_documents()
        self.at += 1
        self.backquotes -= close == "`"
        self.now = outer

    def step(self, char: Atom) -> None:
        if isinstance(char, tree.Placeholder):
            self.use(char, BARE)
        elif char in _BLANK:
            self.end_word()
            self.at += 1
        elif char == "\\":
            self.escape()
        elif char == "'":
            self.single()
        elif char == '"':
            self.double()
        elif char == "$":
            self.dollar()
        elif char == "#" and not self.now.begun:
            self.comment()
        elif char in "\n;&|()<>`":
            self.syntax = True
            self.operator(char)
        else:
            self.ordinary(char)

    def ordinary(self, char: str) -> None:
        word = self.now.word
        if char in _GLOB or (char == "~" and (not word or word[-1] in "=:")):
            self.syntax = True
        self.now.word += char
        self.at += 1

    def operator(self, char: str) -> None:
        if char == "`":
            self.now.word += "\0"
            self.at += 1
            self.command("`")
        elif char == "(":
            self.parenthesis()
        elif char == ")":
            self.end_word()
            self.end_command()
            self.at += 1
        elif char in "<>":
            self.redirection(char)
        else:
            self.separator(char)

    def separator(self, char: str) -> None:
        before = self.atoms[self.at - 1] if self.at else ""
        redirects = char == "&" and (before in ("<", ">") or self.peek(1) == ">")
        self.end_word()
        if not redirects:
            if char != "\n":
                single = char == "&" and before != "&" and self.peek(1) != "&"
                self.background = self.at if single else None
            if not (self.now.test and char in "&|"):
                self.end_command()
        self.at += 1
        if char == "\n":
            self.read_documents()

    def parenthesis(self) -> None:
        now = self.now
        if now.start and not now.word and self.looking_at("(("):
            self.at += 2
            self.arithmetic("))", "((")
            return
        is_function = bool(now.word or now.words) and self.peek(1) == ")" and not now.word.endswith("=")
        self.at += 1
        self.command(")", array=now.word.endswith("="))
        now.word += "\0"
        if is_function:
            self.parameters = True
            self.end_word()
            self.end_command()

    def redirection(self, char: str) -> None:
        if self.peek(1) == "(":
            self.now.word += "\0"
            self.at += 2
            self.command(")")
            return
        self.end_word()
        if self.looking_at("<<<"):
            self.at += 3
        elif self.looking_at("<<"):
            self.at += 2
            self.delimiter()
        else:
            self.at += 1

    # -------------------------------------------------------------- words

    def end_word(self) -> None:
        now = self.now
        if not now.begun:
            return
        first, plain, written = now.start, not now.quoted, now.word
        if needs_shell(written) and not now.words:
            self.syntax = True
        word = now.end_word()
        if word is not None and first and plain:
            self.syntax = self.syntax or needs_shell(word)
            self.parameters = self.parameters or moves_parameters(word)
        if now.test and word in NUMBER_TESTS:
            self.mark_test()
        self.background = None

    def end_command(self) -> None:
        self.now.end(len(self.uses))

    def mark_test(self) -> None:
        """Turn the uses of a ``[[ … ]]`` that compares numbers: it evaluates both sides as arithmetic."""
        end = self.at
        while end < len(self.atoms) and self.atoms[end] not in ("\n", "]"):
            end += 1
        for i in range(self.now.first_use, len(self.uses)):
            if self.uses[i].context == BARE:
                self.uses[i] = Use(self.uses[i].placeholder, TEST, self.uses[i].words, False)
        for i in range(self.at, end):
            atom = self.atoms[i]
            if isinstance(atom, tree.Placeholder):
                self.uses.append(Use(atom, TEST, tuple(self.now.words), False))
        self.at = end

    # -------------------------------------------------------------- quotes

    def escape(self) -> None:
        following = self.peek(1)
        self.at += 1
        if isinstance(following, tree.Placeholder):
            self.use(following, ESCAPED)
            return
        if following != "\n":
            self.now.word += following
            self.now.quoted = True
        self.at += 1

    def single(self, context: str = SINGLE) -> None:
        opened = self.at
        self.now.quoted = True
        self.at += 1
        while (char := self.peek()) != "'":
            if char == "":
                raise _Stopped(Unclosed(opened, "'"))
            if isinstance(char, tree.Placeholder):
                self.use(char, context)
                continue
            if char == "\\" and context == ANSI:
                self.at += 1
                escaped = self.peek()
                if isinstance(escaped, tree.Placeholder):
                    self.use(escaped, ESCAPED)
                    continue
            self.now.word += char
            self.at += 1
        self.at += 1

    def double(self) -> None:
        opened = self.at
        self.now.quoted = True
        self.at += 1
        while (char := self.peek()) != '"':
            if char == "":
                raise _Stopped(Unclosed(opened, '"'))
            self.expanding(char, DOUBLE)
        self.at += 1

    def expanding(self, char: Atom, context: str) -> None:
        """Read one step of a text in which ``$``, backquotes and backslashes count: double quotes, a here-document."""
        if isinstance(char, tree.Placeholder):
            self.use(char, context)
        elif char == "\\":
            following = self.peek(1)
            self.at += 1
            if isinstance(following, tree.Placeholder):
                self.use(following, ESCAPED)
            else:
                self.now.word += following
                self.at += 1
        elif char == "`":
            self.syntax = True
            self.now.word += "\0"
            self.at += 1
            self.command("`")
        elif char == "$":
            self.dollar(context)
        else:
            self.now.word += char
            self.at += 1

    def dollar(self, context: str = BARE) -> None:
        """Read what a dollar begins."""
        following = self.peek(1)
        if context == BARE and following == "'":
            self.syntax = True
            self.at += 1
            self.single(ANSI)
            return
        if context == BARE and following == '"':
            self.syntax = True
            self.at += 1
            self.double()
            return
        self.at += 1
        if isinstance(following, tree.Placeholder):
            self.use(following, ESCAPED)
            return
        if following in (" ", "\t", "\n", "", '"', "/", ".", ","):
            self.now.word += "$"
            return
        self.syntax = True
        self.now.word += "\0"
        if self.looking_at("(("):
            self.at += 2
            self.arithmetic("))", "$((")
        elif following == "(":
            self.at += 1
            self.command(")")
        elif following == "{":
            self.parameter()
        elif following == "[":
            self.at += 1
            self.arithmetic("]", "$[")
        else:
            self.at += 1

    def parameter(self) -> None:
        """Read the shell's own ``${…}``."""
        opened = self.at
        self.at += 1
        while (char := self.peek()) != "}":
            if char == "":
                raise _Stopped(Unclosed(opened, "{"))
            if isinstance(char, tree.Placeholder):
                self.use(char, PARAMETER)
            elif char == "'":
                self.single(PARAMETER)
            elif char == '"':
                self.double()
            else:
                self.expanding(char, PARAMETER)
        self.at += 1

    def arithmetic(self, close: str, opening: str) -> None:
        opened, depth = self.at - len(opening), 0
        self.syntax = True
        while depth or not self.looking_at(close):
            char = self.peek()
            if char == "":
                raise _Stopped(Unclosed(max(opened, 0), opening))
            if isinstance(char, tree.Placeholder):
                self.use(char, ARITHMETIC)
                continue
            if char == "$" and self.looking_at("$(") and not self.looking_at("$(("):
                self.at += 2
                self.command(")")
                continue
            depth += {"(": 1, ")": -1}.get(char, 0)
            self.at += 1
        self.at += len(close)

    def comment(self) -> None:
        self.syntax = True
        while (char := self.peek()) not in ("\n", ""):
            if isinstance(char, tree.Placeholder):
                self.uses.append(Use(char, COMMENT, (), False))
            self.at += 1

    # -------------------------------------------------------------- here-documents

    def delimiter(self) -> None:
        """Read the word that ends a here-document, and note that its text comes after this line."""
        opened = self.at - 2
        tabs = self.peek() == "-"
        self.at += tabs
        while self.peek() in (" ", "\t"):
            self.at += 1
        word, quoted = "", False
        while (char := self.peek()) not in ("", " ", "\t", "\n", ";", "|", "&", "<", ">", "(", ")"):
            if isinstance(char, tree.Placeholder):
                self.use(char, DELIMITER)
                continue
            if char in "'\"":
                close = next((i for i in range(self.at + 1, len(self.atoms)) if self.atoms[i] == char), None)
                if close is None:
                    raise _Stopped(Unclosed(self.at, char))
                word += "".join(atom for atom in self.atoms[self.at + 1 : close] if isinstance(atom, str))
                quoted, self.at = True, close + 1
                continue
            quoted = quoted or char == "\\"
            word += char if char != "\\" else ""
            self.at += 1
        self.documents.append((word, quoted, tabs, opened))

    def read_documents(self) -> None:
        """Read the here-documents that the line before has announced."""
        waiting, self.documents = self.documents, []
        for word, quoted, tabs, opened in waiting:
            outer, self.now = self.now, Command()
            while not self.ends(word, tabs):
                if self.peek() == "":
                    raise _Stopped(Unclosed(opened, "<<"))
                self.document_line(quoted)
            self.now = outer

    def ends(self, word: str, tabs: bool) -> bool:
        """Tell whether the line here ends a here-document, and step over it if so."""
        start = self.at
        while tabs and self.atoms[start : start + 1] == ["\t"]:
            start += 1
        if list(self.atoms[start : start + len(word)]) != list(word):
            return False
        end = start + len(word)
        if end < len(self.atoms) and self.atoms[end] != "\n":
            return False
        self.at = min(end + 1, len(self.atoms))
        return True

    def document_line(self, quoted: bool) -> None:
        while (char := self.peek()) != "":
            if quoted and isinstance(char, tree.Placeholder):
                self.use(char, QUOTED_HERE)
            elif quoted or char == "\n":
                self.at += 1
            else:
                self.expanding(char, HERE)
            if char == "\n":
                return
