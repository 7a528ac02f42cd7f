"""What can be wrong with the place of a placeholder in a run text, as diagnostics."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from typing import Final

from ..grammar import tree
from ..grammar.diagnostic import Diagnostics
from .scope import Scope
from .shell_place import ARITHMETIC, DELIMITER, ESCAPED, NAME, PARAMETER, QUOTED_HERE, SUBSCRIPT, TEST, Use
from .template_report import shown
from .text_habits import shell_name

_SHELLS: Final = ("sh", "bash", "dash", "ksh", "zsh", "su", "busybox")
_SSH_TAKES_A_WORD: Final = re.compile(r"-[1246AaCfGgKkMNnqsTtVvXxYy]*[BbcDEeFIiJLlmOopQRSWw]")
_KEYWORDS: Final = (
    "if",
    "then",
    "elif",
    "else",
    "while",
    "until",
    "do",
    "!",
    "time",
    "{",
    "exec",
    "command",
    "builtin",
)


def check_shell_names(text: tree.Text, scope: Scope, diagnostics: Diagnostics) -> None:
    """Report each ``${…}`` that is no name of the shell's, or that is a key's as well."""
    shell_name(text, scope, diagnostics)
    for word in text.shell:
        path = tuple(word.text.split("."))
        if len(path) > 1 and not (scope.is_key(path) or scope.is_group(path)):
            diagnostics.error(
                "XP089",
                word.span,
                f"`${{{word.text}}}` is OmegaConf's way to name a key",
                "not a shell's name",
                help=f"write `{{{word.text}}}`",
            )


def check_place(use: Use, diagnostics: Diagnostics) -> bool:
    """Report a placeholder where bash would read the value as code, or not at all; tell whether it may stand there."""
    name = shown(use.placeholder.expr)
    written = f"{{{name}}}"
    found = {
        ARITHMETIC: (
            "bash would evaluate the value as arithmetic",
            f"compute it in the placeholder: `{{{name} + 1}}` is as good as `$(({name} + 1))`",
        ),
        SUBSCRIPT: ("bash would evaluate the value as arithmetic", "write a fixed number as the index"),
        NAME: (
            "bash would take the value for a variable's name, and evaluate the index in it",
            "write a fixed name; for a choice between several, use `case`",
        ),
        TEST: (
            "`[[ … ]]` would evaluate the value as arithmetic",
            "write `[ … ]` with the same operators, which compares numbers and evaluates nothing",
        ),
        QUOTED_HERE: (
            "a here-document with quotes around its end word takes no values",
            "take the quotes away from the end word; then write `\\\\$` for each dollar of the text's own",
        ),
        DELIMITER: ("the end word of a here-document takes no values", "write a fixed word, such as `EOF`"),
        PARAMETER: ("the shell's own `${…}` takes no values", f"give it a name first: `x={written}`"),
        ESCAPED: (
            "the character before it would take the placeholder's quotes apart",
            "take the backslash or the dollar away",
        ),
    }.get(use.context)
    if found is not None:
        message, help = found
        diagnostics.error("XP081", use.placeholder.span, message, "not here", help=help)
    return found is None


def many_inside(use: Use, diagnostics: Diagnostics) -> None:
    """Report any number of words where a single text is needed."""
    written = shown(use.placeholder.expr)
    spec = f":{use.placeholder.spec}" if use.placeholder.spec is not None else ""
    help = [f"let `{{{written}{spec}}}` stand alone between blanks, without quotes"]
    if use.placeholder.spec is None:
        help.append(f"or write `{{{written}:json}}` for the whole list as one text")
    message = f"`{{{written}{spec}}}` may be any number of words, and stands inside one"
    diagnostics.error("XP083", use.placeholder.span, message, "inside a word", help=help)


def warn_parsed_again(use: Use, diagnostics: Diagnostics) -> None:
    """Warn of a value inside a text that another shell reads as code."""
    reader = _reads_again(use.words)
    if reader is None:
        return
    written = f"{{{shown(use.placeholder.expr)}}}"
    if reader in _SHELLS:
        help = f"pass it as an argument: `{reader} -c 'echo \"$1\"' {reader} {written}`"
    elif reader == "eval":
        help = "leave `eval` out"
    else:
        help = "make sure that no value has a blank, a quote or a `$` in it"
    diagnostics.warning(
        "XP082", use.placeholder.span, f"`{reader}` will read this value as code", "read again", help=help
    )


def _reads_again(words: Sequence[str | None]) -> str | None:
    """Give the command that reads the word after *words* as code, if one does."""
    first = 0
    while first < len(words) and (words[first] in _KEYWORDS or "=" in (words[first] or "")):
        first += 1
    names = [posixpath.basename(word or "") for word in words]
    if first < len(names) and names[first] in ("eval", "trap"):
        return names[first] if names[first] == "eval" or len(names) == first + 1 else None
    if names and re.fullmatch(r"-[a-z]*c", words[-1] or ""):
        shells = [name for name in names[:-1] if name in _SHELLS]
        return shells[-1] if shells else None
    if "ssh" in names and _after_host(words[names.index("ssh") + 1 :]):
        return "ssh"
    return None


def _after_host(words: Sequence[str | None]) -> bool:
    """Tell whether ssh's words already name the host, so that what follows is for the shell there."""
    takes = False
    for word in words:
        if takes:
            takes = False
        elif word is None or not word.startswith("-"):
            return True
        else:
            takes = _SSH_TAKES_A_WORD.fullmatch(word) is not None
    return False
