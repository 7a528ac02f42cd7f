"""A short fault campaign on real schedulers: submits, shims, programs, jobs, the scheduler itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from campaign.campaign import run_fault, templates
from campaign.fault import Fault

SEED = 1
KINDS = {
    "slurm": (
        "kill-submit",
        "kill-shim",
        "kill-node",
        "cancel-jobs",
        "two-submits",
        "scheduler-down-in-submit",
    ),
    "oar": ("kill-submit", "kill-program", "torn-journal"),
}
FAULTS = [Fault(SEED, target, name, n) for target, names in KINDS.items() for n, name in enumerate(names)]


@pytest.fixture(scope="session")
def made() -> Iterator[dict[str, Path]]:
    with templates(["slurm", "oar"]) as found:
        yield found


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(fault, marks=getattr(pytest.mark, fault.target), id=f"{fault.target}-{fault.kind}-{fault.nth}")
        for fault in FAULTS
    ],
)
def test_fault(fault: Fault, made: dict[str, Path]) -> None:
    """States stay true, what is done stays as it is, nothing is done twice, and a second submit completes the study."""
    found = run_fault(fault, made[fault.target])
    assert not found.wrong, f"repeat with `python -m campaign {fault}`\n{found.wrong}"
