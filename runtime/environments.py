"""Records of environments, read, told in a few lines, and compared."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..grammar.screen import visible
from .records import RunRecord
from .shim.environment_record import FOLDER, SCHEMA
from .shim.regular import read_regular

Environment = Mapping[str, Any]
_HASH: Final = re.compile(r"[0-9a-f]{16}")
_MACHINE: Final = {
    "system": "system", "kernel": "kernel", "architecture": "architecture", "libc": "C library", "cpu": "CPU",
    "cpus": "CPUs", "gpus": "GPUs", "driver": "driver",
}  # fmt: skip
_PYTHON: Final = {"build": "Python", "implementation": "Python is", "executable": "interpreter", "note": "packages"}
_CONTAINER: Final = ("image", "runtime", "id", "digest", "bytes", "changed", "note")


@dataclass(frozen=True, slots=True)
class Change:
    """What two environments have under one name; nothing where one has none."""

    kind: str  # python, package, machine, modules, container, variable
    name: str
    before: str | None
    after: str | None

    def record(self) -> dict[str, Any]:
        return {"kind": self.kind, "name": self.name, "a": self.before, "b": self.after}


def environment_hash(record: RunRecord) -> str | None:
    """Give the hash that an attempt recorded; its end line knows more than its start line."""
    for line in (record.end, record.start):
        found = line.get("environment") if line is not None else None
        if isinstance(found, str) and _HASH.fullmatch(found):
            return found
    return None


def read_environment(project: str | os.PathLike[str], name: str | None) -> Environment | None:
    """Read a record; nothing if there is none of that hash, or none that can be read."""
    if name is None or not _HASH.fullmatch(name):
        return None
    try:
        found = json.loads(read_regular(os.path.join(project, FOLDER, f"{name}.json")))
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and found.get("schema") == SCHEMA else None


def environment_of(project: str | os.PathLike[str], record: RunRecord) -> Environment | None:
    """Read what an attempt ran in."""
    return read_environment(project, environment_hash(record))


# ------------------------------------------------------------------ in a few lines


def summary(found: Environment) -> dict[str, str]:
    """Give what people look for first, by name; all of it is in the record."""
    machine, python = _map(found, "machine"), _map(found, "python")
    packages = _map(python, "packages")
    lines: dict[str, str] = {}
    if python:
        version = _text(python.get("version")) or "?"
        many = f", {len(packages):,} packages" if packages else ""
        lines["python"] = f"{version}{many}, {_text(python.get('executable')) or ''}".rstrip(", ")
        if python.get("note"):
            lines["python"] += f" ({_text(python['note'])})"
    container = _map(found, "container")
    if container:
        digest = _text(container.get("digest") or container.get("id"))
        lines["container"] = " ".join(filter(None, (_text(container.get("image")), digest)))
    if found.get("modules"):
        lines["modules"] = _text(found["modules"]) or ""
    processors = f"{_text(machine.get('cpus'))} × {_text(machine.get('cpu')) or 'CPU'}"
    lines["machine"] = _joined(processors, machine.get("system"), machine.get("kernel"))
    if machine.get("gpus"):
        lines["GPUs"] = _joined(machine["gpus"], machine.get("driver"))
    if variables := _map(found, "variables"):
        lines["variables"] = " ".join(f"{name}={_text(value)}" for name, value in variables.items())
    return lines


def _joined(*parts: object) -> str:
    return ", ".join(text for part in parts if (text := _text(part)) is not None)


# ------------------------------------------------------------------ compared


def changes(one: Environment, other: Environment) -> list[Change]:
    """Give all in which two environments differ: Python, packages, image, modules, machine, variables."""
    found = [
        *_fields("python", _map(one, "python"), _map(other, "python"), _PYTHON),
        *_fields("package", *(_map(_map(each, "python"), "packages") for each in (one, other))),
        *_container(_map(one, "container"), _map(other, "container")),
        Change("modules", "modules", _text(one.get("modules")), _text(other.get("modules"))),
        *_fields("machine", _map(one, "machine"), _map(other, "machine"), _MACHINE),
        *_fields("variable", _map(one, "variables"), _map(other, "variables")),
    ]
    return [change for change in found if change.before != change.after]


def change_rows(found: Iterable[Change]) -> list[tuple[str, str]]:
    """Give what a change is called, and `old → new`."""
    return [(visible(_called(change)), f"{_shown(change.before)} → {_shown(change.after)}") for change in found]


def _called(change: Change) -> str:
    return f"{change.kind} {change.name}" if change.kind in ("package", "variable", "container") else change.name


def _shown(value: str | None) -> str:
    return "—" if value is None else visible(value)


def _fields(
    kind: str, one: Mapping[str, Any], other: Mapping[str, Any], names: Mapping[str, str] | None = None
) -> Iterator[Change]:
    for name in names or sorted({*one, *other}):
        shown = names[name] if names is not None else name
        yield Change(kind, shown, _text(one.get(name)), _text(other.get(name)))


def _container(one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[Change]:
    """An image of the same id is the same, whatever it is called and wherever it came from."""
    if one.get("id") is not None and one.get("id") == other.get("id"):
        return
    for name in _CONTAINER:
        yield Change("container", name, _text(one.get(name)), _text(other.get(name)))


def _map(found: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = found.get(name)
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str | None:
    match value:
        case None | "" | []:
            return None
        case str():
            return value
        case list():
            return ", ".join(map(str, value))
        case _:
            return json.dumps(value)
