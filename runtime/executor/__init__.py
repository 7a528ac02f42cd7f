"""Runs a build's rows on this machine: one process, one thread, the user's programs as its children."""

from __future__ import annotations

from .limits import Limits as Limits
from .outcome import Failure as Failure
from .outcome import Outcome as Outcome
from .reporter import Reporter as Reporter
