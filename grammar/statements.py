"""What the rules of experimentfile.lark build: statements, those with a block still without their bodies."""

from __future__ import annotations

from typing import Any

from . import tree
from .expressions import Children, operands, whole, word_of
from .lexer import Lexeme
from .tree import Word

# ------------------------------------------------------------------ top level


def project(children: Children) -> tree.Project:
    return tree.Project(children[1], children[3] if len(children) == 4 else None, whole(children))


def include(children: Children) -> tree.Include:
    return tree.Include(children[1], whole(children))


def link(children: Children) -> tree.Link:
    return tree.Link(children[1], word_of(children[3]) if len(children) == 4 else None, whole(children))


def let(children: Children) -> tree.Let:
    return tree.Let(word_of(children[1]), children[3], whole(children))


def parents(children: Children) -> tuple[Word, ...]:
    return _names(children)


def config(children: Children) -> tree.Config:
    return tree.Config(word_of(children[1]), children[2], (), whole(children))


def resources(children: Children) -> tree.Resources:
    return tree.Resources(word_of(children[1]), children[2], (), whole(children))


def environment(children: Children) -> tree.Environment:
    return tree.Environment(word_of(children[1]), children[2], (), whole(children))


def experiment(children: Children) -> tree.Experiment:
    return tree.Experiment(word_of(children[1]), children[2], (), whole(children))


def target(children: Children) -> tree.Target:
    return tree.Target(word_of(children[1]), word_of(children[3]), (), whole(children))


def report(children: Children) -> tree.Report:
    return tree.Report(word_of(children[1]), (), whole(children))


def grid(children: Children) -> tree.Grid:
    return tree.Grid(word_of(children[1]), (), whole(children))


def grid_name(children: Children) -> tree.Grid:
    return tree.Grid(word_of(children[1]), children[3], whole(children))


def grid_combine(children: Children) -> tree.GridCombine:
    left, operator, right = children
    return tree.GridCombine(_literal(operator), left, right, whole(children))


def grid_reference(children: Children) -> tree.GridName:
    return tree.GridName(word_of(children[0]), children[0].span)


# ------------------------------------------------------------------ configs, resources, targets, environments


def assign(children: Children) -> tree.Assign:
    return tree.Assign(children[0], children[2], whole(children))


def key_group(children: Children) -> tree.KeyGroup:
    return tree.KeyGroup(children[0], (), whole(children))


def from_file(children: Children) -> tree.FromFile:
    return tree.FromFile(children[1], whole(children))


def setup(children: Children) -> tree.Setup:
    return tree.Setup(children[1], whole(children))


def secret(children: Children) -> tree.Secret:
    return tree.Secret(word_of(children[1]), whole(children))


def container(children: Children) -> tree.Container:
    return tree.Container(children[1], word_of(children[3]) if len(children) == 4 else None, whole(children))


def mount(children: Children) -> tree.Mount:
    return tree.Mount(children[1], children[3], whole(children))


# ------------------------------------------------------------------ grids


def axis(children: Children) -> tree.Axis:
    key, _, values = children[-3:]
    return tree.Axis(len(children) == 4, key, values, whole(children))


def draw(children: Children) -> tree.Draw:
    key, _, distribution = children[-3:]
    return tree.Draw(len(children) == 4, key, distribution, whole(children))


def grid_value(children: Children) -> tree.GridValue:
    key, _, value = children[-3:]
    return tree.GridValue(len(children) == 4, key, value, whole(children))


def axis_from(children: Children) -> tree.AxisFrom:
    key, _, path = children[-3:]
    return tree.AxisFrom(len(children) == 4, key, path, whole(children))


def zip_block(children: Children) -> tree.Zip:
    return tree.Zip((), whole(children))


def arm(children: Children) -> tree.Arm:
    return tree.Arm(children[1] if len(children) == 3 else None, (), whole(children))


def sample(children: Children) -> tree.Sample:
    return tree.Sample(children[1], children[3] if len(children) == 5 else None, (), whole(children))


def constraint(children: Children) -> tree.Constraint:
    return tree.Constraint(children[0] == "keep", children[2], whole(children))


def point(children: Children) -> tree.Point:
    return tree.Point(operands(children), whole(children))


# ------------------------------------------------------------------ experiments


def use_config(children: Children) -> tree.UseConfig:
    return tree.UseConfig(word_of(children[1]), whole(children))


def use_grid(children: Children) -> tree.UseGrid:
    return tree.UseGrid(children[1], whole(children))


def use_resources(children: Children) -> tree.UseResources:
    return tree.UseResources(word_of(children[1]), whole(children))


def use_environment(children: Children) -> tree.UseEnvironment:
    return tree.UseEnvironment(word_of(children[1]), whole(children))


def repeat(children: Children) -> tree.Repeat:
    key = children[3] if len(children) == 4 else None
    return tree.Repeat(_literal(children[0]), children[1], key, whole(children))


def after(children: Children) -> tree.After:
    return tree.After(word_of(children[1]), False, (), whole(children))


def after_all(children: Children) -> tree.After:
    return tree.After(word_of(children[2]), True, operands(children), whole(children))


def run(children: Children) -> tree.Run:
    return tree.Run(children[1], whole(children))


def workdir(children: Children) -> tree.Workdir:
    return tree.Workdir(word_of(children[1]), whole(children))


def file(children: Children) -> tree.File:
    return tree.File(_literal(children[0]), word_of(children[1]), children[3], whole(children))


def writable(children: Children) -> tree.Writable:
    return tree.Writable(children[1], whole(children))


def metrics_file(children: Children) -> tree.MetricsFile:
    return tree.MetricsFile(children[1], whole(children))


def metric(children: Children) -> tree.Metric:
    key, rest = children[1], children[2:]
    direction = word_of(rest.pop(0)) if rest and rest[0].span.text in ("minimize", "maximize") else None
    source = pattern = None
    if rest:
        _, source, _, pattern = rest
        source = word_of(source) if isinstance(source, Lexeme) else source
    return tree.Metric(key, direction, source, pattern, whole(children))


def retries(children: Children) -> tree.Retries:
    return tree.Retries(children[1], whole(children))


def checkpoint(children: Children) -> tree.Checkpoint:
    return tree.Checkpoint(children[1], word_of(children[3]) if len(children) == 4 else None, whole(children))


def pack(children: Children) -> tree.Pack:
    return tree.Pack(children[1], len(children) == 5, whole(children))


def ignore(children: Children) -> tree.Ignore:
    return tree.Ignore(operands(children), None, whole(children))


def ignore_value(children: Children) -> tree.Ignore:
    return tree.Ignore((children[1],), children[3], whole(children))


def code(children: Children) -> tree.Code:
    return tree.Code(operands(children), whole(children))


def tags(children: Children) -> tree.Tags:
    return tree.Tags(operands(children), whole(children))


def _names(children: Children) -> tuple[Word, ...]:
    return tuple(word_of(token) for token in children if token.type == "NAME")


def _literal(word: str) -> Any:
    return str(word)
