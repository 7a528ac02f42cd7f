"""Each state of runs on a real SLURM, provoked: by commands, signals, limits, nodes and disks."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cluster_kinds import CHILD, Study, typed
from cluster_project import ClusterProject

pytestmark = pytest.mark.slurm

STUDY = """
grid kinds:
    kind in [{kinds}]

resources small:
    cpus = 1
    memory = {memory}
    time = {time}
    {options}

experiment train:
    grid kinds
    resources small
    run "bash work.sh {{kind}}"
"""
WORK = """
echo "$1"
case $1 in
    fail) echo "RuntimeError: no" >&2; exit 3 ;;
    crash) kill -SEGV $$ ;;
    killed) kill -KILL $$ ;;
    large) python3 -c 'b = bytearray(900 << 20); import time; time.sleep(60)' ;;
    full) dd if=/dev/zero of="$XPC_PROJECT/fill" bs=4k 2>/dev/null; true ;;
    long*) exec sleep 300 ;;
esac
"""


@pytest.fixture(name="study")
def _study(make_project: Callable[..., ClusterProject]) -> Callable[..., Study]:
    def make(*kinds: str, memory: str = "100MiB", time: str = "10min", options: str = "", child: str = "") -> Study:
        listed = ", ".join(f'"{kind}"' for kind in kinds)
        text = STUDY.format(kinds=listed, memory=memory, time=time, options=options) + child
        return Study(make_project("slurm", {"Experimentfile": text, "work.sh": WORK}), "slurm")

    return make


def test_programs_end(study: Callable[..., Study]) -> None:
    """By their own word; what comes after those that are not done is skipped, and SLURM cancels it."""
    found = study("good", "fail", "crash", "killed", child=CHILD)
    found.submit()

    found.until({"good": "done", "fail": "failed", "crash": "failed", "killed": "killed"})
    found.until({"good": "done", "fail": "skipped", "crash": "skipped", "killed": "skipped"}, "evaluate")
    assert found.project.xpc("wait", check=False).returncode == 1
    shown = found.project.xpc("status").stdout
    assert "1 failed: RuntimeError: no" in shown
    assert found.rows()["good"]["job"].endswith("_0")


def test_scancel_of_a_running_task(study: Callable[..., Study]) -> None:
    """The shim only knows that it was told to stop; SLURM knows that it was cancelled. That is kept."""
    found = study("long")
    found.submit()
    found.begun("long")
    typed("scancel", found.job())

    found.until({"long": "cancelled"})
    found.project.until(lambda: found.rows()["long"]["reason"].startswith("CANCELLED by "))
    assert [line["event"] for line in found.kept() if line["event"] != "missing"] == ["ended", "settled"]
    shown = found.project.xpc("status").stdout
    assert "1 cancelled: CANCELLED by " in shown


def test_scancel_of_waiting_tasks(study: Callable[..., Study]) -> None:
    """They never began, and are sent again by the next submit."""
    found = study("long", "long2", options='slurm.begin = "now+1hour"')
    found.submit()
    found.until({"long": "queued", "long2": "queued"})
    # SLURM gives a reason only when it has first looked at a job.
    found.project.until(lambda: {row["reason"] for row in found.rows().values()} == {"BeginTime"})
    assert "2 queued: BeginTime" in found.project.xpc("status").stdout
    typed("scancel", found.job().split("_")[0])

    found.until({"long": "cancelled", "long2": "cancelled"})
    found.submit()
    found.until({"long": "queued", "long2": "queued"})


def test_held_and_put_back(study: Callable[..., Study]) -> None:
    """A run that SLURM starts anew waits again, and goes on as the next attempt."""
    found = study("long")
    found.submit()
    found.begun("long")
    job = found.job()
    typed("scontrol", "requeue", job)
    found.until({"long": "queued"})
    typed("scontrol", "hold", job)
    found.project.until(lambda: found.rows()["long"]["reason"] in ("JobHeldUser", "JobHeldAdmin"))
    typed("scontrol", "release", job)

    found.begun("long")
    found.project.until(lambda: len(found.project.journals("train")[found.rows()["long"]["id"]]) == 2)


def test_kill_of_the_shim(study: Callable[..., Study]) -> None:
    """It leaves no end line; SLURM says that a signal ended it."""
    found = study("long")
    found.submit()
    found.begun("long")
    os.kill(found.shim(), signal.SIGKILL)

    found.until({"long": "killed"})
    assert not found.ended()
    assert found.rows()["long"]["reason"] == "FAILED SIGKILL"


def test_over_memory(study: Callable[..., Study]) -> None:
    """Who takes more than asked for is stopped: by the shim (`oom`), or with it by a SLURM that polls (`killed`)."""
    found = study("large")
    found.submit()
    found.project.until(lambda: found.states()["large"] in ("oom", "killed"))


def test_time_limit(study: Callable[..., Study]) -> None:
    """The shim's own clock ends one; one whose shim stands still is woken and ended by SLURM, and says the same."""
    found = study("long", "long2", time="1min", options='slurm.partition = "short"')
    found.submit()
    found.begun("long", "long2")
    os.kill(found.shim("long2"), signal.SIGSTOP)

    found.until({"long": "timeout", "long2": "timeout"}, timeout=420)
    reasons = {kind: row["reason"] for kind, row in found.rows().items()}
    assert reasons["long"].startswith("over the time limit of ")
    # Awake again it hears SLURM's signal and sees its own clock: either may be first.
    assert reasons["long2"] == "TIMEOUT" or reasons["long2"].startswith("over the time limit of ")


def test_one_look_for_everything(study: Callable[..., Study]) -> None:
    """`xpc status` calls squeue once and sacct at most once, however many arrays there are; then nothing more."""
    found = study("long", "good", child=CHILD)
    found.submit()
    found.until({"long": "running", "good": "done"})
    calls, environ = noting_calls(found)
    found.project.xpc("status", environ=environ)
    assert calls.read_text().split() == ["squeue"]

    over = study("good", child=CHILD)
    over.submit()
    over.until({"good": "done"})
    over.project.until(lambda: over.states("evaluate") == {"good": "done"})
    over.project.xpc("status")
    calls, environ = noting_calls(over)
    over.project.xpc("status", environ=environ)
    assert calls.read_text() == ""


def noting_calls(found: Study) -> tuple[Path, dict[str, str]]:
    """Put commands before SLURM's own that note that they were called; give their notes, and the way to them."""
    wrappers, calls = found.project.folder / "bin", found.project.folder / "calls"
    wrappers.mkdir()
    calls.write_text("")
    for name in ("squeue", "sacct", "scontrol", "sinfo"):
        real = shutil.which(name)
        (wrappers / name).write_text(f'#!/bin/sh\necho {name} >> {calls}\nexec {real} "$@"\n')
        (wrappers / name).chmod(0o755)
    subprocess.run(["chown", "-R", "xpc", found.project.folder], check=True)
    return calls, {"PATH": f"{wrappers}:{found.project.bin}:/usr/local/bin:/usr/bin:/bin"}


def test_without_accounting(study: Callable[..., Study]) -> None:
    """SLURM's own `sacct` refuses; the queue still tells how the tasks of the last minutes ended."""
    config = Path("/etc/slurm/slurm.conf").resolve().read_text()
    found = study("long", "good")
    copy = found.project.folder / "slurm.conf"
    kept = [line for line in config.splitlines() if not line.replace(" ", "").startswith("AccountingStorage")]
    copy.write_text("\n".join([*kept, "AccountingStorageType=accounting_storage/none", ""]))
    environ = {"SLURM_CONF": str(copy)}
    found.submit()
    found.until({"long": "running", "good": "done"})
    typed("scancel", found.job())

    def states() -> dict[str, str]:
        said = found.project.xpc("query", "from train show kind, status", "--format", "json", environ=environ)
        return {row["kind"]: row["status"] for row in json.loads(said.stdout)}

    found.project.until(lambda: states() == {"long": "cancelled", "good": "done"})


@contextmanager
def configured(*lines: str) -> Iterator[None]:
    """SLURM with more lines in its configuration."""
    config = Path("/etc/slurm/slurm.conf").resolve()
    before = config.read_text()
    config.write_text("\n".join([before, *lines, ""]))
    typed("scontrol", "reconfigure")
    try:
        yield
    finally:
        config.write_text(before)
        typed("scontrol", "reconfigure")


@pytest.fixture(name="short_memory")
def _short_memory() -> Iterator[None]:
    """A SLURM that forgets ended jobs after five seconds."""
    with configured("MinJobAge=5"):
        yield


@pytest.mark.alone
@pytest.mark.usefixtures("short_memory")
def test_forgotten_jobs(study: Callable[..., Study]) -> None:
    """What the queue has forgotten the accounting tells; and what comes after a failed run that was forgotten does not
    begin, though SLURM takes its dependency for satisfied."""
    found = study("long", "fail", child=CHILD)
    found.submit()
    found.until({"long": "running", "fail": "failed"})
    job = found.job().split("_")[0]
    typed("scancel", f"--name={typed('squeue', '-h', '-j', job, '-o', '%j').split()[0]}")
    found.project.until(lambda: job not in typed("squeue", "-h", "-t", "all", "-o", "%F").split(), timeout=60)

    assert found.states() == {"long": "cancelled", "fail": "failed"}
    assert set(found.states("evaluate").values()) == {"skipped"}


PAGE = 4096  # bytes of a disk that a file gets at a time: what fits in its last page can still be written


@pytest.fixture(name="small_disk")
def _small_disk(study: Callable[..., Study]) -> Iterator[Study]:
    """A project on a disk of eight megabytes, with a run that fills it, and a journal whose end needs another page."""
    noted = '"good"]\n    note in ["'
    sizing = study("good")
    text = (sizing.project.folder / "Experimentfile").read_text().replace('"good"]', noted + '"]')
    sizing.project.write({"Experimentfile": text})
    sizing.submit()
    sizing.until({"good": "done"})
    (journal,) = (sizing.project.folder / "runs/train").glob("*/run.jsonl")
    before_end = sum(len(line) + 1 for line in journal.read_text().splitlines()[:-1])
    note = "n" * (PAGE - 80 - before_end)
    folder = sizing.project.folder.parent / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", folder], check=True)
    try:
        full = text.replace(noted, noted.replace("good", "full") + note)
        yield Study(
            ClusterProject("slurm", folder, {"Experimentfile": full, "work.sh": WORK}, sizing.project.bin), "slurm"
        )
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def test_disk_full_at_the_end(small_disk: Study) -> None:
    """Nobody could write how it ended: it is lost, never done, and never failed."""
    small_disk.submit()
    small_disk.project.until(lambda: small_disk.states()["full"] not in ("queued", "running"))

    assert small_disk.states() == {"full": "lost"}
    assert small_disk.rows()["full"]["reason"] == "FAILED exit 74: its end could not be written"


@pytest.fixture(name="node")
def _node() -> Iterator[str]:
    """The node with the GPUs, brought back afterwards."""
    node = "gn1"
    yield node
    subprocess.run([Path(__file__).parent / "slurm", "up"], check=True, capture_output=True)
    subprocess.run(["scontrol", "update", f"nodename={node}", "state=resume"], check=False, capture_output=True)


@pytest.mark.alone
def test_node_that_dies(study: Callable[..., Study], node: str) -> None:
    """Its slurmd is killed and it is set down: the run waits for another go, or is lost where it may not have one."""
    found = study("long", options='slurm.partition = "gpu"')
    found.submit()
    found.begun("long")
    (pid,) = typed("pgrep", "-f", f"slurmd.*-N {node}( |$)").split()
    os.kill(int(pid), signal.SIGKILL)
    typed("scontrol", "update", f"nodename={node}", "state=down", "reason=test")

    found.until({"long": "queued"})
    typed("scancel", found.job())
    found.until({"long": "cancelled"})


@pytest.fixture(name="low_without_requeue")
def _low_without_requeue() -> Iterator[str]:
    """A partition whose jobs are ended for good when others want their node."""
    name = "lowc"
    typed("scontrol", "create", f"partitionname={name}", "nodes=cn2", "prioritytier=1", "preemptmode=cancel")
    yield name
    subprocess.run(["scontrol", "delete", f"partitionname={name}"], check=False, capture_output=True)


@pytest.mark.alone
def test_job_that_made_room_for_good(study: Callable[..., Study], low_without_requeue: str) -> None:
    """SLURM takes the node away and says PREEMPTED: the run was killed, and the next submit sends it."""
    found = study("long", options=f'slurm.partition = "{low_without_requeue}"')
    found.submit()
    found.begun("long")
    room = ["sbatch", "--partition=cpu", "--nodelist=cn2", "--exclusive", "--output=/dev/null", "--wrap", "sleep 1"]
    typed("runuser", "-u", "xpc", "--", *room)

    found.until({"long": "killed"})
    found.project.until(lambda: found.rows()["long"]["reason"] == "PREEMPTED")
    found.submit()
    found.begun("long")


@pytest.mark.alone
def test_deadline(study: Callable[..., Study]) -> None:
    """What can't end before its deadline any more is given up by SLURM while it waits."""
    taken = ["sbatch", "--parsable", "--nodelist=cn2", "--exclusive", "--time=5", "--output=/dev/null"]
    other = typed("runuser", "-u", "xpc", "--", *taken, "--wrap", "sleep 300").strip()
    try:
        options = 'slurm.deadline = "now+65seconds"\n    slurm.nodelist = "cn2"'
        found = study("long", time="1min", options=options)
        found.submit()

        found.until({"long": "timeout"})
        assert found.rows()["long"]["reason"] == "DEADLINE"
    finally:
        typed("scancel", other)


@pytest.fixture(name="few_numbers")
def _few_numbers() -> Iterator[None]:
    """A SLURM that forgets ended jobs after two seconds, and has only the next ten numbers to give."""
    number = int(typed("sbatch", "--parsable", "--output=/dev/null", "--wrap", "true"))
    with configured("MinJobAge=2", f"FirstJobId={number + 1}", f"MaxJobId={number + 10}"):
        yield


@pytest.mark.alone
@pytest.mark.usefixtures("few_numbers")
def test_numbers_are_given_anew(study: Callable[..., Study]) -> None:
    """A job of somebody else that has got a run's number later is not taken for the run's."""
    found = study("long")
    found.submit()
    found.begun("long")
    number = found.job().split("_")[0]
    os.kill(found.shim(), signal.SIGKILL)
    found.project.until(lambda: number not in typed("squeue", "-h", "-t", "all", "-o", "%F").split(), timeout=60)
    later = ""
    while later != number:
        wanted = ["sbatch", "--parsable", "--output=/dev/null", "--wrap", "sleep 60"]
        later = typed("runuser", "-u", "xpc", "--", *wanted).strip()
        if later != number:
            typed("scancel", later)

    assert found.states() == {"long": "killed"}
    assert found.rows()["long"]["reason"] == "FAILED SIGKILL"
    typed("scancel", later)
