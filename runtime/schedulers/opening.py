"""What every submit does first, wherever it sends runs: keeps its folders out of the repository, tells of the lock."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from ...grammar.diagnostic import Diagnostics
from ..lock import LEASE, LEASES, NAME, Held
from ..owner import Owner

IGNORE: Final = "# Made by xpc; nothing here belongs in the repository.\n*\n"


def hide(folder: Path) -> None:
    """Keep a folder of ours out of the user's repository."""
    folder.mkdir(exist_ok=True)
    ignore = folder / ".gitignore"
    if not ignore.exists():
        ignore.write_text(IGNORE)


def require_writable(project: Path, runs: Iterable[tuple[str, str]], *more: Path) -> None:
    """Raise ``PermissionError`` if the folder of one of the *runs* (experiment and id) can't be made or written to, or
    one of *more*: another user's, whose run would else fail, or get lost, only after others have begun."""
    home = os.path.join(project, "runs")
    open_ = {path: _is_open(path) for path in (home, *map(str, more))}
    for experiment, id in runs:
        above = os.path.join(home, experiment)
        if above not in open_:
            open_[above] = _is_open(above)
        run = os.path.join(above, id)
        if os.path.isdir(run) and not _is_open(run):
            raise _closed(run)
        if not open_[above] and not os.path.isdir(run):
            raise _closed(above)
    for path in (home, *map(str, more)):
        if not open_[path]:
            raise _closed(path)


def require_secrets(
    plan: Mapping[str, Any], experiments: Iterable[str], environ: Mapping[str, str], diagnostics: Diagnostics
) -> bool:
    """Report the secrets of these experiments that are not set; say whether all are."""
    complete = True
    for experiment in experiments:
        for name in plan["experiments"][experiment]["environment"]["secrets"]:
            if name not in environ:
                complete = False
                message = f"experiment `{experiment}` needs the secret `{name}`, and it is not set"
                help = f"`export {name}=…` in the shell that submits"
                diagnostics.error("XS006", None, message, help=help)
    return complete


def reraise_denied(error: Exception) -> None:
    """Raise the ``PermissionError`` that was behind another error: whoever called says whose the file is."""
    if isinstance(error.__cause__, PermissionError):
        raise error.__cause__


def _is_open(folder: str) -> bool:
    """Tell whether files can be made in a folder; one that is not there is not closed."""
    return os.access(folder, os.W_OK | os.X_OK, effective_ids=True) or not os.path.isdir(folder)


def _closed(folder: str) -> PermissionError:
    # Of a file that is not there it is said that it can't be made.
    return PermissionError(errno.EACCES, os.strerror(errno.EACCES), os.path.join(folder, "files"))


def watching(owner: Owner | None) -> str:
    """Say that the holder of the lock can't be seen from here."""
    who = str(owner) if owner is not None else "somebody"
    return f"{who} has the submit lock; watching for {LEASES * LEASE:g} s whether that process still lives"


def tell_held(held: Held, diagnostics: Diagnostics) -> None:
    """Say who has the lock."""
    if held.owner is None:
        message = "the submit lock can't be read, and somebody touches it"
    else:
        message = f"another submit of this project goes on: {held.owner}"
    help = f"wait for it or stop it; if you know that it is gone, remove `{NAME}`"
    diagnostics.error("XS001", None, message, help=help)
