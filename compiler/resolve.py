"""A source to the study that it describes: names resolved, types known, nothing expanded."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence

from ..grammar import tree
from ..grammar.diagnostic import Diagnostics, Label
from ..grammar.parser import parse
from ..grammar.source import Source
from .context import Context
from .definitions import Definitions, collect, roots
from .directives import Directives, read_directives
from .files import Files
from .grid_keys import GridReader
from .lines_as_keys import warn_of_lines
from .never_equal import warn_of_values
from .resolve_config import ConfigReader
from .resolve_experiment import ExperimentResolver
from .resolve_setting import read_settings
from .resolve_target import resolve_targets
from .scope import Scope, World
from .study import Experiment, Link, Study


def resolve(
    source: Source,
    files: Files,
    env: Mapping[str, str],
    settings: Sequence[str],
    diagnostics: Diagnostics,
    target: str | None = None,
) -> Study | None:
    """Give the study of an Experimentfile; nothing if not even its statements could be read.

    *settings* are the texts of ``--set key=value``, *target* the name given to ``--target``. Experiments that have a
    fault, and those that come after them, are reported and marked as faulty in the study.
    """
    world = World(files, env)
    definitions = collect(source, parse, world, diagnostics)
    context = Context(definitions, World(files, env, roots(definitions)), diagnostics)
    _check_lets(context)
    links = _links(definitions, context)
    targets = resolve_targets(context, target)
    resolver = ExperimentResolver(context)
    chosen = read_settings(settings, definitions, context)
    for directives in _in_order(context):
        chosen.resolve(directives, resolver)
    chosen.finish(resolver)
    _check_unused_configs(resolver.configs, context)
    _check_combined_grids(resolver.grids, context)
    built = resolver.built
    warn_of_lines(context, resolver.configs, built)
    experiments: dict[str, Experiment] = {}
    faulty: set[str] = set()
    for name, found in built.items():
        experiment = found.experiment
        if experiment is None or experiment.run is None:
            continue
        experiments[name] = experiment
        if found.faulty or any(
            after.experiment in faulty or after.experiment not in experiments for after in experiment.after
        ):
            faulty.add(name)
    warn_of_values((each for name, each in experiments.items() if name not in faulty), diagnostics)

    def scope(name: str) -> Scope:
        return built[name].scope

    name, root = _project(definitions, context)
    return Study(
        name,
        root,
        tuple(definitions.sources),
        links,
        experiments,
        definitions.reports,
        targets,
        scope,
        frozenset(faulty),
    )


def _project(definitions: Definitions, context: Context) -> tuple[str, str]:
    project = definitions.project
    if project is None:
        return "", "."
    name = context.text(project.name, "a project's name") or ""
    root = "." if project.root is None else context.text(project.root, "a project's root") or "."
    if project.root is not None and posixpath.normpath(root).strip("./"):
        message = f"`{root}` is no folder above the Experimentfile"
        context.diagnostics.error("XP045", project.root.span, message, "not above", help='write `root ".."`')
    return name, posixpath.normpath(root)


def _links(definitions: Definitions, context: Context) -> tuple[Link, ...]:
    found: dict[str, Link] = {}
    for item in definitions.links:
        path = context.text(item.path, "the path of a link")
        if not path:
            continue
        path = posixpath.normpath(path)
        name = item.alias.text if item.alias is not None else posixpath.basename(path)
        if name in ("", ".", ".."):
            help = f'give it a name: `link "{path}" as data`'
            context.diagnostics.error("XP045", item.path.span, f"`{path}` has no name of its own", "a name?", help=help)
        elif name in found:
            labels = [Label(found[name].span, "the first")]
            message = f"two links are called `{name}`"
            context.diagnostics.error("XP022", item.span, message, "again", labels=labels)
        else:
            found[name] = Link(name, path, item.span)
    return tuple(found.values())


def _check_lets(context: Context) -> None:
    """Read every ``let`` once, used or not; the names in it are looked up where it is used."""
    for expr in context.definitions.lets.values():
        context.compile(expr, context.scope(open=True))


def _check_unused_configs(configs: ConfigReader, context: Context) -> None:
    """Look at the configs that no experiment uses, so that their mistakes are found too."""
    for config in context.definitions.configs.values():
        if configs.seen(config):
            continue
        configs.table(config)


def _check_combined_grids(grids: GridReader, context: Context) -> None:
    """Look up the names in `grid all = a * b`, also of a grid that no experiment uses."""
    for grid in context.definitions.grids.values():
        if not isinstance(grid.body, tuple):
            grids.look_up(grid.body)


def _in_order(context: Context) -> list[Directives]:
    """Give the experiments, those that others come ``after`` first, else in file order."""
    experiments = {name: read_directives(block, context) for name, block in context.definitions.experiments.items()}
    order: dict[str, Directives] = {}
    for name in experiments:
        _visit(name, experiments, order, [], context)
    return list(order.values())


def _visit(
    name: str, experiments: Mapping[str, Directives], order: dict[str, Directives], open: list[str], context: Context
) -> None:
    if name in order:
        return
    for item in experiments[name].all(tree.After):
        word = item.experiment
        if word.text in (*open, name):
            path = [*open, name]
            cycle = " → ".join(f"`{n}`" for n in [*path[path.index(word.text) :], word.text])
            context.diagnostics.error("XP058", word.span, f"experiment `{word.text}` comes after itself", cycle)
        elif context.known("experiment", word, experiments):
            _visit(word.text, experiments, order, [*open, name], context)
    order[name] = experiments[name]
