"""What git refused, to a finding that says what to do."""

from __future__ import annotations

import os
import re
from pathlib import Path

from ..grammar.diagnostic import Diagnostics
from .git_calls import LINE_END, GitError, GitMissingError


def refuse(error: GitError | GitMissingError, folder: Path, diagnostics: Diagnostics) -> None:
    """Add the finding for a call of git in *folder* that failed."""
    if isinstance(error, GitMissingError):
        diagnostics.error(
            "XP120",
            None,
            f"xpc needs git: {error}",
            help="install git 2.31 or newer; the code of a run is kept by it",
        )
        return
    text = error.text
    if "not a git repository" in text:
        diagnostics.error(
            "XP121",
            None,
            "this folder is in no git repository",
            help=("write `git init` here; nothing needs to be committed", "the code of a run is kept as a git tree"),
        )
    elif "must be run in a work tree" in text:
        diagnostics.error(
            "XP121",
            None,
            "this folder is in a git repository without a working tree",
            help="work in a clone of it: `git clone REPOSITORY FOLDER`",
        )
    elif found := re.search(r"(?:dubious ownership in|unsafe) repository[^']*'([^']*)'", text):
        diagnostics.error(
            "XP122",
            None,
            f"the repository `{found[1]}` belongs to another user, and git refuses it",
            help=f"if you trust it: `git config --global --add safe.directory {found[1]}`",
        )
    elif re.search(
        r"insufficient permission|(?:ref|index|file|object).*Permission denied|unable to .*Permission denied", text
    ):
        diagnostics.error(
            "XP122",
            None,
            f"git may not write into this repository: {_last_line(text)}",
            help=(
                "whoever owns it types `git config core.sharedRepository group` and `chmod -R g+rwX .git`",
                "docs/groups.md tells how several people share a project",
            ),
        )
    elif text == LINE_END:
        diagnostics.error(
            "XP137",
            None,
            f"git can't tell where `{os.path.realpath(folder)}` is: there is a line end in its path",
            help="rename the folder",
        )
    elif "transport" in text and "not allowed" in text:
        diagnostics.error(
            "XP137",
            None,
            "git would have to fetch: this is a partial clone, and files of the snapshot are not in it",
            help="`git fetch --refetch --no-filter`, or check the files out",
        )
    else:
        diagnostics.error(
            "XP137",
            None,
            f"git failed: {_last_line(text)}",
            help=f"it was called as `git {' '.join(error.arguments[:2])}` in `{folder.name or folder}`",
        )


def refuse_file(error: OSError, diagnostics: Diagnostics) -> None:
    """Add the finding for a file of ours that can't be read or written."""
    name = os.path.basename(str(error.filename or "")) or "a file"
    diagnostics.error(
        "XP137",
        None,
        f"no snapshot can be made: `{name}`: {(error.strerror or 'it failed').lower()}",
        help="xpc writes into `.xpc/`, beside the Experimentfile, and into the git repository",
    )


def _last_line(text: str) -> str:
    lines = [line.removeprefix("fatal: ").removeprefix("error: ") for line in text.splitlines() if line.strip()]
    return next((line for line in lines if not line.startswith(("hint:", "warning:"))), "it gave no reason")
