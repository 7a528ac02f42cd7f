"""Files that a study names and that a run will not find, to warnings: inputs, scripts, linked folders.

Certain is only what is named without a placeholder, as seen from the Experimentfile's folder: runs start there.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final, Protocol

from ..grammar import tree
from ..grammar.diagnostic import Diagnostics
from ..grammar.nearest import nearest
from ..grammar.node import Node
from ..grammar.source import Span
from .command import Atoms
from .run_words import first_commands
from .scripts import SUFFIXES, may_move, started_files
from .study import Experiment, Study

_OURS: Final = ("runs", ".xpc", ".git")
_HARMLESS_TO_SOURCE: Final = ("/activate", ".bashrc", ".bash_profile", ".profile", "conda.sh", "bashrc")


class Folder(Protocol):
    """What may be asked about the project's folder; paths are relative to it."""

    def exists(self, path: str) -> bool:
        """Tell whether there is a file, a folder or a symlink."""
        ...

    def is_folder(self, path: str) -> bool: ...

    def names(self, path: str) -> Sequence[str]:
        """Give some thousand names at most of what is in a folder; nothing if it can't be read."""
        ...

    def ignored(self, paths: Collection[str]) -> Collection[str]:
        """Give those of the existing *paths* that git ignores, and does not track."""
        ...


class Named(Node):
    """A file that an experiment names as *what* (``input `images` ``); no *what*: its run text starts it."""

    path: str
    span: Span
    what: str
    experiment: Experiment


def warn_of_missing(
    study: Study, folder: Folder, diagnostics: Diagnostics, only: Collection[str] | None = None
) -> None:
    """Warn of what is not there, or not in the snapshot, in the experiments *only* (none: in all)."""
    links = {link.name: link.path for link in study.links}
    for link in study.links:
        near = None if link.path.startswith("/") or folder.exists(link.path) else _meant(link.path, folder)
        if near is not None:
            _missing(f"`{link.path}` is linked", link.span, near, "", diagnostics)
    made = set(_made(study))
    seen: set[Span] = set()
    there: list[Named] = []
    for named in _named(study, only):
        first, _, rest = named.path.partition("/")
        place = posixpath.join(links[first], rest) if first in links else named.path
        if named.span in seen or first in _OURS or _is_made(named.path, made) or _leads_elsewhere(place, links, folder):
            continue
        seen.add(named.span)
        if folder.exists(place):
            if first not in links and named.experiment.workdir != "project":
                there.append(named)
        elif named.what or named.path.endswith(SUFFIXES):
            _tell(named, first in links, folder, diagnostics)
    _tell_ignored(there, folder, diagnostics)


def _leads_elsewhere(place: str, links: dict[str, str], folder: Folder) -> bool:
    """Tell whether a path leads into a linked folder that is not on this machine, or out of the project by itself."""
    return any(
        f"{place}/".startswith(f"{link}/") and not folder.is_folder(link) for link in links.values()
    ) or place.startswith("/")


# ------------------------------------------------------------------ what is named, and what runs make


def _named(study: Study, only: Collection[str] | None) -> Iterator[Named]:
    for name, experiment in study.experiments.items():
        if only is not None and name not in only:
            continue
        setup = _setup(study, experiment)
        for file in experiment.inputs:
            plain = file.path.plain
            if plain and not re.search(r"[*?[\0]", plain) and posixpath.basename(plain) not in setup:
                yield Named(posixpath.normpath(plain), file.path.span, f"input `{file.name}`", experiment)
        if experiment.run is not None and not may_move(setup, lambda path: path.endswith(_HARMLESS_TO_SOURCE)):
            yield from _scripts(experiment, experiment.run, setup)


def _scripts(experiment: Experiment, text: tree.Text, setup: str) -> Iterator[Named]:
    atoms = Atoms(text)
    whole = "".join(atom if isinstance(atom, str) else "\0" for atom in atoms.all)
    for word in started_files(first_commands(atoms.all)):
        path = posixpath.normpath(word.text or "")
        own = posixpath.basename(path)
        if own not in setup and whole.count(own) == 1:  # else the text itself may make it
            yield Named(path, atoms.place(word.start, word.length), "", experiment)


def _setup(study: Study, experiment: Experiment) -> str:
    """Give all setup lines that may come before a run, of any target."""
    texts = [*experiment.environment.setup, *(text for target in study.targets.values() for text in target.setup)]
    return "\n".join(part.text for text in texts for part in text.parts if isinstance(part, tree.Piece))


def _made(study: Study) -> Iterator[str]:
    """Give the paths that runs write; a placeholder is a `*`."""
    for experiment in study.experiments.values():
        for output in experiment.outputs:
            parts = (part.text if isinstance(part, tree.Piece) else "*" for part in output.path.parts)
            yield posixpath.normpath("".join(parts))
        yield from experiment.writable
        yield from experiment.metrics_files
        yield from (metric.source for metric in experiment.metrics if metric.source not in (None, "stdout", "stderr"))


def _is_made(path: str, made: Iterable[str]) -> bool:
    shapes = (re.escape(one).replace(r"\*", ".*") for one in made)
    return any(re.fullmatch(rf"(?:.*/)?{shape}(?:/.*)?", path) for shape in shapes)


# ------------------------------------------------------------------ what is said


def _tell(named: Named, linked: bool, folder: Folder, diagnostics: Diagnostics) -> None:
    near = None if linked else _meant(named.path, folder, SUFFIXES if not named.what else ())
    if named.what:
        other = "it is looked for from the Experimentfile's folder; what lies elsewhere is made known by a `link`"
        _missing(f"{named.what} is `{named.path}`", named.span, near, other, diagnostics)
    else:
        other = "it is looked for from the Experimentfile's folder"
        _missing(f"`{named.experiment.name}` runs `{named.path}`", named.span, near, other, diagnostics)


def _missing(what: str, span: Span, near: str | None, other: str, diagnostics: Diagnostics) -> None:
    help = f"did you mean `{near}`?" if near is not None else other
    diagnostics.warning("XP112", span, f"{what}, and there is no such file", "not there", help=help)


def _tell_ignored(there: Sequence[Named], folder: Folder, diagnostics: Diagnostics) -> None:
    ignored = folder.ignored({named.path for named in there}) if there else ()
    for named in there:
        if named.path not in ignored:
            continue
        above = posixpath.dirname(named.path)
        top = above.partition("/")[0] if above and not above.startswith("..") else ""
        add = f"add it to git: `git add -f {named.path}`"
        diagnostics.warning(
            "XP112",
            named.span,
            f"`{named.path}` is ignored by git, so it is not in the snapshot",
            "runs do not see it",
            help=f'let runs see its folder: `link "{top}"`; or {add}' if top else add,
        )


def _meant(path: str, folder: Folder, suffixes: Sequence[str] = ()) -> str | None:
    """Give the path that there is and that *path* is a slip of: one name that is nearly right, or another folder."""
    parts = path.split("/")
    for n in range(1, len(parts) + 1):
        if folder.exists("/".join(parts[:n])):
            continue
        above = "/".join(parts[: n - 1]) or "."
        names = [name for name in folder.names(above) if not name.startswith(".") or parts[n - 1].startswith(".")]
        if n == len(parts) and suffixes:
            names = [name for name in names if name.endswith(tuple(suffixes))]
        near = nearest(parts[n - 1], names)
        found = posixpath.normpath(posixpath.join(above, near, *parts[n:])) if near is not None else None
        if found is not None and folder.exists(found):
            return found
        break
    return _in_another_folder(parts[-1], folder)


def _in_another_folder(name: str, folder: Folder) -> str | None:
    """Give the one file of that name in the project's folder or in those that it holds."""
    tops = [top for top in folder.names(".") if not top.startswith(".") and top not in _OURS]
    places = [name, *(f"{top}/{name}" for top in tops[:200] if "." not in top)]
    found = [place for place in places if folder.exists(place)]
    return found[0] if len(found) == 1 else None
