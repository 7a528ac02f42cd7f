"""The experiments of a query to what its expressions know: names, directions, where findings go."""

from __future__ import annotations

from collections.abc import Sequence

from ...grammar.diagnostic import Diagnostics
from ...grammar.nearest import nearest
from .expressions import Context
from .lookup import Catalog
from .parts import Parts
from .view import View


def experiments_of(parts: Parts, view: View, diagnostics: Diagnostics) -> list[str] | None:
    known = view.experiments(past=parts.past)
    if parts.from_ is None:
        return known
    asked = list(dict.fromkeys(word.text for word in parts.from_.experiments))
    unknown = [word for word in parts.from_.experiments if word.text not in known]
    recorded = view.experiments(past=True) if unknown and not parts.past else []
    for word in unknown:
        close = nearest(word.text, known)
        listed = ", ".join(f"`{name}`" for name in known)
        help = f"did you mean `{close}`?" if close else f"there is {listed}" if known else "the study has none"
        if word.text in recorded:
            help = "its runs are of the past: add `with past`"
        diagnostics.error("XQ005", word.span, f"there is no experiment `{word.text}`", help=help)
    return None if unknown else asked


def context_of(view: View, experiments: Sequence[str], diagnostics: Diagnostics, *, past: bool = False) -> Context:
    """Give what all expressions of a query over these experiments share."""
    known = _directions("", experiments, view)
    for ancestor in {name for experiment in experiments for name in view.ancestors(experiment)}:
        known |= _directions(ancestor, [ancestor], view)
    return Context(catalog(view, experiments, past=past), known, diagnostics)


def _directions(space: str, experiments: Sequence[str], view: View) -> dict[tuple[str, str], str]:
    """Give the directions that are declared; one that experiments declare differently is none."""
    declared: dict[str, set[str]] = {}
    for experiment in experiments:
        for name, direction in view.directions(experiment).items():
            declared.setdefault(name, set()).add(direction)
    return {(space, name): found.pop() for name, found in declared.items() if len(found) == 1}


def catalog(view: View, experiments: Sequence[str], *, past: bool = False) -> Catalog:
    """Give the names that the runs of some experiments have; with *past* also those that only past runs have."""
    keys = {key: None for experiment in experiments for key in view.keys(experiment)}
    gone = [experiment for experiment in experiments if past or experiment not in view.tables]
    keys |= {key: None for experiment in gone for key in _past_keys(view, experiment)}
    metrics = {name: None for experiment in experiments for name in view.metrics(experiment)}
    above = {name: None for experiment in experiments for name in view.ancestors(experiment)}
    return Catalog(keys, metrics, {name: catalog(view, [name]) for name in above})


def _past_keys(view: View, experiment: str) -> list[str]:
    """Give the keys that runs had which the study no longer asks for."""
    return list({key: None for values in view.past(experiment).values() for key in values})
