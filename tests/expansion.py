"""Builds studies by hand for the tests of expansion: experiments, grids and late values as plain Python."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from xpc.compiler.expand import expand
from xpc.compiler.study import (
    After,
    Arm,
    Axis,
    Branch,
    Code,
    Combination,
    Constraint,
    Distribution,
    Draw,
    Environment,
    Experiment,
    Grid,
    GridItem,
    GridValue,
    KeyValue,
    Points,
    Resources,
    Sample,
    Study,
)
from xpc.compiler.table import Table
from xpc.compiler.values import ABSENT, Path, Type, type_of
from xpc.grammar import tree
from xpc.grammar.diagnostic import Diagnostics
from xpc.grammar.source import Source, Span

SOURCE = Source("Experimentfile", "\n".join(f"line {n}" for n in range(40)))


def span(line: int = 0) -> Span:
    start = SOURCE.text.index(f"line {line}")
    return Span(SOURCE, start, start + len(f"line {line}"))


def path(dotted: str) -> Path:
    return tuple(dotted.split("."))


def code(names: str, call: Callable[..., Any], line: int = 0) -> Code:
    """Give the code of ``call(*names)``."""
    where = span(line)
    return Code(tuple(map(path, names.split())), lambda v: call(*v), where, tree.Broken(where))


def axis(key: str, *values: Any, line: int = 0) -> Axis:
    return Axis((path(key),), (list(values),), False, span(line))


def zipped(line: int = 0, **columns: Sequence[Any]) -> Axis:
    return Axis(tuple(map(path, columns)), tuple(map(list, columns.values())), False, span(line))


def overlay(label: str, line: int = 0, **elements: Mapping[str, Any]) -> Axis:
    """Give a config group, or ``config in``: elements that set several keys each."""
    keys = list(dict.fromkeys(key for element in elements.values() for key in element))
    columns = tuple([element.get(key, ABSENT) for element in elements.values()] for key in keys)
    return Axis(tuple(map(path, keys)), columns, False, span(line), path(label), tuple(elements))


def value(key: str, what: Any, line: int = 0) -> GridValue:
    return GridValue(path(key), what, span(line))


def when(*arms: tuple[Code | None, Sequence[Any]], line: int = 0) -> Branch:
    return Branch(tuple(Arm(condition, tuple(body)) for condition, body in arms), span(line))


def skip(condition: Code) -> Constraint:
    return Constraint(False, condition, condition.span)


def keep(condition: Code) -> Constraint:
    return Constraint(True, condition, condition.span)


def draw(key: str, name: str, *arguments: Any, type: Type = "any", line: int = 0) -> Draw:
    return Draw(path(key), Distribution(name, arguments, span(line)), type, span(line))


def sample(count: int, *body: Draw | GridItem, seed: int = 0, line: int = 0) -> Sample:
    return Sample(count, seed, body, span(line))


def grid(*items: GridItem, points: Sequence[Mapping[str, Any]] = (), name: str = "g", line: int = 0) -> Grid:
    made = [{path(key): what for key, what in point.items()} for point in points]
    lines = Points(tuple(made), tuple(span(line) for _ in made)) if made else None
    return Grid(name, items, lines, span(line))


def plus(left: Any, right: Any) -> Combination:
    return Combination("+", left, right, span())


def times(left: Any, right: Any) -> Combination:
    return Combination("*", left, right, span())


def after(name: str, *, all: bool = False, by: str = "", line: int = 0) -> After:
    return After(name, all, tuple(map(path, by.split())), span(line))


def experiment(
    grid: Any = None,
    *,
    name: str = "train",
    config: Mapping[str, Any] | None = None,
    types: Mapping[str, Type] | None = None,
    line: int = 0,
    **more: Any,
) -> Experiment:
    """Give an experiment; *config* is its keys with values or codes, *types* those of keys whose value is code."""
    keys = {
        path(key): KeyValue(path(key), _type(key, what, types or {}), what, span(30 + n), span(30 + n))
        for n, (key, what) in enumerate((config or {}).items())
    }
    fields: dict[str, Any] = {
        "own": (),
        "overrides": {},
        "repeats": (),
        "folds": None,
        "after": (),
        "resources": Resources(),
        "environment": Environment(),
        "run": tree.Text((), False, span()),
        "workdir": "links",
        "inputs": (),
        "outputs": (),
        "writable": (),
        "metrics_files": (),
        "metrics": (),
        "retries": 0,
        "checkpoint": None,
        "pack": None,
        "ignore": (),
        "code": (),
        "tags": (),
    }
    return Experiment(name=name, span=span(line), keys=keys, open=config is None, grid=grid, **{**fields, **more})


def _type(key: str, what: Any, types: Mapping[str, Type]) -> Type:
    return types.get(key, "any" if isinstance(what, Code) else type_of(what))


def study(*experiments: Experiment) -> Study:
    return Study("test", ".", ("Experimentfile",), (), {e.name: e for e in experiments}, {}, {})


def tables(*experiments: Experiment) -> dict[str, Table]:
    """Expand, and demand that nothing is found."""
    diagnostics = Diagnostics()
    found = expand(study(*experiments), diagnostics)
    assert diagnostics.found == []
    return found


def rows(table: Table) -> list[dict[str, Any]]:
    """Give every row by dotted key."""
    return [{".".join(p): v for p, v in table.values(row).items()} for row in range(table.count)]


def points(*args: Any, **more: Any) -> list[dict[str, Any]]:
    """Give the rows of the one experiment that is made of these arguments."""
    return rows(tables(experiment(*args, **more))["train"])


def found(*experiments: Experiment) -> list[str]:
    """Expand and give all that is found, each as one text: code, severity, line, message, label, labels, help."""
    diagnostics = Diagnostics()
    expand(study(*experiments), diagnostics)
    return [
        "\n".join(
            [
                f"{d.severity}[{d.code}] {d.span.text if d.span else '-'}: {d.message} | {d.label}",
                *(f"  {label.span.text}: {label.text}" for label in d.labels),
                *(f"  help: {line}" for line in d.help),
            ]
        )
        for d in diagnostics.sorted()
    ]


def text(*parts: str) -> list[str]:
    """Give what ``found`` gives for one diagnostic, written in several pieces."""
    return ["".join(parts)]
