"""The outputs of two runs to which are equal: by their content, or by the numbers in them."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, Literal

from .records import RunRecord
from .reproduce_metrics import close
from .run_files import open_file

LARGEST_TEXT: Final = 64 << 20  # bytes of a file whose numbers are compared, or whose paths
NUMBER: Final = re.compile(rb"(?<![\w.])[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w.])")
BLOCK: Final = 1 << 20

Verdict = Literal["equal", "paths", "close", "differs", "missing", "new", "gone"]
FINE: Final = frozenset(("equal", "paths", "close"))


@dataclass(frozen=True, slots=True)
class OutputPair:
    """One output. *verdict*: ``paths`` (equal but for the path of the project), ``close`` (equal but for numbers that
    are within the tolerance), ``missing`` (the reproduction has none), ``new`` (only it has one), ``gone`` (the
    original's is not there any more). *detail* says where they differ."""

    name: str
    verdict: Verdict
    hashes: tuple[str | None, str | None]
    detail: str = ""

    @property
    def equal(self) -> bool:
        return self.verdict in FINE

    def record(self) -> dict[str, Any]:
        return {
            "equal": self.equal,
            "verdict": self.verdict,
            "a": self.hashes[0],
            "b": self.hashes[1],
            "detail": self.detail or None,
        }


@dataclass(frozen=True, slots=True)
class Side:
    """A run whose outputs are compared: its folder, its record, and the absolute paths that its files may name."""

    folder: str
    record: RunRecord
    paths: tuple[str, ...]

    @property
    def outputs(self) -> dict[str, str]:
        """Give the path of each output and artifact, relative to the run's folder."""
        end = self.record.end or {}
        named = end.get("outputs")
        found = {
            str(name): str(output["path"])
            for name, output in (named.items() if isinstance(named, dict) else ())
            if isinstance(output, dict) and isinstance(output.get("path"), str)
        }
        artifacts = end.get("artifacts")
        for path in artifacts if isinstance(artifacts, list) else ():
            if isinstance(path, str):
                found.setdefault(path, path)
        return {name: path for name, path in found.items() if _is_inside(path)}

    def place(self, path: str) -> str:
        return os.path.join(self.folder, path)


def _is_inside(path: str) -> bool:
    """Tell whether a recorded path stays in the run's folder; what stands in a record is not to be believed."""
    return not os.path.isabs(path) and ".." not in path.split("/")


def compare_outputs(before: Side, after: Side, tolerance: float) -> list[OutputPair]:
    """Compare the outputs and artifacts that either run declared."""
    one, other = before.outputs, after.outputs
    return [_pair(name, before, after, one, other, tolerance) for name in dict.fromkeys((*one, *other))]


def _pair(
    name: str, before: Side, after: Side, one: Mapping[str, str], other: Mapping[str, str], tolerance: float
) -> OutputPair:
    hashes = (
        _digest(before.place(one[name])) if name in one else None,
        _digest(after.place(other[name])) if name in other else None,
    )
    if name not in one:
        return OutputPair(name, "new", hashes)
    if hashes[1] is None:
        return OutputPair(name, "missing", hashes)
    if hashes[0] is None:
        return OutputPair(name, "gone", hashes)
    if hashes[0] == hashes[1]:
        return OutputPair(name, "equal", hashes)
    verdict, detail = _nearly(before, after, before.place(one[name]), after.place(other[name]), tolerance)
    return OutputPair(name, verdict, hashes, detail)


def _digest(path: str) -> str | None:
    """Give the hash of a file, or of all files of a folder with their names; nothing if there is none."""
    if os.path.isdir(path):
        return _folder_digest(path)
    whole = sha256()
    try:
        with open_file(path) as file:
            while block := file.read(BLOCK):
                whole.update(block)
    except OSError:
        return None
    return whole.hexdigest()


def _folder_digest(folder: str) -> str:
    whole = sha256()
    for path in _files_of(folder):
        whole.update(os.fsencode(path) + b"\0" + str(_digest(os.path.join(folder, path))).encode() + b"\n")
    return whole.hexdigest()


def _files_of(folder: str) -> list[str]:
    found = [
        os.path.relpath(os.path.join(place, name), folder) for place, _, names in os.walk(folder) for name in names
    ]
    return sorted(found)


# ------------------------------------------------------------------ what is no difference


def _nearly(before: Side, after: Side, one: str, other: str, tolerance: float) -> tuple[Verdict, str]:
    if os.path.isdir(one) or os.path.isdir(other):
        return _nearly_folders(before, after, one, other, tolerance)
    texts = _text(one), _text(other)
    if texts[0] is None or texts[1] is None:
        return "differs", "other bytes"
    plain = _without_paths(texts[0], before.paths), _without_paths(texts[1], after.paths)
    if plain[0] == plain[1]:
        return "paths", ""
    return _nearly_texts(*plain, tolerance)


def _nearly_folders(before: Side, after: Side, one: str, other: str, tolerance: float) -> tuple[Verdict, str]:
    if not os.path.isdir(one) or not os.path.isdir(other):
        return "differs", "one is a folder"
    names = set(_files_of(one)), set(_files_of(other))
    if names[0] != names[1]:
        return "differs", f"`{min(names[0] ^ names[1])}` is in one alone"
    found: Verdict = "paths"
    for name in sorted(names[0]):
        places = os.path.join(one, name), os.path.join(other, name)
        if _digest(places[0]) == _digest(places[1]):
            continue
        verdict, detail = _nearly(before, after, *places, tolerance)
        if verdict == "differs":
            return verdict, f"`{name}`: {detail}"
        found = verdict if verdict == "close" else found
    return found, ""


def _text(path: str) -> bytes | None:
    """Give a file that is text, and no great one."""
    try:
        with open_file(path) as file:
            data = file.read(LARGEST_TEXT + 1)
    except OSError:
        return None
    if len(data) > LARGEST_TEXT or b"\0" in data:
        return None
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return data


def _without_paths(text: bytes, paths: tuple[str, ...]) -> bytes:
    for number, path in enumerate(paths):
        text = text.replace(os.fsencode(path), b"\0%d" % number)
    return text


def _nearly_texts(one: bytes, other: bytes, tolerance: float) -> tuple[Verdict, str]:
    """Compare texts by their numbers and by all else in them: JSON, CSV and logs alike."""
    numbers = NUMBER.findall(one), NUMBER.findall(other)
    if len(numbers[0]) == len(numbers[1]) and NUMBER.sub(b"\0", one) == NUMBER.sub(b"\0", other):
        pairs = [(a, b) for a, b in zip(*numbers, strict=True) if not _is_close(a, b, tolerance)]
        if not pairs:
            return "close", ""
        a, b = pairs[0]
        return "differs", f"{_count(len(pairs), 'number')}, the first {a.decode()} → {b.decode()}"
    lines = one.split(b"\n"), other.split(b"\n")
    at = next((n for n, (a, b) in enumerate(zip(*lines, strict=False), 1) if a != b), min(map(len, lines)) + 1)
    return "differs", f"from line {at} on"


def _is_close(one: bytes, other: bytes, tolerance: float) -> bool:
    """Tell whether two numbers are the same text, or near enough where that is asked for."""
    return one == other or (tolerance > 0 and close(float(one), float(other), tolerance))


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
