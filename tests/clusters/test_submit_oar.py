"""From a build to jobs on a real OAR: dependencies, cut submits, refusals, secrets, what leaks and what arrives."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from cluster_project import ClusterProject
from cluster_study import RUNS, all_done, environment, intents, lines, study, times_sent, wrap

from xpc.runtime.submissions import cut_submissions

pytestmark = pytest.mark.oar

Make = Callable[..., ClusterProject]
VALUE = "s3cr3t, 'x'"
ODD = 'it\'s "q" $(id) `id` $HOME #c, d\\\n\ttwo lines; é *'


def shown(token: str) -> list[dict[str, Any]]:
    """Give what OAR knows of the jobs of a call, in the order of their ids."""
    said = subprocess.check_output(["oarstat", "-f", "-J", "--sql", f"job_name = '{token}'"], text=True)
    found = json.loads(said).values() if said.strip() else []
    return sorted(found, key=lambda job: int(job["Job_Id"]))


def tokens(project: ClusterProject, array: str) -> list[str]:
    return [line["token"] for line in lines(project) if line["event"] == "intent" and line["array"] == array]


def test_chain_of_three_experiments(make_project: Make) -> None:
    """The roots are one array; each child is sent after its own parent, the last one after all."""
    project = make_project("oar", study("oar"))
    said = project.xpc("submit", "--target", "here").stdout.splitlines()

    assert [line.split()[0] for line in said[:3]] == ["train", "evaluate", "ensemble"]
    assert said[1].endswith("  each after its train run")
    assert said[2].endswith("  after all of evaluate")
    assert [array for array, _ in intents(project)] == ["train-1", *["evaluate-1"] * 4, "ensemble-1"]
    project.until(lambda: all_done(project), timeout=420)
    assert set(times_sent(project).values()) == {1}


def test_nothing_of_the_caller_leaks(make_project: Make) -> None:
    """OAR passes no environment at all; its own variables are those of the job."""
    project = make_project("oar", study("oar", points=1))
    leaks = {"OAR_JOB_ID": "3", "OAR_JOB_NAME": "evil", "SLURM_JOB_ID": "7", "XPC_RUN_ID": "x", "OTHER": "1"}
    project.xpc("submit", "train", "--target", "here", environ=leaks)
    project.until(lambda: project.status()["train"] == {"done": 1})
    found = environment(project)

    assert found["OAR_JOB_NAME"] == tokens(project, "train-1")[0]
    assert found["OAR_JOB_ID"] != "3"
    assert found["XPC_RUN_ID"] != "x"
    assert not {"SLURM_JOB_ID", "OTHER"} & set(found)


def test_values_arrive_byte_for_byte(make_project: Make) -> None:
    """Quotes, substitutions, newlines, hashes and commas are text; so is the name of the project's folder."""
    files = study("oar", points=1)
    files["Experimentfile"] = files["Experimentfile"].replace('"plain"', json.dumps(ODD, ensure_ascii=False))
    project = make_project("oar", files, name='a=b, $HOME `id` "q"')
    project.xpc("submit", "train", "--target", "here")
    project.until(lambda: project.status()["train"] == {"done": 1})

    assert next((project.folder / "runs/train").glob("*/files/text.txt")).read_text() == ODD


def test_folder_that_oar_can_not_enter(make_project: Make) -> None:
    """Said before anything is sent; all jobs would fail."""
    project = make_project("oar", study("oar"), name="ada's")
    done = project.xpc("submit", "--target", "here", check=False)

    assert done.returncode == 1
    assert done.stderr == (
        f"error[XS007]: OAR can't run jobs in `{project.folder}`: its name has \"'\"\nhelp: rename the folder\n"
    )
    assert lines(project) == []


def test_secret_reaches_the_program_and_no_record(make_project: Make) -> None:
    """In a file that nobody else can read, gone with the next submit after its jobs have ended."""
    files = study("oar", points=1)
    text = files["Experimentfile"].replace("    output model", "    environment private\n    output model")
    files["Experimentfile"] = text + "\nenvironment private:\n    secret KEY\n"
    project = make_project("oar", files)
    refused = project.xpc("submit", "train", "--target", "here", check=False)
    assert refused.returncode == 1
    assert refused.stderr.startswith("error[XS006]: experiment `train` needs the secret `KEY`, and it is not set\n")

    project.xpc("submit", "train", "--target", "here", environ={"KEY": VALUE})
    (path,) = (project.folder / ".xpc/secrets").glob("*/*")
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    project.until(lambda: project.status()["train"] == {"done": 1})
    assert environment(project)["KEY"] == VALUE

    project.xpc("submit", "train", "--target", "here", environ={"KEY": VALUE})
    assert not path.exists()
    found = subprocess.run(["grep", "-rl", "s3cr3t", str(project.folder)], capture_output=True, text=True, check=False)
    assert [name for name in found.stdout.splitlines() if not name.endswith("files/environment")] == []


def test_second_submit_sends_nothing_twice(make_project: Make) -> None:
    """What is queued or runs is left alone, and what comes after it waits for it."""
    project = make_project(
        "oar", study("oar", points=3, train='[ -e "$XPC_PROJECT/go" ] || sleep 20; echo 1 > model.txt')
    )
    project.xpc("submit", "train", "--target", "here")
    again = project.xpc("submit", "train", "--target", "here")
    assert again.stderr == "Nothing to run: 3 queued or running.\n"

    project.xpc("submit", "--target", "here")
    assert [array for array, _ in intents(project)] == ["train-1", *["evaluate-1"] * 3, "ensemble-1"]
    trains = [job["Job_Id"] for job in shown(tokens(project, "train-1")[0])]
    waits = [shown(token)[0]["dependencies"] for token in tokens(project, "evaluate-1")]
    assert [[int(id) for id in ids] for ids in waits] == [[id] for id in trains]
    project.until(lambda: all_done(project, {"train": 3, "evaluate": 3, "ensemble": 1}), timeout=420)
    assert set(times_sent(project).values()) == {1}


def test_refusal_midway_takes_back_what_was_sent(make_project: Make) -> None:
    """OAR's words, the line that asked, and nothing left that would run."""
    project = make_project("oar", study("oar", points=2, train="sleep 60"))
    text = (project.folder / "Experimentfile").read_text()
    great = text.replace("after train\n    resources small", "after train\n    resources great")
    project.write({"Experimentfile": great + "\nresources great:\n    cpus = 64\n    time = 5min\n"})
    done = project.xpc("submit", "--target", "here", check=False)

    assert done.returncode == 3
    assert done.stderr.startswith(
        "error[XS004]: OAR refused array `evaluate-1`: There are not enough resources for your request\n"
        "  --> Experimentfile:36:12\n"
    )
    assert "verify your request syntax" not in done.stderr
    assert done.stderr.endswith("Cancelled what this submit had sent (1 array). Nothing of it is queued.\n")
    project.until(lambda: all(job["state"] == "Error" for job in shown(tokens(project, "train-1")[0])))


def test_queue_that_there_is_not(make_project: Make) -> None:
    """The line of the target."""
    project = make_project("oar", study("oar", target='    queue = "nosuch"'))
    done = project.xpc("submit", "--target", "here", check=False)

    assert done.returncode == 3
    assert "The queue nosuch does not exist" in done.stderr
    assert "  --> Experimentfile:33:13\n" in done.stderr
    assert done.stderr.endswith("Nothing was queued.\n")


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("call", [1, 3])
def test_cut_submit_is_completed_by_the_next(make_project: Make, call: int, when: str) -> None:
    """Killed hard beside a call of `oarsub`: no run is sent twice, none is forgotten."""
    project = make_project("oar", study("oar", points=2))
    script = f"""
echo x >> "$count"
if [ "$(wc -l < "$count")" = {call} ]; then
    {"" if when == "before" else '"$real" "$@"'}
    kill -9 "$PPID"
    exit 1
fi
exec "$real" "$@"
"""
    assert project.xpc("submit", "--target", "here", environ=wrap(project, "oarsub", script), check=False).returncode
    assert len(cut_submissions(project.folder)) == 1

    project.xpc("submit", "--target", "here", timeout=420)
    assert cut_submissions(project.folder) == []
    project.until(lambda: all_done(project, {"train": 2, "evaluate": 2, "ensemble": 1}), timeout=420)
    assert set(times_sent(project).values()) == {1}


def test_great_array_goes_in_parts_after_its_parents(make_project: Make) -> None:
    """More than fifty pairs: fifty at a time, each part after the parents of its own tasks."""
    project = make_project("oar", study("oar", points=60, train="echo 1 > model.txt"))
    project.xpc("submit", "evaluate", "--target", "here")

    assert intents(project) == [("train-1", [[0, 60]]), ("evaluate-1", [[0, 50]]), ("evaluate-1", [[50, 10]])]
    trains = [job["Job_Id"] for job in shown(tokens(project, "train-1")[0])]
    last = shown(tokens(project, "evaluate-1")[1])
    for job in last:
        assert {int(id) for id in job["dependencies"]} <= set(trains[50:])
    project.until(lambda: project.status()["evaluate"] == {"done": 60}, timeout=300)


def test_cancel_takes_back_runs_and_what_comes_after(make_project: Make) -> None:
    """Children are deleted first: their parents' end would set them going."""
    project = make_project(
        "oar", study("oar", points=2, train='[ -e "$XPC_PROJECT/go" ] || exec sleep 600; echo 1 > model.txt')
    )
    project.xpc("submit", "--target", "here")
    project.until(lambda: project.status()["train"] == {"running": 2})
    done = project.xpc("cancel", "--where", "n == 0 and experiment == 'train'")

    assert done.stdout == (
        "train  1 run  1 running\n"
        "Cancelled. 2 runs that come after them: cancelled, too. `xpc submit` sends them again.\n"
    )
    project.until(lambda: project.status()["train"] == {"cancelled": 1, "running": 1})
    project.write({"go": ""})
    project.xpc("cancel", "--all")
    project.until(lambda: "running" not in project.status()["train"])  # OAR takes a while to end a job
    project.until(lambda: project.xpc("submit", "--target", "here", check=False).returncode == 0)
    project.until(lambda: all_done(project, {"train": 2, "evaluate": 2, "ensemble": 1}), timeout=420)


def test_retry_sends_parents_and_children_together(make_project: Make) -> None:
    """To where they were last sent."""
    project = make_project(
        "oar",
        study("oar", points=2, train='[ -e "$XPC_PROJECT/go" ] || [ "$1" != 1 ] || exit 3; echo "$1" > model.txt'),
    )
    project.xpc("submit", "--target", "here")
    wanted = {"train": {"done": 1, "failed": 1}, "evaluate": {"done": 1, "skipped": 1}, "ensemble": {"skipped": 1}}
    project.until(lambda: project.status() == wanted, timeout=240)
    project.write({"go": ""})
    project.xpc("retry")

    assert [array for array, _ in intents(project)][-3:] == ["train-1", "evaluate-1", "ensemble-1"]
    project.until(lambda: all_done(project, {"train": 2, "evaluate": 2, "ensemble": 1}), timeout=420)
    assert RUNS.keys() == project.status().keys()
