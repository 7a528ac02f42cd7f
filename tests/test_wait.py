"""`xpc wait`, `xpc status` and `xpc logs` of runs on a cluster whose scheduler answers what a test says."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest
from fake_schedulers import FakeSchedulers, queue_line
from recorded import START, Recorded, claim, end, journal
from test_sent_jobs import intent, result, write_file

from xpc.cli.failure import run_guarded
from xpc.cli.polling import Pace

STUDY = """
grid sweep:
    seed in range(4)

experiment train:
    grid sweep
    run "python train.py"
"""
JOB_NAME = "xpc-b1-1"
NAME = "20261121T093000.000Z-login1-7.jsonl"


class Cluster:
    """A study of four training runs, all of them sent to SLURM."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        project = folder / "project"
        project.mkdir()
        self.study = Recorded(project, STUDY)
        self.ids = list(self.study.tables["train"].ids())
        build = project / ".xpc/builds/b1"
        (build / "logs").mkdir(parents=True)
        array = {"name": "train-1", "experiment": "train", "tasks": 4, "rows": [[0, 4]], "after": []}
        (build / "plan.json").write_text(json.dumps({"schema": "xpc.plan/1", "arrays": [array], "experiments": {}}))
        rows = [{"schema": "xpc.points/1"}, *([id, 0, 0, []] for id in self.ids)]
        (build / "points.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        self.project, self.log = project, build / "logs/train-1-77.out"
        asked = intent(1, "train-1", [[0, 4]], "2026-11-21T09:30:00.000Z")
        write_file(project, NAME, asked, result(1, ["77", 4]), {"event": "end", "time": "t"})
        self.scheduler = FakeSchedulers(folder / "bin", monkeypatch)
        monkeypatch.chdir(project)

    def queue(self, *lines: str) -> None:
        self.scheduler.answers("squeue", "".join(lines))

    def record(self, n: int, *lines: Mapping[str, object]) -> None:
        folder = self.project / "runs/train" / self.ids[n]
        folder.mkdir(parents=True, exist_ok=True)
        task = {"kind": "slurm", "job": "77", "task": n, "raw": str(80 + n), "restart": 0}
        (folder / "run.jsonl").write_text(
            journal(claim("train", self.ids[n], {"seed": n}, scheduler=task), START, *lines)
        )


@pytest.fixture(name="cluster")
def _cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    return Cluster(tmp_path, monkeypatch)


def test_status_says_why_runs_wait(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    """Queued runs by reason, in the scheduler's words; one squeue and one sacct for all."""
    cluster.record(0)
    cluster.queue(
        queue_line("77", 0, "RUNNING", name=JOB_NAME),
        queue_line("77", 1, "PENDING", "Resources", name=JOB_NAME),
        queue_line("77", 2, "PENDING", "Resources", name=JOB_NAME),
    )
    cluster.scheduler.answers("sacct", f"77_3|CANCELLED by 1001|0:0|None|{JOB_NAME}\n")

    assert run_guarded(["status"]) == 0
    assert capsys.readouterr().out == (
        "experiment  queued  running  cancelled\n"
        "train            2        1          1  0 %\n"
        "\n"
        "2 queued: Resources\n"
        "\n"
        "1 cancelled: CANCELLED by 1001\n"
        f"             xpc logs {cluster.ids[3][:7]}\n"
    )
    assert cluster.scheduler.programs() == ["squeue", "sacct"]


def test_status_names_a_cut_submit(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    """What it held is told apart, and what it may have sent; `xpc submit` goes on with both."""
    asked = intent(1, "train-1", [[0, 3]], "2026-11-21T09:30:00.000Z")
    write_file(cluster.project, NAME, asked, result(1, ["77", 3]), intent(2, "train-1", [[3, 1]]))
    cluster.queue(*(queue_line("77", n, "PENDING", "JobHeldUser", name=JOB_NAME) for n in range(3)))

    assert run_guarded(["status"]) == 0
    assert capsys.readouterr().out == (
        "experiment  planned  queued\n"
        "train             1       3  0 %\n"
        "\n"
        "3 held by a cut submit: `xpc submit` goes on\n"
        "\n"
        "note: a cut submit may have sent 1 task more: `xpc submit` looks them up and goes on\n"
    )


def test_status_says_who_did_not_answer(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    """The states are then those of the records."""
    cluster.scheduler.answers("squeue", err="slurm_load_jobs error: Unable to contact slurm controller\n", status=1)

    assert run_guarded(["status", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["runs"] == {"queued": 4}
    why = "slurm_load_jobs error: Unable to contact slurm controller"
    assert said["notes"] == [f"SLURM could not be asked ({why}): the states are those of the records"]


def test_queries_see_what_the_scheduler_says(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    """`where status == …` and the fields, with one look."""
    cluster.queue(*(queue_line("77", n, "PENDING", "Priority", name=JOB_NAME) for n in range(4)))

    assert (
        run_guarded(["query", "where status == 'queued' and seed < 2 show status, job, reason", "--format", "csv"]) == 0
    )
    assert capsys.readouterr().out == "status,job,reason\nqueued,77_0,Priority\nqueued,77_1,Priority\n"
    assert run_guarded(["list", "--where", "status == 'running'"]) == 0
    assert capsys.readouterr().out == "0 of 4 runs.\n"
    assert cluster.scheduler.programs() == ["squeue", "squeue"]


def test_wait_comes_back_when_all_are_done(
    cluster: Cluster, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It looks until nothing is queued or running."""
    pauses: list[float] = []

    def finish(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            for n in range(4):
                cluster.record(n, end("done"))

    monkeypatch.setattr("xpc.cli.polling.rest", finish)
    cluster.queue(*(queue_line("77", n, "RUNNING", name=JOB_NAME) for n in range(4)))

    assert run_guarded(["wait"]) == 0
    assert capsys.readouterr().out == "4 runs: 4 done.\n"
    assert pauses == [5.0, 7.5, 11.25]
    assert cluster.scheduler.programs() == ["squeue"] * 3


def test_wait_fails_when_a_run_is_not_done(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit status 1, and how they ended."""
    for n in range(4):
        cluster.record(n, end("done" if n else "failed"))

    assert run_guarded(["wait"]) == 1
    assert run_guarded(["wait", "--where", "seed > 0"]) == 0
    assert capsys.readouterr().out == "4 runs: 3 done, 1 failed.\n3 runs: 3 done.\n"


def test_wait_gives_up(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    """After --timeout the exit status is 1; a duration is written as in an Experimentfile."""
    cluster.queue(*(queue_line("77", n, "PENDING", name=JOB_NAME) for n in range(4)))

    assert run_guarded(["wait", "--timeout", "100ms"]) == 1
    assert capsys.readouterr().err == "4 runs still go on after 100ms.\n"
    assert run_guarded(["wait", "--timeout", "soon"]) == 2
    assert capsys.readouterr().err == "error: `soon` is no duration\nhelp: write `90s`, `10min`, `2h` or `1d12h`\n"


def test_pace_is_gentle() -> None:
    """Often while something changes, at most every ten seconds, or every minute where a scheduler is asked."""
    pauses: list[float] = []
    pace = Pace(sleep=pauses.append)
    for shown in ("a", "a", "b", *("b" * 20)):
        assert pace.wait(shown, asks=False)

    assert pauses[:4] == [1.0, 1.5, 1.0, 1.5]
    assert pauses[-1] == 10.0
    assert pace.wait("b", asks=True)
    assert pauses[-1] == 15.0


def test_watch_ends_with_the_last_run(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    """Piped, it prints what has changed, plainly."""
    cluster.queue(*(queue_line("77", n, "RUNNING", name=JOB_NAME) for n in range(4)))
    timer = threading.Timer(1, lambda: [cluster.record(n, end("done")) for n in range(4)])
    timer.start()

    assert run_guarded(["status", "--watch"]) == 0
    assert capsys.readouterr().out == (
        "experiment  running\n"
        "train             4  0 %\n"
        "\n"
        "experiment  done\n"
        "train          4\n"
    )  # fmt: skip
    timer.join()


def test_logs_of_a_run_that_never_began(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    """What the scheduler's log of its array says about it, and about no other one."""
    cluster.log.write_text(
        f"train {cluster.ids[1][:7]}: its parent in runs/prepare is not done\n"
        f"train {cluster.ids[2][:7]}: can't be claimed: No space left on device\n"
        "slurmstepd: error: *** JOB 80 ON cn1 CANCELLED AT 2026-11-21T03:21:27 DUE TO TIME LIMIT ***\n"
    )
    cluster.queue(queue_line("77", 1, "FAILED", "NonZeroExitCode", name=JOB_NAME))
    cluster.scheduler.answers("sacct")

    assert run_guarded(["logs", cluster.ids[1]]) == 0
    said = capsys.readouterr()
    assert said.out == f"train {cluster.ids[1][:7]}: its parent in runs/prepare is not done\n"
    assert said.err == (
        f"Run {cluster.ids[1][:7]} of train has not started. It is lost: FAILED.\n"
        "The scheduler's log about it: .xpc/builds/b1/logs/train-1-77.out\n"
    )


def test_logs_of_a_run_that_printed_nothing(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    """SLURM's lines name its number for the task, which the claim has."""
    cluster.log.write_text("slurmstepd: error: *** JOB 80 ON cn1 CANCELLED AT 03:21:27 ***\nslurmstepd: JOB 81 too\n")
    cluster.record(0, end("killed"))

    assert run_guarded(["logs", cluster.ids[0]]) == 0
    assert capsys.readouterr().out == "slurmstepd: error: *** JOB 80 ON cn1 CANCELLED AT 03:21:27 ***\n"


def test_show_says_what_the_scheduler_said(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    """Of a run that waits, its job and why; of one that has ended without a word, how."""
    cluster.record(0)
    cluster.queue(queue_line("77", 1, "PENDING", "Resources", name=JOB_NAME))
    cluster.scheduler.answers("sacct", f"77_0|NODE_FAIL|0:0|None|{JOB_NAME}\n")

    assert run_guarded(["show", cluster.ids[1]]) == 0
    said = capsys.readouterr().out
    assert "status  queued: Resources\njob     77_1\n" in said
    assert run_guarded(["show", cluster.ids[0]]) == 0
    said = capsys.readouterr().out
    assert "status   lost: NODE_FAIL\n" in said
    assert "job      77_0\n" in said
