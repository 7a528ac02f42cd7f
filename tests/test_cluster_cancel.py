"""Runs that clusters hold, taken back or left alone: also those that OAR has started again under another number."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fake_schedulers import FakeSchedulers
from hand_build import Experiment, run_id, write_build
from recorded import START, claim, end, journal
from test_sent_jobs import intent, result, write_file

from xpc.grammar.diagnostic import Diagnostics
from xpc.runtime.build_rows import Rows
from xpc.runtime.retry import Retry
from xpc.runtime.schedulers.cluster_cancel import cancel
from xpc.runtime.schedulers.cluster_plan import Flight
from xpc.runtime.schedulers.cluster_select import Chooser
from xpc.runtime.shim.build_folder import Build
from xpc.runtime.store import Store

NAME = "20261121T093000.000Z-login1-7.jsonl"
TRAIN = ("train", run_id("train", 0))


def job(state: str, **more: object) -> dict[str, object]:
    return {"state": state, "name": "xpc-b1-1", "array_id": 46, "resubmit_job_id": 0, **more}


AGAIN = {
    "46": job("Terminated", exit_code=99 << 8),
    "47": job("Running"),
    "48": job("Running", resubmit_job_id=46),
}
"""The job of the first run ended with 99, and was started again as 48."""


class Oar:
    """A project whose two runs were sent to an OAR as the jobs 46 and 47; a third one comes after the first."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.project = folder / "project"
        self.project.mkdir()
        after = Experiment("evaluate", after={"train": [[0]]})
        self.build = write_build(self.project, [Experiment("train", runs=2), after], "b1")
        call = intent(1, "train-1", [[0, 2]], "2026-11-21T09:30:00.000Z")
        write_file(self.project, NAME, call, result(1, ["46", 2]), {"event": "end"}, kind="oar")
        self.scheduler = FakeSchedulers(folder / "bin", monkeypatch)
        self.scheduler.answers("oardel")

    def shows(self, jobs: object) -> Store:
        self.scheduler.answers("oarstat", json.dumps(jobs))
        return Store(self.project, {})

    @property
    def deleted(self) -> list[str]:
        return [call.removeprefix("oardel ").strip() for call in self.scheduler.calls if call.startswith("oardel")]


@pytest.fixture(name="oar")
def _oar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Oar:
    return Oar(tmp_path, monkeypatch)


def test_job_that_was_started_again_is_cancelled(oar: Oar) -> None:
    """By its present number: the one that it was sent as has ended."""
    done = cancel(oar.project, [TRAIN], oar.shows(AGAIN))

    assert (done.runs, done.wrong) == ({TRAIN: "running"}, None)
    assert oar.deleted == ["48"]


def test_cancelled_job_that_comes_back_can_be_cancelled_again(oar: Oar) -> None:
    """OAR may start a besteffort job again that it was told to delete."""
    cancel(oar.project, [TRAIN], oar.shows({"46": job("Running"), "47": job("Running")}))
    done = cancel(oar.project, [TRAIN], oar.shows(AGAIN))

    assert done.runs == {TRAIN: "running"}
    assert oar.deleted == ["46", "48"]


def test_what_goes_on_can_be_cancelled_again(oar: Oar) -> None:
    """Somebody put it back, or the scheduler lost the request: `status` says that it runs, so it can be."""
    shown = {"46": job("Running"), "47": job("Running")}
    cancel(oar.project, [TRAIN], oar.shows(shown))

    assert cancel(oar.project, [TRAIN], oar.shows(shown)).runs == {TRAIN: "running"}
    assert oar.deleted == ["46", "46"]


def test_child_waits_for_the_job_that_goes_on(oar: Oar) -> None:
    """One that waited for the job that has ended would start at once, and be skipped."""
    build = Build(str(oar.build))
    chooser = Chooser(build, Rows(oar.build, build.plan), oar.shows(AGAIN), "oar")
    build.close()

    assert chooser.flights == {0: Flight("48", None), 1: Flight("47", None)}


def test_one_of_them_has_been_killed_already(oar: Oar) -> None:
    """OAR then fails, and says of the others that it goes on with them: nothing is wrong."""
    said = "Deleting the job = 46 ...ERROR.\nDeleting the job = 47 ...REGISTERED.\n"
    said += "The job(s) [ 47 ] will be deleted in the near future.\n"
    oar.scheduler.answers("oardel", said, err="Cannot frag 46 ; This job was already killed.\n", status=6)
    store = oar.shows({"46": job("Running"), "47": job("Running")})
    done = cancel(oar.project, [TRAIN, ("train", run_id("train", 1))], store)

    assert (done.wrong, len(done.runs)) == (None, 2)


def test_one_of_them_is_not_ours(oar: Oar) -> None:
    """What OAR refuses is told in its words."""
    said = "Deleting the job = 46 ...ERROR.\n"
    oar.scheduler.answers("oardel", said, err="Cannot frag 46 ; You are not the right user.\n", status=1)
    done = cancel(oar.project, [TRAIN], oar.shows({"46": job("Running"), "47": job("Running")}))

    assert (done.wrong, done.runs) == ("Cannot frag 46 ; You are not the right user.", {})


def test_failed_and_running_runs_of_a_pack_are_left_alone(oar: Oar) -> None:
    """A task that is sent for one of its runs does not run the others along, unless nobody has run them yet."""
    folder = oar.project / "runs/train" / run_id("train", 1)
    folder.mkdir(parents=True)
    task = {"kind": "oar", "job": "47", "task": None, "array": "train-1", "index": 1, "array_job": "46"}
    lines = claim("train", run_id("train", 1), {"n": 1}, scheduler=task), START, end("failed")
    (folder / "run.jsonl").write_text(journal(*lines))
    build = Build(str(oar.build))
    store = oar.shows({"46": job("Running"), "47": job("Terminated", exit_code=1 << 8)})
    chooser = Chooser(build, Rows(oar.build, build.plan), store, "oar")
    planned = chooser.choose([2], None, Diagnostics())
    retried = chooser.choose([1], Retry(named=True), Diagnostics())
    build.close()

    assert planned is not None
    assert retried is not None
    assert (chooser.states, planned.leave) == (["running", "failed", "planned"], {0, 1})
    assert (retried.selection.send, retried.leave) == ([1], {0})
