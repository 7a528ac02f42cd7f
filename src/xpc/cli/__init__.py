"""The command line: parses arguments, calls the passes in order, prints what they give.

Exit status: 0 fine, 1 the user's file or runs are at fault, 2 misuse of the command line, 3 the scheduler or the
system refused, 70 our bug.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and give its exit status."""
    import gc

    # A command lives for a moment and makes no cycles worth finding: a tenth of its start is spent looking for them.
    gc.set_threshold(200_000, 20, 20)
    try:
        from .failure import run_guarded

        return run_guarded(list(sys.argv[1:] if arguments is None else arguments))
    except KeyboardInterrupt:  # while all that was loaded
        return 130
