"""A project as it was at a revision: the passes, over git's objects instead of the disk."""

from __future__ import annotations

import os
import posixpath
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from xpc.compiler.against_files import TreeFiles
from xpc.compiler.against_revision import Revision
from xpc.compiler.snapshot import Snapshot
from xpc.compiler.snapshot_commit import tree_without_records
from xpc.compiler.snapshot_tree import list_tree
from xpc.grammar.source import Source, Span

from .session import FILE, Session, decoded

if TYPE_CHECKING:
    from xpc.compiler.git_calls import Repository
    from xpc.compiler.study import Study, Target
    from xpc.grammar.diagnostic import Diagnostic


class PastSession(Session):
    """What *present* was at *revision*. Findings name its files `REVISION:FILE`."""

    def __init__(self, present: Session, revision: Revision) -> None:
        super().__init__(present.folder, present.settings, present.target_name)
        self.present = present
        self.revision = revision
        self.repository: Repository = present.snapshot.repository
        whole = revision.commit is not None
        self._folder = self.repository.folder if whole else present.snapshot.prefix
        self._files = TreeFiles(self.repository, list_tree(self.repository, revision.tree), self._folder)

    @property
    def has_study(self) -> bool:
        """Tell whether there was an Experimentfile."""
        return self._files.holds(FILE)

    @cached_property
    def source(self) -> Source:
        return decoded(self._files.read(FILE), FILE, self.diagnostics)

    @cached_property
    def study(self) -> Study | None:
        from xpc.compiler.resolve import resolve

        source = self.source
        if self.diagnostics.failed:
            return None
        return resolve(source, self._files, os.environ, self.settings, self.diagnostics)

    @property
    def target(self) -> Target:
        """The target of that name as it was then; one that is new, as it is now."""
        assert self.study is not None
        return self.study.targets.get(self.target_name, self.present.target)

    @cached_property
    def snapshot(self) -> Snapshot:
        study = self.checked()
        root = study.root if self.revision.commit is not None else "."
        extent = posixpath.normpath(posixpath.join(self._folder or ".", root))
        if self.revision.commit is None or extent in (".", "..") or extent.startswith("../"):
            extent = ""
        tree = self._tree(extent)
        return Snapshot(
            tree=tree,
            commit=self.revision.commit or tree,
            head=self.revision.commit,
            branch=None,
            dirty=False,
            changed=(),
            untracked=(),
            prefix=self._folder[len(extent) :].lstrip("/"),
            extent=extent,
            repository=self.repository,
        )

    def _tree(self, extent: str) -> str:
        """Give the tree of the extent, without what xpc itself wrote there."""
        name = f"{self.revision.tree}:{extent}" if extent else self.revision.tree
        whole = self.repository.run("rev-parse", "--verify", name).decode().strip()
        if self.revision.commit is None:
            return whole
        return tree_without_records(whole, self.repository, extent, None) or whole

    def stop_if_failed(self, format: str = "full", closing: str = " Nothing was compared.", status: int = 1) -> None:
        if self.diagnostics.failed:
            names = _Names(self.revision.name)
            self.diagnostics.found[:] = [names.told(finding) for finding in self.diagnostics.found]
        super().stop_if_failed(format, closing, status)


class _Names:
    """Findings about files of a revision, with its name before theirs."""

    def __init__(self, revision: str) -> None:
        self.revision = revision
        self.known: dict[int, Source] = {}

    def told(self, finding: Diagnostic) -> Diagnostic:
        labels = tuple(replace(label, span=self._moved(label.span)) for label in finding.labels)
        span = None if finding.span is None else self._moved(finding.span)
        return replace(finding, span=span, labels=labels)

    def _moved(self, span: Span) -> Span:
        source = span.source
        if source.name.startswith(("-", "<")):  # an option of this call
            return span
        if id(source) not in self.known:
            self.known[id(source)] = Source(f"{self.revision}:{source.name}", source.text)
        return Span(self.known[id(source)], span.start, span.end)
