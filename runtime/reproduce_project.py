"""An original to a project folder of its own: the code exported anew, one build of one row, links to the rest."""

from __future__ import annotations

import json
import os
import shutil
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ..grammar.diagnostic import Diagnostics
from .export import export, remove
from .export_verify import GitRepository, Verified, verify
from .reproduce_build import Script, is_elsewhere, one_row_plan, write_build
from .reproduce_original import Original
from .shim import template
from .shim.journal import now

FOLDER: Final = ".xpc/reproductions"
RECORD: Final = "reproduction.json"
SCHEMA: Final = "xpc.reproduction/1"
OUTSIDE: Final = "outside"  # a folder for each step that links lead up from the project


@dataclass(frozen=True, slots=True)
class Reproduction:
    """A reproduction on disk: *home* is its folder, *project* the project folder in it, *build* the build's."""

    name: str
    home: Path
    project: Path
    build: Path
    experiment: str
    run: str
    target: str
    notes: tuple[str, ...]
    code: Mapping[str, str]

    @property
    def folder(self) -> str:
        """The folder of its run."""
        return os.path.join(self.project, "runs", self.experiment, self.run)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a reproduction runs: what plans say of that target, its own setup lines, and how its scripts are made."""

    target: Mapping[str, Any]
    setup: Sequence[Mapping[str, Any]]
    script: Script


def prepare(
    original: Original, place: Place, repository: GitRepository, diagnostics: Diagnostics
) -> Reproduction | None:
    """Make the folder of a new reproduction of *original*; nothing after an error. Raises ``OSError``."""
    home = _new_folder(original)
    found: Reproduction | None = None
    try:
        found = _prepare(original, home, place, repository, diagnostics)
    finally:
        if found is None:
            remove(home)
    return found


def _prepare(
    original: Original,
    home: Path,
    place: Place,
    repository: GitRepository,
    diagnostics: Diagnostics,
) -> Reproduction | None:
    known = original.project / ".xpc" / "snapshots" / original.tree
    before = verify(repository, original.tree, original.prefix, known) if known.is_dir() else None
    mirrored = original.plan["workdir"] == "project" or _names_project(original.plan)
    project = home / _inner(original, mirrored)
    project.mkdir(parents=True, exist_ok=True)
    linked = original.plan["workdir"] == "links"
    made = export(project, original.tree, original.commit, original.prefix, repository, diagnostics, linked=linked)
    if made is None:
        return None
    after = verify(repository, original.tree, original.prefix, made.folder)
    if not after.equal:
        diagnostics.error("XR023", None, f"snapshot {original.tree[:7]} can't be exported as it was: {after.text()}")
        return None
    notes = [*original.notes, *_told(before)]
    unset = [name for name in original.plan["environment"]["secrets"] if name not in os.environ]
    notes += _told_setup(original, place)
    notes += [f"the secret {name} is not set here" for name in unset]
    if mirrored:
        _mirror(original, project, made.folder / original.prefix)
        notes.append("it names the project folder: what is there and not in the snapshot is as it is now")
    notes += [f"what is in `{given}` is as it is now" for given in _reached(original)]
    for given in _climbing(original):
        _link(original.project, project, given)
    _link_parents(original, project)
    plan = one_row_plan(original, place.target, place.setup)
    build = write_build(original, project, plan, place.script)
    code = {"export": after.text(), "before": "gone" if before is None else before.text()}
    found = Reproduction(
        home.name,
        home,
        project,
        build,
        original.run.experiment,
        original.run.id,
        place.target["name"],
        tuple(notes),
        code,
    )
    _write_record(original, found)
    return found


def _told(before: Verified | None) -> Iterator[str]:
    if before is not None and not before.equal:
        yield f"the export that the original ran from is not as it was made: {before.text()}"


def _told_setup(original: Original, place: Place) -> Iterator[str]:
    before, lines = original.build.plan["target"], original.plan["environment"]["setup"]
    unmarked = before["kind"] != "local" and lines and not any("target" in line for line in lines)
    if unmarked and is_elsewhere(original, place.target):
        yield f"its setup lines are run here, those of target {before['name']} included, if there are such"


def _new_folder(original: Original) -> Path:
    parent = original.project / FOLDER
    parent.mkdir(parents=True, exist_ok=True)
    number = 1
    while True:
        try:
            (parent / f"{os.path.basename(original.folder)}-{number}").mkdir()
        except FileExistsError:
            number += 1
        else:
            return parent / f"{os.path.basename(original.folder)}-{number}"


# ------------------------------------------------------------------ what lies around the run


def _inner(original: Original, mirrored: bool) -> str:
    """Give where in the reproduction's folder its project is: deep enough for all that links lead to."""
    prefix = original.prefix.split("/") if mirrored and original.prefix else []
    climbs = [os.path.normpath(given).split("/").count("..") for given in _climbing(original)]
    up = max([0, *(climb - len(prefix) for climb in climbs)])
    return "/".join([*[OUTSIDE] * up, *prefix])


def _climbing(original: Original) -> list[str]:
    """Give the paths that runs reach from the project folder."""
    return [path for path in _reached(original) if not os.path.isabs(path)]


def _reached(original: Original) -> list[str]:
    """Give the paths that are not in the snapshot and that runs reach: links, and what containers mount."""
    context = template.Context(
        str(original.project), original.run, original.folder, os.path.join(original.folder, "files"), 1, {}
    )
    container = original.plan["environment"]["container"]
    mounts = container["mounts"] if container is not None else []
    given = [link["path"] for link in original.build.plan["links"]]
    given += [template.text(mount["path"], context) for mount in mounts]
    return list(dict.fromkeys(given))


def _link(source: Path, project: Path, given: str) -> None:
    """Let *given* mean in the new project what it means in the old one."""
    place = Path(os.path.normpath(project / given))
    if os.path.lexists(place) or place == project:
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    if not os.path.lexists(place):  # a folder above may be a link already
        place.symlink_to(os.path.normpath(source / given))


def _names_project(value: Any) -> bool:
    """Tell whether a template anywhere in a plan stands for the project folder."""
    match value:
        case {"project": "root"}:
            return True
        case dict():
            return any(map(_names_project, value.values()))
        case list():
            return any(map(_names_project, value))
        case _:
            return False


def _mirror(original: Original, project: Path, code: Path) -> None:
    """Put the snapshot's files into the project folder, to be written to, and links to all else that is there now."""
    for entry in sorted(os.listdir(code)):
        if entry in (".git", ".xpc", "runs") or os.path.lexists(project / entry):
            continue
        if (code / entry).is_dir() and not (code / entry).is_symlink():
            shutil.copytree(code / entry, project / entry, symlinks=True)
        else:
            shutil.copy2(code / entry, project / entry, follow_symlinks=False)
        _make_writable(project / entry)
    for entry in sorted(os.listdir(original.project)):
        if entry not in (".git", ".xpc", "runs") and not os.path.lexists(project / entry):
            (project / entry).symlink_to(original.project / entry)


def _make_writable(place: Path) -> None:
    for folder, _, names in os.walk(place):
        for path in (folder, *(os.path.join(folder, name) for name in names)):
            if not os.path.islink(path):
                os.chmod(path, stat.S_IMODE(os.stat(path).st_mode) | stat.S_IWUSR)
    if not place.is_symlink():
        place.chmod(stat.S_IMODE(place.stat().st_mode) | stat.S_IWUSR)


def _link_parents(original: Original, project: Path) -> None:
    """Show the runs above where the run looks for them. Into a container no link leads out: there they are files of
    their own, which share what is on the disk with the old ones, and are mounted to be read alone."""
    boxed = original.plan["environment"]["container"] is not None
    for parent in original.parents:
        home = project / "runs" / parent.experiment
        home.mkdir(parents=True, exist_ok=True)
        place = home / parent.id
        if parent.packed:
            packs = home / "packs"
            if not os.path.lexists(packs):
                packs.symlink_to(Path(parent.folder).parent / "packs")
        elif boxed:
            shutil.copytree(parent.folder, place, symlinks=True, copy_function=_share)
        elif not os.path.lexists(place):
            place.symlink_to(parent.folder)


def _share(source: str, place: str) -> str:
    try:
        os.link(source, place, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, place, follow_symlinks=False)
    return place


# ------------------------------------------------------------------ the record


def _write_record(original: Original, found: Reproduction) -> None:
    record = {
        "schema": SCHEMA,
        "time": now(),
        "original": {
            "experiment": original.record.experiment,
            "folder": os.path.relpath(original.folder, original.project),
            "attempt": original.record.attempt,
            "build": original.build.id,
            "snapshot": original.tree,
        },
        "project": os.path.relpath(found.project, found.home),
        "experiment": found.experiment,
        "run": found.run,
        "target": found.target,
        "code": dict(found.code),
        "notes": list(found.notes),
    }
    (found.home / RECORD).write_text(json.dumps(record, indent=1) + "\n")


def drop_code(found: Reproduction) -> None:
    """Remove the exported code of a reproduction that has ended: git has it, and it is of no use to any other run."""
    exports = os.path.realpath(found.project / ".xpc" / "snapshots")
    if exports.startswith(os.path.realpath(found.home) + os.sep):  # a link would lead to those of others
        for path in sorted(Path(exports).glob("*"), reverse=True):
            remove(path)


def read_reproductions(project: Path, name: str) -> list[Reproduction]:
    """Give the reproductions of the run whose folder is called *name*, oldest first; those that were made whole."""
    parent = project / FOLDER
    found = []
    for home in parent.glob(f"{name}-*") if parent.is_dir() else ():
        number = home.name.rpartition("-")[2]
        reproduction = _read(home) if number.isdigit() else None
        if reproduction is not None:
            found.append((int(number), reproduction))
    return [reproduction for _, reproduction in sorted(found, key=lambda pair: pair[0])]


def _read(home: Path) -> Reproduction | None:
    try:
        said = json.loads((home / RECORD).read_bytes())
        if said["schema"] != SCHEMA:
            return None
        place = home / str(said["project"])
        if not place.resolve().is_relative_to(home.resolve()):
            return None
        build = place / ".xpc" / "builds" / str(said["original"]["build"])
        notes, code = tuple(map(str, said["notes"])), {str(k): str(v) for k, v in said["code"].items()}
        return Reproduction(
            home.name, home, place, build, str(said["experiment"]), str(said["run"]), str(said["target"]), notes, code
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
