"""What every submit does first, wherever it sends runs: keeps its folders out of the repository, tells of the lock."""

from __future__ import annotations

from pathlib import Path
from typing import Final

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
