"""Templates: texts with places for what differs from run to run, as values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from ..grammar.node import Node
from .values import Path, dotted

Json = str | int | bool | None | list["Json"] | dict[str, "Json"]


class KeyPart(Node):
    """The value of a key, as text."""

    key: Path


class TextPart(Node):
    """Text column *index* of the experiment: computed once for each combination of what it depends on."""

    index: int


class RunPart(Node):
    """What is known when a run starts: ``id dir config config_yaml attempt cpus gpus memory nodes tasks``."""

    name: str


class RootPart(Node):
    """The project's folder."""


class FilePart(Node):
    """The path of an output or an input."""

    kind: str  # "output" or "input"
    name: str


class AncestorPart(Node):
    """The path of an output of the one ancestor in *experiment*; no output: the file that lists the ancestors."""

    experiment: str
    output: str | None


Part = str | KeyPart | TextPart | RunPart | RootPart | FilePart | AncestorPart
Template = tuple[Part, ...]


class ListWord(Node):
    """Any number of words: text column *index*, whose texts are lists."""

    index: int


class EachWord(Node):
    """A word an ancestor in *experiment*: the path of its output."""

    experiment: str
    output: str


Word = Template | ListWord | EachWord


class Argv(Node):
    """A program and its arguments."""

    words: tuple[Word, ...]


class Script(Node):
    """A bash script and its positional parameters; a word that may be many comes with its count before it."""

    script: str
    args: tuple[Word, ...]


Command = Argv | Script


def joined(parts: Sequence[Part]) -> Template:
    """Join texts that stand side by side, and drop empty ones."""
    result: list[Part] = []
    for part in parts:
        if isinstance(part, str) and result and isinstance(result[-1], str):
            result[-1] += part
        elif part != "":
            result.append(part)
    return tuple(result)


def part_json(part: Part) -> Json:
    """Give a part as it stands in ``plan.json``."""
    match part:
        case str():
            return part
        case KeyPart(key):
            return {"key": dotted(key)}
        case TextPart(index):
            return {"text": index}
        case RunPart(name):
            return {"run": name}
        case RootPart():
            return {"project": "root"}
        case FilePart(kind, name):
            return {kind: name}
        case AncestorPart(experiment, None):
            return {"ancestor": experiment, "runs": True}
        case AncestorPart(experiment, output):
            return {"ancestor": experiment, "output": output}
        case _:
            assert_never(part)


def template_json(template: Template) -> Json:
    return [part_json(part) for part in template]


def word_json(word: Word) -> Json:
    match word:
        case ListWord(index):
            return {"words": index}
        case EachWord(experiment, output):
            return {"each": {"ancestor": experiment, "output": output}}
        case _:
            return template_json(word)


def command_json(command: Command) -> Json:
    match command:
        case Argv(words):
            return {"kind": "argv", "words": [word_json(word) for word in words]}
        case Script(script, args):
            return {"kind": "script", "script": script, "args": [word_json(word) for word in args]}
        case _:
            assert_never(command)
