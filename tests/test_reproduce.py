"""`xpc reproduce`: a run once more from its own code, and what is said of what differs."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import console
import pytest
from test_containers import IMAGE, podman

STUDY = """\
grid sweep:
    lr in [0.5, 0.25]

experiment train:
    grid sweep
    run "python train.py {lr} {output.model}"
    output model = "model.json"
    metric acc maximize from stdout matching "acc=([0-9.]+)"

experiment score:
    after train
    run "python score.py {train.model} {output.table}"
    output table = "table.csv"
"""
TRAIN = """\
import json, sys

import xpc

rate = float(sys.argv[1])
for step in range(3):
    xpc.log(step=step, loss=rate / (step + 1))
json.dump({"weights": [rate * 3, 1.0]}, open(sys.argv[2], "w"))
print(f"acc={rate / 2}")
"""
SCORE = """\
import json, sys

weights = json.load(open(sys.argv[1]))["weights"]
open(sys.argv[2], "w").write(f"sum,{sum(weights)}\\n")
"""


def project(tmp_path: Path, study: str = STUDY, **files: str) -> Path:
    """Give a project whose runs are all done."""
    source = tmp_path / "source"
    source.mkdir()
    texts = {"train.py": TRAIN, "score.py": SCORE} | {name.replace("__", "."): text for name, text in files.items()}
    for name, text in {"Experimentfile": study, **texts}.items():
        (source / name).write_text(text)
    folder = console.fresh_project(source, tmp_path / "project")
    done = console.run("xpc submit", folder)
    assert done.returncode == 0, done.stderr
    return folder


def ids(folder: Path, experiment: str = "train") -> list[str]:
    rows = json.loads(console.run("xpc list --json", folder).stdout)
    return [row["id"] for row in rows if row["experiment"] == experiment]


def snapshot_of(folder: Path) -> dict[str, bytes]:
    """Give all files below a folder with their content."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def reproduce(folder: Path, arguments: str) -> tuple[int, dict[str, Any]]:
    said = console.run(f"xpc reproduce {arguments} --json", folder)
    assert said.stdout, said.stderr
    return said.returncode, json.loads(said.stdout)


def test_the_same(tmp_path: Path) -> None:
    """Nothing differs, though code and Experimentfile have changed since; the original is as it was."""
    folder = project(tmp_path)
    run = ids(folder)[0]
    before = snapshot_of(folder / "runs")
    (folder / "train.py").write_text("raise SystemExit('other code')\n")
    (folder / "Experimentfile").write_text("nonsense\n")

    said = console.run(f"xpc reproduce {run[:7]}", folder)

    assert said.returncode == 0, said.stderr
    lines = said.stdout.splitlines()
    tree = json.loads(next((folder / ".xpc/builds").glob("*/plan.json")).read_text())["snapshot"]["tree"]
    assert lines[:6] == [
        f"Reproduced: train {run[:7]} is the same in 2 metrics and 1 output.",
        "",
        f"run         {run} of train",
        f"code        snapshot {tree[:7]}, exported anew: 3 files, equal",
        "            the export that it ran from: 3 files, equal",
        f"folder      .xpc/reproductions/{run}-1/runs/train/{run}",
    ]
    assert lines[7:10] == [
        "state       done   the same",
        "metrics     acc    0.25                  the same, 1 value",
        "            loss   0.16666666666666666   the same, 3 values",
    ]
    assert lines[10].startswith("outputs     model   ")
    assert lines[10].endswith("   the same")
    assert lines[11:] == ["environment the same"]
    assert not list((folder / ".xpc/reproductions").glob("*/.xpc/snapshots/[0-9a-f]*"))
    assert snapshot_of(folder / "runs") == before


def test_parents_are_read_as_they_were(tmp_path: Path) -> None:
    """A run after another reads that one's files; what was set aside since is found, and said."""
    folder = project(tmp_path)
    run = ids(folder, "score")[0]
    assert reproduce(folder, run)[0] == 0
    (folder / "train.py").write_text(TRAIN.replace("rate * 3", "rate * 4"))
    again = console.run("xpc submit --rerun stale --where 'lr == 0.5'", folder)
    assert again.returncode == 0, again.stderr

    earlier = next((folder / "runs/score").glob("*.v1")).name if list((folder / "runs/score").glob("*.v1")) else run
    status, said = reproduce(folder, earlier)

    assert (status, said["outputs"]["table"]["verdict"]) == (0, "equal"), said
    assert [note for note in said["notes"] if "was run again since" in note and ".v1 is used" in note]

    # Clocks of two hosts need not agree: which attempt was read stands in the claim.
    [parent] = (folder / "runs/train").glob("*.v1/run.jsonl")
    parent.write_text(parent.read_text().replace('"time":"20', '"time":"21'))
    status, said = reproduce(folder, earlier)
    assert (status, said["outputs"]["table"]["verdict"]) == (0, "equal"), said
    assert [note for note in said["notes"] if ".v1 is used" in note]


def test_what_depends_on_the_clock_differs(tmp_path: Path) -> None:
    """Which metric and which output differ, and how far apart; a pattern leaves them out."""
    study = STUDY.split("experiment score")[0] + '    metric seconds from stdout matching "took=([0-9.]+)"\n'
    folder = project(tmp_path, study, train__py=TRAIN + "import time\nprint(f'took={time.time()}')\n")
    run = ids(folder)[0]

    status, said = reproduce(folder, run)
    assert (status, said["reproduced"]) == (1, False)
    assert {name: metric["equal"] for name, metric in said["metrics"].items()} == {
        "acc": True, "loss": True, "seconds": False,
    }  # fmt: skip
    assert said["metrics"]["seconds"]["differing"] == 1
    assert said["outputs"]["model"]["verdict"] == "equal"
    text = console.run(f"xpc reproduce {run} --compare", folder)
    assert text.returncode == 1
    assert text.stdout.startswith(f"Not reproduced: of train {run[:7]} differs seconds.\n")
    only = console.run(f"xpc reproduce {run} --compare --metrics '!seconds'", folder)
    assert only.returncode == 0, only.stdout


def test_numbers_within_a_tolerance(tmp_path: Path) -> None:
    """Numbers in texts and metrics may be near; without a tolerance they have to be equal."""
    noisy = TRAIN.replace("rate = ", "import time\nnoise = time.time_ns() % 10**9 / 10**18\nrate = noise + ")
    folder = project(tmp_path, STUDY.split("experiment score")[0], train__py=noisy)
    run = ids(folder)[0]

    status, said = reproduce(folder, run)
    assert (status, said["outputs"]["model"]["verdict"]) == (1, "differs")
    assert "number" in said["outputs"]["model"]["detail"]
    status, said = reproduce(folder, f"{run} --compare --tolerance 1e-6")
    assert (status, said["outputs"]["model"]["verdict"]) == (0, "close"), said


def test_a_failure_is_reproduced_too(tmp_path: Path) -> None:
    """A run that failed alike is the same; what is gone is said with the exit status 1."""
    source = tmp_path / "source"
    source.mkdir()
    (source / "Experimentfile").write_text('experiment train:\n    run "python train.py"\n')
    (source / "train.py").write_text("raise SystemExit(3)\n")
    folder = console.fresh_project(source, tmp_path / "project")
    console.run("xpc submit", folder)
    run = ids(folder)[0]

    status, said = reproduce(folder, run)
    assert (status, said["state"], said["exit"]) == (0, {"a": "failed", "b": "failed"}, {"a": 3, "b": 3})
    typed = console.run(f"xpc reproduce {run}", folder)
    assert typed.stderr.splitlines()[-1].startswith("1 failed in "), typed.stderr  # `xpc retry` is about the study
    build = next((folder / ".xpc/builds").glob("*"))
    shutil.move(build, tmp_path / "build")
    gone = console.run(f"xpc reproduce {run}", folder)
    assert gone.returncode == 1
    assert gone.stderr == (
        f"error[XR021]: run `train {run[:7]}` can't be reproduced: its build {build.name[:7]} is gone\n"
        "help: without its build nobody knows what it executed; `xpc show` tells what its record still says\n"
    )
    shutil.move(tmp_path / "build", build)
    subprocess.run(["rm", "-rf", str(folder / ".git")], check=True)
    gone = console.run(f"xpc reproduce {run}", folder)
    assert (gone.returncode, "no git repository" in gone.stderr) == (1, True), gone.stderr
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    gone = console.run(f"xpc reproduce {run}", folder)
    assert (gone.returncode, "error[XR023]" in gone.stderr) == (1, True), gone.stderr
    assert not list((folder / ".xpc/reproductions").glob("*-3"))


def test_an_export_that_was_written_to_is_told(tmp_path: Path) -> None:
    """The run's code comes from git all the same; `xpc doctor` tells it, too."""
    folder = project(tmp_path)
    run = ids(folder)[0]
    tree = next((folder / ".xpc/snapshots").glob("*.json")).stem
    file = folder / ".xpc/snapshots" / tree / "train.py"
    file.chmod(0o644)
    file.write_text(file.read_text().replace("rate * 3", "rate * 5"))
    file.parent.chmod(0o755)
    (file.parent / "new.py").write_text("")

    status, said = reproduce(folder, run)

    assert status == 0
    assert said["code"]["before"] == "3 files, and 2 differ: train.py changed, new.py added"
    assert [note for note in said["notes"] if "is not as it was made" in note]
    doctor = console.run("xpc doctor --no-jobs", folder)
    assert doctor.returncode == 1
    assert f"  ✗ bad   {tree[:7]}  3 files, and 2 differ: train.py changed, new.py added\n" in doctor.stdout


def test_another_package_is_told(tmp_path: Path) -> None:
    """What differs in the environment stands below what differs in the results."""
    packages = tmp_path / "packages"
    shown = packages / "shown-1.0.dist-info"
    shown.mkdir(parents=True)
    (shown / "METADATA").write_text("Metadata-Version: 2.1\nName: shown\nVersion: 1.0\n")
    os.environ["PYTHONPATH"] = str(packages)
    try:
        folder = project(tmp_path)
        run = ids(folder)[0]
        shown.rename(packages / "shown-2.0.dist-info")
        (packages / "shown-2.0.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: shown\nVersion: 2.0\n")
        said = console.run(f"OMP_NUM_THREADS=3 xpc reproduce {run}", folder)
    finally:
        del os.environ["PYTHONPATH"]

    assert said.returncode == 0, said.stderr
    assert said.stdout.splitlines()[-2:] == [
        "environment package shown              1.0 → 2.0",
        "            variable OMP_NUM_THREADS   — → 3",
    ]
    two = console.run(f"xpc show {run}", folder).stdout
    assert "\nran in\n  python     " in two


@pytest.mark.parametrize("mode", ["copy", "snapshot", "project"])
def test_other_working_directories(tmp_path: Path, mode: str) -> None:
    """Copies, the snapshot itself, and the live project, which is made of the snapshot here."""
    study = f"""\
experiment train:
    workdir {mode}
    run "python train.py 0.5 {{output.model}}"
    output model = "m.json"
"""
    folder = project(tmp_path, study)
    run = ids(folder)[0]
    (folder / "train.py").write_text("raise SystemExit(1)\n")

    status, said = reproduce(folder, run)

    assert (status, said["outputs"]["model"]["verdict"]) == (0, "equal"), said
    uncertain = [note for note in said["notes"] if "live project" in note]
    assert bool(uncertain) == (mode == "project")


def test_links_lead_where_they_led(tmp_path: Path) -> None:
    """Also one that leads out of the project; it is said that nobody knows what was there then."""
    study = """\
link "data"
link "../shared"

experiment train:
    run "cat data/a shared/b > {output.both}"
    output both = "both"
"""
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared/b").write_text("b\n")
    source = tmp_path / "source"
    (source / "data").mkdir(parents=True)
    (source / "data/a").write_text("a\n")
    (source / "Experimentfile").write_text(study)
    (source / ".gitignore").write_text("data/\n")
    folder = console.fresh_project(source, tmp_path / "project")
    done = console.run("xpc submit", folder)
    assert done.returncode == 0, done.stderr

    status, said = reproduce(folder, ids(folder)[0])

    assert (status, said["outputs"]["both"]["verdict"]) == (0, "equal"), said
    assert (folder / said["folder"] / "files/both").read_text() == "a\nb\n"
    assert said["notes"] == ["what is in `data` is as it is now", "what is in `../shared` is as it is now"]


@podman
def test_in_a_container(tmp_path: Path) -> None:
    """With a parent's file and a linked folder; the image's digest stands for what is in it."""
    study = f"""\
link "data"

environment box:
    container "{IMAGE}"

experiment first:
    environment box
    run "busybox cp data/a {{output.file}}"
    output file = "file"

experiment second:
    environment box
    after first
    run "busybox cp {{first.file}} {{output.both}}"
    output both = "both"
"""
    source = tmp_path / "source"
    (source / "data").mkdir(parents=True)
    (source / "data/a").write_text("a\n")
    (source / "Experimentfile").write_text(study)
    (source / ".gitignore").write_text("data/\n")
    folder = console.fresh_project(source, tmp_path / "project")
    done = console.run("xpc submit", folder)
    assert done.returncode == 0, done.stderr

    for experiment in ("first", "second"):
        status, said = reproduce(folder, ids(folder, experiment)[0])
        assert (status, said["environment"], len(said["outputs"])) == (0, [], 1), said
    shown = json.loads(console.run(f"xpc show --json {ids(folder, 'second')[0]}", folder).stdout)
    container = shown["environment"]["container"]
    assert (container["runtime"], container["image"], shown["environment"]["python"]) == ("podman", IMAGE, None)
    assert len(container["id"]) == len("sha256:") + 64


def test_renamed_runs_are_found(tmp_path: Path) -> None:
    """A run whose key has another name since, and one after it: they are run under the names that they had."""
    folder = project(tmp_path)
    (folder / "Experimentfile").write_text(STUDY.replace("lr", "rate"))
    done = console.run("xpc accept --rename lr=rate --yes", folder)
    assert done.returncode == 0, done.stdout + done.stderr

    for experiment, output in (("train", "model"), ("score", "table")):
        status, said = reproduce(folder, ids(folder, experiment)[0])
        assert (status, said["outputs"][output]["verdict"]) == (0, "equal"), said


def test_packed_runs(tmp_path: Path) -> None:
    """A run in a pack has no folder, and neither has its parent."""
    study = """\
experiment first:
    run "python first.py"

experiment second:
    after first
    run "python second.py {first.runs}"
"""
    first = "import xpc\nfor step in range(4):\n    xpc.log(step=step, loss=1 / (step + 1))\n"
    second = "import json, sys, xpc\n[line] = open(sys.argv[1])\nxpc.log(size=len(json.loads(line)['id']))\n"
    folder = project(tmp_path, study, first__py=first, second__py=second)
    packed = console.run("xpc gc --pack --yes", folder)
    assert packed.returncode == 0, packed.stderr
    assert not [path for path in (folder / "runs").glob("*/*") if path.name != "packs"]

    for experiment, metric in (("first", "loss"), ("second", "size")):
        status, said = reproduce(folder, ids(folder, experiment)[0])
        assert (status, said["metrics"][metric]["exact"]) == (0, True), said


def test_an_attempt_that_was_done_counts(tmp_path: Path) -> None:
    """With the request of that attempt; which attempt it is a program can tell."""
    study = """\
resources growing:
    memory = 128MiB * attempt

experiment train:
    resources growing
    retries 2
    run "python train.py"
"""
    script = "import os\n\nimport xpc\n\nxpc.log(n=1)\nraise SystemExit(os.environ['XPC_ATTEMPT'] == '1')\n"
    folder = project(tmp_path, study, train__py=script)
    run = ids(folder)[0]

    status, said = reproduce(folder, run)

    assert said["attempt"] == 2
    assert [note for note in said["notes"] if "here it is run as a first one" in note]
    journal = [json.loads(line) for line in (folder / said["folder"] / "run.jsonl").read_text().splitlines()]
    assert journal[1]["request"]["memory"] == 256 << 20
    assert (status, said["state"]["b"]) == (1, "failed")


def test_it_can_be_interrupted(tmp_path: Path) -> None:
    """Then it is not reproduced; the original is as it was, and the next one is another."""
    study = 'experiment train:\n    run "python train.py"\n'
    slow, begun = tmp_path / "slow", tmp_path / "begun"
    program = (
        "import os, pathlib, time, xpc\n"
        "xpc.log(a=1)\n"
        f"if os.path.exists({str(slow)!r}):\n"
        f"    pathlib.Path({str(begun)!r}).touch()\n"
        "    time.sleep(60)\n"
    )
    folder = project(tmp_path, study, train__py=program)
    run = ids(folder)[0]
    slow.touch()
    command = [sys.executable, "-m", "xpc", "reproduce", run]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as typed:
        deadline = time.monotonic() + 60
        while not begun.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        typed.send_signal(signal.SIGINT)
        out, said = typed.communicate(timeout=60)

    assert (typed.returncode, out) == (130, "")
    assert said.endswith("\nNot reproduced: it was stopped, and nothing is compared.\n"), said
    assert "xpc submit" not in said
    assert not list((folder / ".xpc/reproductions").glob("*/.xpc/snapshots/[0-9a-f]*"))
    slow.unlink()
    status, again = reproduce(folder, run)
    assert (status, again["reproduced"]) == (0, True), again


def test_setup_lines_of_targets(tmp_path: Path) -> None:
    """Those of the run's own target belong to that one alone; those of its environment are always run."""
    study = """\
environment own:
    setup "export OWN=kept"

experiment train:
    environment own
    run "echo $OWN $PLACE > {output.words}"
    output words = "words"

target one = local:
    setup "export PLACE=one"

target two = local:
    setup "export PLACE=two"
"""
    source = tmp_path / "source"
    source.mkdir()
    (source / "Experimentfile").write_text(study)
    folder = console.fresh_project(source, tmp_path / "project")
    done = console.run("xpc submit --target one", folder)
    assert done.returncode == 0, done.stderr
    run = ids(folder)[0]

    words = []
    for target in ("local", "one", "two"):
        said = reproduce(folder, f"{run} --target {target}")[1]
        words.append((folder / said["folder"] / "files/words").read_text())

    assert words == ["kept one\n", "kept one\n", "kept two\n"]


def test_what_there_is_not_to_compare_is_refused(tmp_path: Path) -> None:
    """A result that was removed, a misspelt metric and a distance that is none: nothing runs, nothing is 'the same'."""
    folder = project(tmp_path, STUDY.split("experiment score")[0])
    run = ids(folder)[0][:7]
    forced = console.run(f"xpc submit --force --where 'id == \"{ids(folder)[0]}\"'", folder)
    assert forced.returncode == 0, forced.stderr
    for arguments, status, said in (
        (
            f"{run}.v2",
            1,
            (
                f"error[XR001]: run `train {run}` has no earlier result `.v2`\n"
                f"help: there is `{run}.v1`; `xpc show {run}` tells what there is\n"
            ),
        ),
        (
            f"{run} --metrics akk",
            1,
            f"error: run `train {run}` has no metric that `akk` names\nhelp: it has `acc`, `loss`\n",
        ),
        (f"{run} --tolerance nan", 2, "Error: Invalid value for '--tolerance': nan is no number that others can be"),
        (f"{run} --tolerance inf", 2, "Error: Invalid value for '--tolerance': inf is no number that others can be"),
    ):
        done = console.run(f"xpc reproduce {arguments}", folder)
        assert (done.returncode, done.stdout) == (status, ""), done.stderr
        assert said in done.stderr, done.stderr
    assert not (folder / ".xpc/reproductions").exists()
    nothing = console.run(f"xpc reproduce {run}.v1 --metrics '!*'", folder)
    assert nothing.stdout.startswith(f"Reproduced: train {run} is the same in 1 output.\n"), nothing.stderr
    shutil.rmtree(next((folder / "runs/train").glob("*.v1")))
    gone = console.run(f"xpc reproduce {run}.v1", folder)
    assert gone.stderr == (
        f"error[XR001]: run `train {run}` has no earlier result `.v1`\n"
        f"help: no result of it was set aside, or all are removed; `xpc show {run}` tells what there is\n"
    )
