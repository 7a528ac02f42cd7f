"""What a user types to name a run: the first digits of its id; with `.v1` behind them, an earlier result of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from ..grammar.diagnostic import Diagnostics
from ..grammar.screen import visible
from .query.view import View
from .superseded import Version, versions

SHORT: Final = 7  # digits of an id that are shown
SHORTEST: Final = 3  # digits of an id that are looked for
_EARLIER: Final = re.compile(r"(.*)\.v([1-9]\d{0,8})")


@dataclass(frozen=True, slots=True)
class NamedRun:
    """A run, or the earlier result *version* of it."""

    experiment: str
    id: str
    version: Version | None = None

    @property
    def short(self) -> str:
        return self.id[:SHORT] + (f".v{self.version.number}" if self.version is not None else "")


def find_named(text: str, view: View, diagnostics: Diagnostics) -> NamedRun | None:
    """Give the run, or the earlier result, that *text* names; report what names none, or several."""
    match = _EARLIER.fullmatch(text)
    found = find_run(match[1] if match is not None else text, view, diagnostics)
    if found is None or match is None:
        return None if found is None else NamedRun(*found)
    experiment, id = found
    earlier = {version.number: version for version in versions(view.store.project, experiment, id)}
    number = int(match[2])
    if number in earlier:
        return NamedRun(experiment, id, earlier[number])
    short = id[:SHORT]
    there = ", ".join(f"`{short}.v{one}`" for one in earlier)
    has = f"there is {there}" if there else "no result of it was set aside, or all are removed"
    help = f"{has}; `xpc show {short}` tells what there is"
    diagnostics.error("XR001", None, f"run `{experiment} {short}` has no earlier result `.v{number}`", help=help)
    return None


def find_run(text: str, view: View, diagnostics: Diagnostics) -> tuple[str, str] | None:
    """Give experiment and id of the run whose id begins with *text*; report what names none, or several."""
    found = sorted(
        (experiment, id)
        for experiment in {*view.tables, *view.store.experiments()}
        for id in {*view.ids(experiment), *view.store.ids(experiment)}
        if id.startswith(text)
    )
    if len(found) == 1:
        return found[0]
    if found and len(text) >= SHORTEST:
        listed = ", ".join(f"`{id}`" for _, id in found[:4]) + (", …" if len(found) > 4 else "")
        diagnostics.error("XR002", None, f"`{text}` begins the ids of {len(found):,} runs", help=f"they are {listed}")
    else:
        help = f"an id is given by its first digits, {SHORTEST} at least; `xpc list` shows them"
        diagnostics.error("XR001", None, f"there is no run `{visible(text)}`", help=help)
    return None
