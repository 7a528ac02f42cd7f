"""``xpc diff``: two runs side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import options
from .failure import AT_FAULT, FINE
from .output import json_text
from .session import Session, find_folder

if TYPE_CHECKING:
    from xpc.compiler.git_calls import Repository
    from xpc.runtime.named_run import NamedRun


@click.command()
@click.argument("one", metavar="A")
@click.argument("other", metavar="B")
@click.option("--code", is_flag=True, help="Print how the code differs, line by line.")
@options.rescan
@options.as_json
def command(one: str, other: str, code: bool, as_json: bool) -> int:
    """Compare two runs: config, code, metrics, duration. `RUN.v1` is what a run had before it was run again.

    \b
    Examples:  xpc diff 3fa2c81 91bc07e
               xpc diff 3fa2c81.v1 3fa2c81
    """
    from xpc.runtime.diff import difference, render_difference
    from xpc.runtime.diff_code import changed_files, whole_difference
    from xpc.runtime.named_run import find_named
    from xpc.runtime.show import named_record

    from .standing import Standings
    from .viewing import view_of

    session = Session(find_folder(Path.cwd()))
    session.checked()
    view = view_of(session, Standings(session.folder))
    found = [find_named(text, view, session.diagnostics) for text in (one, other)]
    session.stop_if_failed(closing="")
    named = [run for run in found if run is not None]
    runs = [named_record(run, view) for run in named]
    trees, git = [str(run.get("snapshot")) for run in runs], None
    why = _unknown(named, runs)
    if not why and trees[0] != trees[1]:
        git, why = _repository(session.folder, trees)
    if code:
        if why:
            click.echo(f"error: {why}", err=True)
            return AT_FAULT
        click.echo(whole_difference(git, *trees) if git is not None else "The code is the same.")
        return FINE
    files = changed_files(git, *trees) if git is not None else []
    told = difference(runs[0], runs[1], why or files)
    click.echo(json_text(told.record()) if as_json else render_difference(told))
    return FINE


def _unknown(named: list[NamedRun], runs: list[dict[str, Any]]) -> str:
    """Say why nobody can tell the code of one of the runs; nothing if that is known."""
    from xpc.runtime.diff_code import is_tree

    for name, run in zip(named, runs, strict=True):
        if not is_tree(run.get("snapshot")):
            began = "has not started" if "attempt" not in run else "says of no snapshot"
            return f"run {name.short} {began}"
    return ""


def _repository(folder: Path, trees: list[str]) -> tuple[Repository | None, str]:
    """Give the repository that has both snapshots, or why there is none."""
    from xpc.compiler.git_calls import GitError, GitMissingError, open_repository

    try:
        git = open_repository(folder)
    except (GitError, GitMissingError):
        return None, "there is no git repository here that has the snapshots"
    for tree in trees:
        try:
            git.run("cat-file", "-e", f"{tree}^{{tree}}")
        except GitError:
            return None, f"snapshot {tree[:7]} is not in this repository"
    return git, ""
