"""The texts of every experiment to commands, paths and variables, with the texts of its rows computed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import cast

from ..grammar.diagnostic import Diagnostic, Diagnostics
from ..grammar.node import Node
from ..grammar.source import Span
from .command import Reading, read_command
from .fault import EvaluationError
from .findings import value_text
from .plan_ancestors import Ancestry
from .plan_distinct import Cell, distinct, plain, used_values
from .scope import Scope
from .study import Experiment, Study, Target
from .table import Table
from .template import AncestorPart, Argv, Command, EachWord, KeyPart, Part, Template, TextPart, Word
from .template_compile import PlannedEnvironment, check_values, compile_environment, compile_files
from .template_fill import Filler
from .template_labels import Labels, labels_of
from .template_names import Ancestor, Names, ancestors_of
from .template_texts import Result, TextColumn
from .values import Absent, Path, Value, dotted


class TextValues(Node):
    """The values of one text column: a text, or a list of texts, by number, and the number of each row."""

    results: Mapping[int, Result]
    codes: Sequence[int] | None


class Compiled(Node):
    """An experiment with its texts compiled. *ancestors* are those that its templates name."""

    experiment: Experiment
    names: Names
    labels: Labels
    reading: Reading
    command: Command
    inputs: Mapping[str, Template]
    outputs: Mapping[str, Template]
    environment: PlannedEnvironment
    texts: tuple[TextValues, ...]
    ancestors: tuple[str, ...]


def compile_texts(
    study: Study, tables: Mapping[str, Table], target: Target, diagnostics: Diagnostics
) -> dict[str, Compiled]:
    """Compile the texts of all experiments; one with a mistake in a text is reported and missing.

    An experiment without a table has its names looked at, and nothing more.
    """
    found: dict[str, Compiled] = {}
    for name, experiment in study.experiments.items():
        if experiment.run is None:
            continue
        compiled = _compile(experiment, study, tables, target, diagnostics)
        if compiled is not None:
            found[name] = compiled
    return found


def _compile(
    experiment: Experiment, study: Study, tables: Mapping[str, Table], target: Target, diagnostics: Diagnostics
) -> Compiled | None:
    table = tables.get(experiment.name)
    scope = text_scope(study, experiment, table)
    names = Names(experiment, scope, _ancestors(experiment, study, tables))
    labels = labels_of(experiment.name, study.experiments)
    filler = Filler(experiment, names, scope, table, labels, diagnostics)
    errors = sum(d.severity == "error" for d in diagnostics.found)
    assert experiment.run is not None
    reading = read_command(experiment.run, filler, diagnostics)
    inputs = compile_files(experiment.inputs, "input", filler, diagnostics)
    outputs = compile_files(experiment.outputs, "output", filler, diagnostics)
    environment = compile_environment(experiment.environment, target.setup, filler, diagnostics)
    if table is None:
        return None
    texts = [_evaluate(column, table, diagnostics) for column in filler.columns.all]
    check_values(experiment.inputs, inputs, "input", _values_in(table, texts), diagnostics)
    check_values(experiment.outputs, outputs, "output", _values_in(table, texts), diagnostics)
    if reading is None:
        return None
    command = reading.command
    words = _words(command, environment, (*inputs.values(), *outputs.values()))
    _refuse_nul(words, experiment, table, diagnostics)
    if sum(d.severity == "error" for d in diagnostics.found) > errors:
        return None
    ancestors = dict.fromkeys(
        part.experiment for word in words for part in _parts(word) if isinstance(part, AncestorPart | EachWord)
    )
    known = tuple(text for text in texts if text is not None)
    return Compiled(experiment, names, labels, reading, command, inputs, outputs, environment, known, tuple(ancestors))


def text_scope(study: Study, experiment: Experiment, table: Table | None) -> Scope:
    """Give the scope of an experiment's texts: what resolving knew of, and every key that the table has."""
    known = study.scope(experiment.name)
    assert isinstance(known, Scope)
    keys = dict.fromkeys([*(table.order if table is not None else ()), *known.keys])
    return Scope(
        keys,
        lets=known.lets,
        open=known.open and table is None,
        owner=known.owner,
        silent=known.silent,
        world=known.world,
        constants=known.constants,
    )


def _ancestors(experiment: Experiment, study: Study, tables: Mapping[str, Table]) -> dict[str, Ancestor]:
    """Give the ancestors; where two ways lead to one, the table knows whether they meet."""
    found = ancestors_of(experiment.name, study.experiments)
    table = tables.get(experiment.name)
    if table is not None:
        ancestry = Ancestry(table, tables)
        for name, ancestor in found.items():
            if ancestor.many == "perhaps":
                found[name] = Ancestor(ancestor.outputs, "no" if ancestry.is_single(name) else "yes")
    return found


# ------------------------------------------------------------------ texts of rows


def _evaluate(column: TextColumn, table: Table, diagnostics: Diagnostics) -> TextValues | None:
    combinations = distinct(table, column.keys)
    results: dict[int, Result] = {}
    for number, cells in combinations.cells.items():
        try:
            result = column.make(cells)
        except EvaluationError as error:
            report_at(error, column.keys, cells, diagnostics)
            return None
        if "\0" in (result if isinstance(result, str) else "".join(result)):
            _nul(column.span, "this", diagnostics)
            return None
        results[number] = result
    return TextValues(results, combinations.codes)


def _values_in(table: Table, texts: Sequence[TextValues | None]) -> Callable[[Part], Iterable[Value]]:
    """Give what finds the values that a part has in some row."""

    def values(part: Part) -> Iterable[Value]:
        match part:
            case KeyPart(key):
                return map(plain, used_values(table, key))
            case TextPart(index):
                text = texts[index]
                return () if text is None else cast("Iterable[Value]", text.results.values())
            case _:
                return ()

    return values


def report_at(error: EvaluationError, keys: Sequence[Path], cells: Sequence[Cell], diagnostics: Diagnostics) -> None:
    """Report a mistake with the values at which it showed, once for each place."""
    found = error.diagnostic
    if any((d.code, d.span) == (found.code, found.span) for d in diagnostics.found):
        return
    shown = [
        f"`{dotted(key)} = {value_text(cell)}`"
        for key, cell in zip(keys, cells, strict=True)
        if not isinstance(cell, Absent)
    ]
    help = (*found.help, f"the first such point has {', '.join(shown)}") if shown else found.help
    diagnostics.found.append(
        Diagnostic(found.code, found.severity, found.message, found.span, found.label, found.labels, help)
    )


def _refuse_nul(words: Sequence[Word], experiment: Experiment, table: Table, diagnostics: Diagnostics) -> None:
    """Report values with a NUL in them: nothing can hand one to a program."""
    keys = dict.fromkeys(part.key for word in words for part in _parts(word) if isinstance(part, KeyPart))
    for key in keys:
        if any(isinstance(value, str) and "\0" in value for value in used_values(table, key)):
            span = experiment.run.span if experiment.run is not None else experiment.span
            _nul(span, f"`{dotted(key)}`", diagnostics)


def _nul(span: Span, what: str, diagnostics: Diagnostics) -> None:
    message = f"{what} has a value with a NUL character in it, which no argument can hold"
    diagnostics.error("XP094", span, message, "NUL", help="hand it over in a file: the config holds every value")


def _words(command: Command, environment: PlannedEnvironment, paths: Sequence[Template]) -> list[Word]:
    setup = [word for script in environment.setup for word in script.args]
    own = command.words if isinstance(command, Argv) else command.args
    return [*own, *setup, *environment.variables.values(), *_container(environment), *paths]


def _container(environment: PlannedEnvironment) -> list[Template]:
    container = environment.container
    if container is None:
        return []
    return [container.image, *(path for mount in container.mounts for path in (mount.path, mount.at))]


def _parts(word: Word) -> Sequence[object]:
    return word if isinstance(word, tuple) else (word,)
