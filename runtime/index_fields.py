"""What the index keeps of an ended run in columns, so that a query over many runs parses no record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from zlib import crc32

from .record_fields import READ, Read

KEPT: Final[Mapping[str, Read]] = {
    **READ,
    "tags": lambda record: record.claim.get("tags"),
    "fingerprint": lambda record: record.claim.get("fingerprint"),
    "parents": lambda record: record.claim.get("parents"),
    "nonce": lambda record: record.claim.get("nonce"),
    "lineage": lambda record: record.claim.get("lineage"),
}
"""By name. What a name means belongs to the index's version: a change here, or in the fields, raises that."""

NAMES: Final = crc32(",".join(KEPT).encode()) & 0xFFFF
"""Tells an index with other columns apart."""
