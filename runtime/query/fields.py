"""The names of the fields that queries know as ``run.…``, and the units of some."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ..record_fields import OF_RECORD as OF_RECORD
from ..record_fields import READ as READ
from ..record_fields import TRACED as TRACED

VERSION: Final = "version"
"""How many results the run has had, this one included. The only field whose bare name gives way to a key or metric."""

FIELDS: Final = ("id", "experiment", "config", "status", *OF_RECORD, "tags", VERSION)
TIMES: Final = frozenset(("started", "ended"))
UNITS: Final[Mapping[str, str]] = {
    "duration": "duration",
    "queue_wait": "duration",
    "cpu_time": "duration",
    "memory": "size",
    "peak_memory": "size",
}
