"""Jobs that another user sent, on a SLURM that shows nobody the jobs of others: silence is no end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hand_build import run_id
from recorded import end
from test_cluster_runs import Cluster

from xpc.runtime.evidence_files import read_evidence
from xpc.runtime.schedulers import slurm_private

LONG_AGO = "2026-01-01T00:00:00.000Z"


@pytest.fixture(name="cluster")
def _cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    found = Cluster(tmp_path, monkeypatch)
    monkeypatch.setattr(slurm_private.os, "geteuid", lambda: 1002)
    found.queue()
    found.accounts()
    missing = [{"event": "missing", "job": "481234", "task": n, "time": LONG_AGO} for n in range(6)]
    folder = found.project / ".xpc/evidence"
    folder.mkdir(parents=True)
    (folder / "a.jsonl").write_text("".join(json.dumps(line) + "\n" for line in missing))
    return found


@pytest.mark.parametrize("where", ["scontrol", "sacctmgr"])
def test_what_slurm_hides_is_still_queued(cluster: Cluster, where: str) -> None:
    """The queue or the accounting may be what is private; records that are there count as ever."""
    for program in ("scontrol", "sacctmgr"):
        cluster.scheduler.answers(program, f"PrivateData  = {'accounts,jobs' if program == where else 'none'}\n")
    cluster.sent(3)
    cluster.record(1, end("done"))
    store = cluster.store()
    ids = [run_id("train", n) for n in range(3)]
    assert list(store.states("train", ids)) == ["queued", "done", "queued"]
    assert store.field("train", ids, "reason") == ["SLURM shows it to ada alone", None, "SLURM shows it to ada alone"]
    assert cluster.kept() == json_lines(cluster.project / ".xpc/evidence/a.jsonl")


def test_what_slurm_would_show_is_lost(cluster: Cluster) -> None:
    """Where everybody is shown everything, a task that nobody knows has ended."""
    for program in ("scontrol", "sacctmgr"):
        cluster.scheduler.answers(program, "PrivateData  = none\n")
    cluster.sent(1)
    assert cluster.states()[0] == "lost"


def test_own_jobs_are_always_shown(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """What this user sent and SLURM does not know has ended, whatever is private."""
    cluster.scheduler.answers("scontrol", "PrivateData = jobs\n")
    monkeypatch.setenv("USER", "ada")
    monkeypatch.setenv("LOGNAME", "ada")
    cluster.sent(1)
    assert cluster.states()[0] == "lost"


def test_a_record_that_one_may_not_read_is_no_evidence(cluster: Cluster) -> None:
    """`broken` is how it looks from here: it is not kept for the others, who may read it."""
    cluster.sent(1)
    folder = cluster.project / "runs/train" / run_id("train", 0)
    folder.mkdir(parents=True)
    (folder / "run.jsonl").mkdir()  # nobody can read it, root neither
    assert cluster.states()[0] == "broken"
    assert read_evidence(cluster.project).ended == {}


def json_lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]
