"""A short fault campaign on this machine: one fault of each kind, and some more; `make campaign` runs a thousand."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
from campaign import quick
from campaign.campaign import run_fault, table, templates
from campaign.fault import Fault, draw
from campaign.kinds import known, lacks

SEED = 1
FAULTS = 26
SLOW = ("time-limit", "time-limit-of-a-submit", "torn-submission")  # a limit or a lease has to pass first
LOCAL = [one for (target, name), one in known().items() if target == "local" and name not in SLOW]


def chosen() -> list[Fault]:
    """Give the first fault of each kind, and then as many as are left, drawn by weight."""
    first = [Fault(SEED, "local", one.name, 0) for one in LOCAL]
    drawn = draw(SEED, FAULTS * 3, {"local": {one.name: one.weight for one in LOCAL}})
    return first + [fault for fault in drawn if fault.nth > 0][: FAULTS - len(first)]


@pytest.fixture(scope="session")
def template() -> Iterator[Path]:
    with templates(["local"]) as made:
        yield made["local"]


@pytest.fixture(scope="session")
def worker(template: Path) -> Iterator[Executor]:
    """Give a process that has loaded xpc, and no threads: it forks for each look at the states."""
    context = get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context, initializer=quick.warm, initargs=(template,)) as pool:
        yield pool


@pytest.mark.parametrize("fault", chosen(), ids=lambda fault: f"{fault.kind}-{fault.nth}")
def test_fault(fault: Fault, template: Path, worker: Executor) -> None:
    """States stay true, what is done stays as it is, nothing is done twice, and a second submit completes the study."""
    lack = lacks(known()[fault.target, fault.kind])
    if lack:
        pytest.skip(lack)
    found = worker.submit(run_fault, fault, template).result()
    assert not found.wrong, f"repeat with `python -m campaign {fault}`\n{found.wrong}"


def test_faults_follow_from_the_seed() -> None:
    """The same seed gives the same faults, each with the same source of chance; another one gives others."""
    weights = {"local": {"kill-submit": 2, "moved": 1}, "slurm": {"kill-shim": 1}}
    faults = draw(7, 50, weights)
    assert faults == draw(7, 50, weights)
    assert faults != draw(8, 50, weights)
    assert len(faults) == len(set(faults)) == 50
    assert faults[0].random().random() == faults[0].random().random()
    assert len({fault.random().random() for fault in faults}) == 50


def test_table_counts_by_target_and_kind() -> None:
    """What is printed at the end adds up."""
    from campaign.campaign import Finding

    found = [Finding(Fault(1, "local", "moved", n), n > 0, 1.0, "wrong" if n == 2 else "") for n in range(3)]
    assert table(found).splitlines() == [
        "target  kind   faults  struck  violations",
        "local   moved       3       2           1",
        "local   all         3       2           1",
        "all     all         3       2           1",
    ]
