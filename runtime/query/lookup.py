"""Names in a query to what they mean: a config key, a reduced metric, a field of the run, or one of its ancestor."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from ...grammar.diagnostic import Diagnostics
from ...grammar.nearest import nearest
from ...grammar.node import Node
from ...grammar.source import Span
from ..names import written
from ..reducers import REDUCERS
from .fields import FIELDS, VERSION

Path = tuple[str, ...]
SPACES: Final = ("config", "metric", "run", "after")


class Config(Node):
    name: str


class Metric(Node):
    name: str
    reducer: str = "last"


class Field(Node):
    name: str


class Ancestor(Node):
    experiment: str
    ref: Config | Metric | Field


Ref = Config | Metric | Field | Ancestor


class Catalog:
    """The names that the runs of some experiments have; *ancestors* by experiment."""

    def __init__(self, keys: Iterable[str], metrics: Iterable[str], ancestors: dict[str, Catalog]) -> None:
        self.keys = dict.fromkeys(keys)
        self.keys.pop("config", None)  # the label of `config in`: that is the field
        self.metrics = dict.fromkeys(metrics)
        self.ancestors = ancestors

    def find(self, path: Path) -> list[Ref]:
        """Give everything that a name can mean."""
        exact = self._exact(path) if path[0] in SPACES and len(path) > 1 else []
        return exact or self._bare(path)

    def _exact(self, path: Path) -> list[Ref]:
        match path[0]:
            case "config":
                return self._keys(path[1:])
            case "metric":
                return self.metric(path[1:])[-1:]  # `metric.loss.min` reduces; `metric."loss.min"` is the other one
            case "run":
                return self._fields(path[1:])
            case _:
                return self._of_ancestors(path[1:])

    def _bare(self, path: Path) -> list[Ref]:
        own = [*self._keys(path), *self.metric(path)]
        fields = [] if own and path == (VERSION,) else self._fields(path)
        return [*own, *fields, *self._of_ancestors(path)]

    def _keys(self, path: Path) -> list[Ref]:
        name = ".".join(path)
        return [Config(name)] if name in self.keys else []

    def metric(self, path: Path) -> list[Ref]:
        """Give the metric of that whole name, and the one that its last segment reduces."""
        found: list[Ref] = []
        name, stem = ".".join(path), ".".join(path[:-1])
        if name in self.metrics:
            found.append(Metric(name))
        if path[-1] in REDUCERS and stem in self.metrics:
            found.append(Metric(stem, path[-1]))
        return found

    def _fields(self, path: Path) -> list[Ref]:
        return [Field(path[0])] if len(path) == 1 and path[0] in FIELDS else []

    def _of_ancestors(self, path: Path) -> list[Ref]:
        catalog = self.ancestors.get(path[0]) if len(path) > 1 else None
        if catalog is None:
            return []
        return [Ancestor(path[0], ref) for ref in catalog.find(path[1:]) if not isinstance(ref, Ancestor)]

    def names(self) -> list[str]:
        """Give every name that could have been meant."""
        return [
            *self.keys,
            *self.metrics,
            *FIELDS,
            *(f"{name}.{n}" for name, c in self.ancestors.items() for n in c.own()),
        ]

    def own(self) -> list[str]:
        return [*self.keys, *self.metrics]

    def below(self, path: Path) -> list[str]:
        """Give the keys and metrics of a group."""
        group = ".".join(path) + "."
        return [name for name in self.own() if name.startswith(group)]


def look_up(
    path: Path, span: Span, catalog: Catalog, diagnostics: Diagnostics, aliases: Sequence[str] = ()
) -> Ref | None:
    """Give what a name means; report one that means nothing, or two things."""
    found = catalog.find(path)
    if len(found) == 1:
        return found[0]
    shown = written(path)
    if found:
        listed = [exact(ref) for ref in found]
        diagnostics.error(
            "XQ004",
            span,
            f"`{shown}` is {_and([f'`{name}`' for name in listed])}",
            "which one?",
            help=f"write {' or '.join(f'`{name}`' for name in listed)}",
        )
        return None
    _unknown(path, span, catalog, diagnostics, aliases)
    return None


def _unknown(path: Path, span: Span, catalog: Catalog, diagnostics: Diagnostics, aliases: Sequence[str]) -> None:
    shown = written(path)
    inside = catalog.below(path[1:] if path[0] == "config" and len(path) > 1 else path)
    if inside:
        listed = ", ".join(f"`{name}`" for name in inside[:4]) + (", …" if len(inside) > 4 else "")
        diagnostics.error("XQ003", span, f"`{shown}` is a group of names", help=f"it has {listed}")
        return
    if path[0] in ("config", "metric", "run") and len(path) > 1:
        space = {"config": list(catalog.keys), "metric": list(catalog.metrics), "run": list(FIELDS)}[path[0]]
        kind = {"config": "config key", "metric": "metric", "run": "field"}[path[0]]
        close = nearest(".".join(path[1:]), space)
        close = f"{path[0]}.{close}" if close else None
    elif path[0] in catalog.ancestors and len(path) > 1:
        kind, ancestor = "metric or key", catalog.ancestors[path[0]]
        close = nearest(".".join(path[1:]), ancestor.names())
        close = f"{path[0]}.{close}" if close else None
    else:
        kind, close = "metric or key", _nearest(path, catalog, aliases)
    known = "`xpc list` shows the keys" if path[0] == "config" else _known(catalog)
    help = f"did you mean `{close}`?" if close else known
    if (hyphened := _hyphened(span, catalog)) is not None:
        help = f"a name with `-` stands in quotes: `{exact(hyphened)}`"
    diagnostics.error("XQ003", span, f"no run has a {kind} `{shown}`", help=help)


def _hyphened(span: Span, catalog: Catalog) -> Ref | None:
    """Find the key or metric of which a name is the part before or behind a `-`: `batch-size` without its quotes."""
    text = span.source.text
    for name in catalog.own():
        if "-" in name and (text.startswith(name, span.start) or text.endswith(name, 0, span.end)):
            return Config(name) if name in catalog.keys else Metric(name)
    return None


def _nearest(path: Path, catalog: Catalog, aliases: Sequence[str]) -> str | None:
    """Look for a slip in a whole name, in a reducer, or for a last segment that stands deeper."""
    names = [*aliases, *catalog.names()]
    name, stem = ".".join(path), ".".join(path[:-1])
    if stem in catalog.metrics and (reducer := nearest(path[-1], REDUCERS)):
        return f"{stem}.{reducer}"
    if close := nearest(name, names):
        return close
    for known in (catalog.own(), names):
        deeper = [other for other in known if other.endswith(f".{path[-1]}")]
        if len(deeper) == 1:
            return deeper[0]
    if path[-1] in REDUCERS and (close := nearest(stem, catalog.metrics)):
        return f"{close}.{path[-1]}"
    return None


def _known(catalog: Catalog) -> str:
    if not catalog.metrics:
        return "no run has logged a metric yet; `xpc list` shows the keys"
    return "metrics are " + ", ".join(f"`{name}`" for name in list(catalog.metrics)[:8])


def exact(ref: Ref) -> str:
    """Give the one way of writing a name that can't mean anything else."""
    match ref:
        case Config(name):
            return f"config.{written(tuple(name.split('.')))}"
        case Metric(name, "last"):
            return f"metric.{written((name,))}"
        case Metric(name, reducer):
            return f"metric.{written(tuple(name.split('.')))}.{reducer}"
        case Field(name):
            return f"run.{name}"
        case Ancestor(experiment, inner):
            return f"after.{experiment}.{exact(inner)}"


def _and(names: Sequence[str]) -> str:
    return " and ".join(names) if len(names) < 3 else ", ".join(names[:-1]) + " and " + names[-1]
