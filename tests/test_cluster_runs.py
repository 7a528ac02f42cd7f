"""The runs that clusters hold: states, reasons and fields of whole projects, with one look at the scheduler."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from fake_schedulers import FakeSchedulers, queue_line
from hand_build import Experiment, run_id, write_build
from recorded import START, claim, end, journal
from test_sent_jobs import intent, result, write_file

from xpc.runtime.cluster_runs import ClusterRuns
from xpc.runtime.store import Store

JOB_NAME = "xpc-b1-1"
NAME = "20261121T093000.000Z-login1-7.jsonl"
END = {"event": "end", "time": "t9"}


class Cluster:
    """A project with a build of six runs, and the scheduler it was sent to."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.project = folder / "project"
        self.project.mkdir()
        write_build(self.project, [Experiment("train", runs=6)], "b1")
        self.scheduler = FakeSchedulers(folder / "bin", monkeypatch)

    def sent(self, count: int = 6, *more: Mapping[str, object]) -> None:
        lines = (
            intent(1, "train-1", [[0, count]], "2026-11-21T09:30:00.000Z"),
            result(1, ["481234", count]),
            *more,
            END,
        )
        write_file(self.project, NAME, *lines)

    def queue(self, *lines: str) -> None:
        self.scheduler.answers("squeue", "".join(lines))

    def accounts(self, *lines: str) -> None:
        self.scheduler.answers("sacct", "".join(f"{line}\n" for line in lines))

    def record(self, n: int, *lines: Mapping[str, object], attempt: int = 1, **scheduler: object) -> None:
        folder = self.project / "runs/train" / run_id("train", n)
        folder.mkdir(parents=True, exist_ok=True)
        task = {"kind": "slurm", "job": "481234", "task": n, "restart": 0} | scheduler
        text = journal(claim("train", run_id("train", n), {"n": n}, scheduler=task, attempt=attempt), START, *lines)
        (folder / ("run.jsonl" if attempt == 1 else f"run.{attempt}.jsonl")).write_text(text)

    def store(self) -> Store:
        return Store(self.project, {})

    def states(self) -> list[str]:
        return list(self.store().states("train", [run_id("train", n) for n in range(6)]))

    def kept(self) -> list[dict[str, object]]:
        paths = sorted((self.project / ".xpc/evidence").glob("*.jsonl"))
        return [json.loads(line) for path in paths for line in path.read_text().splitlines()]


@pytest.fixture(name="cluster")
def _cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    return Cluster(tmp_path, monkeypatch)


def test_everything_in_one_look(cluster: Cluster) -> None:
    """One squeue and one sacct tell all: what waits and why, what runs, who cancelled what."""
    cluster.sent()
    cluster.record(1)
    cluster.record(2)
    cluster.record(3, end("done"))
    cluster.queue(
        queue_line("481234", 0, "PENDING", "Resources", name=JOB_NAME),
        queue_line("481234", 1, "RUNNING", name=JOB_NAME),
        queue_line("481234", 3, "COMPLETED", name=JOB_NAME),
        queue_line("481234", 4, "CANCELLED", name=JOB_NAME),
    )
    cluster.accounts(f"481234_2|TIMEOUT|0:0|None|{JOB_NAME}", f"481234_4|CANCELLED by 1001|0:0|None|{JOB_NAME}")
    store = cluster.store()
    ids = [run_id("train", n) for n in range(6)]

    assert list(store.states("train", ids)) == ["queued", "running", "timeout", "done", "cancelled", "queued"]
    assert store.field("train", ids, "reason") == ["Resources", None, "TIMEOUT", None, "CANCELLED by 1001", None]
    assert store.field("train", ids, "job") == [f"481234_{n}" for n in range(6)]
    assert store.field("train", ids, "queue_wait") == [None, 1.0, 1.0, 1.0, None, None]
    assert cluster.scheduler.programs() == ["squeue", "sacct"]


def test_nothing_is_asked_without_need(cluster: Cluster) -> None:
    """Where all runs are done, or failed by their own word, the scheduler is left in peace, and the submit settled."""
    cluster.sent(2)
    cluster.record(0, end("done"))
    cluster.record(1, end("failed"))

    assert cluster.states()[:2] == ["done", "failed"]
    assert cluster.scheduler.calls == []
    assert [line["event"] for line in cluster.kept()] == ["settled"]
    assert cluster.states()[:2] == ["done", "failed"]
    assert len(cluster.kept()) == 1


def test_what_was_told_is_kept(cluster: Cluster) -> None:
    """How a task ended is asked for once; the scheduler may forget it."""
    cluster.sent(2)
    cluster.record(0)
    cluster.queue(
        queue_line("481234", 0, "TIMEOUT", "TimeLimit", name=JOB_NAME),
        queue_line("481234", 1, "REVOKED", name=JOB_NAME),
    )
    assert cluster.states()[:2] == ["timeout", "lost"]
    cluster.scheduler.answers("squeue", err="slurm_load_jobs error: Invalid job id specified", status=1)

    assert cluster.states()[:2] == ["timeout", "lost"]
    assert cluster.scheduler.programs() == ["squeue"]
    assert [(line["event"], line.get("state"), line.get("attempt")) for line in cluster.kept()] == [
        ("ended", "timeout", 1),
        ("ended", "lost", 0),
        ("settled", None, None),
    ]


def test_new_attempt_makes_what_was_kept_old(cluster: Cluster) -> None:
    """What was told of attempt 1 says nothing of attempt 2."""
    cluster.sent(1)
    cluster.record(0)
    cluster.queue(queue_line("481234", 0, "TIMEOUT", "TimeLimit", name=JOB_NAME))
    assert cluster.states()[0] == "timeout"
    cluster.record(0, end("done"), attempt=2, job="481299")

    assert cluster.states()[0] == "done"


def test_who_cancelled_a_task_comes_later(cluster: Cluster) -> None:
    """The queue knows that it was cancelled, the accounting by whom; it is waited for before that is kept."""
    cluster.sent(1)
    cluster.queue(queue_line("481234", 0, "CANCELLED", name=JOB_NAME))
    cluster.accounts()
    assert cluster.states()[0] == "cancelled"
    cluster.accounts(f"481234_0|CANCELLED by 1001|0:0|None|{JOB_NAME}")
    assert cluster.states()[0] == "cancelled"

    assert cluster.store().field("train", [run_id("train", 0)], "reason") == ["CANCELLED by 1001"]
    assert [line["event"] for line in cluster.kept()] == ["missing", "ended", "settled"]


@pytest.mark.parametrize("word", ["NODE_FAIL", "PREEMPTED"])
def test_task_that_may_be_started_again(cluster: Cluster, monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    """A look may fall between the end of a task and its way back into the queue: that is no last word."""
    cluster.sent(1)
    cluster.record(0)
    cluster.queue(queue_line("481234", 0, word, name=JOB_NAME))
    state = cluster.states()[0]
    assert state == ("lost" if word == "NODE_FAIL" else "killed")
    assert [line["event"] for line in cluster.kept()] == ["missing"]
    cluster.queue(queue_line("481234", 0, "PENDING", "BeginTime", 1, name=JOB_NAME))
    assert cluster.states()[0] == "queued"

    cluster.queue(queue_line("481234", 0, word, name=JOB_NAME))
    monkeypatch.setattr("xpc.runtime.cluster_runs.LATE", 0.0)
    assert cluster.states()[0] == state
    assert [line["event"] for line in cluster.kept()] == ["missing", "ended", "settled"]


def test_attempt_that_began_without_a_hint(cluster: Cluster) -> None:
    """A node whose log of events is not seen here yet: the next attempt's journal is looked for."""
    cluster.sent(2)
    cluster.record(0, end("failed", requeued=True))
    cluster.queue(queue_line("481234", 0, "PENDING", "BeginTime", 1, JOB_NAME), queue_line("481234", 1, "RUNNING"))
    assert cluster.states()[0] == "queued"
    cluster.record(0, attempt=2, restart=1)
    cluster.queue(queue_line("481234", 0, "TIMEOUT", "TimeLimit", 1, JOB_NAME), queue_line("481234", 1, "RUNNING"))

    assert cluster.states()[0] == "timeout"


def test_run_that_ends_while_its_scheduler_is_asked(cluster: Cluster) -> None:
    """Its record was read before, and had no end then: it is read once more, and not taken for lost."""
    cluster.sent(count=2)
    cluster.record(0)
    cluster.queue()
    cluster.accounts("481234_0|COMPLETED|0:0|None|" + JOB_NAME, "481234_1|COMPLETED|0:0|None|" + JOB_NAME)
    store = cluster.store()
    cluster.record(0, end("done"))
    cluster.record(1, end("failed"))
    assert list(store.states("train", [run_id("train", n) for n in range(2)])) == ["done", "failed"]
    assert cluster.states()[:2] == ["done", "failed"]


def test_earlier_attempts(cluster: Cluster) -> None:
    """What was told of them is kept; of others nobody knows how they ended."""
    cluster.sent(2)
    cluster.record(0)
    cluster.record(1)
    cluster.queue(queue_line("481234", 0, "TIMEOUT", "TimeLimit", name=JOB_NAME), queue_line("481234", 1, "RUNNING"))
    assert cluster.states()[0] == "timeout"
    cluster.record(0, end("done"), attempt=2)
    cluster.record(1, end("done"), attempt=2)
    store = cluster.store()

    found = [[store.state_of(record) for record in store.earlier("train", run_id("train", n))] for n in range(2)]
    assert found == [["timeout"], ["lost"]]


def test_scheduler_that_does_not_answer(cluster: Cluster) -> None:
    """Then the states are those of the records, nothing is kept, and it is said."""
    cluster.sent(2)
    cluster.record(0)
    cluster.scheduler.answers("squeue", err="slurm_load_jobs error: Unable to contact slurm controller", status=1)
    store = cluster.store()

    assert list(store.states("train", [run_id("train", n) for n in range(2)])) == ["running", "queued"]
    assert store.clusters.silent == {"slurm": "slurm_load_jobs error: Unable to contact slurm controller"}
    assert cluster.kept() == []


def test_without_accounting_what_left_the_queue_is_lost(cluster: Cluster) -> None:
    """The queue is never late: what it does not have neither waits nor runs, and nobody can say how it ended."""
    cluster.sent(2)
    cluster.record(0)
    cluster.scheduler.answers("squeue", err="slurm_load_jobs error: Invalid job id specified", status=1)
    cluster.scheduler.answers("sacct", err="Slurm accounting storage is disabled", status=1)

    assert cluster.states()[:2] == ["lost", "lost"]


def test_late_accounting_is_waited_for(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """A task that nobody knows stays what it was, until it has not been known for long."""
    cluster.sent(2)
    cluster.record(0)
    cluster.queue()
    cluster.accounts()
    assert cluster.states()[:2] == ["running", "queued"]
    assert cluster.states()[:2] == ["running", "queued"]
    assert [(line["event"], line["task"]) for line in cluster.kept()] == [("missing", 0), ("missing", 1)]
    monkeypatch.setattr("xpc.runtime.cluster_runs.LATE", 0.0)

    assert cluster.states()[:2] == ["lost", "lost"]


def test_job_of_another_with_the_same_number(cluster: Cluster) -> None:
    """After a reset numbers are given anew: a job with another name is not ours."""
    cluster.sent(1)
    cluster.record(0)
    cluster.queue(queue_line("481234", 0, "RUNNING", name="other"))
    cluster.accounts(f"481234_0|FAILED|0:9|None|{JOB_NAME}", "481234_0|RUNNING|0:0|None|other")

    assert cluster.states()[0] == "killed"


def test_task_sent_by_hand(cluster: Cluster) -> None:
    """What submit.sh sent is known by its claim."""
    cluster.record(0)
    cluster.queue(queue_line("481234", 0, "NODE_FAIL"))

    assert cluster.states()[0] == "lost"


def test_local_attempt_is_not_the_clusters(cluster: Cluster) -> None:
    """A run that was sent, ended there and then ran elsewhere is judged by its own records."""
    cluster.sent(1)
    cluster.record(0, kind="local", job=None)
    cluster.queue(queue_line("481234", 0, "CANCELLED", name=JOB_NAME))
    cluster.accounts()

    assert cluster.states()[0] == "running"


def test_project_that_is_not_ours_is_read_all_the_same(cluster: Cluster) -> None:
    """Where nothing can be kept, it is asked for again."""
    cluster.sent(1)
    (cluster.project / ".xpc/evidence").write_text("in the way")
    cluster.queue(queue_line("481234", 0, "NODE_FAIL", name=JOB_NAME))

    assert cluster.states()[0] == "lost"
    assert cluster.states()[0] == "lost"
    assert cluster.scheduler.programs() == ["squeue", "squeue"]


def test_torn_evidence_is_left_out(cluster: Cluster) -> None:
    """A line counts when it ends, parses and makes sense."""
    folder = cluster.project / ".xpc/evidence"
    folder.mkdir()
    lines = ['{"event":"ended","run":3}', "[]", '{"event":"settled","submission":"x"}', '{"event":"settled","submis']
    (folder / "a.jsonl").write_text("\n".join(lines))

    assert ClusterRuns(cluster.project, cluster.store()).kept.settled == {"x"}
