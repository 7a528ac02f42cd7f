"""What is said to `sbatch`, `scancel` and `oarsub`, and how their answers are read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from fake_schedulers import FakeSchedulers

from xpc.runtime.schedulers.ask import Answer
from xpc.runtime.schedulers.cluster_call import Accepted, Jobs, Order, Refused, Unclear, clean_environment
from xpc.runtime.schedulers.cluster_plan import Flight, PlannedCall, Waits
from xpc.runtime.schedulers.cluster_request import oarsub_resources, sbatch_options
from xpc.runtime.schedulers.oar_submit import oarsub_command, read_oarsub, runs_of
from xpc.runtime.schedulers.refusal_words import about
from xpc.runtime.schedulers.slurm_partition import read_partition
from xpc.runtime.schedulers.slurm_submit import Slurm, dependency_of, read_sbatch, sbatch_command

REQUEST: dict[str, Any] = {
    "cpus": 2,
    "memory": 4 << 30,
    "gpus": 0,
    "nodes": 1,
    "tasks": 1,
    "time": 5400,
    "disk": None,
    "options": {},
}
SENT: dict[int, Jobs] = {1: (("50", 4),), 2: (("51", 2), ("60", 2))}
INDICES = {1: [0, 1, 2, 3], 2: [0, 3, 5, 7]}


def order(waits: Waits, project: Path = Path("/home/ada/a study"), **more: Any) -> Order:
    call = PlannedCall(3, "train-1", "train", [0, 1, 2, 3, 7], 1, waits, more.pop("throttle", None), 5)
    script = more.pop("script", "arrays/train-1.sbatch")
    request = {**REQUEST, **more}
    return Order(call, "xpc-b1-3", project, ".xpc/builds/b1", script, request, REQUEST, SENT, INDICES)


def test_roots_are_held() -> None:
    """All that matters stands on the command line, where it wins over what the shell has set."""
    assert sbatch_command(order(Waits(), throttle=8)) == [
        "sbatch",
        "--parsable",
        "--job-name=xpc-b1-3",
        "--kill-on-invalid-dep=yes",
        "--open-mode=append",
        "--export=ALL",
        "--chdir=/home/ada/a study",
        "--output=.xpc/builds/b1/logs/train-1-%A.out",
        "--array=0-3,7%8",
        "--hold",
        ".xpc/builds/b1/arrays/train-1.sbatch",
        ".xpc/builds/b1",
    ]


def test_children_wait_and_are_not_held() -> None:
    """What waits for an earlier submit alone is held too: it goes with the others."""
    command = sbatch_command(order(Waits(pairs=(1,))))
    assert "--dependency=aftercorr:50" in command
    assert "--hold" not in command
    command = sbatch_command(order(Waits(old_pairs=("40",))))
    assert "--dependency=aftercorr:40" in command
    assert "--hold" in command


@pytest.mark.parametrize(
    ("waits", "said"),
    [
        (Waits(pairs=(1,), barriers=(2,)), "aftercorr:50,afterok:51"),
        (Waits(pairs=(1,), old_pairs=("40", "41")), "aftercorr:50:40:41"),
        (Waits(barriers=(1,), old=(Flight("40", 3), Flight("41", None))), "afterok:50:40_3:41"),
        (Waits(barriers=(1,), old=(Flight("40", 3),), loose=True), "afterok:50,afterany:40_3"),
        (Waits(old=tuple(Flight("40", task) for task in range(30_000))), "afterany:40"),
    ],
)
def test_dependencies(waits: Waits, said: str) -> None:
    """Pairs by index, all else as a whole; a list too long for a command becomes the jobs, whose end is awaited."""
    assert dependency_of(waits, SENT) == said


def test_options_of_a_later_attempt() -> None:
    """Only what differs from the script."""
    assert sbatch_options(REQUEST, REQUEST) == []
    later = {
        **REQUEST,
        "memory": (8 << 30) + 1,
        "time": 90061,
        "options": {"slurm": {"qos": "long", "contiguous": True}},
    }
    assert sbatch_options(REQUEST, later) == ["--mem=8193M", "--time=1-01:02:00", "--qos=long", "--contiguous"]
    assert sbatch_options(REQUEST, {**REQUEST, "gpus": 2}) == ["--gpus-per-node=2"]
    assert sbatch_options(REQUEST, {**REQUEST, "gpus": 2, "options": {"slurm": {"gres": "gpu:a100:2"}}}) == [
        "--gres=gpu:a100:2"
    ]
    assert oarsub_resources({**REQUEST, "time": 93600}) == "/nodes=1/core=2,walltime=26:00:00"
    assert oarsub_resources({**REQUEST, "time": None, "gpus": 1}) == "/nodes=1/gpu=1"


@pytest.mark.parametrize(
    ("answer", "read"),
    [
        (Answer(0, "481234\n", ""), Accepted((("481234", 3),))),
        (Answer(0, "481234;loop\n", ""), Accepted((("481234", 3),))),
        (Answer(0, "Welcome to 42\n481234\n", "a warning"), Accepted((("481234", 3),))),
        (Answer(0, "Submitted batch job 7\n", ""), Unclear("`sbatch` gave no job id: Submitted batch job 7")),
        (Answer(0, "", ""), Unclear("`sbatch` gave no job id: nothing")),
        (Answer(1, "", "sbatch: error: no\n"), Refused(1, "sbatch: error: no")),
        (Answer(255, "", "Invalid --time specification\n"), Refused(255, "Invalid --time specification")),
        (
            Answer(1, "", "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation\n"),
            Unclear("sbatch: error: Batch job submission failed: Socket timed out on send/recv operation"),
        ),
        (Answer(None, "", "`sbatch` did not answer within 300 s"), Unclear("`sbatch` did not answer within 300 s")),
        (Answer(None, "", "there is no `sbatch` here"), Refused(127, "there is no `sbatch` here")),
    ],
)
def test_answers_of_sbatch(answer: Answer, read: object) -> None:
    """The id is strictly the last line; what leaves open whether there is a job is no refusal."""
    assert read_sbatch(answer, 3) == read


def test_command_of_oarsub(tmp_path: Path) -> None:
    """Options as the script has them, verbatim; one `-a` for each job; the umask, the script as a word of a shell."""
    script = tmp_path / ".xpc/builds/b1/arrays/train-1.oar"
    script.parent.mkdir(parents=True)
    script.write_text("#!/bin/bash\n#OAR -n train-1\n#OAR -l /nodes=1/core=2\n#OAR -p gpu_model = 'A 100'\ntrue\n")
    found = order(Waits(pairs=(1,), barriers=(2,), old=(Flight("9", None),)), tmp_path, script="arrays/train-1.oar")

    assert oarsub_command(found, "/tmp/x.params")[1:] == [
        *("-l", "/nodes=1/core=2", "-p", "gpu_model = 'A 100'", "-n", "xpc-b1-3", "-d", str(tmp_path)),
        *("-O", ".xpc/builds/b1/logs/train-1.out", "-E", ".xpc/builds/b1/logs/train-1.out"),
        *("-a", "50", "-a", "51", "-a", "52", "-a", "53", "-a", "51", "-a", "52", "-a", "60", "-a", "61", "-a", "9"),
        *("--array-param-file", "/tmp/x.params", "umask 022; .xpc/builds/b1/arrays/train-1.oar"),
    ]
    more = order(Waits(), tmp_path, script="arrays/train-1.oar", cpus=4, time=None)
    assert oarsub_command(more, "x")[1:3] == ["-l", "/nodes=1/core=4"]


ARRAY = """[ADMISSION RULE] Modify resource description with type constraints
Simple array job submission is used
OAR_JOB_ID=5
OAR_JOB_ID=6
OAR_JOB_ID=9
OAR_ARRAY_ID=5
"""


@pytest.mark.parametrize(
    ("answer", "tasks", "read"),
    [
        (Answer(0, ARRAY, ""), 3, Accepted((("5", 2), ("9", 1)))),
        (Answer(0, "OAR_JOB_ID=7\n", ""), 1, Accepted((("7", 1),))),
        (Answer(0, ARRAY, ""), 4, Unclear("`oarsub` gave 3 job ids for 4 tasks")),
        (
            Answer(
                8,
                "[ADMISSION RULE] Modify resource\nThere are not enough resources for your request\nOAR_JOB_ID=-5\n",
                "",
            ),
            1,
            Refused(8, "There are not enough resources for your request"),
        ),
        (
            Answer(254, "[ADMISSION RULE] Error: unknown job type: x\n", ""),
            1,
            Refused(254, "[ADMISSION RULE] Error: unknown job type: x"),
        ),
        (Answer(255, "", "DBI connect failed\n"), 1, Unclear("DBI connect failed")),
    ],
)
def test_answers_of_oarsub(answer: Answer, tasks: int, read: object) -> None:
    """By the exit status first: a refusal has an id line as well."""
    assert read_oarsub(answer, tasks) == read


def test_runs_of_ids() -> None:
    """Neighbours go together, in the order in which they came."""
    assert runs_of([5, 6, 9, 7]) == (("5", 2), ("9", 1), ("7", 1))
    assert runs_of([]) == ()


def test_nothing_of_a_job_goes_along() -> None:
    """Where the cluster is does; all else of SLURM, OAR and xpc belongs to somebody else."""
    found: Mapping[str, str] = clean_environment(
        dict.fromkeys(
            ("PATH", "SLURM_CONF", "SLURM_JOB_ID", "SBATCH_QOS", "OAR_JOB_ID", "XPC_RUN_ID", "MY_SLURM_X"), "1"
        )
    )
    assert set(found) == {"PATH", "SLURM_CONF", "MY_SLURM_X"}


@pytest.mark.parametrize(
    ("kind", "said", "names"),
    [
        ("slurm", "Batch job submission failed: Invalid partition name specified", ("slurm.partition", "partition")),
        ("slurm", "Requested time limit is invalid (missing or exceeds some limit)", ("time",)),
        ("slurm", "sbatch: error: CPU count per node can not be satisfied\n…", ("cpus", "tasks")),
        ("slurm", "sbatch: error: Memory specification can not be satisfied", ("memory",)),
        (
            "slurm",
            "Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)",
            ("max_submit", "slurm.qos", "qos"),
        ),
        ("slurm", "Invalid job array specification", ("max_array",)),
        ("slurm", "sbatch: unrecognized option '--mail-typ'", ("slurm.mail-typ", "slurm.mail_typ", "mail-typ")),
        ("slurm", "something else", ()),
        ("oar", "ERROR : The queue nosuch does not exist", ("oar.queue", "queue")),
        ("oar", 'Bad resource request (ERROR:  column "nosuch" does not exist', ("oar.property",)),
        ("oar", "[ADMISSION RULE] Error: unknown job type: x", ("oar.type",)),
    ],
)
def test_words_of_a_refusal(kind: str, said: str, names: tuple[str, ...]) -> None:
    """The first name that the Experimentfile gives is what is shown."""
    assert about(kind, said)[: len(names) or None] == names


def test_time_limit_of_a_partition() -> None:
    """Of the default one if none is named."""
    text = "PartitionName=cpu Default=YES MaxTime=1-00:00:00 X=1\nPartitionName=gpu Default=NO MaxTime=20:00:00\n"
    assert read_partition(text, None) == ("cpu", 86400)
    assert read_partition("PartitionName=gpu Default=NO MaxTime=20:00:00\n", "gpu") == ("gpu", 72000)
    assert read_partition("PartitionName=gpu MaxTime=UNLIMITED\n", "gpu") is None


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ("4770_0-3: Job has already finished", None),
        ("Job is no longer pending execution for job 4770", None),
        ("4770: Invalid job id specified\n4771_1: Job has already finished", None),
        (
            "4770_0: Job has already finished\nslurm_update error: Access/permission denied",
            "slurm_update error: Access/permission denied",
        ),
    ],
)
def test_release_of_what_has_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, wrong: str | None
) -> None:
    """A release that had reached SLURM, though its answer never came back, is no error when it is repeated."""
    schedulers = FakeSchedulers(tmp_path / "bin", monkeypatch)
    schedulers.answers("scontrol", err=said + "\n", status=1)
    assert Slurm().release(["4770", "4771"]) == wrong
