"""A tree to an Experimentfile that reads back as the same tree: a statement a line, four blanks a level."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, assert_never

from . import tree
from .node import Node
from .print_clause import clause_text
from .print_expression import expression_text, key_text, text_text

INDENT: Final = "    "

Item = tree.ConfigItem | tree.TargetItem | tree.EnvironmentItem | tree.GridItem | tree.ExperimentItem


def tree_text(parsed: tree.Tree) -> str:
    """Give the whole file. Raises ``ValueError`` where something in it could not be read."""
    return "".join(f"{line}\n" for statement in parsed.statements for line in statement_lines(statement))


def statement_lines(statement: tree.Statement) -> Iterator[str]:
    """Give the lines of a statement at the top level."""
    match statement:
        case tree.Project(name=name, root=root):
            yield f"project {text_text(name)}" + (f" root {text_text(root)}" if root is not None else "")
        case tree.Include(path=path):
            yield f"include {text_text(path)}"
        case tree.Link(path=path, alias=alias):
            yield f"link {text_text(path)}" + (f" as {alias.text}" if alias is not None else "")
        case tree.Let(name=name, value=value):
            yield f"let {name.text} = {expression_text(value)}"
        case tree.Grid(name=name, body=body):
            if isinstance(body, tuple):
                yield from _block(f"grid {name.text}:", map(_item_lines, body))
            else:
                yield f"grid {name.text} = {grid_text(body)}"
        case tree.Target(name=name, base=base, body=body):
            yield from _block(f"target {name.text} = {base.text}:", map(_item_lines, body))
        case tree.Report(name=name, clauses=clauses):
            yield from _block(f"report {name.text}:", ([clause_text(clause)] for clause in clauses))
        case tree.Config() | tree.Resources() | tree.Environment() | tree.Experiment():
            word = type(statement).__name__.lower()
            parents = ", ".join(parent.text for parent in statement.parents)
            head = f"{word} {statement.name.text}" + (f"({parents})" if parents else "")
            yield from _block(f"{head}:", map(_item_lines, statement.body))
        case _:
            assert_never(statement)


def grid_text(grid: tree.GridExpr, loosest: str = "+") -> str:
    """Give a combination of grids; a union inside a product, and whatever stands on the right of its own kind, gets
    brackets."""
    if isinstance(grid, tree.GridName):
        return grid.name.text
    right = grid_text(grid.right, "*" if grid.operator == "+" else "")
    text = f"{grid_text(grid.left, grid.operator)} {grid.operator} {right}"
    return text if loosest == "+" or loosest == grid.operator else f"({text})"


def _block(head: str, items: Iterable[Iterable[str]]) -> Iterator[str]:
    yield head
    for lines in items:
        # A text over several lines is one line of the file: what is inside it is never indented.
        yield from (f"{INDENT}{line}" for line in lines)


def _item_lines(item: Node) -> Iterator[str]:
    """Give the lines of what stands in a block."""
    match item:
        case tree.KeyGroup(key=key, body=body):
            yield from _block(f"{key_text(key)}:", map(_item_lines, body))
        case tree.Zip(body=body):
            yield from _block("zip:", map(_item_lines, body))
        case tree.Branch(arms=arms):
            for number, arm in enumerate(arms):
                yield from _block(_arm_head(arm, number), map(_item_lines, arm.body))
        case tree.Sample(count=count, seed=seed, body=body):
            chance = f" seed {expression_text(seed)}" if seed is not None else ""
            yield from _block(f"sample {expression_text(count)}{chance}:", map(_item_lines, body))
        case tree.Axis() | tree.Draw() | tree.GridValue() | tree.AxisFrom() | tree.Constraint() | tree.Point():
            yield _grid_line(item)
        case _:
            yield _line(item)


def _arm_head(arm: tree.Arm, number: int) -> str:
    if arm.condition is None:
        return "else:"
    return f"{'elif' if number else 'if'} {expression_text(arm.condition)}:"


def _grid_line(item: tree.Axis | tree.Draw | tree.GridValue | tree.AxisFrom | tree.Constraint | tree.Point) -> str:
    match item:
        case tree.Axis(new=new, key=key, values=values):
            return f"{_new(new)}{_axis_key(key)} in {expression_text(values)}"
        case tree.Draw(new=new, key=key, distribution=distribution):
            return f"{_new(new)}{_axis_key(key)} ~ {expression_text(distribution)}"
        case tree.GridValue(new=new, key=key, value=value):
            return f"{_new(new)}{_axis_key(key)} = {expression_text(value)}"
        case tree.AxisFrom(new=new, key=key, path=path):
            return f"{_new(new)}{_axis_key(key)} from {text_text(path)}"
        case tree.Constraint(keep=keep, condition=condition):
            return f"{'keep' if keep else 'skip'} if {expression_text(condition)}"
        case tree.Point(values=values):
            return f"point {', '.join(map(_assign, values))}"
        case _:
            assert_never(item)


def _new(new: bool) -> str:
    return "new " if new else ""


def _axis_key(key: tree.Key) -> str:
    """Give the key of an axis; `config in [a, b]` is about configs only while that word is bare."""
    return "config" if key.path == ("config",) else key_text(key)


def _assign(item: tree.Assign) -> str:
    return f"{key_text(item.key)} = {expression_text(item.value)}"


def _line(item: Node) -> str:
    """Give a line of a config, resources, a target, an environment or an experiment."""
    match item:
        case tree.Assign():
            return _assign(item)
        case tree.FromFile(path=path):
            return f"from {text_text(path)}"
        case tree.Setup(text=text):
            return f"setup {text_text(text)}"
        case tree.Secret(name=name):
            return f"secret {name.text}"
        case tree.Container(image=image, runtime=runtime):
            return f"container {text_text(image)}" + (f" with {runtime.text}" if runtime is not None else "")
        case tree.Mount(path=path, at=at):
            return f"mount {text_text(path)} at {text_text(at)}"
        case tree.UseConfig() | tree.UseResources() | tree.UseEnvironment():
            return f"{type(item).__name__.removeprefix('Use').lower()} {item.name.text}"
        case tree.UseGrid(grid=grid):
            return f"grid {grid_text(grid)}"
        case tree.After(experiment=experiment, all=all_, by=by):
            keys = f" by {', '.join(map(key_text, by))}" if by else ""
            return f"after {'all ' if all_ else ''}{experiment.text}{keys}"
        case _:
            return _run_line(item)


def _run_line(item: Node) -> str:
    """Give a line that only experiments have."""
    match item:
        case tree.Repeat(kind=kind, count=count, key=key):
            return f"{kind} {expression_text(count)}" + (f" as {key_text(key)}" if key is not None else "")
        case tree.Run(text=text):
            return f"run {text_text(text)}"
        case tree.Workdir(mode=mode):
            return f"workdir {mode.text}"
        case tree.File(kind=kind, name=name, path=path):
            return f"{kind} {name.text} = {text_text(path)}"
        case tree.Writable(path=path):
            return f"writable {text_text(path)}"
        case tree.MetricsFile(path=path):
            return f"metrics {text_text(path)}"
        case tree.Metric():
            return _metric(item)
        case tree.Retries(count=count):
            return f"retries {expression_text(count)}"
        case tree.Checkpoint(before=before, signal=signal):
            return f"checkpoint {expression_text(before)}" + (f" signal {signal.text}" if signal is not None else "")
        case tree.Pack(runs=runs, side_by_side=side_by_side):
            return f"pack {expression_text(runs)}" + (" side by side" if side_by_side else "")
        case tree.Ignore(keys=keys, value=value):
            names = ", ".join(map(key_text, keys))
            return f"ignore {names}" + (f" == {expression_text(value)}" if value is not None else "")
        case tree.Code(patterns=texts):
            return f"code {_texts(texts)}"
        case tree.Tags(tags=texts):
            return f"tags {_texts(texts)}"
        case _:
            raise ValueError("this line could not be read")


def _metric(item: tree.Metric) -> str:
    direction = f" {item.direction.text}" if item.direction is not None else ""
    if item.source is None or item.pattern is None:
        return f"metric {key_text(item.key)}{direction}"
    source = text_text(item.source) if isinstance(item.source, tree.Text) else item.source.text
    pattern = text_text(item.pattern, placeholders=False)
    return f"metric {key_text(item.key)}{direction} from {source} matching {pattern}"


def _texts(texts: Sequence[tree.Text]) -> str:
    return ", ".join(map(text_text, texts))
