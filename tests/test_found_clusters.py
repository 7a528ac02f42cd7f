"""Requests and answers of clusters as users met them, each with what it must become."""

from __future__ import annotations

from pathlib import Path

import pytest
from recorded import START, claim, end, journal

from xpc.cli.command_cancel import _named
from xpc.cli.failure import MISUSE, Stop
from xpc.runtime.cluster_states import Held, Told, of_cluster
from xpc.runtime.records import parse_run
from xpc.runtime.schedulers.evidence import Seen
from xpc.runtime.schedulers.refusal_words import about, headline
from xpc.runtime.schedulers.slurm_submit import log_place
from xpc.runtime.store import Store

DEFAULTED = "[ADMISSION RULE] Set default walltime to 7200.\n"


@pytest.mark.parametrize(
    ("said", "first"),
    [
        (DEFAULTED + "There are not enough resources for your request\nOarsub failed", "gpus"),
        (DEFAULTED + 'Bad resource request (ERROR:  column "nope" does not exist', "oar.property"),
        (DEFAULTED + "[ADMISSION RULE] Error: Walltime too big for this queue", "queue"),
        ("[ADMISSION RULE] Error: walltime of 400 days", "time"),
    ],
)
def test_a_default_that_oar_set_is_not_what_it_refused(said: str, first: str) -> None:
    """OAR tells which walltime it gave a request without one, and then refuses something else."""
    assert first in about("oar", said)
    assert "time" not in about("oar", said) or first == "time"


def test_too_many_processors_are_about_cpus() -> None:
    """SLURM has two wordings for a node that has fewer cores than were asked for."""
    said = "sbatch: error: Batch job submission failed: More processors requested than permitted"
    assert about("slurm", said) == ("cpus", "tasks")


def test_a_percent_sign_in_the_projects_path_is_kept_from_slurm() -> None:
    """SLURM fills in `%A` in the path that a relative `--output` stands in, too."""
    assert log_place(Path("/home/ada/study"), ".xpc/builds/1") == ".xpc/builds/1"
    assert log_place(Path("/home/ada/100%A"), ".xpc/builds/1") == "/home/ada/100%%A/.xpc/builds/1"


def test_an_experiments_name_is_not_taken_for_the_beginning_of_an_id(tmp_path: Path) -> None:
    """`xpc cancel a` would end one run of any experiment, whose id happens to begin with a."""
    with pytest.raises(Stop) as ended:
        _named([("a", "0c4fb81ee88e2f7d"), ("b", "a5caac7f61c14307")], ("a",), Store(tmp_path))
    assert ended.value.status == MISUSE
    assert str(ended.value) == (
        "error: `a` is an experiment, not the beginning of an id\n"
        "help: `--where 'experiment == \"a\"'` means all of its runs"
    )


def test_what_was_cancelled_is_not_killed_while_its_task_completes() -> None:
    """SLURM still calls the task running for some seconds after its program was told to stop by `xpc cancel`."""
    id = "3fa2c81d90b1e4f7"
    scheduler = {"kind": "slurm", "job": "77", "task": 5, "array": "train-1", "index": 5, "restart": 0}
    stopped = end("killed", reason="the task got SIGTERM", by="task")
    text = journal(claim("train", id, {}, scheduler=scheduler), START, stopped)
    record = parse_run(f"/runs/train/{id}", 1, text.encode())
    completes = Seen("running", None, "")
    taken = Held("slurm", "77", 5, "train-1", 5, cancelled=True)
    assert of_cluster(record, taken, completes) == Told("cancelled", "xpc cancel")
    left = Held("slurm", "77", 5, "train-1", 5)
    assert of_cluster(record, left, completes) == Told("killed", "the task got SIGTERM")


FAILED = "OAR_JOB_ID=-5\n[ERROR] Oarsub failed, please verify your request syntax.\n"


SET = "[ADMISSION RULE] Modify resource description with type constraints\n"


@pytest.mark.parametrize(
    ("said", "why", "more"),
    [
        (DEFAULTED + "There are not enough resources for your request\n" + FAILED, "There are not enough resources", 0),
        ('Bad resource request (ERROR:  column "x" does not exist\nLINE 1: x\n' + FAILED, "Bad resource request", 1),
        (SET + "ERROR : The queue x does not exist\n", "ERROR : The queue x", 0),
        ("[ADMISSION RULE] Error: unknown job type: nosuch\n", "[ADMISSION RULE] Error: unknown job type", 0),
        (DEFAULTED + "/!\\Bad syntax for the notify option\n", "/!\\Bad syntax", 0),
        ("OAR_JOB_ID=\n[ERROR] Oarsub failed, please verify your request syntax.\n", "[ERROR] Oarsub failed", 0),
    ],
)
def test_headline_of_a_refusal_is_why(said: str, why: str, more: int) -> None:
    """OAR ends each refusal with the same line and sets defaults before: neither is what is wrong with the request."""
    first, others = headline("oar", said.splitlines())
    assert first.startswith(why)
    assert len(others) == more


def test_headline_of_slurm_is_its_last_line() -> None:
    """Plugins of a site speak first."""
    said = ["lua: checked the account", "Invalid account or account/partition combination specified"]
    assert headline("slurm", said) == (said[1], said[:1])
