"""Two accounts of one group on real schedulers: each sends jobs of one study, and neither can harm the other's."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from people import ANN, BEN, GROUP, Lab, make_accounts, programs

SLURM = pytest.param("slurm", marks=pytest.mark.slurm)
OAR = pytest.param("oar", marks=pytest.mark.oar)

STUDY = """
grid points:
    n in range(2)

resources small:
    cpus = 1
    memory = 100MiB
    time = 5min

experiment train:
    grid points
    resources small
    run "sh train.sh {n}"
    output model = "model.txt"

experiment evaluate:
    after train
    resources small
    run "cat {train.model}"

experiment summary:
    after all train
    resources small
    run "true"

target far = KIND:
OPTIONS
"""
TRAIN = "umask > umask.txt; echo $1 > model.txt\n"
WAITING = '    slurm.begin = "now+1hour"'
OPTIONS = {"slurm": '    account = "proj"', "oar": "    lease = 60s"}

MakeLab = Callable[..., Lab]


def study(kind: str, waiting: bool = False, points: int = 2) -> str:
    options = OPTIONS[kind] + ("\n" + WAITING if waiting else "")
    return STUDY.replace("KIND", kind).replace("OPTIONS", options).replace("range(2)", f"range({points})")


@pytest.fixture(name="make_lab")
def _make_lab(request: pytest.FixtureRequest) -> Iterator[MakeLab]:
    made: list[Path] = []

    def make(kind: str, text: str | None = None, train: str = TRAIN) -> Lab:
        make_accounts()
        programs()
        if kind == "slurm":
            add = ["sacctmgr", "-i", "add", "user", f"{ANN},{BEN}", "account=proj", "defaultaccount=proj"]
            subprocess.run(add, check=False, capture_output=True)  # it fails where they have been added before
        above = Path(tempfile.mkdtemp(prefix="xpc-people-", dir="/var/tmp"))
        above.chmod(0o755)
        made.append(above)
        return Lab(above, {"Experimentfile": text or study(kind), "train.sh": train})

    yield make
    for above in made:
        _cancel_all(above / "project")
        shutil.rmtree(above, ignore_errors=True)


def _cancel_all(project: Path) -> None:
    """Cancel what is left of the project, as root may."""
    for path in (project / ".xpc/submissions").glob("*.jsonl"):
        for line in map(json.loads, path.read_text().splitlines()):
            if line["event"] == "result":
                for job, tasks in line["jobs"]:
                    subprocess.run(["scancel", job], check=False, capture_output=True)
                    ids = [str(int(job) + step) for step in range(tasks)]
                    subprocess.run(["oardel", *ids], check=False, capture_output=True)


def states(lab: Lab, user: str) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = json.loads(lab.xpc(user, "status", "--json").stdout)["experiments"]
    return found


def until(lab: Lab, holds: Callable[[dict[str, dict[str, int]]], bool], user: str = BEN, timeout: float = 240) -> None:
    deadline = time.monotonic() + timeout
    while not holds(states(lab, user)):
        assert time.monotonic() < deadline, lab.xpc(user, "status").stdout
        time.sleep(2)


def rows(lab: Lab, user: str, *experiments: str) -> list[dict[str, Any]]:
    text = f"from {', '.join(experiments)} show experiment, n, user, status, job"
    found: list[dict[str, Any]] = json.loads(lab.xpc(user, "query", text, "--format", "json").stdout)
    return found


@pytest.mark.parametrize("kind", [SLURM, OAR])
def test_one_goes_on_where_the_other_sent(make_lab: MakeLab, kind: str) -> None:
    """What one has queued the other leaves alone, and sends what comes after it; all is done once, with own umasks."""
    lab = make_lab(kind)
    lab.xpc(ANN, "submit", "train", "--target", "far")
    told = lab.xpc(BEN, "submit", "--target", "far")
    assert [line.split()[0] for line in told.stdout.splitlines()[:2]] == ["evaluate", "summary"]
    until(lab, lambda found: found == {"train": {"done": 2}, "evaluate": {"done": 2}, "summary": {"done": 1}})
    assert states(lab, ANN) == states(lab, BEN)

    users = {(row["experiment"], row["user"]) for row in rows(lab, ANN, "train", "evaluate", "summary")}
    assert users == {("train", ANN), ("evaluate", BEN), ("summary", BEN)}
    for path in (lab.folder / "runs").rglob("*"):
        assert path.lstat().st_gid == lab.folder.stat().st_gid
        assert path.is_symlink() or path.stat().st_mode & 0o020, path
    assert lab.xpc(BEN, "submit", "--target", "far").stderr == "Nothing to run: 5 done.\n"
    logs = list((lab.folder / ".xpc/builds").glob("*/logs/*"))
    assert {path.owner() for path in logs} == {ANN, BEN}


@pytest.mark.slurm
def test_another_users_jobs_are_not_cancelled(make_lab: MakeLab) -> None:
    """SLURM refuses in its words; both commands say whose the jobs are, cancel the user's own, and break nothing."""
    lab = make_lab("slurm", study("slurm", waiting=True))
    lab.xpc(ANN, "submit", "train", "--target", "far")
    refused = lab.xpc(BEN, "cancel", "--all", check=False)
    assert refused.returncode == 3
    assert refused.stdout == ""
    first, help = refused.stderr.splitlines()
    assert first.startswith("error[XS005]: the scheduler did not cancel: scancel: error: Kill job error on job id ")
    assert first.endswith("Access/permission denied")
    assert help == f"help: 2 runs of {ANN} left as they are: only who sent a job can cancel it"
    assert states(lab, ANN)["train"] == states(lab, BEN)["train"] == {"queued": 2}

    lab.write({"Experimentfile": study("slurm", waiting=True, points=3)}, BEN)
    assert "2 queued or running" in lab.xpc(BEN, "submit", "train", "--target", "far").stderr
    mixed = lab.xpc(BEN, "cancel", "--all", check=False)
    assert mixed.returncode == 3
    assert mixed.stdout == "train  1 run  1 queued\nCancelled. `xpc submit` sends them again.\n"
    assert "help: 2 runs of xpc-ann left as they are" in mixed.stderr
    assert states(lab, ANN)["train"] == states(lab, BEN)["train"] == {"queued": 2, "cancelled": 1}
    assert lab.xpc(ANN, "cancel", "--all").stdout.startswith("train  2 runs  2 queued\n")
    assert states(lab, BEN)["train"] == {"cancelled": 3}


@pytest.mark.oar
def test_another_users_jobs_are_not_deleted(make_lab: MakeLab) -> None:
    """OAR refuses in its words; the jobs go on, and nobody takes them for cancelled."""
    lab = make_lab("oar", train="sleep 60; echo $1 > model.txt\n")
    lab.xpc(ANN, "submit", "train", "--target", "far")
    refused = lab.xpc(BEN, "cancel", "--all", check=False)
    assert refused.returncode == 3
    assert refused.stdout == ""
    assert "You are not the right user." in refused.stderr
    assert refused.stderr.endswith(f"help: 2 runs of {ANN} left as they are: only who sent a job can cancel it\n")
    for user in (ANN, BEN):
        assert states(lab, user)["train"].keys() <= {"queued", "running"}


@pytest.mark.slurm
def test_retry_of_what_the_other_ran(make_lab: MakeLab) -> None:
    """A run that failed in one's job is tried again in the other's: the same folder, the next attempt, own account."""
    lab = make_lab("slurm", train='test -e "$HOME/good" || exit 3; echo $1 > model.txt\n')
    lab.xpc(ANN, "submit", "train", "evaluate", "--target", "far")
    until(lab, lambda found: found["train"] == {"failed": 2} and found["evaluate"] == {"skipped": 2})
    assert states(lab, ANN) == states(lab, BEN)
    lab.run(BEN, "touch", f"{lab.environ(BEN)['HOME']}/good")
    lab.xpc(BEN, "retry", "--target", "far")
    until(lab, lambda found: found["train"] == {"done": 2})
    assert {row["user"] for row in rows(lab, ANN, "train")} == {BEN}
    for run in (lab.folder / "runs/train").iterdir():
        if run.name != "packs":
            journals = [run / "run.jsonl", run / "run.2.jsonl"]
            assert [path.owner() for path in journals] == [ANN, BEN]
    until(lab, lambda found: found["evaluate"] == {"done": 2}, ANN)
    assert lab.xpc(BEN, "gc", "--pack", "--yes").stdout == "Packed 3 runs into 2 packs.\n"
    assert states(lab, ANN) == states(lab, BEN)
    assert states(lab, ANN)["evaluate"] == {"done": 2}


@pytest.mark.slurm
def test_retry_before_what_the_other_has_queued(make_lab: MakeLab) -> None:
    """Where another's queued job would have to be cancelled first, nothing is sent, and the help says who can do it."""
    train = 'test -e "$HOME/good" && exit 0; [ $1 = 0 ] && exit 3; sleep 600\n'
    lab = make_lab("slurm", train=train.replace("exit 0", "echo $1 > model.txt && exit 0"))
    lab.xpc(ANN, "submit", "train", "summary", "--target", "far")
    until(lab, lambda found: found["train"] == {"failed": 1, "running": 1}, ANN)
    if states(lab, BEN)["summary"] != {"queued": 1}:
        pytest.skip("this SLURM has removed what can't run any more")
    lab.run(BEN, "touch", f"{lab.environ(BEN)['HOME']}/good")
    before = len(list((lab.folder / "runs").glob("*/*/run*.jsonl")))
    refused = lab.xpc(BEN, "retry", "--target", "far", check=False)
    assert refused.returncode == 3
    assert refused.stderr.splitlines()[-3:] == [
        refused.stderr.splitlines()[-3],
        f"help: what waits for these runs was sent by {ANN}, who may type the same, or `xpc cancel` first",
        "Nothing was queued.",
    ]
    assert f"error[XS004]: SLURM refused, for these jobs are {ANN}'s: scancel: error: " in refused.stderr
    assert states(lab, ANN) == {**states(lab, BEN), "train": {"failed": 1, "running": 1}}
    assert len(list((lab.folder / "runs").glob("*/*/run*.jsonl"))) == before


@pytest.mark.slurm
def test_who_keeps_jobs_closed(make_lab: MakeLab) -> None:
    """With one's `umask 077` the other is told whose the records are; nothing is sent a second time."""
    lab = make_lab("slurm")
    lab.umask[ANN] = 0o077
    lab.xpc(ANN, "submit", "train", "--target", "far")
    for command in (["status"], ["submit", "--target", "far"], ["cancel", "--all"]):
        refused = lab.xpc(BEN, *command, check=False)
        assert refused.returncode == 3
        assert refused.stderr.startswith(
            f"error[XS008]: you may not look into `.xpc`, which is xpc-ann's (drwx--S---, group {GROUP})\n"
        )
    until(lab, lambda found: found["train"] == {"done": 2}, ANN)
    lab.run(ANN, "chmod", "-R", "g+rwX", ".xpc", "runs")
    assert states(lab, BEN)["train"] == {"done": 2}


@pytest.mark.oar
def test_secrets_of_two_on_oar(make_lab: MakeLab) -> None:
    """Each has a folder for secrets that the other can't look into, and is not kept from submitting by it."""
    private = "\nenvironment private:\n    secret STUDY_TOKEN\n"
    text = study("oar").replace("    output model", "    environment private\n    output model") + private
    lab = make_lab("oar", text, 'test "$STUDY_TOKEN" = "of $(id -un)" && echo $1 > model.txt\n')
    lab.xpc(ANN, "submit", "train", "--target", "far", environ={"STUDY_TOKEN": f"of {ANN}"})
    lab.write({"Experimentfile": text.replace("range(2)", "range(3)")}, BEN)
    lab.xpc(BEN, "submit", "train", "--target", "far", environ={"STUDY_TOKEN": f"of {BEN}"})
    folders = list((lab.folder / ".xpc/secrets").iterdir())
    assert {(path.owner(), path.stat().st_mode & 0o777) for path in folders} == {(ANN, 0o700), (BEN, 0o700)}
    mine = next(path for path in folders if path.owner() == ANN)
    assert lab.run(BEN, "ls", str(mine), check=False).returncode != 0

    until(lab, lambda found: found["train"] == {"done": 3})
    assert {row["user"] for row in rows(lab, ANN, "train")} == {ANN, BEN}
