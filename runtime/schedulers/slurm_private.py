"""Whether SLURM shows a user the jobs of others: on many sites it does not, and silence about them means nothing."""

from __future__ import annotations

import os
import re
from typing import Final

from .ask import ask
from .evidence import Ask

_PRIVATE: Final = re.compile(r"^\s*PrivateData\s*=\s*(\S+)", re.MULTILINE)
ASKED: Final = (["scontrol", "show", "config"], ["sacctmgr", "-n", "show", "configuration"])


def hides_others(run: Ask = ask) -> bool:
    """Tell whether the queue or the accounting keeps to itself what others have sent; root is shown everything."""
    if os.geteuid() == 0:
        return False
    for command in ASKED:
        answer = run(list(command))
        found = _PRIVATE.search(answer.out) if answer.fine else None
        if found is not None and "jobs" in found[1].lower().split(","):
            return True
    return False
