"""The commands of a run text to the files of the project that they start: `train.py` of `python -u train.py --lr 3`.

Only what is certain counts: a command that may go to another folder, or make files, ends the search.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from .run_words import Given

SUFFIXES: Final = (".py", ".sh", ".R", ".jl", ".pl", ".lua", ".rb", ".js")

_ASSIGNMENT: Final = r"[A-Za-z_]\w*\+?="
_BEFORE: Final = (("uv", "run"), ("poetry", "run"), ("pdm", "run"), ("pipenv", "run"))
_PREFIXES: Final = ("env", "exec", "nice", "nohup", "srun", "time")
_INTERPRETERS: Final = {
    r"(python|python3|python3\.\d+|pypy3?)": r"-[bBdEiIOPqsSuvx]+|-[WX].+",
    r"(bash|sh|zsh|dash)": r"-[efuvx]+",
    r"Rscript": r"--(vanilla|no-save|no-restore|no-environ|slave|quiet)",
    r"julia": r"--[a-z-]+=.+|--project|-O[0-3]?|-q",
    r"perl|ruby": r"-w",
    r"lua|luajit": r"",
    r"node": r"--[a-z-]+=.+",
    r"torchrun": r"--[a-z_-]+=.+|--standalone",
    r"accelerate launch": r"--[a-z_-]+=.+",
}
"""Each program that takes a script as its first argument, and its options that take no word of their own."""
_TAKE_A_WORD: Final = {r"(python|python3|python3\.\d+|pypy3?)": ("-W", "-X")}
_HARMLESS: Final = frozenset(
    [
        "set",
        "export",
        "echo",
        "printf",
        "tee",
        "cat",
        "head",
        "tail",
        "grep",
        "sort",
        "mkdir",
        "module",
        "ulimit",
        "true",
        ":",
        "umask",
        "date",
        "hostname",
        "nvidia-smi",
        "ls",
        "sleep",
        "test",
        "nproc",
        "uname",
        "which",
    ]
)


def started_files(commands: Sequence[Sequence[Given]]) -> Iterator[Given]:
    """Give the words that are paths of files which the commands start, in order."""
    for command in commands:
        words = list(command)
        while words and _assigns(words[0].text):
            words.pop(0)
        if not words:
            continue
        found = _started(words)
        if found is not None and found.text is not None and is_relative(found.text):
            yield found
        elif words[0].text not in _HARMLESS:
            return


def _started(words: list[Given]) -> Given | None:
    """Give the word of a command that names the file to start, if that is certain."""
    texts = [word.text or "" for word in words]
    while words:
        if texts[0] in _PREFIXES:
            skipped = 1
        elif tuple(texts[:2]) in _BEFORE:
            skipped = 2
            if texts[2:3] and _is_script(texts[2]):
                return words[2]
        elif skipped := _assigns(texts[0]):
            pass
        else:
            break
        words, texts = words[skipped:], texts[skipped:]
    if not words:
        return None
    if "/" in texts[0] and not texts[0].startswith("/"):
        return words[0]
    name, first = texts[0], 1
    if texts[:2] == ["accelerate", "launch"]:
        name, first = "accelerate launch", 2
    return _argument(name, words[first:])


def _assigns(word: str | None) -> bool:
    return word is not None and "=" in word and re.match(_ASSIGNMENT, word) is not None


def _argument(name: str, words: Sequence[Given]) -> Given | None:
    """Give the script that an interpreter gets."""
    for pattern, options in _INTERPRETERS.items():
        if not re.fullmatch(pattern, posixpath.basename(name)):
            continue
        takes = False
        for word in words:
            text = word.text
            if takes:
                takes = False
            elif text is None:
                return None
            elif text in _TAKE_A_WORD.get(pattern, ()):
                takes = True
            elif not re.fullmatch(options, text):
                return word if _is_script(text) else None
    return None


def _is_script(text: str) -> bool:
    return text.endswith(SUFFIXES) and not text.startswith("-")


def is_relative(path: str) -> bool:
    """Tell whether a word is a path as seen from the run's folder."""
    return bool(path) and not path.startswith(("/", "~")) and "\0" not in path and "\n" not in path


MOVES: Final = r"\b(cd|pushd|eval|git|cp|mv|ln|rsync|curl|wget|tar|unzip|make|chdir|rclone|dvc)\b|\.\./"
_SOURCES: Final = r"(?:^|[;&|\n])\s*(?:source|\.)\s+(\S+)"


def may_move(setup: str, is_known: Callable[[str], bool]) -> bool:
    """Tell whether a setup line may go to another folder, or bring files; *is_known* tells files that surely don't."""
    if not setup:
        return False  # most often, and the patterns need not be compiled
    return re.search(MOVES, setup) is not None or any(not is_known(path) for path in re.findall(_SOURCES, setup))
