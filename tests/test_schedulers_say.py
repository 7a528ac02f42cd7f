"""What squeue, sacct and oarstat print, recorded from real ones, to phases and ends; damaged, to an honest answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from fake_schedulers import FakeSchedulers
from hypothesis import given
from hypothesis import strategies as st

from xpc.runtime.schedulers.ask import Answer, ask
from xpc.runtime.schedulers.evidence import Look, Seen, Task, look
from xpc.runtime.schedulers.oar_states import condition
from xpc.runtime.schedulers.slurm_states import unfold

RECORDED = Path(__file__).parent / "schedulers"
QUEUE = (RECORDED / "squeue.txt").read_text()
ACCOUNTS = (RECORDED / "sacct.txt").read_text()
OAR = (RECORDED / "oarstat.json").read_text()
FORGOTTEN = Answer(1, "", "slurm_load_jobs error: Invalid job id specified\n")
DISABLED = Answer(1, "", "Slurm accounting storage is disabled\n")


def scheduler(**answers: Answer | str) -> tuple[Callable[[list[str]], Answer], list[list[str]]]:
    """Give what answers like that, and the list of its calls."""
    calls: list[list[str]] = []

    def run(command: list[str]) -> Answer:
        calls.append(command)
        said = answers[command[0]]
        return said if isinstance(said, Answer) else Answer(0, said, "")

    return run, calls


def slurm(jobs: list[Task], queue: Answer | str, accounts: Answer | str = "", **options: object) -> Look:
    return look("slurm", jobs, run=scheduler(squeue=queue, sacct=accounts)[0], **options)  # type: ignore[arg-type]


BOTH: list[tuple[Task, Seen]] = [
    (("3", 0), Seen("ended", "done", "COMPLETED")),
    (("3", 1), Seen("ended", "failed", "FAILED exit 3")),
    (("3", 2), Seen("ended", "lost", "FAILED SIGSEGV")),
    (("3", 3), Seen("ended", "killed", "FAILED SIGKILL")),
    (("3", 5), Seen("ended", "timeout", "TIMEOUT")),
    (("3", 6), Seen("ended", "done", "COMPLETED", 1)),
    (("3", 7), Seen("ended", "cancelled", "CANCELLED by 1001")),
    (("5", 1), Seen("ended", "skipped", "DependencyNeverSatisfied")),
    (("7", 1), Seen("ended", "lost", "JobLaunchFailure 0:53")),
    (("9", 0), Seen("ended", "done", "COMPLETED", 1)),
]


@pytest.mark.parametrize(("task", "seen"), BOTH)
def test_ends_as_the_queue_tells_them(task: Task, seen: Seen) -> None:
    """`squeue -t all` has ended tasks for some minutes; who cancelled one is in the accounting alone."""
    assert slurm([task], QUEUE, ACCOUNTS).seen == {task: seen}


@pytest.mark.parametrize(("task", "seen"), BOTH)
def test_ends_as_the_accounting_tells_them(task: Task, seen: Seen) -> None:
    """When the queue has forgotten them, the same; of several starts of a task the last one counts."""
    assert slurm([task], FORGOTTEN, ACCOUNTS).seen == {task: seen}


@pytest.mark.parametrize(
    ("task", "reason"),
    [(("4", 0), "JobHeldUser"), (("8", None), "JobHeldUser"), (("10", 2), "BeginTime")],
)
def test_why_tasks_wait(task: Task, reason: str) -> None:
    """In SLURM's own words; and nothing more is asked."""
    run, calls = scheduler(squeue=QUEUE)

    assert look("slurm", [task], run=run).seen == {task: Seen("queued", None, reason)}
    assert [call[0] for call in calls] == ["squeue"]


def test_task_that_will_never_start_is_over() -> None:
    """Without the kill flag it stays in the queue for ever."""
    assert slurm([("6", 0)], QUEUE).seen == {("6", 0): Seen("ended", "skipped", "DependencyNeverSatisfied")}


@pytest.mark.parametrize(
    ("row", "seen"),
    [
        ("RUNNING|None", Seen("running", None, "")),
        ("COMPLETING|None", Seen("running", None, "Completing")),
        ("CONFIGURING|None", Seen("running", None, "Configuring")),
        ("SUSPENDED|None", Seen("running", None, "Suspended")),
        ("PENDING|None", Seen("queued", None, "")),
        ("REQUEUED|None", Seen("queued", None, "Requeued")),
        ("SPECIAL_EXIT|None", Seen("queued", None, "Special_exit")),
        ("PREEMPTED|None", Seen("ended", "killed", "PREEMPTED")),
        ("NODE_FAIL|NodeDown", Seen("ended", "lost", "NODE_FAIL")),
        ("BOOT_FAIL|None", Seen("ended", "lost", "BOOT_FAIL")),
        ("DEADLINE|DeadLine", Seen("ended", "timeout", "DEADLINE")),
        ("OUT_OF_MEMORY|OutOfMemory", Seen("ended", "oom", "OUT_OF_MEMORY")),
        ("REVOKED|None", Seen("ended", "lost", "REVOKED")),
        ("A_NEW_ONE|None", Seen("ended", "lost", "A_NEW_ONE")),
    ],
)
def test_words_of_slurm(row: str, seen: Seen) -> None:
    """Every state that SLURM has; one that it gets later is no failure of a run."""
    assert slurm([("7", 3)], f"7|3|{row}|0|0|t\n").seen == {("7", 3): seen}


@pytest.mark.parametrize(
    ("status", "state", "words"),
    [
        (74, "lost", "FAILED exit 74: its end could not be written"),
        (75, "lost", "FAILED exit 75: another task held the run, or its folder was out of reach"),
        (76, "skipped", "FAILED exit 76: a parent is not done"),
        (77, "cancelled", "FAILED exit 77: it had been cancelled before"),
        (78, "lost", "FAILED exit 78: the node could not run it"),
        (1, "failed", "FAILED exit 1"),
    ],
)
def test_exit_status_of_the_shim(status: int, state: str, words: str) -> None:
    """The shim's own codes mean something, in both programs and in OAR."""
    queue = f"7|3|FAILED|NonZeroExitCode|0|{status << 8}|t\n"
    job = {"state": "Terminated", "exit_code": status << 8, "name": "t"}
    oar = look("oar", [("9", None)], run=scheduler(oarstat=json.dumps({"9": job}))[0])

    assert slurm([("7", 3)], queue).seen[("7", 3)] == Seen("ended", state, words)  # type: ignore[arg-type]
    assert slurm([("7", 3)], "", f"7_3|FAILED|{status}:0|None|t\n").seen[("7", 3)].reason == words
    assert oar.seen[("9", None)].reason == words.replace("FAILED", "Terminated")


def test_accounting_is_late_and_the_queue_is_not() -> None:
    """A row of an earlier start says nothing of the last one; a row that still runs is late."""
    queue = "7|3|TIMEOUT|TimeLimit|1|15|t\n"
    late = "7_3|PREEMPTED|0:0|None|t\n7_4|RUNNING|0:0|None|t\n7_[5-9]|PENDING|0:0|None|t\n"

    found = slurm([("7", 3), ("7", 4), ("7", 5)], queue, late)
    assert found.seen == {("7", 3): Seen("ended", "timeout", "TIMEOUT", 1)}
    assert found.gone == frozenset()


def test_no_accounting() -> None:
    """What the queue does not have is surely gone then, however it ended."""
    found = slurm([("7", 3)], FORGOTTEN, DISABLED)

    assert (found.answered, found.seen, found.gone) == (True, {}, frozenset({("7", 3)}))


def test_cancelled_tasks_stay_folded() -> None:
    """Tasks that never started are one row; a list that was cut off is about all that have no row of their own."""
    accounts = "14_[1000]|CANCELLED by 1001|0:0|None|t\n14_2|COMPLETED|0:0|None|t\n"
    cut = "14_2|COMPLETED|0:0|None|t\n14_[4,6,8...]|CANCELLED by 7|0:0|None|t\n"

    assert set(slurm([("14", 1000), ("14", 2), ("14", 3)], "", accounts).seen) == {("14", 1000), ("14", 2)}
    found = slurm([("14", 2), ("14", 9)], "", cut).seen
    assert [seen.reason for seen in found.values()] == ["COMPLETED", "CANCELLED by 7"]


def test_cancelled_by_nobody_is_by_slurm_itself() -> None:
    """What comes after a run that failed: SLURM takes it out, and its accounting names no user."""
    accounts = "7_[0-1]|CANCELLED|0:0|None|t\n7_2|CANCELLED|0:0|Dependency|t\n7_3|CANCELLED by 0|0:0|None|t\n"
    found = slurm([("7", n) for n in range(4)], "", accounts).seen

    assert [found["7", n].state for n in range(4)] == ["skipped", "skipped", "skipped", "cancelled"]


@pytest.mark.parametrize(
    ("text", "tasks"),
    [("0-3", [0, 1, 2, 3]), ("1,3,5,7%2", [1, 3, 5, 7]), ("0-20:7", [0, 7, 14]), ("4,6...", None), ("", None)],
)
def test_folded_lists(text: str, tasks: list[int] | None) -> None:
    """Ranges, steps, a throttle; nothing for what is cut off."""
    assert unfold(text) == tasks


def test_numbers_are_given_again() -> None:
    """A job of another name is another's; one whose name has not arrived is ours."""
    accounts = "7_3|TIMEOUT|0:0|None|ours\n7_3|COMPLETED|0:0|None|theirs\n8_1|COMPLETED|0:0|None|allocation\n"
    found = slurm([("7", 3), ("8", 1)], "7|3|RUNNING|None|0|0|a|b\n", accounts, names={"7": "ours", "8": "ours"})

    assert found.seen == {("7", 3): Seen("ended", "timeout", "TIMEOUT"), ("8", 1): Seen("ended", "done", "COMPLETED")}


def test_known_ends_are_news_only_if_it_runs_again() -> None:
    """No accounting is asked for them."""
    run, calls = scheduler(squeue="7|0|FAILED|x|0|256|t\n7|1|PENDING|BeginTime|1|0|t\n7|2|RUNNING|None|0|0|t\n")
    tasks: list[Task] = [("7", n) for n in range(3)]

    found = look("slurm", tasks, ended={("7", 0), ("7", 1)}, run=run)
    assert set(found.seen) == {("7", 1), ("7", 2)}
    assert [call[0] for call in calls] == ["squeue"]


def test_all_is_asked_for_in_one_call() -> None:
    """1,000 arrays in one squeue and one sacct, 100,000 jobs in one oarstat; never more than the kernel takes."""
    run, calls = scheduler(squeue="", sacct="", oarstat="{}")
    look("slurm", [(str(1_000_000 + n), task) for n in range(50_000) for task in (0, 1)], run=run)
    look("slurm", [(str(1_000_000 + n), 0) for n in range(1_000)], run=run)
    look("oar", [(str(100 + n), None) for n in range(100_000)], run=run)

    assert [call[0] for call in calls] == ["squeue", "sacct", "squeue", "sacct", "oarstat"]
    assert max(len(word) for call in calls for word in call) <= 100_000
    assert calls[-1][-1].endswith("WHERE job_id BETWEEN 100 AND 100099)")
    assert condition([3, 4, 5, 9, 12, 13]) == "job_id BETWEEN 3 AND 5 OR job_id BETWEEN 12 AND 13 OR job_id IN (9)"


@pytest.mark.parametrize(
    ("job", "seen"),
    [
        ("3", Seen("ended", "done", "Terminated")),
        ("4", Seen("ended", "failed", "Terminated exit 3")),
        ("5", Seen("ended", "lost", "Terminated SIGSEGV")),
        ("6", Seen("ended", "killed", "Terminated SIGKILL")),
        ("7", Seen("ended", "cancelled", "FRAG_JOB_REQUEST by xpc")),
        ("8", Seen("ended", "timeout", "WALLTIME")),
        ("10", Seen("ended", "cancelled", "FRAG_JOB_REQUEST by root")),
        ("11", Seen("ended", "lost", "WORKING_DIRECTORY")),
    ],
)
def test_jobs_of_oar(job: str, seen: Seen) -> None:
    """Recorded from a real OAR: exits, oardel of a running and of a held job, walltime, a folder that is not there."""
    assert look("oar", [(job, None)], run=scheduler(oarstat=OAR)[0]).seen == {(job, None): seen}


@pytest.mark.parametrize(
    ("job", "seen"),
    [
        ({"state": "Hold"}, Seen("queued", None, "Hold")),
        ({"state": "toLaunch"}, Seen("queued", None, "toLaunch")),
        ({"state": "Waiting", "dependencies": [7]}, Seen("queued", None, "Dependency")),
        (
            {"state": "Waiting", "message": "Cannot determine scheduling time due to dependency with the job 9"},
            Seen("queued", None, "Dependency"),
        ),
        (
            {"state": "Waiting", "message": "No enough matching resources (no_matching_slot)"},
            Seen("queued", None, "No enough matching resources (no_matching_slot)"),
        ),
        (
            {"state": "Waiting", "message": "R=1,W=0:2:0,N=a (Karma=0.0,quota_ok)"},
            Seen("queued", None, "Waiting"),
        ),
        ({"state": "Running"}, Seen("running", None, "")),
        ({"state": "Suspended"}, Seen("running", None, "Suspended")),
        ({"state": "Terminated"}, Seen("ended", "lost", "Terminated without an exit status")),
        # Asked to end, and the shim left by itself just before it was killed.
        (
            {
                "state": "Terminated",
                "exit_code": 256,
                "events": [{"type": "FRAG_JOB_REQUEST"}, {"type": "SEND_KILL_JOB"}],
            },
            Seen("ended", "cancelled", "FRAG_JOB_REQUEST"),
        ),
        (
            {
                "state": "Terminated",
                "exit_code": 0,
                "events": [{"type": "FRAG_JOB_REQUEST"}, {"type": "SEND_KILL_JOB"}],
            },
            Seen("ended", "done", "Terminated"),
        ),
        ({"state": "Error"}, Seen("ended", "lost", "Error")),
        (
            {
                "state": "Error",
                "events": [{"type": "HOLD_WAITING_JOB"}, {"type": "RESUME_JOB"}, {"type": "OUTPUT_FILES"}],
            },
            Seen("ended", "lost", "OUTPUT_FILES"),
        ),
        ({"state": "Odd"}, Seen("ended", "lost", "Odd")),
        ({}, Seen("ended", "lost", "no state")),
    ],
)
def test_words_of_oar(job: dict[str, object], seen: Seen) -> None:
    """Why a job waits, as short as it can be told."""
    assert look("oar", [("9", None)], run=scheduler(oarstat=json.dumps({"9": job}))[0]).seen == {("9", None): seen}


def test_rest_of_an_array_that_was_cancelled() -> None:
    """The accounting calls it by the array's number alone; it is about the tasks that have no line of their own."""
    lines = [
        "12901|CANCELLED by 0|0:0|Dependency|t",
        "12901_8|COMPLETED|0:0|None|t",
        "12901_9|CANCELLED by 0|0:0|None|t",
    ]
    seen = slurm([("12901", task) for task in (8, 9, 10, 11)], "", "\n".join(lines)).seen

    cancelled = Seen("ended", "cancelled", "CANCELLED by 0")
    assert seen == {("12901", 8): Seen("ended", "done", "COMPLETED"), **{("12901", n): cancelled for n in (9, 10, 11)}}
    assert slurm([("12901", 10)], "", "12901|COMPLETED|0:0|None|t\n").seen == {}


def test_job_that_oar_started_again() -> None:
    """Killed for another one, it goes on under a new number; who asks for the old one is told of the last one."""
    killed = {"state": "Error", "name": "t", "events": [{"type": "BESTEFFORT_KILL"}, {"type": "FRAG_JOB_REQUEST"}]}
    again = killed | {"resubmit_job_id": 46}
    last = {"state": "Running", "name": "t", "resubmit_job_id": 48}
    run = scheduler(oarstat=json.dumps({"46": killed, "48": again, "51": last}))[0]

    assert look("oar", [("46", None)], run=run).seen == {("46", None): Seen("running", None, "", 2)}
    alone = scheduler(oarstat=json.dumps({"46": killed}))[0]
    assert look("oar", [("46", None)], run=alone).seen == {("46", None): Seen("ended", "killed", "BESTEFFORT_KILL")}


def test_recorded_job_that_oar_started_again() -> None:
    """A besteffort and idempotent job that had to make room."""
    run = scheduler(oarstat=(RECORDED / "oarstat-again.json").read_text())[0]
    assert look("oar", [("83", None)], run=run).seen == {("83", None): Seen("running", None, "", 1)}


@pytest.mark.parametrize("said", ["<html>", "[1]", "slurm is tired", '"x"'])
def test_answer_that_is_none(said: str) -> None:
    """Then nothing was answered, and it is said."""
    assert slurm([("7", 3)], said) == Look(False, "squeue answered with something that is not a list of jobs")
    found = look("oar", [("9", None)], run=scheduler(oarstat=said)[0])
    assert found == Look(False, "oarstat answered with something that is not a list of jobs")


def test_scheduler_that_is_not_there_or_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is waited for with a bound, and its own words are told."""
    fake = FakeSchedulers(tmp_path / "bin", monkeypatch)
    assert look("slurm", [("7", 3)]) == Look(False, "there is no squeue on this machine")
    assert look("oar", [("7", None)]) == Look(False, "there is no oarstat on this machine")
    fake.answers("squeue", err="squeue: error: one\nsqueue: error: two\n", status=1)
    assert look("slurm", [("7", 3)]) == Look(False, "squeue: error: two")
    fake.answers("squeue", sleep=30)
    assert ask(["squeue"], timeout=0.2) == Answer(None, "", "squeue did not answer within 0.2 s")


def test_caller_settings_do_not_leak(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`SQUEUE_FORMAT` and the like would change what is printed."""
    FakeSchedulers(tmp_path / "bin", monkeypatch)
    environ = {"SQUEUE_FORMAT": "%i", "SLURM_CONF": "/etc/other.conf", "SLURM_TIME_FORMAT": "%s", "HOME": "/h"}

    said = ask(["/usr/bin/env"], environ=environ).out.splitlines()
    assert sorted(said) == ["HOME=/h", "LC_ALL=C.UTF-8", "SLURM_CONF=/etc/other.conf"]


@given(st.text(), st.text())
def test_no_text_is_too_odd_for_slurm(queue: str, accounts: str) -> None:
    """Whatever is printed, there is an answer."""
    found = slurm([("7", 3), ("8", None)], queue, accounts)
    assert found.answered or found.said


@given(st.data())
def test_damaged_lines_of_slurm(data: st.DataObject) -> None:
    """Recorded output with characters lost or changed."""
    queue, accounts = (_damaged(data, text) for text in (QUEUE, ACCOUNTS))
    found = slurm([(str(job), task) for job in range(3, 11) for task in (0, 1, None)], queue, accounts)
    assert found.answered or found.said


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["state", "events", "type"]), inner),
)
FIELDS = ("state", "exit_code", "events", "message", "name", "resubmit_job_id", "dependencies")


@given(st.dictionaries(st.sampled_from(["9", "10"]), st.dictionaries(st.sampled_from(FIELDS), JSON) | JSON) | JSON)
def test_no_object_is_too_odd_for_oar(said: object) -> None:
    """Fields of any kind, or none."""
    found = look("oar", [("9", None), ("10", None)], run=scheduler(oarstat=json.dumps(said))[0])
    assert found.answered or found.said


@given(st.data())
def test_damaged_objects_of_oar(data: st.DataObject) -> None:
    """Recorded output with characters lost or changed."""
    found = look("oar", [(str(n), None) for n in range(3, 14)], run=scheduler(oarstat=_damaged(data, OAR))[0])
    assert found.answered or found.said


def _damaged(data: st.DataObject, text: str) -> str:
    for _ in range(data.draw(st.integers(1, 4))):
        at, length = data.draw(st.integers(0, len(text))), data.draw(st.integers(0, 40))
        text = text[:at] + data.draw(st.text(max_size=5)) + text[at + length :]
    return text
