"""One command's way through the passes: each result is made once, when it is first asked for."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from xpc.grammar.diagnostic import Diagnostics
from xpc.grammar.source import Source

from .failure import AT_FAULT, Stop, refuse

if TYPE_CHECKING:
    from xpc.compiler.emit import Build
    from xpc.compiler.plan import Plan
    from xpc.compiler.plan_size import Sends
    from xpc.compiler.snapshot import Snapshot
    from xpc.compiler.study import Study, Target
    from xpc.compiler.table import Table

    from .input_content import InputContent

FILE = "Experimentfile"
BUILDS = ".xpc/builds"


def find_folder(start: Path) -> Path:
    """Give the nearest folder at or above *start* that has an Experimentfile."""
    for folder in (start, *start.parents):
        if (folder / FILE).is_file():
            return folder
    meant: list[str] = []
    with suppress(PermissionError):  # who may not look into a folder has no project in it
        meant = sorted(path.name for path in start.iterdir() if path.stem.lower() == FILE.lower() and path.is_file())
    help = f"rename `{meant[0]}` to `{FILE}`" if meant else "write one there, or go to a project with `xpc -C DIR …`"
    return refuse(f"no {FILE} in {start} or above it", help=help)


def read_source(path: Path, name: str, diagnostics: Diagnostics) -> Source:
    """Read a text as UTF-8; what is no UTF-8 is reported, with the place of the first wrong byte."""
    return decoded(path.read_bytes(), name, diagnostics)


def decoded(data: bytes, name: str, diagnostics: Diagnostics) -> Source:
    """Give a text that shall be UTF-8."""
    try:
        return Source(name, data.decode("utf-8-sig"))
    except UnicodeDecodeError as wrong:
        readable = Source(name, data.decode("utf-8", errors="replace").removeprefix("\ufeff"))
        at = len(data[: wrong.start].decode("utf-8", errors="replace"))
        diagnostics.error("XP100", readable.span(at, at + 1), f"`{name}` is not UTF-8 text", "this byte")
        return readable


class Session:
    """The project in *folder*, with ``--set`` *settings*, for the target called *target*."""

    def __init__(
        self,
        folder: Path,
        settings: Sequence[str] = (),
        target: str = "local",
        snapshot: Literal["worktree", "head", "clean"] = "worktree",
    ) -> None:
        self.folder = folder
        self.settings = tuple(settings)
        self.target_name = target
        self.snapshot_mode: Literal["worktree", "head", "clean"] = snapshot
        self.diagnostics = Diagnostics()
        self.writes = True  # without it a snapshot is taken apart: the project and its repository stay as they are
        self._code_known = False
        self.sends: Sends = self._sends  # which runs of a plan the command sends: they count where a target bounds them

    # ------------------------------------------------------------------ the passes

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
        files = DiskFiles(self.folder)
        return resolve(source, files, os.environ, self.settings, self.diagnostics, target=self.target_name)

    @cached_property
    def tables(self) -> dict[str, Table]:
        from xpc.compiler.expand import expand

        return {} if self.study is None else expand(self.study, self.diagnostics)

    @property
    def target(self) -> Target:
        assert self.study is not None
        return self.study.targets[self.target_name]

    def check(self) -> None:
        """Run every pass that needs no git: all mistakes are in ``diagnostics`` afterwards."""
        tables = self.tables
        if self.study is not None and self.target_name in self.study.targets:
            from xpc.compiler.plan import check_plan

            check_plan(self.study, tables, self.target, self.diagnostics, self.sends)

    def checked(self) -> Study:
        """Give the study, or print what is wrong with it and end the command."""
        study, _ = self.study, self.tables
        if self.diagnostics.failed:
            self.check()  # a mistake is no reason to keep others back
        self.stop_if_failed()
        assert study is not None
        return study

    @cached_property
    def snapshot(self) -> Snapshot:
        from xpc.compiler.snapshot import take

        study = self.checked()
        found = take(self.folder, study.root, self.snapshot_mode, self.diagnostics, scratch=self._scratch)
        self.stop_if_failed()
        assert found is not None
        return found

    @cached_property
    def _scratch(self) -> Path | None:
        """A folder for what a command that writes nothing makes; it is gone when the command has ended."""
        if self.writes:
            return None
        from tempfile import TemporaryDirectory

        import click

        folder = TemporaryDirectory(prefix="xpc-")
        click.get_current_context().call_on_close(folder.cleanup)
        return Path(folder.name)

    def may_pin(self) -> bool:
        """Take the snapshot if that can be done, for what can go without: in another user's folder, or without git."""
        from xpc.compiler.snapshot import take

        if "snapshot" not in self.__dict__:
            try:
                root = self.checked().root
                found = take(self.folder, root, self.snapshot_mode, Diagnostics(), scratch=self._scratch)
            except PermissionError:
                found = None
            if found is None:
                return False
            self.__dict__["snapshot"] = found
        return True

    @cached_property
    def content(self) -> InputContent:
        """What the files hold that inputs name."""
        from .input_content import InputContent

        links = {link.name: link.path for link in self.checked().links}
        return InputContent(self.folder, self.snapshot, links)

    def plan(self, rows: Mapping[str, Sequence[int]] | None = None, *, pinned: bool = True) -> Plan:
        """Give the plan of the runs in *rows* (of each experiment's table; none: of all).

        Not *pinned*: without looking at the code, for showing commands; such a plan can't be emitted.
        """
        from xpc.compiler.plan import SnapshotRef, make_plan

        study, tables = self.checked(), self.tables
        snapshot = self.snapshot if pinned else None
        found = make_plan(
            study,
            tables,
            SnapshotRef(snapshot.tree, snapshot.prefix) if snapshot is not None else SnapshotRef(""),
            self.target,
            self.diagnostics,
            code_of=lambda patterns: snapshot.code_fingerprint(patterns, study.sources) if snapshot is not None else "",
            content_of=self.content.of if pinned else lambda _: None,
            rows=rows,
            sends=self.sends,
        )
        self.stop_if_failed()
        assert found is not None
        if pinned:
            if self.writes:
                self.content.keep()
            self._require_code()
        return found

    def _require_code(self) -> None:
        """Warn of a name in `code` that there is not, and of patterns none of which matches: misspelt, they would let
        no change make a run stale. One of several patterns may be about files to come."""
        if self._code_known:
            return
        self._code_known = True
        told: set[str] = set()
        for name, experiment in self.checked().experiments.items():
            missing = [pattern for pattern in experiment.code if not self.snapshot.code_files((pattern,))]
            some = len(missing) < len(experiment.code)
            for pattern in missing:
                if pattern in told or (some and any(letter in pattern for letter in "*?[")):
                    continue
                told.add(pattern)
                message = f"no file of the snapshot matches `{pattern}`, which `code` of `{name}` names"
                self.diagnostics.warning("XP107", None, message, help="what is not named there makes no run stale")

    def _sends(self, plan: Plan) -> Mapping[str, Collection[int]]:
        """Tell which runs a plain submit would send."""
        from .fates import find_fates, sent_rows
        from .standing import Standings

        return sent_rows(plan, find_fates(plan, Standings(self.folder)))

    @cached_property
    def pinned_plan(self) -> Plan:
        """The plan of all runs with the code as it is now."""
        return self.plan()

    def emit(self, plan: Plan) -> Build:
        from xpc.compiler.emit import emit
        from xpc.runtime.shim import archive

        return emit(plan, archive.build())

    # ------------------------------------------------------------------ selections

    def experiments(self, names: Sequence[str]) -> tuple[str, ...]:
        """Give the experiments that *names* mean (none: all), or end the command with the nearest name."""
        known = list(self.tables)
        for name in names:
            if name not in known:
                from xpc.grammar.nearest import nearest

                close = nearest(name, known)
                help = f"did you mean `{close}`?" if close else f"there are: {', '.join(known) or 'none'}"
                refuse(f"no experiment is called `{name}`", help=help)
        return tuple(names) or tuple(known)

    def stop_if_failed(
        self, format: str = "full", closing: str = " Nothing was written.", status: int = AT_FAULT
    ) -> None:
        """Print what was found; end the command with *status* if there is an error among it."""
        from .output import print_diagnostics, verdict

        if not self.diagnostics.failed:
            return
        print_diagnostics(self.diagnostics, format)
        if closing:
            import click

            click.echo(f"\n{verdict(self.diagnostics.sorted())}.{closing}", err=True)
        raise Stop(status)
