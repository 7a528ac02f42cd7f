"""One run of a plan to its command, for people: paths relative to the project, values in their places."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Sequence
from typing import Final, assert_never

from ..grammar import tree
from .command import Reading
from .format import format_value
from .plan import Plan, PlannedExperiment
from .plan_distinct import plain
from .shell_place import ANSI, BARE, COMMENT, DOUBLE, SINGLE
from .table import Table
from .template import (
    AncestorPart,
    Argv,
    EachWord,
    FilePart,
    KeyPart,
    ListWord,
    Part,
    RootPart,
    RunPart,
    Script,
    Template,
    TextPart,
    Word,
)
from .template_keys import Many

_FILES: Final = {"config": "config.json", "config_yaml": "config.yaml"}


def command_of(plan: Plan, experiment: str, index: int) -> list[str] | str:
    """Give the words of a run's command, or the text of its script with every value in its place.

    *index* counts the experiment's runs in the plan from 0. Paths are relative to the project, as they will be; the
    resources are those of the first attempt.
    """
    planned = plan.experiments[experiment]
    shown = _Shown(plan, planned, planned.row(index))
    match planned.compiled.command:
        case Argv(words):
            return [text for word in words for text in shown.word(word)]
        case Script():
            return shown.script(planned.compiled.reading)
        case command:
            assert_never(command)


class _Shown:
    """Fills the templates of one row."""

    def __init__(self, plan: Plan, planned: PlannedExperiment, row: int) -> None:
        self.plan = plan
        self.planned = planned
        self.table: Table = planned.table
        self.row = row
        self.folder = f"runs/{self.table.experiment.name}/{self.table.id(row)}"

    def word(self, word: Word) -> list[str]:
        match word:
            case ListWord(index):
                found = self._text(index)
                return found if isinstance(found, list) else [found]
            case EachWord(experiment, output):
                return self._ancestors(experiment, output)
            case _:
                return [self.text(word)]

    def text(self, template: Template) -> str:
        return "".join(map(self._part, template))

    def _part(self, part: Part) -> str:
        match part:
            case str():
                return part
            case KeyPart(key):
                return format_value(plain(self.table.value(key, self.row)))
            case TextPart(index):
                return "".join(self._text(index))
            case RunPart(name):
                return self._field(name)
            case RootPart():
                return "."
            case FilePart("output", name):
                return self._inside(self.folder, self.text(self.planned.compiled.outputs[name]))
            case FilePart(_, name):
                return self.text(self.planned.compiled.inputs[name])
            case AncestorPart(experiment, None):
                return f"{self.folder}/{experiment}.runs.jsonl"
            case AncestorPart(experiment, output):
                return " ".join(self._ancestors(experiment, output or ""))
            case _:
                assert_never(part)

    def _text(self, index: int) -> str | list[str]:
        text = self.planned.compiled.texts[index]
        return text.results[0 if text.codes is None else text.codes[self.row]]

    def _field(self, name: str) -> str:
        if name in _FILES:
            return f"{self.folder}/{_FILES[name]}"
        if name in ("id", "dir"):
            return self.table.id(self.row) if name == "id" else self.folder
        if name == "attempt":
            return "1"
        request = self.plan.resources[self.planned.class_of(self.row)][0]
        return format_value(getattr(request, name))

    def _inside(self, folder: str, path: str) -> str:
        return posixpath.normpath(posixpath.join(folder, "files", self.plan.snapshot.prefix, path))

    def _ancestors(self, experiment: str, output: str) -> list[str]:
        above = self.plan.experiments.get(experiment)
        found: list[str] = []
        for row in self.planned.ancestors[experiment].of(self.row):
            if above is not None:
                other = _Shown(self.plan, above, row)
                found.append(other._inside(other.folder, other.text(above.compiled.outputs[output])))
            else:
                found.append(f"runs/{experiment}/{self.plan.tables[experiment].id(row)}/files/{output}")
        return found

    # -------------------------------------------------------------- scripts

    def script(self, reading: Reading) -> str:
        """Give a run text with its values in place of the placeholders, quoted as is right for each place."""
        values: dict[int, str] = {}
        for use in reading.scan.uses:
            if use.context == COMMENT:
                values[id(use.placeholder)] = use.placeholder.span.text
                continue
            filled = reading.filled[id(use.placeholder)]
            if isinstance(filled, Many):
                words: Sequence[str] = [text for word in filled.words for text in self.word(word)]
                value = shlex.join(words)
            elif filled.raw and use.context == BARE:
                value = self._part(filled.part)
            else:
                value = quoted(self._part(filled.part), use.context)
            for _ in range(use.backquotes):
                value = re.sub(r"([\\$`])", r"\\\1", value)
            values[id(use.placeholder)] = value
        parts = [values[id(atom)] if isinstance(atom, tree.Placeholder) else atom for atom in reading.atoms]
        return "".join(parts)


def quoted(value: str, context: str) -> str:
    """Give the characters that stand for *value* at a place in a script."""
    if context == BARE:
        return shlex.quote(value)
    if context == SINGLE:
        return value.replace("'", "'\"'\"'")
    if context == ANSI:
        return value.replace("\\", "\\\\").replace("'", "\\'")
    return re.sub(r'([\\"$`])' if context == DOUBLE else r"([\\$`])", r"\\\1", value)
