"""What was handed over to clusters: the calls of submission files, resolved to runs through their builds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from hand_build import Experiment, run_id, write_build

from xpc.runtime.owner import Owner
from xpc.runtime.submissions import Submission, cut_submissions, read_submissions, sent_jobs

GONE = {"host": "login9", "user": "ada", "boot": "b", "space": "", "process": {"pid": 7, "start": 99}}


def write_file(project: Path, name: str, *lines: Mapping[str, object], kind: str = "slurm", build: str = "b1") -> None:
    folder = project / ".xpc/submissions"
    folder.mkdir(parents=True, exist_ok=True)
    head = {"schema": "xpc.submission/1", "event": "submit", "time": name[:8], **GONE}
    head |= {"build": build, "target": "here", "kind": kind}
    (folder / name).write_text("".join(json.dumps(line) + "\n" for line in (head, *lines)))


def intent(number: int, array: str, indices: Sequence[Sequence[int]], time: str = "t1") -> dict[str, object]:
    fields = {"event": "intent", "call": number, "array": array, "token": f"xpc-b1-{number}"}
    return {**fields, "indices": indices, "request": 1, "time": time}


def result(number: int, *jobs: Sequence[object]) -> dict[str, object]:
    return {"event": "result", "call": number, "jobs": jobs}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    write_build(tmp_path, [Experiment("train", runs=6), Experiment("evaluate", runs=3)], "b1")
    return tmp_path


def sent(project: Path) -> list[tuple[str, str, str, int | None, bool]]:
    return [(job.experiment, job.run, job.job, job.task, job.cancelled) for job in sent_jobs(project)]


def train(n: int) -> str:
    return run_id("train", n)


def test_tasks_of_slurm_keep_their_indices(project: Path) -> None:
    """An array has one id; each task is the index of a run."""
    write_file(project, "20260101a.jsonl", intent(1, "train-1", [[0, 2], [5, 1]]), result(1, ["481234", 3]))

    assert sent(project) == [("train", train(n), "481234", n, False) for n in (0, 1, 5)]
    (job, *_) = sent_jobs(project)
    assert (job.submission, job.time, job.index, job.array, job.build) == ("20260101a.jsonl", "t1", 0, "train-1", "b1")


def test_jobs_of_oar_come_in_the_order_of_the_indices(project: Path) -> None:
    """Ids need not follow one another."""
    lines = (intent(1, "train-1", [[1, 2], [4, 1]]), result(1, ["57", 2], ["90", 1]))
    write_file(project, "20260101a.jsonl", *lines, kind="oar")

    assert sent(project) == [
        ("train", train(1), "57", None, False),
        ("train", train(2), "58", None, False),
        ("train", train(4), "90", None, False),
    ]


def test_packed_task_holds_several_runs(project: Path) -> None:
    """Each of them is in the same job."""
    plan = project / ".xpc/builds/b1/plan.json"
    fields = json.loads(plan.read_text())
    fields["arrays"][0] |= {"tasks": 2, "indices": [[3, 2]], "sizes": [[4, 1], [2, 1]]}
    plan.write_text(json.dumps(fields))
    write_file(project, "20260101a.jsonl", intent(1, "train-1", [[4, 1]]), result(1, ["9", 1]))

    assert sent(project) == [("train", train(n), "9", 4, False) for n in (4, 5)]


def test_unknown_refused_and_taken_back_calls_sent_nothing(project: Path) -> None:
    """Tasks that SLURM held and gave back never could start."""
    lines = (
        intent(1, "train-1", [[0, 1]]),
        result(1, ["5", 1]),
        intent(2, "train-1", [[1, 1]]),
        {"event": "refused", "call": 2, "exit": 1, "said": "no"},
        {"event": "cancelled", "calls": [1], "time": "t2", "user": "ada"},
        intent(3, "train-1", [[2, 1]]),
    )
    write_file(project, "20260101a.jsonl", *lines)

    assert sent(project) == []
    (found,) = read_submissions(project)
    assert [call.outcome for call in found.calls] == ["cancelled", "refused", "open"]


def test_taken_back_jobs_of_oar_may_have_begun(project: Path) -> None:
    """Nothing is held there: they come, as cancelled."""
    lines = (intent(1, "train-1", [[0, 1]]), result(1, ["5", 1]), {"event": "cancelled", "calls": [1], "time": "t2"})
    write_file(project, "20260101a.jsonl", *lines, kind="oar")

    assert sent(project) == [("train", train(0), "5", None, True)]


def test_cancel_marks_the_tasks_it_names(project: Path) -> None:
    """Those only, and only if they were sent before: ids are used again after a reset."""
    write_file(project, "20260101a.jsonl", intent(1, "train-1", [[0, 3]]), result(1, ["5", 3]))
    write_file(project, "20260103a.jsonl", intent(1, "train-1", [[0, 3]], "t3"), result(1, ["5", 3]))
    head = {"schema": "xpc.submission/1", "event": "cancels", "time": "t2", **GONE}
    cancel = {"event": "cancel", "jobs": [["5", [[1, 2]]]], "rows": {"train": [[1, 2]]}, "build": "b1", "time": "t2"}
    path = project / ".xpc/submissions/20260102a.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in (head, cancel, {"event": "end", "time": "t2"})))

    assert [job.cancelled for job in sent_jobs(project)] == [False, True, True, False, False, False]
    assert len(read_submissions(project)) == 2


def test_later_submit_tells_what_became_of_an_open_call(project: Path) -> None:
    """It adopts what it found by the token, and says what was never sent."""
    write_file(project, "20260101a.jsonl", intent(1, "train-1", [[0, 1]]), intent(2, "train-1", [[1, 1]]))
    (cut,) = cut_submissions(project)
    assert [call.number for call in cut.open] == [1, 2]
    assert cut.held == ()

    of = {"file": "20260101a.jsonl"}
    write_file(project, "20260102a.jsonl", {"event": "adopted", **of, "call": 1, "jobs": [["7", 1]]})
    (cut, _) = cut_submissions(project)
    assert cut.held == ("7",)
    assert sent(project) == [("train", train(0), "7", 0, False)]

    more = ({"event": "absent", **of, "call": 2}, {"event": "completed", **of}, {"event": "end"})
    write_file(project, "20260103a.jsonl", *more)
    assert [found.submission.name for found in cut_submissions(project)] == ["20260102a.jsonl"]


def test_damaged_lines_cost_themselves_alone(project: Path) -> None:
    """Neither half a line nor one of another shape takes others with it."""
    write_file(project, "20260101a.jsonl", intent(1, "train-1", [[0, 1]]), {"event": "intent", "call": "x"})
    path = project / ".xpc/submissions/20260101a.jsonl"
    with path.open("a") as file:
        file.write(json.dumps(result(1, ["5", 1])) + "\n" + json.dumps(result(9, ["5", 1])) + '\n[1]\n{"event":"resu')

    assert sent(project) == [("train", train(0), "5", 0, False)]


def test_build_that_is_gone_says_nothing(project: Path) -> None:
    """Nobody can say any more which runs those were."""
    write_file(project, "20260101a.jsonl", intent(1, "train-1", [[0, 1]]), result(1, ["5", 1]), build="gone")

    assert sent(project) == []


def test_submit_that_goes_on_is_not_cut(project: Path) -> None:
    """Its process lives, on this machine."""
    write_file(project, "20260101a.jsonl", intent(1, "train-1", [[0, 1]]))
    path = project / ".xpc/submissions/20260101a.jsonl"
    head, rest = path.read_text().split("\n", 1)
    path.write_text(json.dumps({**json.loads(head), **Owner.here().fields()}) + "\n" + rest)

    assert cut_submissions(project) == []
    (found,) = read_submissions(project)
    assert isinstance(found, Submission)


def test_runs_that_a_packed_task_leaves_alone(project: Path) -> None:
    """They are not that task's: what was known of them before still holds. The others still share a task."""
    plan = project / ".xpc/builds/b1/plan.json"
    fields = json.loads(plan.read_text())
    fields["arrays"][0] |= {"tasks": 2, "indices": [[3, 2]], "sizes": [[4, 1], [2, 1]]}
    plan.write_text(json.dumps(fields))
    lines = (intent(1, "train-1", [[3, 1]]) | {"leave": [[1, 2], [900, 10_000_000]]}, result(1, ["481234", 1]))
    write_file(project, "20260101a.jsonl", *lines)

    assert sent(project) == [("train", train(n), "481234", 3, False) for n in (0, 3)]
    assert all(job.beside for job in sent_jobs(project))
