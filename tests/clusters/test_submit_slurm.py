"""From a build to jobs on a real SLURM: dependencies, cut submits, refusals, what leaks and what arrives."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable

import pytest
from cluster_project import ClusterProject
from cluster_study import RUNS, WAITING, all_done, environment, intents, lines, study, times_sent, wrap

from xpc.runtime.submissions import cut_submissions

pytestmark = pytest.mark.slurm

Make = Callable[..., ClusterProject]
ODD = 'it\'s "q" $(id) `id` $HOME #c, d\\\n\ttwo lines; é *'


def shown(job: str) -> dict[str, str]:
    """Give the fields of a job, as `scontrol` tells them."""
    said = subprocess.check_output(["scontrol", "-o", "show", "job", job], text=True).splitlines()[0]
    return dict(word.split("=", 1) for word in said.split() if "=" in word)


def jobs(project: ClusterProject) -> list[str]:
    return [line["jobs"][0][0] for line in lines(project) if line["event"] == "result"]


def test_chain_of_three_experiments(make_project: Make) -> None:
    """The whole graph goes in one go: each child after its own parent, the last one after all; nothing stays held."""
    project = make_project("slurm", study("slurm"))
    said = project.xpc("submit", "--target", "here").stdout
    train, evaluate, ensemble = jobs(project)

    assert said.splitlines()[:3] == [
        f"train     4 runs  {train}",
        f"evaluate  4 runs  {evaluate}  each after its train run",
        f"ensemble   1 run  {ensemble}  after all of evaluate",
    ]
    assert said.splitlines()[3].endswith(" s. Nothing stays running here: `xpc status` tells how it goes.")
    project.until(lambda: all_done(project))
    assert [line["event"] for line in lines(project)] == ["submit", *["intent", "result"] * 3, "released", "end"]
    assert set(times_sent(project).values()) == {1}


def test_nothing_of_the_caller_leaks(make_project: Make) -> None:
    """Neither settings of `sbatch` nor the job that a submit is called from; other variables do go along, whole."""
    project = make_project("slurm", study("slurm", points=1))
    leaks = {
        "SBATCH_JOB_NAME": "evil",
        "SBATCH_PARTITION": "nosuch",
        "SBATCH_TIMELIMIT": "99-0",
        "SBATCH_EXPORT": "NONE",
        "SLURM_ARRAY_TASK_ID": "7",
        "SLURM_JOB_ID": "999999",
        "SLURM_EVIL": "1",
        "OAR_JOB_ID": "3",
        "XPC_RUN_ID": "x",
    }
    project.xpc("submit", "--target", "here", environ={**leaks, "ODD": ODD})
    project.until(lambda: all_done(project, dict.fromkeys(RUNS, 1)))
    found = environment(project)

    assert found["ODD"] == ODD
    assert found["SLURM_JOB_NAME"].startswith("xpc-")
    assert (found["SLURM_ARRAY_TASK_ID"], found["SLURM_ARRAY_JOB_ID"]) == ("0", jobs(project)[0])
    assert "SLURM_EVIL" not in found
    assert "OAR_JOB_ID" not in found
    assert found["XPC_RUN_ID"] != "x"


def test_values_arrive_byte_for_byte(make_project: Make) -> None:
    """Quotes, substitutions, newlines, hashes and commas are text."""
    files = study("slurm", points=1)
    files["Experimentfile"] = files["Experimentfile"].replace('"plain"', json.dumps(ODD, ensure_ascii=False))
    project = make_project("slurm", files)
    project.xpc("submit", "train", "--target", "here")
    project.until(lambda: project.status()["train"] == {"done": 1})

    assert next((project.folder / "runs/train").glob("*/files/text.txt")).read_text() == ODD


def test_second_submit_sends_nothing_twice(make_project: Make) -> None:
    """What is queued is left alone, whatever build it was sent with; new points are sent, after what they need."""
    project = make_project("slurm", study("slurm", resources=WAITING["slurm"] + "\n"))
    project.xpc("submit", "--target", "here")
    again = project.xpc("submit", "--target", "here")
    assert again.stderr == "Nothing to run: 9 queued or running.\n"
    assert len(intents(project)) == 3

    project.write(study("slurm", points=6, resources=WAITING["slurm"] + "\n"))
    project.xpc("submit", "train", "evaluate", "--target", "here")
    assert intents(project)[3:] == [("train-1", [[4, 2]]), ("evaluate-1", [[4, 2]])]
    assert set(times_sent(project).values()) == {1}


def test_children_wait_for_what_an_earlier_submit_queued(make_project: Make) -> None:
    """Task for task on the jobs that are there; children of done parents wait for nothing."""
    project = make_project("slurm", study("slurm", train='[ "$1" -lt 2 ] || exec sleep 600; echo 1 > model.txt'))
    project.xpc("submit", "train", "--target", "here")
    (train,) = jobs(project)
    project.until(lambda: project.status()["train"] == {"done": 2, "running": 2})
    said = project.xpc("submit", "evaluate", "--target", "here", "--json")
    calls = json.loads(said.stdout)["calls"]

    assert [(call["array"], call["tasks"], call["after"]) for call in calls] == [
        ("evaluate-1", 2, {"pairs": [], "all": [], "earlier": False}),
        ("evaluate-1", 2, {"pairs": [], "all": [], "earlier": True}),
    ]
    waiting = shown(calls[1]["jobs"][0][0])
    assert waiting["Dependency"].startswith(f"aftercorr:{train}_*")
    project.until(lambda: project.status()["evaluate"] == {"done": 2, "queued": 2})


def test_barrier_on_an_earlier_submit(make_project: Make) -> None:
    """What comes after all waits for the tasks that are still under way, and for them alone."""
    project = make_project("slurm", study("slurm", points=2, resources=WAITING["slurm"] + "\n"))
    project.xpc("submit", "evaluate", "--target", "here")
    _, evaluate = jobs(project)
    project.xpc("submit", "--target", "here")
    last = shown(jobs(project)[-1])["Dependency"]

    assert last.startswith(f"afterok:{evaluate}_")


def test_arrays_are_cut_and_pair_by_index(make_project: Make) -> None:
    """As many calls as the greatest array makes necessary."""
    project = make_project("slurm", study("slurm", points=5, target="    max_array = 2"))
    project.xpc("submit", "--target", "here")

    assert [name for name, _ in intents(project)] == [
        *(f"train-{n}" for n in (1, 2, 3)),
        *(f"evaluate-{n}" for n in (1, 2, 3)),
        "ensemble-1",
    ]
    project.until(lambda: all_done(project, {"train": 5, "evaluate": 5, "ensemble": 1}))


def test_refusal_midway_takes_back_what_was_sent(make_project: Make) -> None:
    """The scheduler's words, the line that asked, and nothing left in the queue."""
    project = make_project("slurm", study("slurm"))
    text = (project.folder / "Experimentfile").read_text()
    long = text.replace("after train\n    resources small", "after train\n    resources long")
    project.write({"Experimentfile": long + "\nresources long:\n    time = 40h\n"})
    done = project.xpc("submit", "--target", "here", check=False)

    assert done.returncode == 3
    assert done.stdout == ""
    assert done.stderr == (
        "error[XS004]: SLURM refused array `evaluate-1`: "
        "Requested time limit is invalid (missing or exceeds some limit)\n"
        "  --> Experimentfile:36:12\n"
        "   |\n"
        "36 |     time = 40h\n"
        "   |            ^^^ asked here; partition `cpu` allows 1 d\n"
        "Cancelled what this submit had sent (1 array). Nothing of it is queued.\n"
    )
    (train,) = jobs(project)
    assert shown(train)["JobState"] == "CANCELLED"
    assert [line["event"] for line in lines(project)][-3:] == ["refused", "cancelled", "end"]
    assert project.status() == {"train": {"planned": 4}, "evaluate": {"planned": 4}, "ensemble": {"planned": 1}}

    project.write({"Experimentfile": text})
    project.xpc("submit", "--target", "here")
    project.until(lambda: all_done(project))


@pytest.mark.parametrize(
    ("target", "place", "words"),
    [
        ('    partition = "nosuch"', "partition", "Invalid partition name specified"),
        ('    account = "nosuch"', "account", "Invalid account or account/partition combination specified"),
        ('    slurm.constraint = "nosuch"', "constraint", "Invalid feature specification"),
        ('    qos = "nosuch"', "qos", "Invalid qos specification"),
    ],
)
def test_refusals_show_the_line_that_asked(make_project: Make, target: str, place: str, words: str) -> None:
    """Of the target, too."""
    project = make_project("slurm", study("slurm", target=target))
    done = project.xpc("submit", "--target", "here", check=False)

    assert done.returncode == 3
    assert words in done.stderr
    line = next(
        number
        for number, text in enumerate(study("slurm", target=target)["Experimentfile"].split("\n"), 1)
        if place in text
    )
    assert f"--> Experimentfile:{line}:" in done.stderr
    assert done.stderr.endswith("Nothing was queued.\n")


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("call", [1, 2, 3])
def test_cut_submit_is_completed_by_the_next(make_project: Make, call: int, when: str) -> None:
    """Killed hard beside any call of `sbatch`: no run is sent twice, none is forgotten, nothing stays held."""
    project = make_project("slurm", study("slurm"))
    cut(project, "sbatch", call, when)
    assert [found.submission.ended for found in cut_submissions(project.folder)] == [False]

    project.xpc("submit", "--target", "here", timeout=420)
    assert cut_submissions(project.folder) == []
    assert set(times_sent(project).values()) == {1}
    assert len(times_sent(project)) == 9
    project.until(lambda: all_done(project))


def test_cut_before_the_release(make_project: Make) -> None:
    """All was sent and is held: the next submit sends nothing, and lets it go."""
    project = make_project("slurm", study("slurm"))
    cut(project, "scontrol", 1, "before")
    again = project.xpc("submit", "--target", "here")

    assert again.stderr == (
        "Nothing to run: 9 queued or running.\nCompleted a submit that was cut: what it had queued goes on.\n"
    )
    project.until(lambda: all_done(project))


def test_cut_submit_is_completed_from_another_build(make_project: Make) -> None:
    """A point more in the Experimentfile: only that one is new."""
    project = make_project("slurm", study("slurm"))
    cut(project, "sbatch", 2, "after")
    project.write(study("slurm", points=5))
    project.xpc("submit", "--target", "here", timeout=420)

    assert set(times_sent(project).values()) == {1}
    project.until(lambda: all_done(project, {"train": 5, "evaluate": 5, "ensemble": 1}))


def test_cut_submit_of_another_host(make_project: Make) -> None:
    """A second login node takes the lock over once nobody touched it for three leases."""
    project = make_project("slurm", study("slurm"))
    cut(project, "sbatch", 2, "after")
    for path in [project.folder / ".xpc/submit.lock", *(project.folder / ".xpc/submissions").glob("*.jsonl")]:
        first, newline, rest = path.read_text().partition("\n")
        path.write_text(json.dumps({**json.loads(first), "host": "login2", "boot": "b"}) + newline + rest)
    done = project.xpc("submit", "--target", "here", timeout=420)

    assert "on login2" in done.stderr
    assert set(times_sent(project).values()) == {1}
    assert len(times_sent(project)) == 9
    project.until(lambda: all_done(project))


def test_nothing_is_guessed_while_the_scheduler_is_silent(make_project: Make) -> None:
    """After a cut nothing is sent before it is known what became of the open call."""
    project = make_project("slurm", study("slurm"))
    cut(project, "sbatch", 2, "after")
    before = len(intents(project))
    silent = wrap(project, "squeue", "echo 'slurm_load_jobs error: Unable to contact slurm controller' >&2; exit 1")
    done = project.xpc("submit", "--target", "here", environ=silent, check=False)

    assert done.returncode == 3
    assert (
        "error[XS005]: SLURM does not answer: slurm_load_jobs error: Unable to contact slurm controller" in done.stderr
    )
    assert len(intents(project)) == before
    project.xpc("submit", "--target", "here", timeout=420)
    assert set(times_sent(project).values()) == {1}


def test_call_without_a_clear_answer_is_looked_up(make_project: Make) -> None:
    """`sbatch` may give up waiting for an answer although its job was taken."""
    project = make_project("slurm", study("slurm"))
    script = '"$real" "$@" > /dev/null; echo "sbatch: error: Socket timed out on send/recv operation" >&2; exit 1'
    project.xpc("submit", "--target", "here", environ=wrap(project, "sbatch", script))

    assert set(times_sent(project).values()) == {1}
    project.until(lambda: all_done(project))


def test_site_that_prints_more_than_the_id(make_project: Make) -> None:
    """The id is the last line, with or without the cluster's name."""
    project = make_project("slurm", study("slurm", points=1))
    script = 'echo "Welcome to cluster 42"; id=$("$real" "$@") && echo "$id;loop"'
    project.xpc("submit", "train", "--target", "here", environ=wrap(project, "sbatch", script))

    project.until(lambda: project.status()["train"] == {"done": 1})


def test_cancel_takes_back_runs_and_what_comes_after(make_project: Make) -> None:
    """Running ones end, queued ones go, their children are not run; the next submit sends all of these again."""
    project = make_project(
        "slurm", study("slurm", train='[ -e ../../../../go ] || exec sleep 600; echo "$1" > model.txt')
    )
    project.xpc("submit", "--target", "here")
    project.until(lambda: project.status()["train"] == {"running": 4})
    done = project.xpc("cancel", "--where", "n < 2 and experiment == 'train'")

    assert done.stdout == "train  2 runs  2 running\nCancelled. `xpc submit` sends them again.\n"
    wanted = {
        "train": {"cancelled": 2, "running": 2},
        "evaluate": {"queued": 2, "skipped": 2},
        "ensemble": {"queued": 1},  # SLURM gives it up once nothing of its parents is under way
    }
    project.until(lambda: project.status() == wanted)
    project.write({"go": ""})
    assert "\nTo submit: 5 runs in 3 arrays" in project.xpc("build", "--dry-run", "--target", "here").stdout
    again = project.xpc("submit", "--target", "here")
    assert again.stderr.endswith("Cancelled 1 queued task first, to send it again.\n")
    assert intents(project)[3:] == [("train-1", [[0, 2]]), ("evaluate-1", [[0, 2]]), ("ensemble-1", [[0, 1]])]
    running = [run for run, number in times_sent(project).items() if run[0] == "train" and number == 1]
    assert len(running) == 4
    project.until(lambda: project.status()["evaluate"] == {"done": 2, "queued": 2})
    project.xpc("cancel", "--all")
    project.until(lambda: not any({"queued", "running"} & counts.keys() for counts in project.status().values()))
    project.xpc("submit", "--target", "here")
    project.until(lambda: all_done(project))


def test_cancel_needs_no_accounting(make_project: Make) -> None:
    """Tasks that never began are cancelled by our own word."""
    project = make_project("slurm", study("slurm", resources=WAITING["slurm"] + "\n"))
    project.xpc("submit", "train", "--target", "here")
    project.xpc("cancel", "--all")
    blind = wrap(project, "sacct", "exit 1") | wrap(project, "squeue", "exit 1")
    found = json.loads(project.xpc("status", "--json", environ=blind).stdout)["experiments"]

    assert found["train"] == {"cancelled": 4}


def test_retry_sends_parents_and_children_together(make_project: Make) -> None:
    """Queued children of what failed are cancelled first: a dependency that has failed never recovers."""
    project = make_project(
        "slurm", study("slurm", train='[ -e "$XPC_PROJECT/go" ] || [ "$1" != 1 ] || exit 3; echo "$1" > model.txt')
    )
    project.xpc("submit", "--target", "here")
    wanted = {"train": {"done": 3, "failed": 1}, "evaluate": {"done": 3, "skipped": 1}, "ensemble": {"skipped": 1}}
    project.until(lambda: project.status() == wanted)
    project.write({"go": ""})
    again = project.xpc("retry")

    assert [line.split("  ")[0] for line in again.stdout.splitlines()[:-1]] == ["train", "evaluate", "ensemble"]
    assert intents(project)[3:] == [("train-1", [[1, 1]]), ("evaluate-1", [[1, 1]]), ("ensemble-1", [[0, 1]])]
    project.until(lambda: all_done(project))


def test_retry_asks_for_what_that_attempt_needs(make_project: Make) -> None:
    """Memory that grows with the attempt: the task asked for more itself once, and the retry asks for the third."""
    files = study("slurm", points=2, train='[ "$1" != 1 ] || exit 3')
    files["Experimentfile"] = files["Experimentfile"].replace("memory = 100MiB", "memory = 128MiB * attempt")
    files["Experimentfile"] = files["Experimentfile"].replace("    output model", "    retries 1\n    output model")
    project = make_project("slurm", files)
    project.xpc("submit", "train", "--target", "here")
    project.until(lambda: project.status()["train"] == {"failed": 2})
    project.xpc("retry")

    assert shown(jobs(project)[1])["MinMemoryNode"] == "384M"


def cut(project: ClusterProject, command: str, call: int, when: str) -> None:
    """Submit, and be killed hard before or after that call of a command."""
    kill = 'kill -9 "$PPID"'
    script = f"""
echo x >> "$count"
if [ "$(wc -l < "$count")" = {call} ]; then
    {"" if when == "before" else '"$real" "$@"'}
    {kill}
    exit 1
fi
exec "$real" "$@"
"""
    done = project.xpc("submit", "--target", "here", environ=wrap(project, command, script), check=False)
    assert done.returncode != 0
