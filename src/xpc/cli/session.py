"""One command's way through the passes: each result is made once, when it is first asked for."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from xpc.grammar.diagnostic import Diagnostics
from xpc.grammar.source import Source

from .failure import AT_FAULT, Stop, refuse

if TYPE_CHECKING:
    from xpc.compiler.study import Study
    from xpc.compiler.table import Table

FILE = "Experimentfile"


def find_folder(start: Path) -> Path:
    """Give the nearest folder at or above *start* that has an Experimentfile."""
    for folder in (start, *start.parents):
        if (folder / FILE).is_file():
            return folder
    refuse(
        f"no {FILE} in {start} or above it",
        help="write one there, or go to a project with `xpc -C DIR …`",
    )


def read_source(path: Path, name: str, diagnostics: Diagnostics) -> Source:
    """Read a text as UTF-8; what is no UTF-8 is reported, with the place of the first wrong byte."""
    data = path.read_bytes()
    try:
        return Source(name, data.decode("utf-8-sig"))
    except UnicodeDecodeError as wrong:
        readable = Source(name, data.decode("utf-8", errors="replace").removeprefix("\ufeff"))
        at = len(data[: wrong.start].decode("utf-8", errors="replace"))
        diagnostics.error("XP100", readable.span(at, at + 1), f"`{name}` is not UTF-8 text", "this byte")
        return readable


class Session:
    """The project in *folder*, with ``--set`` *settings*, for *target*."""

    def __init__(self, folder: Path, settings: Sequence[str] = (), target: str = "local") -> None:
        self.folder = folder
        self.settings = tuple(settings)
        self.target = target
        self.diagnostics = Diagnostics()

    @cached_property
    def source(self) -> Source:
        return read_source(self.folder / FILE, FILE, self.diagnostics)

    @cached_property
    def study(self) -> Study | None:
        from xpc.compiler.files import DiskFiles
        from xpc.compiler.resolve import resolve

        source = self.source
        if self.diagnostics.failed:
            return None
        return resolve(
            source, DiskFiles(self.folder), os.environ, self.settings, self.diagnostics, target=self.target
        )

    @cached_property
    def tables(self) -> dict[str, Table]:
        from xpc.compiler.expand import expand

        return {} if self.study is None else expand(self.study, self.diagnostics)

    def check(self) -> None:
        """Run every pass that needs no git: all mistakes are in ``diagnostics`` afterwards."""
        _ = self.tables

    def stop_if_failed(self, format: str = "full") -> None:
        """Print what was found; end the command if there is an error among it."""
        from .output import print_diagnostics

        print_diagnostics(self.diagnostics, format)
        if self.diagnostics.failed:
            raise Stop(AT_FAULT)
