"""Each state of runs on a real OAR, provoked: by commands, signals and limits."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Callable

import pytest
from cluster_kinds import CHILD, Study, typed
from cluster_project import ClusterProject

pytestmark = pytest.mark.oar

STUDY = """
target quick = oar:
    lease = 5s

grid kinds:
    kind in [{kinds}]

resources small:
    cpus = {cpus}
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
    long*) exec sleep 300 ;;
esac
"""


@pytest.fixture(name="study")
def _study(make_project: Callable[..., ClusterProject]) -> Callable[..., Study]:
    def make(*kinds: str, cpus: int = 1, time: str = "10min", options: str = "", child: str = "") -> Study:
        listed = ", ".join(f'"{kind}"' for kind in kinds)
        text = STUDY.format(kinds=listed, cpus=cpus, time=time, options=options) + child
        return Study(make_project("oar", {"Experimentfile": text, "work.sh": WORK}), "quick")

    return make


def test_programs_end(study: Callable[..., Study]) -> None:
    """By their own word; what comes after those that are not done is skipped, since each run checks its parents."""
    found = study("good", "fail", "crash", "killed", child=CHILD)
    found.submit()

    found.until({"good": "done", "fail": "failed", "crash": "failed", "killed": "killed"})
    found.until({"good": "done", "fail": "skipped", "crash": "skipped", "killed": "skipped"}, "evaluate", 420)
    assert found.project.xpc("wait", check=False).returncode == 1
    assert "1 failed: RuntimeError: no" in found.project.xpc("status").stdout


def test_oardel_of_a_running_job(study: Callable[..., Study]) -> None:
    """OAR kills it at once: there is no end line, and OAR says by whom."""
    found = study("long")
    found.submit()
    found.begun("long")
    typed("oardel", found.job())

    found.until({"long": "cancelled"})
    assert found.rows()["long"]["reason"].startswith("FRAG_JOB_REQUEST by ")
    assert "1 cancelled: FRAG_JOB_REQUEST" in found.project.xpc("status").stdout


def test_oardel_of_a_waiting_job(study: Callable[..., Study]) -> None:
    """It never began, and is sent again by the next submit."""
    found = study("long", child=CHILD)
    found.submit()
    found.until({"long": "queued"}, "evaluate")
    found.begun("long")
    assert "1 queued: Dependency" in found.project.xpc("status").stdout
    typed("oardel", found.rows("evaluate")["long"]["job"])

    found.until({"long": "cancelled"}, "evaluate")
    found.submit()
    found.until({"long": "queued"}, "evaluate")
    assert found.states() == {"long": "running"}


def test_kill_of_the_shim(study: Callable[..., Study]) -> None:
    """It leaves no end line; OAR says that a signal ended it."""
    found = study("long")
    found.submit()
    found.begun("long")
    os.kill(found.shim(), signal.SIGKILL)

    found.until({"long": "killed"})
    assert not found.ended()
    assert found.rows()["long"]["reason"] == "Terminated SIGKILL"


def test_time_limit(study: Callable[..., Study]) -> None:
    """The shim's own clock ends one; one whose shim stands still is ended by OAR, which says why."""
    found = study("long", "long2", time="1min")
    found.submit()
    found.begun("long", "long2")
    os.kill(found.shim("long2"), signal.SIGSTOP)

    found.until({"long": "timeout", "long2": "timeout"}, timeout=420)
    assert (found.ended("long"), found.ended("long2")) == (True, False)
    assert found.rows()["long2"]["reason"] == "WALLTIME"


def test_one_look_for_everything(study: Callable[..., Study]) -> None:
    """`xpc status` calls oarstat once, however many arrays there are."""
    found = study("long", "good", child=CHILD)
    found.submit()
    found.until({"long": "running", "good": "done"})
    wrappers, calls = found.project.folder / "bin", found.project.folder / "calls"
    wrappers.mkdir()
    for name in ("oarstat", "oarnodes", "oarsub"):
        (wrappers / name).write_text(f'#!/bin/sh\necho {name} >> {calls}\nexec {shutil.which(name)} "$@"\n')
        (wrappers / name).chmod(0o755)
    subprocess.run(["chown", "-R", "xpc", found.project.folder], check=True)
    path = f"{wrappers}:{found.project.bin}:/usr/local/bin:/usr/bin:/bin"
    found.project.xpc("status", environ={"PATH": path})

    assert calls.read_text().split() == ["oarstat"]


def test_job_that_made_room(study: Callable[..., Study]) -> None:
    """OAR ends a besteffort job for another one and starts it again under a new number: the run goes on."""
    found = study("long", options='oar.type = "besteffort"')
    found.submit()
    found.begun("long")
    job, host = found.job(), found.journal()[0]["host"]
    room = ["oarsub", "-d", "/tmp", "-l", "host=1,walltime=0:01:00", "-p", f"host = '{host}'", "sleep 10"]
    typed("runuser", "-u", "xpc", "--", *room)

    # It waits for a moment, or for none where the other node is free.
    found.project.until(lambda: len(found.project.journals("train")[found.rows()["long"]["id"]]) >= 2, 420)
    found.begun("long")
    found.project.until(lambda: int(found.job()) > int(job))
    # Other tests' jobs may want the room of the second one as well, and OAR starts again what it has killed for them
    # even where it had been told to delete it: then it has another number.
    found.project.until(lambda: is_deleted(found))


def is_deleted(study: Study) -> bool:
    """Have the job deleted that the run has now, unless it has ended; say whether the run is cancelled for good."""
    subprocess.run(["oardel", study.job()], capture_output=True, check=False)
    return study.states() == {"long": "cancelled"}
