"""``xpc build`` for clusters as a user meets it: what it says, and that it needs no scheduler for it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import console
import pytest

from xpc.runtime.submissions import SubmissionWriter

STUDY = """\
target far = slurm:
    partition = "gpu"
    max_array = 100

target still = far:
    requeue = false

grid sweep:
    lr in [0.1, 0.01]
    seed in range(60)

resources small:
    cpus = 2
    memory = 4GiB * attempt
    time = 10min

resources growing(small):
    time = 10min * attempt

experiment train:
    grid sweep
    resources small
    retries 1
    run "python train.py {lr} {seed}"

experiment slow:
    after train
    resources growing
    retries 2
    run "python slow.py"

experiment evaluate:
    after all train by lr
    run "python evaluate.py {lr}"

experiment many:
    grid sweep
    resources small
    pack 20
    run "python many.py {seed} {lr}"
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    source = tmp_path / "source"
    source.mkdir()
    (source / "Experimentfile").write_text(STUDY)
    return console.fresh_project(source, tmp_path / "project")


def said(project: Path, *words: str, status: int = 0) -> str:
    """Type `xpc build` where there is no scheduler; give what it prints, both streams."""
    environ = {
        "PATH": f"{Path(sys.executable).parent}:{only_git(project.parent)}",
        "HOME": str(project),
        "NO_COLOR": "1",
    }
    done = subprocess.run(
        [sys.executable, "-m", "xpc", "build", *words],
        cwd=project,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def only_git(folder: Path) -> Path:
    """Give a folder for PATH with git, and neither sbatch nor oarsub."""
    import shutil

    bin = folder / "bin"
    bin.mkdir(exist_ok=True)
    for name in ("git",):
        found = shutil.which(name)
        assert found is not None
        if not (bin / name).exists():
            (bin / name).symlink_to(found)
    return bin


def table(text: str) -> list[str]:
    lines = text.splitlines()
    return lines[2 : lines.index("", 2)]


def test_summary(project: Path) -> None:
    """Runs, what a task asks for, arrays; what cannot go by itself is said."""
    text = said(project, "--target", "far")

    assert table(text) == [
        "experiment  runs  new  done  stale  failed  each                                  arrays",
        "train        120  120     0      0       0  2 CPU, 4 GiB, 10 min                       2",
        "slow         120  120     0      0       0  2 CPU, 4 GiB, 10 min                       2",
        "evaluate       2    2     0      0       0  1 CPU                                      2",
        "many         120  120     0      0       0  2 CPU, 4 GiB, 3 h 20 min for 20 runs       1",
    ]
    assert "To submit: 362 runs in 7 arrays; at most " in text
    assert text.count("note:") == 1
    assert (
        "note: retries of `slow` wait for the next `xpc submit`: SLURM lets no user raise the time limit of a job.\n"
        in text
    )


def test_queued_runs_that_have_not_begun_are_not_new(project: Path) -> None:
    """They have no record yet; a submit leaves them alone, and so they are not to be submitted."""
    said(project, "--target", "far")
    (build,) = (project / ".xpc/builds").iterdir()
    writer = SubmissionWriter(project, build.name, "far", "slurm")
    writer.intent(1, "many-1", "xpc-1-1", range(6), 1)
    writer.result(1, [("99999999", 6)])
    writer.released()
    writer.end()
    text = said(project, "--target", "far", "--dry-run")

    assert table(text)[0].split()[:7] == ["experiment", "runs", "new", "done", "stale", "failed", "queued"]
    assert table(text)[4].split()[:7] == ["many", "120", "0", "0", "0", "0", "120"]
    assert "To submit: 242 runs in 6 arrays; at most " in text


def test_notes_of_targets(project: Path) -> None:
    """Where tasks may not go back to the queue, and where OAR has no word for something, it is said once."""
    still = [line for line in said(project, "--target", "still", "--dry-run").splitlines() if line.startswith("note")]
    oar = [line for line in said(project, "--target", "oar", "--dry-run").splitlines() if line.startswith("note")]

    assert still == [
        f"note: retries of `{name}` wait for the next `xpc submit`: target `still` says `requeue = false`."
        for name in ("train", "slow")
    ]
    assert oar == [
        *(
            f"note: retries of `{name}` wait for the next `xpc submit`: OAR starts no failed job again."
            for name in ("train", "slow")
        ),
        "note: OAR gives memory with the cores: `memory` is not asked for.",
    ]


@pytest.mark.parametrize(
    ("grows", "more", "reason"),
    [
        ("memory = 1GiB * attempt", "", None),
        ("memory = 1GiB * attempt", "pack 20", "a task of several runs keeps its request"),
        ("cpus = 2 * attempt", "pack 20", "a task of SLURM can't ask for other cpus"),
        ("gpus = attempt", "", "a task of SLURM can't ask for other gpus"),
        ("time = 1h * attempt", "pack 20", "SLURM lets no user raise the time limit of a job"),
        ("memory = 1GiB", "pack 20", None),
    ],
)
def test_retries_that_slurm_leaves_to_the_next_submit(project: Path, grows: str, more: str, reason: str | None) -> None:
    """What a task can't ask for itself when it starts again is said before anything is sent."""
    text = f"""\
target far = slurm:
    lease = 30s
grid sweep:
    seed in range(40)
resources r:
    {grows}
experiment train:
    grid sweep
    resources r
    retries 1
    {more}
    run "python train.py {{seed}}"
"""
    (project / "Experimentfile").write_text(text)
    notes = [line for line in said(project, "--target", "far", "--dry-run").splitlines() if line.startswith("note")]

    assert notes == ([] if reason is None else [f"note: retries of `train` wait for the next `xpc submit`: {reason}."])


def test_dry_run_shows_the_very_scripts(project: Path) -> None:
    """`--dry-run -v` prints byte for byte what a build writes, and writes nothing."""
    shown = said(project, "--target", "far", "--dry-run", "-v")
    assert not (project / ".xpc/builds").exists()
    said(project, "--target", "far")
    (folder,) = (project / ".xpc/builds").iterdir()

    for path in (folder / "submit.sh", *(folder / "arrays").iterdir()):
        assert f"\n--- {path.relative_to(folder)}\n{path.read_text()}" in shown


def test_json(project: Path) -> None:
    """Machines get the arrays with their tasks, what they come after, and their scripts."""
    found = json.loads(said(project, "--target", "far", "--json"))
    arrays = {array["name"]: array for array in found["arrays"]}

    assert arrays["slow-2"] | {"resources": None} == {
        "name": "slow-2",
        "experiment": "slow",
        "runs": 20,
        "tasks": 20,
        "resources": None,
        "after": ["train-2"],
        "pairwise": ["train-2"],
        "throttle": None,
        "script": f".xpc/builds/{found['build']}/arrays/slow-2.sbatch",
    }
    assert (arrays["many-1"]["runs"], arrays["many-1"]["tasks"]) == (120, 6)


def test_asking_where_there_is_no_scheduler(project: Path) -> None:
    """It is said, with status 3; on this machine there is none to be asked."""
    assert said(project, "--target", "far", "--ask-scheduler", status=3) == (
        "SLURM can't be asked: there is no sbatch on this machine\n"
    )
    assert said(project, "--target", "oar", "--ask-scheduler", status=3) == (
        "OAR can't be asked: there is no oarnodes on this machine\n"
    )
    assert said(project, "--ask-scheduler", status=2) == (
        "error: this machine has no scheduler to ask\nhelp: name a target: `--target NAME`\n"
    )
    assert not (project / ".xpc/builds").exists()
