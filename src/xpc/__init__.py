"""xpc, the experiment compiler. What a script gets from ``import xpc``: the standard library alone, in milliseconds.

import xpc

run = xpc.run()                      # the current run; outside xpc an ad-hoc run, recorded the same way
run.log(step=3, loss=0.21)
run.save("model.pt")
"""

# A node may have Python 3.8.
# ruff: noqa: UP031

from __future__ import annotations

import os as _os
import sys as _sys
import typing as _typing

if not _os.path.isdir(_os.path.dirname(__file__)):
    # This is the small copy that travels with a build, before an installed xpc on the path: the rest is found there.
    __path__ += [place for place in (_os.path.join(entry, "xpc") for entry in _sys.path) if _os.path.isdir(place)]

if _typing.TYPE_CHECKING:
    from .reader import open_project as open

from ._run import Run, log, main, progress, run, save

__all__ = ["Run", "log", "main", "open", "progress", "run", "save"]


def __getattr__(name: str) -> object:
    """Load the reader of records when it is asked for: it brings pandas with it."""
    if name == "open":
        from .reader import open_project

        return open_project
    raise AttributeError("module 'xpc' has no attribute %r" % name)
