"""The reports of a study, and all its runs, to one HTML file."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from xpc.compiler.git_calls import GitError, GitMissingError, Repository, open_repository
from xpc.runtime.html.document import DETAILS, Document, render
from xpc.runtime.html.pictures import section

from .output import count, size

if TYPE_CHECKING:
    from xpc.runtime.query.result import Result
    from xpc.runtime.query.view import View

    from .session import Session


def write_report(
    file: str, reports: Iterable[tuple[str, Sequence[Result]]], session: Session, view: View, most: int | None
) -> None:
    """Write the page to *file*, whole or not at all, and say what is in it. At most *most* runs get a whole page."""
    study = session.checked()
    most = DETAILS if most is None else most
    sections = [section(study.reports[name], results, view, session.diagnostics) for name, results in reports]
    session.stop_if_failed(closing="")
    page = render(study.name or session.folder.resolve().name, sections, view, _repository(session.folder), most)
    data = page.text.encode()
    _write(Path(file), data)
    click.echo(f"{file}: {_content(page)}, {size(len(data))}.")


def _content(page: Document) -> str:
    runs = count(page.runs, "run")
    part = f"{runs}, {page.whole:,} of them with logs and curves" if page.left else runs
    shown = [count(page.tables, "table"), *([count(page.plots, "plot")] if page.plots else []), part]
    return ", ".join(shown)


def _repository(folder: Path) -> Repository | None:
    """Give the repository for differences of code; without one the page does without."""
    try:
        return open_repository(folder)
    except (GitError, GitMissingError):
        return None


def _write(path: Path, data: bytes) -> None:
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not path.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(name, 0o666 & ~mask)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
