"""Keys that are called like a line of the language, to warnings: `retries = 2` where no config tells that it is no key.

Only a line of an Experimentfile that is the first to give a key counts, with a value such as the line takes, and only
where nothing reads the key. A name in quotes, or `new` in a grid, says that a key is meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal

from ..grammar import tree
from ..grammar.diagnostic import Diagnostics
from ..grammar.node import Node
from ..grammar.source import Span
from .context import Context
from .definitions import Definitions
from .nearest import REQUESTS, SCHEDULERS, did_you_mean, line_meant
from .resolve_config import ConfigReader
from .resolve_experiment import Built
from .values import Path, dotted

_FITS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("cpus", "gpus", "nodes", "tasks"), "int other"),
    **dict.fromkeys(("memory", "disk"), "int size amount other"),
    "time": "int float duration amount other",
    **dict.fromkeys(("retries", "pack", "repeat", "folds"), "int"),
    "checkpoint": "int duration",
    **dict.fromkeys(("code", "tags"), "text texts"),
    **dict.fromkeys(("input", "metrics", "output", "workdir", "writable"), "text"),
    **dict.fromkeys(("container", "secret", "setup"), "text"),
    **dict.fromkeys(("after", "config", "environment", "grid", "resources"), "block"),
}
"""What a value looks like with which a line is meant, by the line's first word."""
_HARDLY_KEYS: Final = ("after", "checkpoint", "config", "environment", "grid", "pack", "resources", "retries")
_AMOUNT: Final = r"\d+([-:]\d+)+|\d+(\.\d+)? ?([KMGTkmgt]i?[Bb]?|h|min|s|d)"  # a text such as "2:00:00", "4GB"


class Suspect(Node):
    """A line that gives a key such a name. *span* is of its value, by which the key's first place is known."""

    block: Literal["config", "grid", "experiment"]
    path: Path
    key: tree.Key
    value: tree.Expr
    axis: bool = False


def warn_of_lines(context: Context, configs: ConfigReader, built: Mapping[str, Built]) -> None:
    """Warn of each line that makes a key of what a directive or a resource is called."""
    definitions = context.definitions
    if not definitions.whole or definitions.broken:
        return  # what can't be read may be what reads the key
    suspects = [each for each in _suspects(definitions) if _fits(each, definitions)]
    counters = list(_counters(definitions, built))
    if not suspects and not counters:
        return
    reads = _Reads(definitions)
    for key, name in counters:
        if key.path[0] not in reads.names and not reads.words:
            _warn_of_counter(key, built[name], context.diagnostics)
    if not suspects:
        return
    firsts = _first_places(definitions, configs, built)
    for each in suspects:
        unread = each.path[0] not in reads.names and not reads.words
        if unread and (not reads.file or _is_hardly_a_key(each)) and _is_first(each, firsts, built):
            _warn(each, context.diagnostics)


class _Reads:
    """What expressions and texts of a study name, and whether something gets all keys at once: as *words* of a command,
    or in a *file*."""

    def __init__(self, definitions: Definitions) -> None:
        self.names: set[str] = set()
        self.words = self.file = False
        blocks = (definitions.configs, definitions.grids, definitions.resources, definitions.environments)
        for known in (*blocks, definitions.experiments, definitions.lets):
            for node in known.values():
                self._walk(node)

    def _walk(self, node: object) -> None:
        match node:
            case tree.Name(path=path):
                self._name(path)
            case tree.Ignore(keys=keys) | tree.After(by=keys):
                self.names.update(key.path[0] for key in keys)
            case tuple():
                for inner in node:
                    self._walk(inner)
            case Node() if not isinstance(node, tree.Word | tree.Key | tree.Piece | tree.Values):
                for field in type(node)._names():
                    self._walk(getattr(node, field))

    def _name(self, path: Path) -> None:
        # who writes `run.cpus` tells it from a key of that name
        self.names.update(path[:2] if path[0] in ("config", "run") else path[:1])
        self.words = self.words or path[path[0] == "run" :] in (("args",), ("overrides",)) or path == ("config",)
        self.file = self.file or path == ("run", "config")


# ------------------------------------------------------------------ the lines


def _suspects(definitions: Definitions) -> Iterator[Suspect]:
    for config in definitions.configs.values():
        yield from _assigned("config", config.body)
    for grid in definitions.grids.values():
        if isinstance(grid.body, tuple):
            yield from _in_grid(grid.body)
    for experiment in definitions.experiments.values():
        yield from _assigned("experiment", experiment.body)


def _counters(definitions: Definitions, built: Mapping[str, Built]) -> Iterator[tuple[tree.Key, str]]:
    """Give the keys of `repeat N as KEY` that no config has, though there is one, with their experiments."""
    for name, experiment in definitions.experiments.items():
        for item in experiment.body:
            match item:
                case tree.Repeat(key=tree.Key() as key) if name in built and built[name].closed:
                    if not built[name].types.knows(key.path):
                        yield key, name


def _assigned(block: Literal["config", "experiment"], body: Sequence[object], above: Path = ()) -> Iterator[Suspect]:
    for item in body:
        match item:
            case tree.Assign(key=key, value=value) if above or _has_such_a_name(key):
                yield Suspect(block, (*above, *key.path), key, value)
            case tree.KeyGroup(key=key, body=inner) if not above and key.span.text in SCHEDULERS:
                yield from _assigned(block, inner, key.path)


def _in_grid(items: Sequence[tree.GridItem]) -> Iterator[Suspect]:
    for item in items:
        match item:
            case tree.GridValue(new=False, key=key, value=value) if _has_such_a_name(key):
                yield Suspect("grid", key.path, key, value)
            case tree.Axis(new=False, key=key, values=value) if key.span.text in REQUESTS:
                yield Suspect("grid", key.path, key, value, True)
            case tree.Zip(body=body) | tree.Sample(body=body):
                yield from _in_grid(body)
            case tree.Branch(arms=arms):
                for arm in arms:
                    yield from _in_grid(arm.body)


def _has_such_a_name(key: tree.Key) -> bool:
    """Tell whether a key has a line's name, without quotes."""
    return key.span.text in _FITS or (len(key.path) == 2 and key.span.text.startswith(("slurm.", "oar.")))


def _fits(suspect: Suspect, definitions: Definitions) -> bool:
    wanted = _FITS.get(suspect.path[0])
    if wanted is None:
        return True  # an option of a scheduler
    if suspect.axis:
        return any(_kind(value) in wanted.split() for value in _elements(suspect.value))
    kind = _kind(suspect.value)
    if wanted == "block":
        kinds: dict[str, Mapping[str, object]] = {
            "after": definitions.experiments,
            "config": definitions.configs,
            "environment": definitions.environments,
            "grid": definitions.grids,
            "resources": definitions.resources,
        }
        return isinstance(suspect.value, tree.Text) and suspect.value.plain in kinds[suspect.path[0]]
    return kind in wanted.split() or (kind == "amount" and "text" in wanted)


def _elements(values: tree.Expr) -> Sequence[object]:
    match values:
        case tree.ListOf(items=items):
            return items
        case tree.Values(values=scalars):
            return scalars
        case _:
            return ()


def _kind(value: object) -> str:
    """Give what a value looks like before it is computed."""
    match value:
        case tree.Quantity(dimension=dimension):
            return dimension
        case tree.Text(plain=str(text)):
            return "amount" if re.fullmatch(_AMOUNT, text) else "text"
        case tree.ListOf(items=items):
            return "texts" if items and all(isinstance(item, tree.Text) for item in items) else "list"
        case tree.Values(values=values):
            return "texts" if all(isinstance(each, str) for each in values) else "list"
        case tree.Number(value=number):
            return type(number).__name__
        case bool() | None:
            return "constant"
        case int() | float():
            return type(value).__name__
        case tree.Binary() | tree.Conditional() | tree.Call():
            return "other"
        case _:
            return "none"


def _is_hardly_a_key(suspect: Suspect) -> bool:
    """Tell whether a line of an experiment is none that gives a program's config a value."""
    named = suspect.path[0] in (*_HARDLY_KEYS, *SCHEDULERS)
    return suspect.block == "experiment" and (named or _kind(suspect.value) in ("size", "duration"))


# ------------------------------------------------------------------ where a key is first given


def _first_places(definitions: Definitions, configs: ConfigReader, built: Mapping[str, Built]) -> set[Span]:
    """Give the values by which configs and experiments come to have their keys."""
    tables = [configs.table(config, Diagnostics())[0] for config in definitions.configs.values()]
    tables += [each.table for each in built.values()]
    return {draft.first for table in tables for draft in table.drafts.values()}


def _is_first(suspect: Suspect, firsts: set[Span], built: Mapping[str, Built]) -> bool:
    if suspect.block != "grid":
        return suspect.value.span in firsts
    path, place = suspect.path, suspect.key.span
    return any(
        each.axes.get(path) == place and not each.closed and path not in each.types.drafts for each in built.values()
    )


def _warn(suspect: Suspect, diagnostics: Diagnostics) -> None:
    name, written, value = dotted(suspect.path), suspect.key.span.text, suspect.value.span.text
    place = "here" if suspect.block == "experiment" else "in the experiment"
    one_line = "\n" not in value
    if suspect.axis:
        key = f"n_{name}" if name not in ("memory", "time", "disk") else f"wanted_{name}"
        axis = f"`{key} in {value}`" if one_line and len(value) < 60 else f"`{key} in …`"
        cure = f"to ask for each of these, write {axis} here and `{name} = {key}` in a `resources` block"
    else:
        cure = line_meant(name, suspect.key.span, place)[0]
    sign = "in" if suspect.axis else "="
    quoted = f"new {written}" if suspect.block == "grid" else ".".join(f'"{part}"' for part in written.split("."))
    meant = f"`{quoted} {sign} {value}`" if one_line and len(value) < 60 else f"`{quoted} {sign} …`"
    diagnostics.warning(
        "XP059",
        suspect.key.span,
        f"`{name}` becomes a config key here, and nothing reads it",
        "a key",
        help=(cure, f"if a key is meant, write {meant}"),
    )


def _warn_of_counter(key: tree.Key, built: Built, diagnostics: Diagnostics) -> None:
    """Warn of `repeat 5 as sed`, where the config has a `seed`: all runs would have the same one."""
    help = did_you_mean(dotted(key.path), built.types.names())
    if help:
        message = f"`{dotted(key.path)}` is no key of {built.config}, and nothing reads it"
        diagnostics.warning("XP021", key.span, message, "a new key", help=help)
