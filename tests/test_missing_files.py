"""Files that a study names and that its runs will not find are told before anything runs; nothing else is."""

from __future__ import annotations

from pathlib import Path

import console
import pytest
from repository import Repo

from xpc.cli.missing_files import warn_of_missing_files
from xpc.cli.session import Session
from xpc.grammar.render import render

FILES = {"train.py": "", "evaluate.py": "", "src/prepare.py": "", "tool.sh": "", "data/x.csv": "a\n1\n"}


def found(folder: Path, text: str, style: str = "concise") -> list[str]:
    """Give the warnings of missing files in *folder*, which gets the Experimentfile."""
    (folder / "Experimentfile").write_text(text)
    session = Session(folder)
    session.check()
    warn_of_missing_files(session)
    return render(session.diagnostics.sorted(), style, color=False).splitlines()  # type: ignore[arg-type]


def ran(folder: Path, run: str, lines: str = "") -> list[str]:
    """Give the warnings for one run text, without what comes before each message."""
    Repo(folder, FILES)
    body = "".join(f"    {line}\n" for line in lines.splitlines())
    text = f'experiment train:\n    run """\n        {run}\n    """\n{body}'
    return [line.partition("warning[XP112]: ")[2] for line in found(folder, text)]


def test_check_tells_each_slip(tmp_path: Path) -> None:
    """A script, an input and a link that are not there, with the names that were meant: the whole output."""
    Repo(tmp_path / "shared" / "..", {})
    (tmp_path / "pictures").mkdir()
    folder = tmp_path / "project"
    Repo(folder, FILES)
    (folder / "Experimentfile").write_text(
        """link "../picturs" as pictures

experiment train:
    run "python -u evalaute.py --data {input.x}"
    input x = "dta/x.csv"
"""
    )

    done = console.run("xpc check", folder)

    assert done.returncode == 0
    assert done.stdout == (
        "warning[XP112]: `../picturs` is linked, and there is no such file\n"
        " --> Experimentfile:1:1\n"
        "  |\n"
        '1 | link "../picturs" as pictures\n'
        "  | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ not there\n"
        "  |\n"
        "help: did you mean `../pictures`?\n"
        "\n"
        "warning[XP112]: `train` runs `evalaute.py`, and there is no such file\n"
        " --> Experimentfile:4:20\n"
        "  |\n"
        '4 |     run "python -u evalaute.py --data {input.x}"\n'
        "  |                    ^^^^^^^^^^^ not there\n"
        "  |\n"
        "help: did you mean `evaluate.py`?\n"
        "\n"
        "warning[XP112]: input `x` is `dta/x.csv`, and there is no such file\n"
        " --> Experimentfile:5:15\n"
        "  |\n"
        '5 |     input x = "dta/x.csv"\n'
        "  |               ^^^^^^^^^^^ not there\n"
        "  |\n"
        "help: did you mean `data/x.csv`?\n"
        "Experimentfile: 1 experiment, 1 run. 3 warnings.\n"
    )


def test_build_and_submit_tell_what_git_ignores(tmp_path: Path) -> None:
    """A file that is there and ignored is told as that, with both cures, and the run says nothing new."""
    Repo(tmp_path, {".gitignore": "data/\n", "train.py": "open('data/x.csv')\n"})
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "x.csv").write_text("1\n")
    (tmp_path / "Experimentfile").write_text(
        'experiment train:\n    run "python train.py"\n    input x = "data/x.csv"\n'
    )
    told = (
        "warning[XP112]: `data/x.csv` is ignored by git, so it is not in the snapshot\n"
        " --> Experimentfile:3:15\n"
        "  |\n"
        '3 |     input x = "data/x.csv"\n'
        "  |               ^^^^^^^^^^^^ runs do not see it\n"
        "  |\n"
        'help: let runs see its folder: `link "data"`; or add it to git: `git add -f data/x.csv`\n'
    )

    assert console.run("xpc build --dry-run", tmp_path).stderr == told
    assert console.run("xpc submit", tmp_path).stderr.startswith(told)

    Repo(tmp_path).git("add", "-f", "data/x.csv")
    assert console.run("xpc build --dry-run", tmp_path).stderr == ""


@pytest.mark.parametrize(
    ("run", "missing", "near"),
    [
        ("python trian.py {run.id}", "trian.py", "train.py"),
        ("A=1 python3.11 -W ignore -u trian.py", "trian.py", "train.py"),
        ("python prepare.py | tee log", "prepare.py", "src/prepare.py"),
        ("set -e; export B=2; uv run trian.py", "trian.py", "train.py"),
        ("uv run python trian.py", "trian.py", "train.py"),
        ("srun python 'trian.py' > out 2>&1", "trian.py", "train.py"),
        ("./tol.sh 3", "tol.sh", "tool.sh"),
        ("bash -eu src/../tol.sh", "tol.sh", "tool.sh"),
        ("python train.py && python evalaute.py", "evalaute.py", "evaluate.py"),
        ("torchrun --nproc_per_node=2 trian.py", "trian.py", "train.py"),
        ("accelerate launch trian.py", "trian.py", "train.py"),
        ("python scr/prepare.py", "scr/prepare.py", "src/prepare.py"),
    ],
)
def test_script_that_is_not_there(run: str, missing: str, near: str, tmp_path: Path) -> None:
    """A misspelt script is told, with the name that was meant."""
    assert ran(tmp_path, run) == [f"`train` runs `{missing}`, and there is no such file"]
    assert f"help: did you mean `{near}`?" in found(tmp_path, (tmp_path / "Experimentfile").read_text(), "full")


@pytest.mark.parametrize(
    "run",
    [
        "python train.py",
        "python -m trian.py",
        "python -c trian.py",
        "python {run.dir}/trian.py",
        "python /opt/trian.py",
        "python $HOME/trian.py",
        "python ~/trian.py",
        "cd src && python trian.py",
        "git clone url . && python trian.py",
        "echo 'print(1)' > trian.py && python trian.py",
        "cat > trian.py <<EOF\n        x\n        EOF\n        python trian.py",
        "if true; then python trian.py; fi",
        "(cd src; python trian.py)",
        "x=$(pwd) python trian.py",
        "conda run -n x python trian.py",
        "python --unknown-option trian.py",
        "torchrun --nproc_per_node 2 trian.py",
        "./build/simulate {run.id}",
        "program trian.py",
        "python # trian.py",
        "python *.py",
    ],
)
def test_what_is_not_certain_is_not_told(run: str, tmp_path: Path) -> None:
    """Another folder, files that the text makes, programs with options of their own: not a word."""
    assert ran(tmp_path, run) == []


@pytest.mark.parametrize(
    ("setup", "told"),
    [
        ("cd src", 0),
        ("cp templates/t.py trian.py", 0),
        ("source enter.sh", 0),
        ("source .venv/bin/activate", 1),
        ("module load cuda", 1),
    ],
)
def test_setup_may_lead_elsewhere(setup: str, told: int, tmp_path: Path) -> None:
    """After a setup line that may go elsewhere or bring files, nothing is certain."""
    Repo(tmp_path, FILES)
    text = f'environment e:\n    setup "{setup}"\n\nexperiment t:\n    environment e\n    run "python trian.py"\n'

    assert len(found(tmp_path, text)) == told


def test_what_runs_make_is_not_looked_for(tmp_path: Path) -> None:
    """Outputs, also those with placeholders, writable folders, records, links and paths with placeholders are left
    alone."""
    Repo(tmp_path / "p", FILES)
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "y.csv").write_text("")
    text = """
link "../far" as near
link "/not/on/this/machine" as cluster

experiment train:
    seed = 3
    run "python train.py {seed}"
    output model = "model-{seed}.pt"
    writable "cache"

experiment evaluate:
    after train
    run "python near/y.py {input.a} {input.b} {input.c} {input.d} {input.e} {input.f}"
    input a = "model-3.pt"
    input b = "cache/tokens.bin"
    input c = "near/y.csv"
    input d = "cluster/z.csv"
    input e = "data/{seed}.csv"
    input f = "runs/train/model.pt"
"""
    assert found(tmp_path / "p", text) == [
        "Experimentfile:13:17: warning[XP112]: `evaluate` runs `near/y.py`, and there is no such file"
    ]


def test_untracked_and_linked_files_are_there(tmp_path: Path) -> None:
    """What git does not know yet is in the snapshot; what is ignored and linked, runs see."""
    Repo(tmp_path, {".gitignore": "data/\n*.tmp\n"})
    for name in ("new.py", "data/x.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    text = 'link "data"\n\nexperiment t:\n    run "python new.py"\n    input x = "data/x.csv"\n'

    assert found(tmp_path, text) == []


def test_program_that_is_ignored(tmp_path: Path) -> None:
    """What is compiled and ignored is not in the snapshot, whatever its name; in the live project it is seen."""
    Repo(tmp_path, {".gitignore": "/build\n"})
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "simulate").write_text("")
    text = 'experiment t:\n    run "./build/simulate"\n'

    assert found(tmp_path, text) == [
        "Experimentfile:2:10: warning[XP112]: `build/simulate` is ignored by git, so it is not in the snapshot"
    ]
    assert found(tmp_path, text + "    workdir project\n") == []


def test_folder_without_git(tmp_path: Path) -> None:
    """Where there is no repository, only what is not on disk is told."""
    (tmp_path / ".gitignore").write_text("*.py\n")
    (tmp_path / "train.py").write_text("")

    assert found(tmp_path, 'experiment t:\n    run "python train.py"\n') == []
