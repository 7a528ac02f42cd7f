"""A plan to the files of a build folder, and their hash, which is the build's id: the same input, the same bytes."""

from __future__ import annotations

import json
import os
import shutil
import stat
from array import array
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from hashlib import blake2b
from itertools import accumulate
from pathlib import Path
from typing import Final, Protocol

from .half_made import new_folder, sweep
from .plan import Plan
from .plan_json import plan_json, script_of
from .plan_points import compact, header, lines, shapes_of

Chunks = Callable[[], Iterator[bytes]]

SHOWN: Final = 7  # digits of a build's id that people see
POINTS: Final = "points.jsonl"
INDEX: Final = "points.idx"
PROVENANCE: Final = "provenance.json"
EXECUTABLE: Final = (".sh", ".sbatch", ".oar")
WIDTH: Final = 130


class Backend(Protocol):
    """What makes the scripts of one kind of target."""

    def render_array(self, plan: Plan, number: int) -> str: ...

    def render_submit(self, plan: Plan) -> str: ...


class Build:
    """The files of a build. *files* gives the bytes of all that is small by path, sorted; the points are made when they
    are asked for, a chunk at a time, and never held."""

    def __init__(self, plan: Plan, files: Mapping[str, bytes]) -> None:
        self.plan = plan
        self.files = dict(sorted(files.items()))
        self._id: str | None = None

    @property
    def id(self) -> str:
        """The hash of everything in the build but its provenance: 16 hex digits."""
        if self._id is None:
            digest, _ = self._stream(lambda _chunk: None)
            self._id = self._hash(digest)
        return self._id

    def points(self) -> Iterator[tuple[bytes, list[int]]]:
        """Give ``points.jsonl`` in chunks, each with the lengths of the lines in it, in bytes."""
        shapes = shapes_of(self.plan)
        first = encoded(compact(header(self.plan, shapes)) + "\n")
        yield first, [len(first)]
        for name, planned in self.plan.experiments.items():
            for found in lines(planned, shapes[name], self.plan.tables):
                text = "".join(found)
                data = encoded(text)
                lengths = list(map(len, found)) if len(data) == len(text) else [len(encoded(line)) for line in found]
                yield data, lengths

    def write(self, folder: Path, provenance: Mapping[str, object]) -> Path:
        """Write the build below *folder* (``.xpc/builds``), under its id, whole or not at all; give its folder.

        A build that is there already is left as it is, but for files of it that a crash has damaged. Raises ``OSError``
        where the disk refuses.
        """
        folder.mkdir(parents=True, exist_ok=True)
        sweep(folder)
        if self._id is not None and (folder / self._id).is_dir() and not self._damaged(folder / self._id):
            return folder / self._id
        aside = new_folder(folder)
        try:
            self._write_files(aside, provenance)
            # What nodes write here later is the group's where the project is.
            aside.chmod(0o777 & ~_umask() | aside.stat().st_mode & stat.S_ISGID)
            return self._put(aside, folder / self.id)
        finally:
            shutil.rmtree(aside, ignore_errors=True)

    def _put(self, aside: Path, to: Path) -> Path:
        """Give the folder its name; where the same build is already, only what is damaged there takes its file."""
        try:
            os.rename(aside, to)
        except OSError:
            if not to.is_dir():
                raise
            for path in self._damaged(to):
                (to / path).parent.mkdir(exist_ok=True)
                os.replace(aside / path, to / path)
        return to

    def _damaged(self, folder: Path) -> list[str]:
        """Give the files of this build that are not in *folder* as they were made: the power may fail after a build."""
        found = [path for path, data in self.files.items() if _content(folder / path) != data]
        digest, index = _read_points(folder / POINTS)
        if self._hash(digest) != self.id:
            found += [POINTS, INDEX]
        elif _content(folder / INDEX) != index:
            found.append(INDEX)
        return found if _is_json(_content(folder / PROVENANCE)) else [*found, PROVENANCE]

    def _write_files(self, folder: Path, provenance: Mapping[str, object]) -> None:
        for path, data in self.files.items():
            (folder / path).parent.mkdir(exist_ok=True)
            (folder / path).write_bytes(data)
            if path.endswith(EXECUTABLE):
                (folder / path).chmod(0o777 & ~_umask())
        with (folder / POINTS).open("wb") as file:
            digest, index = self._stream(file.write)
        (folder / INDEX).write_bytes(index)
        (folder / PROVENANCE).write_bytes(_pretty(provenance))
        (folder / "logs").mkdir()
        self._id = self._hash(digest)

    def _stream(self, take: Callable[[bytes], object]) -> tuple[bytes, bytes]:
        """Make the points, handing each chunk to *take*; give their digest and the index."""
        digest = blake2b(digest_size=32)
        offsets = array("Q")
        end = 0
        for data, lengths in self.points():
            digest.update(data)
            take(data)
            ends = list(accumulate(lengths, initial=end))
            offsets.extend(ends[1:])
            end = ends[-1]
        return digest.digest(), _little_endian(offsets)

    def _hash(self, points: bytes) -> str:
        whole = blake2b(digest_size=8)
        for path, data in self.files.items():
            whole.update(path.encode() + b"\0" + blake2b(data, digest_size=32).digest())
        whole.update(POINTS.encode() + b"\0" + points)
        return whole.hexdigest()


def emit(plan: Plan, shim: bytes) -> Build:
    """Give the build of a plan; *shim* is the archive that runs tasks (``xpc.pyz``)."""
    backend = _backend(plan.target.kind)
    files = {"plan.json": _pretty(plan_json(plan)), "xpc.pyz": shim, "submit.sh": backend.render_submit(plan).encode()}
    for number, one in enumerate(plan.arrays):
        files[script_of(one, plan.target.kind)] = backend.render_array(plan, number).encode()
    return Build(plan, files)


def _backend(kind: str) -> Backend:
    match kind:
        case "slurm":
            from .backends.slurm import render as slurm

            return slurm
        case "oar":
            from .backends.oar import render as oar

            return oar
        case _:
            from .backends.local import render as local

            return local


def encoded(text: str) -> bytes:
    """Give the bytes of JSON; half a character pair, which has none, as JSON's own escape."""
    return text.encode("utf-8", "backslashreplace")


def _pretty(values: Mapping[str, object]) -> bytes:
    return encoded(_laid_out(values, "") + "\n")


def _laid_out(value: object, indent: str) -> str:
    """Give JSON that people can read: what fits stands on one line."""
    line = json.dumps(value, ensure_ascii=False, allow_nan=False)
    if len(indent) + len(line) <= WIDTH or not isinstance(value, dict | list) or not value:
        return line
    inner = indent + "  "
    if isinstance(value, dict):
        parts = [f"{json.dumps(key, ensure_ascii=False)}: {_laid_out(item, inner)}" for key, item in value.items()]
        return "{\n" + ",\n".join(inner + part for part in parts) + f"\n{indent}}}"
    return "[\n" + ",\n".join(inner + _laid_out(item, inner) for item in value) + f"\n{indent}]"


def _little_endian(offsets: array[int]) -> bytes:
    if array("H", [1]).tobytes() == b"\0\1":
        offsets.byteswap()
    return offsets.tobytes()


def _read_points(path: Path) -> tuple[bytes, bytes]:
    """Give the digest of the points on disk, and the index that belongs to them."""
    digest = blake2b(digest_size=32)
    ends = array("Q")
    end = 0
    with suppress(FileNotFoundError), path.open("rb") as file:
        for line in file:
            digest.update(line)
            end += len(line)
            ends.append(end)
    return digest.digest(), _little_endian(ends)


def _is_json(data: bytes | None) -> bool:
    try:
        return isinstance(json.loads(data or b""), dict)
    except ValueError:
        return False


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
