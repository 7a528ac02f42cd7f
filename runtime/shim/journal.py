"""The journal of one attempt: a JSON object a line, one writer. A line counts when it ends in a newline and parses."""

from __future__ import annotations

import json
import os
import time
from typing import Any, Dict, List, NamedTuple, Optional

from . import packs
from .regular import open_regular

SCHEMA = "xpc.run/1"
ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
Record = Dict[str, Any]


class Reading(NamedTuple):
    """The records of a journal, and whether a torn or unreadable line was left out.

    *changed* is when the file was last written or touched, in nanoseconds by the clock of wherever it is: to be
    compared with another look at the same file, and with nothing else.
    """

    records: List[Record]
    torn: bool
    changed: int = 0

    @property
    def state(self) -> Optional[str]:
        """What the end line says; nothing if there is none."""
        for record in self.records:
            if record.get("event") == "end":
                return str(record.get("state"))
        return None

    @property
    def is_done(self) -> bool:
        """Tell whether this is the record of a done attempt. Without its claim nobody can say what was done."""
        return self.state == "done" and any(record.get("event") == "claim" for record in self.records)


def numbered(name: str, attempt: int) -> str:
    """Give the name of a file of one attempt: `run.jsonl`, `run.2.jsonl`."""
    if attempt == 1:
        return name
    stem, dot, ending = name.rpartition(".")
    return "%s.%d%s%s" % (stem, attempt, dot, ending)


def read(path: str) -> Reading:
    """Read what is there; raises ``OSError`` if there is no such file."""
    with open_regular(path) as file:
        return parse(file.read())._replace(changed=os.fstat(file.fileno()).st_mtime_ns)


def read_attempts(folder: str) -> List[Reading]:
    """Read the journals of all attempts of a run, by opening one after the other: nothing is listed or looked up in
    advance, since network file systems answer that from memory. Those of a run that has none may lie in a pack."""
    found: List[Reading] = []
    while True:
        try:
            found.append(read(os.path.join(folder, numbered("run.jsonl", len(found) + 1))))
        except (FileNotFoundError, NotADirectoryError):
            return found or [parse(data) for data in packs.journals(folder)]


def parse(data: bytes) -> Reading:
    records: List[Record] = []
    torn = False
    lines = data.split(b"\n")
    if lines.pop():
        torn = True  # the last line has no end: whoever wrote it was cut off
    for line in lines:
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            torn = True
            continue
        if isinstance(record, dict):
            records.append(record)
        else:
            torn = True
    return Reading(records, torn)


def encode(record: Record) -> bytes:
    """Give a record as its line. A path that is no UTF-8 keeps its bytes as escapes: the line is always UTF-8."""
    return ENCODER.encode(record).encode("utf-8", "backslashreplace") + b"\n"


def write_all(descriptor: int, data: bytes) -> None:
    """Write every byte; raises ``OSError``, so that a half-written line is never taken for a whole one."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def append(path: str, record: Record, durable: bool = False) -> None:
    """Add one line in one write; *durable*: and wait until the disk has it."""
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
    try:
        _end_torn_line(descriptor)
        write_all(descriptor, encode(record))
        if durable:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def open_log(path: str) -> int:
    """Open a log for lines of ours; where another user has made it and keeps it closed, one beside it."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
    try:
        return os.open(path + ".log", flags, 0o666)
    except PermissionError:
        return os.open("%s.%d.log" % (path, os.getuid()), flags, 0o666)


def _end_torn_line(descriptor: int) -> None:
    """A full disk may have cut our own last line: what follows must not become a part of it."""
    size = os.fstat(descriptor).st_size
    if size and os.pread(descriptor, 1, size - 1) != b"\n":
        write_all(descriptor, b"\n")


def now() -> str:
    """Give the time in UTC, to the millisecond."""
    seconds = time.time()
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + ".%03dZ" % (seconds % 1 * 1000)
