"""The inputs in tests/fuzz/corpus, some of each kind and each that once broke a reader, through what reads them."""

from __future__ import annotations

from pathlib import Path

import pytest
from fuzz.targets import TARGETS, seeds


@pytest.mark.parametrize(
    ("target", "seed"), [pytest.param(name, seed, id=f"{name}-{seed.name}") for name in TARGETS for seed in seeds(name)]
)
def test_seed(target: str, seed: Path) -> None:
    """It is read, or said to be wrong."""
    TARGETS[target](seed.read_bytes())
