"""Runs a build's rows on this machine: one process, one thread, the user's programs as its children."""

from __future__ import annotations

from .execute import execute as execute
from .limits import Limits as Limits
from .limits import find_limits as find_limits
from .limits import narrowed as narrowed
from .loop import Rules as Rules
from .outcome import Failure as Failure
from .outcome import Outcome as Outcome
from .reporter import Reporter as Reporter
from .reporter import Silent as Silent
from .reporter import reporter_for as reporter_for
