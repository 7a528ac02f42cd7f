"""An attempt's end to what people are told of it: what the program said last, and where its log is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ..shim.attempt import Attempt, Launch
from .last_words import last_words
from .outcome import Failure


def describe(attempt: Attempt, launch: Launch | None, end: dict[str, Any]) -> Failure:
    """Read the last line of its stderr, or of its stdout if there is none; nothing if it was never launched."""
    said, log = "", attempt.journal
    for path in (launch.stdout, launch.stderr) if launch is not None else ():
        if os.path.exists(path):
            said, log = last_words(Path(path)) or said, path
    state, reason = str(end["state"]), end["reason"]
    if reason is None and end["exit"] is not None:
        reason = f"exit status {end['exit']}"
    return Failure(
        run=attempt.run.id,
        experiment=attempt.run.experiment,
        attempt=attempt.number,
        state=state,
        reason=str(reason or ""),
        # What we ended ourselves is explained by our reason, not by what the program happened to say last.
        said=said if state == "failed" and end["reason"] is None else "",
        log=os.path.relpath(log, attempt.place.project),
    )
