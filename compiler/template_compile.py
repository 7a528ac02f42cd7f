"""Texts with placeholders, other than the run text, to templates: paths, environment variables, setup lines."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Mapping, Sequence

from ..grammar import tree
from ..grammar.diagnostic import Diagnostics, Label
from ..grammar.node import Node
from .command import read_command
from .command_faults import check_shell_names
from .command_script import script
from .findings import value_text
from .format import format_value
from .study import Code, Environment, File
from .template import AncestorPart, FilePart, KeyPart, Part, RootPart, RunPart, Script, Template, joined
from .template_fill import Filler
from .template_keys import Many, One
from .values import Value, dotted


class PlannedMount(Node):
    """A folder of the project that the container sees as *at*."""

    path: Template
    at: Template


class PlannedContainer(Node):
    """Where the program runs instead of on the node itself; no *runtime*: the first of them that the node has."""

    image: Template
    runtime: str | None
    mounts: tuple[PlannedMount, ...]


class PlannedEnvironment(Node):
    """What is set up around the program. *setup* are bash scripts with their positional parameters, the first
    *of_target* of them the target's."""

    setup: tuple[Script, ...]
    variables: Mapping[str, Template]
    secrets: tuple[str, ...]
    container: PlannedContainer | None = None
    of_target: int = 0


def compile_template(text: tree.Text, filler: Filler, diagnostics: Diagnostics) -> Template | None:
    """Give a text as a template; nothing if it is wrong, which is reported."""
    check_shell_names(text, filler.scope, diagnostics)
    parts: list[Part] = []
    whole = True
    for part in text.parts:
        if isinstance(part, tree.Piece):
            parts.append(part.text)
            continue
        filled = filler.fill(part)
        match filled:
            case One(part=found):
                parts.append(found)
            case Many():
                written = " ".join(part.span.text.split())
                help = "write `:json` for the whole list as one text"
                message = f"`{written}` may be any number of words, and this is one text"
                diagnostics.error("XP083", part.span, message, "many words", help=help)
                whole = False
            case None:
                whole = False
    return joined(parts) if whole else None


# ------------------------------------------------------------------ files


def compile_files(files: tuple[File, ...], kind: str, filler: Filler, diagnostics: Diagnostics) -> dict[str, Template]:
    """Give the paths of inputs or outputs, relative to the working directory, by name."""
    found: dict[str, Template] = {}
    places: dict[Template, File] = {}
    for file in files:
        path = compile_template(file.path, filler, diagnostics)
        if path is None:
            continue
        path = path if file.path.plain is None else (posixpath.normpath(file.path.plain),)
        if not _stays_inside(path, file, kind, diagnostics):
            continue
        if kind == "output" and path in places:
            first = places[path]
            message = f"outputs `{first.name}` and `{file.name}` are one file"
            labels = [Label(first.path.span, "the first")]
            diagnostics.error("XP091", file.path.span, message, "the same path", labels=labels)
            continue
        places[path] = file
        found[file.name] = path
    return found


def _stays_inside(path: Template, file: File, kind: str, diagnostics: Diagnostics) -> bool:
    """Tell whether a path's own text leads nowhere else; one without placeholders was looked at when it was read."""
    home = _home(kind)
    for number, part in enumerate(path):
        if isinstance(part, FilePart | RunPart | RootPart) or (isinstance(part, AncestorPart) and kind == "output"):
            message = f"the path of an {kind} is relative to {home}, and this part is not"
            diagnostics.error("XP049", file.path.span, message, "an absolute part", help="leave the folder out")
            return False
        if isinstance(part, str) and file.path.plain is None and leads_out(part, first=number == 0):
            help = "write a path below it, such as `results/model.pt`"
            diagnostics.error("XP049", file.path.span, f"`{part}` leads outside {home}", "outside", help=help)
            return False
    return True


def check_values(
    files: Sequence[File],
    paths: Mapping[str, Template],
    kind: str,
    values: Callable[[Part], Iterable[Value]],
    diagnostics: Diagnostics,
) -> None:
    """Report each path that a value leads outside; *values* gives the values that a part has in some row."""
    for file in files:
        for number, part in enumerate(paths.get(file.name, ())):
            bad = next((v for v in values(part) if isinstance(v, str) and leads_out(v, first=number == 0)), None)
            if bad is not None:
                name = f"`{dotted(part.key)} = {value_text(bad)}`" if isinstance(part, KeyPart) else f"`{bad}`"
                message = f"{name} makes this path lead outside {_home(kind)}"
                diagnostics.error("XP049", file.path.span, message, "outside")


def _home(kind: str) -> str:
    return "the run's folder" if kind == "output" else "the project"


def leads_out(text: str, first: bool) -> bool:
    """Tell whether a piece of a path goes upwards, or begins at the root if it is the *first*."""
    return ".." in text.split("/") or (first and text.startswith("/"))


# ------------------------------------------------------------------ environment


def compile_environment(
    environment: Environment, setup: tuple[tree.Text, ...], filler: Filler, diagnostics: Diagnostics
) -> PlannedEnvironment:
    """Give the environment of an experiment; *setup* are the target's own lines, which come first."""
    lines = [compile_setup(text, filler, diagnostics) for text in (*setup, *environment.setup)]
    variables: dict[str, Template] = {}
    for name, value in environment.variables.items():
        found = _variable(value, filler, diagnostics)
        if found is not None:
            variables[name] = found
    container = _container(environment, filler, diagnostics)
    kept = tuple(line for line in lines if line is not None)
    of_target = sum(line is not None for line in lines[: len(setup)])
    return PlannedEnvironment(kept, variables, environment.secrets, container, of_target)


def _container(environment: Environment, filler: Filler, diagnostics: Diagnostics) -> PlannedContainer | None:
    written = environment.container
    if written is None:
        return None
    image = compile_template(written.image, filler, diagnostics)
    mounts = [_mount(mount, filler, diagnostics) for mount in environment.mounts]
    if image is not None and not image:
        diagnostics.error("XP045", written.image.span, "a container has an image", "empty")
    runtime = None if written.runtime is None else written.runtime.text
    return PlannedContainer(image or (), runtime, tuple(mount for mount in mounts if mount is not None))


def _mount(mount: tree.Mount, filler: Filler, diagnostics: Diagnostics) -> PlannedMount | None:
    """Give a mount; its place in the container is absolute, and neither path has a `:`, which parts them."""
    path = compile_template(mount.path, filler, diagnostics)
    at = compile_template(mount.at, filler, diagnostics)
    if path is None or at is None:
        return None
    if not (at and isinstance(at[0], str) and at[0].startswith("/")):
        help = 'such as `mount "data" at "/data"`'
        diagnostics.error("XP045", mount.at.span, "a place in a container is absolute", "not absolute", help=help)
        return None
    for text, template in ((mount.path, path), (mount.at, at)):
        if any(isinstance(part, str) and (":" in part or "," in part) for part in template):
            message = "a path with `:` or `,` can't be mounted"
            diagnostics.error("XP045", text.span, message, "`:` or `,`", help="mount the folder that holds it")
            return None
    return PlannedMount(path, at)


def _variable(value: Value | Code | tree.Text, filler: Filler, diagnostics: Diagnostics) -> Template | None:
    match value:
        case tree.Text():
            return compile_template(value, filler, diagnostics)
        case Code(span=span, expr=expr):
            found = filler.fill(tree.Placeholder(expr, None, span, None))
            if isinstance(found, Many):
                found = filler.fill(tree.Placeholder(expr, "json", span, None))
            return joined([found.part]) if isinstance(found, One) else None
        case _:
            return joined([format_value(value)])


def compile_setup(text: tree.Text, filler: Filler, diagnostics: Diagnostics) -> Script | None:
    """Give a setup line as a bash script, its placeholders as positional parameters, like a run text's."""
    reading = read_command(text, filler, diagnostics)
    return None if reading is None else script(reading.atoms, reading.scan, reading.filled)
