"""What schedulers say to a request beforehand: their words read, the cluster's resources counted."""

from __future__ import annotations

import json
from typing import Any

import pytest

from xpc.runtime.schedulers.ask import Answer
from xpc.runtime.schedulers.oar_ask import lacks, meets, names_in, read_resources
from xpc.runtime.schedulers.slurm_ask import about

NODES = json.dumps(
    {
        str(number): {
            "network_address": f"n{number // 4}",
            "host": f"n{number // 4}",
            "core": number,
            "gpu": number // 2 if number >= 4 else 0,
            "gpu_model": "A100" if number >= 4 else "none",
            "mem": 64,
            "state": "Dead" if number >= 8 else "Alive",
            "type": "default",
        }
        for number in range(12)
    }
)


def resources() -> tuple[Any, ...]:
    found = read_resources(Answer(0, NODES, ""))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("nodes", "cores", "gpus", "condition", "said"),
    [
        (2, 4, 0, "", []),
        (1, 1, 2, "(gpu <> '0') AND (mem > 60)", []),
        (1, 5, 0, "", ["the largest host has 4 cores, and 5 are asked for"]),
        (3, 4, 0, "", ["2 hosts of 2 have 4 cores, and 3 hosts are asked for"]),
        (2, 1, 1, "gpu <> '0'", ["1 host of 1 has 1 GPU, and 2 hosts are asked for"]),
        (1, 1, 3, "gpu <> '0'", ["the largest host has 2 GPUs, and 3 are asked for"]),
        (1, 1, 0, "host = 'n7'", ["no resource meets `host = 'n7'`"]),
        (1, 1, 0, "hots = 'n1' AND mem > 1", ["no resource has a property `hots`"]),
        (1, 1, 0, "host LIKE 'x%' OR mem > 100", []),  # not looked into
    ],
)
def test_what_a_cluster_of_oar_lacks(nodes: int, cores: int, gpus: int, condition: str, said: list[str]) -> None:
    """Hosts, cores, GPUs and properties are held against what is not dead."""
    assert [lack.said for lack in lacks(resources(), nodes, cores, gpus, condition)] == said


def test_conditions() -> None:
    """Names are found outside of texts; comparisons hold by number or by text."""
    assert names_in("a = 'b c' AND NOT (lower(d) IN ('x','y')) OR mem>=10") == ("a", "d", "mem")
    assert names_in("") == ()
    one = {"mem": "64", "gpu": 0, "name": "it's"}
    assert meets(one, "mem >= 64")
    assert not meets(one, "mem > 64 and gpu = 0")
    assert meets(one, "name = 'it''s' AND (gpu = '0')")
    assert not meets(one, "other = 1")


def test_an_answer_that_is_none() -> None:
    """A refusal, or something that is no JSON, are no resources."""
    assert read_resources(Answer(1, NODES, "")) is None
    assert read_resources(Answer(0, "oops", "")) is None


@pytest.mark.parametrize(
    ("said", "first"),
    [
        ("allocation failure: Requested time limit is invalid (missing or exceeds some limit)", "time"),
        ("sbatch: error: Memory specification can not be satisfied", "memory"),
        ("sbatch: error: CPU count per node can not be satisfied", "cpus"),
        ("sbatch: error: invalid partition specified: nosuch", "slurm.partition"),
        ("sbatch: error: Invalid --mail-type specification", "slurm.mail-type"),
        ("allocation failure: Invalid feature specification", "slurm.constraint"),
        ("allocation failure: Invalid qos specification", "slurm.qos"),
        ("sbatch: unrecognized option '--no-such'", "slurm.no-such"),
        ("something new", None),
    ],
)
def test_what_a_refusal_of_slurm_is_about(said: str, first: str | None) -> None:
    """SLURM's words name a resource or an option, which leads to the line that asked."""
    assert next(iter(about((said,))), None) == first
