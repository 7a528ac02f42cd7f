"""Calls of a scheduler that goes wrong in every way: what is written, what is taken back, what is looked up."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from xpc.runtime.schedulers import cluster_resume, cluster_send
from xpc.runtime.schedulers.cluster_call import Accepted, Jobs, Order, Refused, Silent, Unclear
from xpc.runtime.schedulers.cluster_plan import PlannedCall, Waits
from xpc.runtime.schedulers.cluster_resume import look_up
from xpc.runtime.schedulers.cluster_send import Failure, Sender
from xpc.runtime.submissions import SubmissionWriter, read_submissions

PLAN: dict[str, Any] = {
    "arrays": [{"name": "train-1", "resources": 0, "script": "arrays/train-1.sbatch"}],
    "resources": [[{"memory": 1}, {"memory": 2}]],
}


@dataclass
class Fake:
    """A scheduler that answers as it is told to, and remembers what it was asked."""

    answers: list[Accepted | Refused | Unclear]
    found: list[Jobs | Silent | None] = field(default_factory=list)
    wrong: str | None = None
    asked: list[Order] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    looks: list[bool] = field(default_factory=list)
    name = "SLURM"
    kind = "slurm"
    holds = True

    def send(self, order: Order) -> Accepted | Refused | Unclear:
        self.asked.append(order)
        return self.answers.pop(0)

    def find(self, token: str, tasks: int, *, last: bool) -> Jobs | Silent | None:
        self.looks.append(last)
        return self.found.pop(0) if self.found else None

    def release(self, jobs: Sequence[str]) -> str | None:
        return self.wrong

    def cancel(self, jobs: Iterable[tuple[str, Sequence[int] | None]]) -> str | None:
        self.cancelled += [job for job, _ in jobs]
        return self.wrong


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    for module in (cluster_send, cluster_resume):
        monkeypatch.setattr(module, "time", found)
    return found


def call(number: int, waits: Waits = Waits(), request: int = 1) -> PlannedCall:  # noqa: B008  # it is frozen
    return PlannedCall(number, "train-1", "train", range(3), request, waits, None, 3)


def send(project: Path, fake: Fake, clock: Clock, *calls: PlannedCall) -> tuple[Sender, Failure | None]:
    writer = SubmissionWriter(project, "b1", "here", "slurm")
    sender = Sender(fake, writer, project, ".xpc/builds/b1", PLAN, sleep=clock.sleep)
    return sender, sender.send(calls, lambda _token, _call: None)


def events(project: Path) -> list[str]:
    (path,) = (project / ".xpc/submissions").iterdir()
    return [json.loads(line)["event"] for line in path.read_text().splitlines()][1:]


def jobs(id: str) -> Jobs:
    return ((id, 3),)


def test_each_call_has_its_own_token_and_request(tmp_path: Path, clock: Clock) -> None:
    """Only what waits for nothing here is held; a later attempt asks for what it needs."""
    fake = Fake([Accepted(jobs("5")), Accepted(jobs("6")), Accepted(jobs("7"))])
    sender, failure = send(
        tmp_path, fake, clock, call(1), call(2, Waits(pairs=(1,))), call(3, Waits(old_pairs=("4",)), 9)
    )

    assert failure is None
    assert len({order.token for order in fake.asked}) == 3
    assert [order.request["memory"] for order in fake.asked] == [1, 1, 2]
    assert sender.held() == ["5", "7"]
    assert events(tmp_path) == ["intent", "result"] * 3


def test_refusal_takes_back_children_first(tmp_path: Path, clock: Clock) -> None:
    """And says so in the file."""
    fake = Fake([Accepted(jobs("5")), Accepted(jobs("6")), Refused(1, "no")])
    _, failure = send(tmp_path, fake, clock, call(1), call(2, Waits(pairs=(1,))), call(3))

    assert failure is not None
    assert (failure.said, failure.undone) == ("no", True)
    assert failure.call == call(3)
    assert fake.cancelled == ["6", "5"]
    assert events(tmp_path) == [*["intent", "result"] * 2, "intent", "refused", "cancelled"]


def test_refusal_that_can_not_be_taken_back(tmp_path: Path, clock: Clock) -> None:
    """What was sent is still there, and the file says nothing else."""
    fake = Fake([Accepted(jobs("5")), Refused(1, "no")], wrong="no connection")
    _, failure = send(tmp_path, fake, clock, call(1), call(2))

    assert failure == Failure("no connection", None, {"memory": 1}, undone=False)
    assert events(tmp_path) == ["intent", "result", "intent", "refused"]


def test_unclear_answer_is_looked_up(tmp_path: Path, clock: Clock) -> None:
    """Until the job is there."""
    fake = Fake([Unclear("timed out")], [None, None, jobs("5")])
    sender, failure = send(tmp_path, fake, clock, call(1))

    assert failure is None
    assert sender.sent[0].jobs == jobs("5")
    assert fake.looks == [False] * 3


def test_unclear_answer_without_a_job_is_a_refusal(tmp_path: Path, clock: Clock) -> None:
    """After ten seconds of looking."""
    fake = Fake([Unclear("timed out")])
    _, failure = send(tmp_path, fake, clock, call(1))

    assert failure is not None
    assert (failure.said, failure.undone) == ("timed out", True)
    assert clock.now >= 110
    assert fake.looks[-1]
    assert not any(fake.looks[:-1])


def test_silence_leaves_the_call_open(tmp_path: Path, clock: Clock) -> None:
    """Nothing is cancelled, nothing is guessed: the next submit goes on from there."""
    fake = Fake([Accepted(jobs("5")), Unclear("timed out")], [Silent("down")])
    _, failure = send(tmp_path, fake, clock, call(1), call(2))

    assert failure == Failure("down", undone=False)
    assert fake.cancelled == []
    assert events(tmp_path) == ["intent", "result", "intent"]


@pytest.mark.parametrize(("age", "waited"), [(3.0, 7), (60.0, 0), (-3600.0, 10)])
def test_young_call_may_still_be_on_its_way(tmp_path: Path, clock: Clock, age: float, waited: float) -> None:
    """It is looked for until it is ten seconds old; one of a clock that is ahead, for ten seconds."""
    fake = Fake([Unclear("timed out")], [Silent("down")])
    send(tmp_path, fake, clock, call(1))
    (path,) = (tmp_path / ".xpc/submissions").iterdir()
    head, line = path.read_text().splitlines()
    then = (datetime.now(UTC) - timedelta(seconds=age)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    path.write_text(head + "\n" + json.dumps({**json.loads(line), "time": then}) + "\n")
    writer = SubmissionWriter(tmp_path / "other", "b1", "here", "slurm")
    began = clock.now
    resumed = look_up(read_submissions(tmp_path), writer, lambda _: fake, sleep=clock.sleep)

    assert not isinstance(resumed, tuple)
    assert clock.now - began == pytest.approx(waited, abs=0.5)
    assert resumed.held == {"slurm": []}
    assert events(tmp_path / "other") == ["absent"]


def test_cut_submit_is_adopted(tmp_path: Path, clock: Clock) -> None:
    """What it sent, and what is found by its token, is to be released."""
    fake = Fake([Accepted(jobs("5")), Unclear("timed out")], [Silent("down"), jobs("6")])
    send(tmp_path, fake, clock, call(1), call(2))
    writer = SubmissionWriter(tmp_path / "other", "b1", "here", "slurm")
    resumed = look_up(read_submissions(tmp_path), writer, lambda _: fake, sleep=clock.sleep)

    assert not isinstance(resumed, tuple)
    assert resumed.held == {"slurm": ["5", "6"]}
    assert events(tmp_path / "other") == ["adopted"]


def test_submit_that_lost_its_lock_sends_nothing_more(tmp_path: Path) -> None:
    """Whoever took it over completes what is written; two would send the same."""
    fake = Fake([Accepted(jobs("5"))])
    writer = SubmissionWriter(tmp_path, "b1", "here", "slurm")
    answers = [True, False]
    sender = Sender(fake, writer, tmp_path, ".xpc/builds/b1", PLAN, held=lambda: answers.pop(0))
    failure = sender.send([call(1), call(2)], lambda _token, _call: None)

    assert failure is not None
    assert (failure.call, failure.undone) == (None, False)
    assert events(tmp_path) == ["intent", "result"]
    assert fake.cancelled == []
