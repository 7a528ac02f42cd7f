"""The reports and runs of a study to one HTML file that loads nothing and runs nothing but its own script."""

from __future__ import annotations

import json
from base64 import b64encode
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from ...grammar.screen import visible
from .. import quantities
from ..query.result import Result
from ..query.view import View
from ..states import STATES
from .catalog import Catalog, catalog
from .choose import begun, choose
from .code_diff import Git
from .curves import Steps, points_of
from .details import details
from .history import changes
from .tables import PageTable, page_table

if TYPE_CHECKING:
    from jinja2 import Template

DETAILS: Final = 500
"""Runs that get a whole page, unless somebody asks for more or fewer."""

SCRIPTS: Final = (
    *("dom", "data", "format", "theme", "grid", "provenance", "reports", "chart", "curves", "runs", "run"),
    "route",
)
STYLES: Final = ("page", "table", "run")


@dataclass(frozen=True, slots=True)
class Picture:
    """A plot of a report. *text* says in words what it shows.

    Where nothing can draw it as *svg*, it is made of *characters*. *notes* stand below it.
    """

    svg: str | None
    text: str
    characters: str = ""
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """One report: its name and what it shows, in order."""

    name: str
    parts: Sequence[Result | Picture]

    @property
    def title(self) -> str | None:
        """The title that all its tables have."""
        titles = {part.title for part in self.parts if isinstance(part, Result)}
        return titles.pop() if len(titles) == 1 else None


@dataclass(frozen=True, slots=True)
class Document:
    """The page as *text*, and what is in it: *runs* that are listed, *whole* ones with a page in full, *left* ones that
    began and have none."""

    text: str
    tables: int
    plots: int
    runs: int
    whole: int
    left: int


def render(project: str, sections: Sequence[Section], view: View, git: Git | None, most: int = DETAILS) -> Document:
    """Make the page; the same records give the same bytes. At most *most* runs get a whole page."""
    results = [part for section in sections for part in section.parts if isinstance(part, Result)]
    runs = catalog(view, {id for result in results for row in result.sources for id in row})
    tables = [page_table(f"table-{at}", result, runs) for at, result in enumerate(results, 1)]
    chosen = choose(runs, [row for table in tables for row in table.sources], most)
    steps = Steps()
    points = points_of(len(chosen), max((len(one.shown["metrics"]) for one in runs.experiments), default=0))
    whole = {}
    for number in chosen:
        experiment, place = runs.locate(number)
        known = runs.config(experiment, place)
        whole[number] = details(view, experiment.name, experiment.ids[place], known, steps, points)
    data = {
        "project": visible(project),
        "digits": runs.digits,
        "states": STATES,
        "experiments": [experiment.shown for experiment in runs.experiments],
        "tables": [table.shown for table in tables],
        "details": whole,
        "steps": steps.lists,
        "changes": changes(runs, git),
    }
    text = _page(project, sections, tables, runs, data)
    plots = sum(isinstance(part, Picture) for section in sections for part in section.parts)
    return Document(text, len(tables), plots, len(runs), len(chosen), len(begun(runs)) - len(chosen))


def _page(
    project: str,
    sections: Sequence[Section],
    tables: Sequence[PageTable],
    runs: Catalog,
    data: Mapping[str, Any],
) -> str:
    style, script = _joined("style", ".css", STYLES), _joined("script", ".js", SCRIPTS)
    text = _template().render(
        policy=policy(style, script),
        style=style,
        script=script,
        data=embedded(data),
        project=visible(project),
        sections=_laid_out(sections, tables),
        overview=_overview(runs),
        total=quantities.runs(len(runs)),
        newest=_time(runs.newest),
    )
    # A lone surrogate, which some file name or log may hold, is no text that a file can have.
    return text.encode("utf-8", "replace").decode("utf-8")


def _laid_out(sections: Sequence[Section], tables: Sequence[PageTable]) -> list[dict[str, Any]]:
    """Give the sections as the template has them; a table has a heading of its own where titles differ."""
    waiting = iter(tables)

    def part_of(part: Result | Picture, title: str | None) -> dict[str, Any]:
        if isinstance(part, Picture):
            return _drawn(part)
        own = part.title if part.title != title else None
        return {"table": next(waiting), "title": None if own is None else visible(own)}

    return [
        {
            "name": visible(section.name) if section.title else None,
            "title": visible(section.title or section.name),
            "parts": [part_of(part, section.title) for part in section.parts],
        }
        for section in sections
    ]


def _drawn(picture: Picture) -> dict[str, Any]:
    characters = "\n".join(map(visible, picture.characters.split("\n")))
    address = None if picture.svg is None else _image(picture.svg)
    notes = [visible(note) for note in picture.notes] if picture.svg is not None else []
    return {"figure": address, "text": visible(picture.text), "characters": characters, "notes": notes}


def _image(svg: str) -> str:
    """Give a plot as the address of an image: whatever stands in it, an image runs nothing."""
    return "data:image/svg+xml;base64," + b64encode(svg.encode("utf-8", "replace")).decode()


def _overview(runs: Catalog) -> dict[str, Any]:
    """Count the runs of each experiment by state; states that no run has are left out."""
    counted = [(experiment, Counter(experiment.states)) for experiment in runs.experiments]
    states = [state for state in STATES if any(count[state] for _, count in counted)]
    rows = [
        {"name": visible(experiment.name), "runs": f"{len(experiment.ids):,}", "counts": [count[s] for s in states]}
        for experiment, count in counted
    ]
    return {"states": states, "rows": rows}


def _time(time: int | None) -> str | None:
    return None if time is None else datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M UTC")


# ------------------------------------------------------------------ what makes it safe


def policy(style: str, script: str) -> str:
    """Give a content security policy under which this style and this script work, and nothing else does."""
    return (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return "sha256-" + b64encode(sha256(text.encode()).digest()).decode()


def embedded(data: Mapping[str, Any]) -> str:
    """Write data as JSON that can stand in a script element: nothing in it looks like a tag."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


# ------------------------------------------------------------------ what it is made of


@cache
def _joined(folder: str, suffix: str, names: tuple[str, ...]) -> str:
    place = files(__package__) / folder
    return "\n" + "\n".join((place / f"{name}{suffix}").read_text("utf-8") for name in names)


@cache
def _template() -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader(__package__, "."),
        autoescape=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.j2")
