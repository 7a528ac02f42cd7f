"""YAML files named by configs and grids to the values that they set."""

from __future__ import annotations

import posixpath

from ..grammar import tree
from ..grammar.source import Source, Span
from .context import Context
from .fault import EvaluationError, report
from .keys import Set
from .read_text import LINK, read_text
from .values import Path, Value
from .yaml_core import Mapping, Node, load_yaml


def read_yaml(path: str, span: Span, prefix: Path, context: Context) -> list[Set] | None:
    """Give what a YAML file sets below *prefix*; nothing if it has a fault, which is reported."""
    if path not in context.yaml:
        context.yaml[path] = _load(path, span, context)
    whole = context.yaml[path]
    if whole is None:
        context.diagnostics.errors += 1
        return None
    sets: list[Set] = []
    _flatten(whole, prefix, sets)
    return sets


def _load(path: str, span: Span, context: Context) -> Mapping | None:
    try:
        text = read_text(path, span, context.world)
    except EvaluationError as error:
        report(error, context.diagnostics)
        return None
    return load_yaml(Source(posixpath.normpath(path), text), context.diagnostics)


def _flatten(mapping: Mapping, prefix: Path, into: list[Set]) -> None:
    for key, key_span, node in mapping.entries:
        path = (*prefix, key)
        if isinstance(node, Mapping) and node.entries:
            _flatten(node, path, into)
        else:
            into.append(Set(path, key_span, _plain(node), node.span))


def _plain(node: Node | Mapping) -> Value:
    return {} if isinstance(node, Mapping) else node.value


def read_group(item: tree.AxisFrom, context: Context) -> list[tuple[str, list[Set]]] | None:
    """Give the files of ``model from "configs/model/*.yaml"``: the stem of each, and what it sets below the key."""
    pattern = context.text(item.path, "the path of a config group")
    if pattern is None:
        return None
    paths = context.world.files.glob(pattern)
    if not paths:
        context.diagnostics.error("XP107", item.path.span, f"no file matches `{pattern}`", "no match")
        return None
    found: list[tuple[str, list[Set]]] = []
    for path in paths:
        if not context.world.files.is_inside(path, context.world.roots):
            message = f"`{path}` lies outside the project"
            context.diagnostics.error("XP049", item.path.span, message, "matches it", help=LINK)
            continue
        sets = read_yaml(path, item.path.span, item.key.path, context)
        if sets is not None:
            found.append((posixpath.splitext(posixpath.basename(path))[0], sets))
    return found if len(found) == len(paths) else None
