"""The lines of an experiment that name files and metrics to what the study knows of them."""

from __future__ import annotations

import posixpath

from ..grammar import tree
from ..grammar.diagnostic import Label
from ..grammar.source import Span
from .context import Context
from .directives import Directives
from .nearest import did_you_mean
from .study import File, Metric
from .values import Path, dotted

DIRECTIONS = ("minimize", "maximize")


def resolve_files(directives: Directives, context: Context) -> tuple[tuple[File, ...], tuple[File, ...]]:
    """Give the inputs and the outputs; a child's line replaces its parent's of that name."""
    found: dict[str, dict[str, File]] = {"input": {}, "output": {}}
    own = set(map(id, directives.block.body))
    for item in directives.all(tree.File):
        name = item.name.text
        files = found[item.kind]
        if name in files and id(item) in own and files[name].span.source is item.span.source:
            first = files[name].span
            if any(isinstance(i, tree.File) and i.span == first for i in directives.block.body):
                labels = [Label(first, "it was first given here")]
                message = f"{item.kind} `{name}` is given twice"
                context.diagnostics.error("XP022", item.name.span, message, "again", labels=labels)
                continue
        if item.path.plain is not None:
            inside(item.path.plain, item.path.span, item.kind, context)
        files[name] = File(name, item.path, item.span)
    return tuple(found["input"].values()), tuple(found["output"].values())


def inside(path: str, span: Span, what: str, context: Context) -> bool:
    """Tell whether a path that a run reads or writes stays where it may (rule 9); one that doesn't is reported."""
    if not path.strip() or "\0" in path:
        context.diagnostics.error("XP045", span, "a path is needed here", "empty")
        return False
    if what == "input":
        ok = context.world.files.is_inside(path, context.world.roots)
        if not ok:
            help = 'make the folder known by a line `link "…"`'
            context.diagnostics.error("XP049", span, f"`{path}` lies outside the project", "outside", help=help)
        return ok
    whole = posixpath.normpath(path)
    if whole == ".." or whole.startswith(("/", "../")):
        help = "write a path below the run's working directory, such as `results/model.pt`"
        context.diagnostics.error("XP049", span, f"`{path}` lies outside the run's folder", "outside", help=help)
        return False
    return True


def _plain_paths(texts: list[tree.Text], what: str, context: Context) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for text in texts:
        path = context.text(text, what)
        if path is not None and inside(path, text.span, "output", context):
            found[posixpath.normpath(path)] = None
    return tuple(found)


def resolve_writable(directives: Directives, context: Context) -> tuple[str, ...]:
    return _plain_paths([item.path for item in directives.all(tree.Writable)], "a writable folder", context)


def resolve_metrics_files(directives: Directives, context: Context) -> tuple[str, ...]:
    texts = [item.path for item in directives.all(tree.MetricsFile)]
    for text in texts:
        plain = text.plain
        if plain is not None and not plain.endswith((".jsonl", ".csv", ".json")):
            message = f"`{plain}` is no file of logged values"
            help = "xpc reads metrics from .jsonl, .csv and .json"
            context.diagnostics.error("XP045", text.span, message, "unknown format", help=help)
    return _plain_paths(texts, "a metrics file", context)


def resolve_code(directives: Directives, context: Context) -> tuple[str, ...]:
    texts = [text for item in directives.all(tree.Code) for text in item.patterns]
    found = [context.text(text, "a code pattern") for text in texts]
    return tuple(dict.fromkeys(pattern for pattern in found if pattern))


def resolve_metrics(directives: Directives, context: Context) -> tuple[Metric, ...]:
    """Give the metrics that are declared; a child's line replaces its parent's of that name."""
    found: dict[Path, Metric] = {}
    own = {id(item) for item in directives.block.body}
    mine: dict[Path, Span] = {}
    for item in directives.all(tree.Metric):
        path = item.key.path
        if path in mine and id(item) in own:
            labels = [Label(mine[path], "it was first given here")]
            message = f"metric `{dotted(path)}` is given twice"
            context.diagnostics.error("XP022", item.key.span, message, "again", labels=labels)
            continue
        if id(item) in own:
            mine[path] = item.key.span
        metric = _metric(item, context)
        if metric is not None:
            found[path] = metric
    return tuple(found.values())


def _metric(item: tree.Metric, context: Context) -> Metric | None:
    errors = context.diagnostics.errors
    direction = item.direction
    if direction is not None and direction.text not in DIRECTIONS:
        help = did_you_mean(direction.text, DIRECTIONS) or ("write `minimize` or `maximize`",)
        message = f"unknown direction `{direction.text}`"
        context.diagnostics.error("XP046", direction.span, message, "no direction", help=help)
    source = _source(item, context)
    pattern = _pattern(item.pattern, context)
    if context.diagnostics.errors > errors:
        return None
    way = direction.text if direction is not None else None
    return Metric(item.key.path, way, source, pattern, item.span)  # type: ignore[arg-type]  # one of the two


def _source(item: tree.Metric, context: Context) -> str | None:
    match item.source:
        case tree.Word(text="stdout" | "stderr" as stream):
            return stream
        case tree.Word(text=word, span=span):
            help = did_you_mean(word, ("stdout", "stderr")) or ('write `stdout`, `stderr` or a file: `"train.log"`',)
            context.diagnostics.error("XP046", span, f"unknown source `{word}` of a metric", "no source", help=help)
        case tree.Text() as text:
            path = context.text(text, "a metric's file")
            if path is not None and inside(path, text.span, "output", context):
                return posixpath.normpath(path)
        case None:
            pass
    return None


def _pattern(text: tree.Text | None, context: Context) -> str | None:
    """Give the regular expression, which must compile and have a group for the number."""
    import re

    if text is None:
        return None
    pattern = text.plain
    if pattern is None:
        context.diagnostics.error(
            "XP046", text.span, "a pattern takes no placeholders", "placeholder", help='use `r"…"`'
        )
        return None
    try:
        groups = re.compile(pattern).groups
    except (re.error, RecursionError, OverflowError) as reason:
        message = f"`{pattern}` is no regular expression: {reason}"
        context.diagnostics.error("XP046", text.span, message, "does not compile")
        return None
    if groups == 0:
        help = "put what is the number in parentheses: `acc=([0-9.]+)`"
        context.diagnostics.error(
            "XP046", text.span, "the pattern has no group", "which part is the number?", help=help
        )
        return None
    return pattern
