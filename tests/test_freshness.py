"""Why a done run is stale, or is not: with real git and real runs, as `xpc build` and `xpc list` tell it."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

import console
import pytest
from fresh_study import STUDY, TRAIN, Study, masked
from repository import Repo

from xpc.cli.environment_changes import environment_changes


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study all of whose runs are done."""
    study = Study(tmp_path_factory.mktemp("done") / "project")
    study.xpc("submit")
    return study.folder


@pytest.fixture
def study(done: Path, tmp_path: Path) -> Study:
    shutil.copytree(done, tmp_path / "project", symlinks=True)
    return Study.opened(tmp_path / "project")


def test_whole_output_of_a_build_after_a_change(study: Study) -> None:
    """The table, what is stale and why, and what may be done about it."""
    study.write("train.py", TRAIN + "# better\n")
    assert masked(study.xpc("build --dry-run")) == (
        "Snapshot ID: the working tree, 1 file changed since ID.\n"
        "\n"
        "experiment  runs  new  done  stale  failed  each   arrays\n"
        "train          2    0     0      2       0  1 CPU       1\n"
        "evaluate       2    0     2      0       0  1 CPU       1\n"
        "\n"
        "stale: 2 runs of train: train.py changed (OLD → NEW)\n"
        "`xpc submit --rerun stale` runs them again, `xpc accept` keeps them.\n"
        "\n"
        "Nothing to submit.\n"
        "Build ID, not written (dry run)\n"
    )


def test_ids_of_the_contents_are_those_of_git(study: Study) -> None:
    old = study.repo.git("rev-parse", "HEAD:train.py")
    study.write("train.py", TRAIN + "# better\n")
    new = study.repo.git("hash-object", "train.py")
    assert f"train.py changed ({old[:6]} → {new[:6]})" in study.xpc("build --dry-run")


def test_list_has_a_column_why(study: Study) -> None:
    study.write("train.py", TRAIN + "# better\n")
    assert masked(study.xpc("list train")).splitlines() == [
        "id       status  seed  why",
        "ID  done       0  stale: train.py changed (OLD → NEW)",
        "ID  done       1  stale: train.py changed (OLD → NEW)",
        "2 of 2 runs.",
    ]


def test_nothing_changed_and_nothing_is_said(study: Study) -> None:
    assert not any(line.startswith(("stale", "`xpc submit")) for line in study.stale_lines())
    assert "why" not in study.xpc("list")


def test_list_without_a_repository(study: Study) -> None:
    """A list needs no code; then nobody can tell what has changed."""
    study.write("train.py", TRAIN + "# better\n")
    shutil.rmtree(study.folder / ".git")
    assert "why" not in study.xpc("list")
    assert {each["stale"] for each in study.json("list")} == {False}


def test_several_files(study: Study) -> None:
    """One is named, the others are counted: the first that changed or went, or else the first that came."""
    study.write("src/a.py", "1")
    study.write("src/b.py", "2")
    assert study.stale_lines("build train --dry-run")[0] == "stale: 2 runs of train: src/a.py added (ID) and 1 more"
    (study.folder / "train.py").unlink()
    assert study.stale_lines("build train --dry-run")[0] == "stale: 2 runs of train: train.py removed (ID) and 2 more"


def test_figures_in_the_project(tmp_path: Path) -> None:
    """Where new files alone make runs stale, and all files count, it is said what keeps them from counting."""
    study = Study(tmp_path / "project", 'experiment train:\n    run "true"\n')
    study.xpc("submit")
    study.write("curves.svg", "<svg/>")
    study.write("table.tex", "1")
    hint = 'If no run reads the new files, write what counts in the experiment, such as `code "*.py"`.'
    text = study.xpc("build --dry-run")
    assert "stale: 1 run of train: curves.svg added (" in text
    assert hint in text
    study.write("train.py", "changed")
    text = study.xpc("build --dry-run")
    assert "stale: 1 run of train: train.py changed (" in text
    assert hint not in text
    study.write("train.py", TRAIN)
    study.edit("train:\n", 'train:\n    code "*.py"\n')
    assert "stale:" not in study.xpc("build --dry-run")


def test_removed_file(study: Study) -> None:
    (study.folder / "train.py").unlink()
    assert study.stale_lines("build train --dry-run")[0] == "stale: 2 runs of train: train.py removed (ID)"


def test_mode_of_a_file(study: Study) -> None:
    (study.folder / "train.py").chmod(0o755)
    assert study.stale_lines("build train --dry-run")[0] == "stale: 2 runs of train: train.py changed (its mode)"


def test_name_of_a_file_obeys_no_terminal(study: Study) -> None:
    study.write("src/a\x1b[31m\nb.py", "1")
    text = study.xpc("build train --dry-run")
    assert "\x1b" not in text
    assert "stale: 2 runs of train: src/a" in text
    assert "b.py added (" in text.split("stale: ")[1].split("\n")[0]


def test_code_that_does_not_count(study: Study) -> None:
    """`code` says which files a run is made of."""
    study.write("README", "new")
    study.write("evaluate.py", "import sys\nprint(open(sys.argv[1]).read())\n")
    assert study.stale_lines()[0] == "stale: 2 runs of evaluate: evaluate.py changed (OLD → NEW)"


def test_a_narrower_code_line_brings_runs_back(tmp_path: Path) -> None:
    """Whoever says by `code` that less counts need not run again what is stale for the rest alone."""
    study = Study(tmp_path / "project", STUDY.replace('    code "train.py", "src/**"\n', ""))
    study.xpc("submit train")
    study.write("README", "new")
    assert study.stale_lines("build train --dry-run")[0] == "stale: 2 runs of train: README changed (OLD → NEW)"
    study.edit('    output model = "model.txt"\n', '    output model = "model.txt"\n    code "train.py"\n')
    assert study.why("train") == {"train": [None, None]}


def test_command(study: Study) -> None:
    study.edit("train.py {seed}", "train.py  --  {seed}")
    assert study.stale_lines()[0] == "stale: 2 runs of train: command changed"


def test_command_and_code(study: Study) -> None:
    study.edit("train.py {seed}", "train.py {seed + 0}")
    study.write("train.py", TRAIN + "# better\n")
    assert study.stale_lines()[0] == "stale: 2 runs of train: train.py changed (OLD → NEW); command changed"


def test_project_in_a_folder_of_its_repository(tmp_path: Path) -> None:
    """Files are named as one sees them from the Experimentfile; others of the repository count by `root` alone."""
    text = 'project "p" root ".."\n\nexperiment train:\n    run "true"\n'
    repo = Repo(tmp_path / "repo", {"sub/Experimentfile": text, "lib/a.py": "1", "sub/b.py": "1"})
    study = Study.opened(tmp_path / "repo/sub", repo)
    study.xpc("submit")
    repo.write({"lib/a.py": "2"})
    assert study.stale_lines()[0] == "stale: 1 run of train: ../lib/a.py changed (OLD → NEW)"
    repo.write({"lib/a.py": "1", "sub/b.py": "2"})
    assert study.stale_lines()[0] == "stale: 1 run of train: b.py changed (OLD → NEW)"
    repo.write({"sub/Experimentfile": text.replace(' root ".."', ""), "sub/b.py": "1"})
    assert study.stale_lines()[0] == "stale: 1 run of train: code changed"


ENVIRONMENT = """
environment e:
    THREADS = 1
    setup "true"
"""


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("THREADS = 1", "THREADS = 2", "variable THREADS changed"),
        ("THREADS = 1", "THREADS = 1\n    LEVEL = 3", "variable LEVEL added"),
        ('setup "true"', 'setup "export A=1"', "setup changed"),
        ("    THREADS = 1\n", "", "variable THREADS removed"),
        ("THREADS = 1", 'THREADS = 2\n    container "a.sif"', "container added; variable THREADS changed"),
    ],
)
def test_environment(tmp_path: Path, old: str, new: str, why: str) -> None:
    """Said is which part of it, as far as the build of then is still there."""
    text = ENVIRONMENT + STUDY.replace("    grid seeds\n    code", "    grid seeds\n    environment e\n    code")
    study = Study(tmp_path / "project", text)
    study.xpc("submit train")
    study.edit(old, new)
    assert study.stale_lines("build train --dry-run")[0] == f"stale: 2 runs of train: {why}"
    shutil.rmtree(study.folder / ".xpc/builds")
    assert study.stale_lines("build train --dry-run")[0] == "stale: 2 runs of train: environment changed"


def test_setup_of_a_target_is_no_cause(tmp_path: Path) -> None:
    """Where a run runs is not what it is: neither with another target's lines, nor with new ones, is a run stale; and
    where it is stale for something else they are not named."""
    targets = 'target here = local:\n    setup "export PLACE=here"\n\ntarget far = slurm:\n    setup "true"\n'
    text = (
        targets + ENVIRONMENT + STUDY.replace("    grid seeds\n    code", "    grid seeds\n    environment e\n    code")
    )
    study = Study(tmp_path / "project", text)
    study.xpc("submit train --target here")
    study.edit("PLACE=here", "PLACE=there")
    for target in ("here", "far"):
        assert "stale:" not in study.xpc(f"build train --dry-run --target {target}")
    study.edit("THREADS = 1", "THREADS = 2")
    for target in ("here", "far"):
        lines = study.stale_lines(f"build train --dry-run --target {target}")
        assert lines[0] == "stale: 2 runs of train: variable THREADS changed"


def test_program_that_runs_a_container_is_no_cause() -> None:
    """The image and what is mounted count alone, as they do for the fingerprint."""
    box = {"image": ["a.sif"], "runtime": None, "mounts": []}
    then: dict[str, Any] = {"container": box, "setup": [], "variables": {}, "secrets": []}
    other = then | {"container": box | {"runtime": "docker"}}
    assert list(environment_changes(then, other)) == []
    assert list(environment_changes(then, other | {"secrets": ["KEY"]})) == ["secrets changed"]
    mounted = then | {"container": box | {"mounts": [{"path": ["/data"], "at": ["/data"]}]}}
    assert list(environment_changes(then, mounted)) == ["container changed"]


def test_snapshot_that_git_has_lost(study: Study) -> None:
    """Then nobody can name the file."""
    study.write("train.py", TRAIN + "# better\n")
    for journal in study.folder.glob("runs/train/*/run.jsonl"):
        text = journal.read_text()
        tree = json.loads(text.splitlines()[0])["snapshot"]
        journal.write_text(text.replace(tree, "0123456789" * 4))
    study.xpc("list --rescan")
    assert study.stale_lines("build --dry-run")[0] == "stale: 2 runs of train: code changed"


@pytest.mark.parametrize("fingerprint", ['{"code": 3}', "[]", "null", '"x"', '{"code": "a"}'])
def test_record_that_tells_no_fingerprint(study: Study, fingerprint: str) -> None:
    """A record that somebody edited makes its run stale, and no traceback."""
    for journal in study.folder.glob("runs/train/*/run.jsonl"):
        first, *rest = journal.read_text().splitlines()
        claim = {**json.loads(first), "fingerprint": json.loads(fingerprint), "snapshot": 7, "build": ["x"]}
        journal.write_text("\n".join([json.dumps(claim), *rest]) + "\n")
    study.xpc("list --rescan")
    assert study.stale_lines("build --dry-run")[0].startswith("stale: 2 runs of train: ")


# ------------------------------------------------------------------ inputs


def with_inputs(tmp_path: Path, lines: str, above: str = "", files: dict[str, str] | None = None) -> Study:
    text = above + STUDY.replace("    grid seeds\n    code", f"    grid seeds\n{lines}    code")
    study = Study(tmp_path / "project", text, files)
    study.xpc("submit train")
    return study


def test_input_in_the_snapshot(tmp_path: Path) -> None:
    study = with_inputs(tmp_path, '    input data = "data/train.csv"\n', files={"data/train.csv": "1"})
    study.write("data/train.csv", "2")
    assert study.stale_lines("build train --dry-run")[0] == "stale: 2 runs of train: input data/train.csv changed"


def test_input_whose_path_has_a_placeholder(tmp_path: Path) -> None:
    """Every file counts that it may name, and no other."""
    files = {"data/0.csv": "1", "data/1.csv": "1", "data/0.txt": "1"}
    study = with_inputs(tmp_path, '    input data = "data/{seed}.csv"\n', files=files)
    study.write("data/0.txt", "2")
    assert study.why("train") == {"train": [None, None]}
    study.write("data/1.csv", "2")
    assert study.stale_lines("build train --dry-run")[0] == "stale: 2 runs of train: input data/{seed}.csv changed"


def test_input_that_is_a_folder(tmp_path: Path) -> None:
    study = with_inputs(tmp_path, '    input data = "data"\n', files={"data/deep/0.csv": "1"})
    study.write("data/deep/1.csv", "1")
    assert study.stale_lines("build train --dry-run")[0] == "stale: 2 runs of train: input data changed"


@pytest.mark.parametrize("path", ["data/x.csv", "data/{seed == 0}.csv", "data/*[0-9].csv"])
def test_input_in_a_linked_folder(tmp_path: Path, path: str) -> None:
    """What it holds counts, not when it was written; a name with a star is a name."""
    data = tmp_path / "data"
    data.mkdir()
    for name in ("x.csv", "true.csv", "false.csv", "*[0-9].csv", "5.csv"):
        (data / name).write_text("1")
    study = with_inputs(tmp_path, f"    input data = {json.dumps(path)}\n", 'link "../data"\n')
    for name in ("x.csv", "true.csv", "*[0-9].csv"):
        (data / name).write_text("1")
        os.utime(data / name, ns=(1, 1))
    if "{" not in path:
        (data / "5.csv").write_text("changed")
    assert study.why("train") == {"train": [None, None]}
    for name in ("x.csv", "true.csv", "*[0-9].csv"):
        (data / name).write_text("2")
    assert study.stale_lines("build train --dry-run")[0] == f"stale: 2 runs of train: input {path} changed"


def test_linked_file_is_read_once(tmp_path: Path) -> None:
    """Its hash is remembered by its size, time and inode."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "x.csv").write_text("1")
    os.utime(data / "x.csv", (time.time() - 60, time.time() - 60))
    study = with_inputs(tmp_path, '    input data = "data/x.csv"\n', 'link "../data"\n')
    place = study.folder / ".xpc/contents.json"
    kept = json.loads(place.read_text())
    (known,) = kept["files"].values()
    found = (data / "x.csv").stat()
    assert known[:3] == [found.st_size, found.st_mtime_ns, found.st_ino]
    known[3] = "0" * 32  # whoever reads the file again finds another hash
    place.write_text(json.dumps(kept))
    assert study.stale_lines("build train --dry-run")[0] == "stale: 2 runs of train: input data/x.csv changed"
    place.write_text('{"schema": "xpc.contents/1", "files": {"a": [1], "b": null}}')
    assert study.why("train") == {"train": [None, None]}
    place.write_text("\0")
    assert study.why("train") == {"train": [None, None]}


def test_large_linked_file_is_not_read(tmp_path: Path) -> None:
    """Of more than 1 GiB size and time of change stand for the content."""
    data = tmp_path / "data"
    data.mkdir()
    with (data / "x.bin").open("wb") as file:
        file.truncate((1 << 30) + 1)
    began = time.monotonic()
    study = with_inputs(tmp_path, '    input data = "data/x.bin"\n', 'link "../data"\n')
    assert study.why("train") == {"train": [None, None]}
    os.utime(data / "x.bin", ns=(1, 1))
    assert study.stale_lines("build train --dry-run")[0] == "stale: 2 runs of train: input data/x.bin changed"
    assert time.monotonic() - began < 60


def test_input_that_came_or_went(tmp_path: Path) -> None:
    study = with_inputs(tmp_path, '    input data = "a"\n', files={"a": "1", "b": "1"})
    study.edit('input data = "a"', 'input other = "b"')
    assert study.stale_lines("build train --dry-run")[0] == (
        "stale: 2 runs of train: input data removed; input other added"
    )


def test_link_that_came(study: Study, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    study.edit("grid seeds:", 'link "../data"\ngrid seeds:')
    assert study.stale_lines()[0] == "stale: 2 runs of train: linked folders changed"


# ------------------------------------------------------------------ parents


def test_parent_that_was_run_again(study: Study) -> None:
    """Its children read an earlier result; each is told which parent, and one line tells of all."""
    parent = study.ids("train")[0]
    study.xpc("submit train --where 'seed == 0' --force")
    assert study.why("evaluate") == {"evaluate": [f"stale: its parent train {parent[:7]} was run again", None]}
    assert study.stale_lines()[0] == "stale: 1 run of evaluate: a parent in train was run again"
    study.xpc("submit --rerun stale")
    assert study.why() == {"train": [None, None], "evaluate": [None, None]}


def test_parent_that_was_run_again_and_a_record_without_lineage(study: Study) -> None:
    """Records of an earlier xpc tell by their times."""
    for journal in study.folder.glob("runs/evaluate/*/run.jsonl"):
        first, *rest = journal.read_text().splitlines()
        claim = json.loads(first)
        assert len(claim.pop("lineage")) == 16
        journal.write_text("\n".join([json.dumps(claim), *rest]) + "\n")
    study.xpc("list --rescan")
    assert study.why("evaluate") == {"evaluate": [None, None]}
    study.xpc("submit train --where 'seed == 0' --force")
    assert [why is not None for why in study.why("evaluate")["evaluate"]] == [True, False]


def test_parent_that_is_not_done_just_now_makes_nothing_stale(study: Study) -> None:
    shutil.rmtree(study.folder / "runs/train")
    assert study.why("evaluate") == {"evaluate": [None, None]}


def test_json_of_build_and_list(study: Study) -> None:
    study.edit("evaluate.py {", "evaluate.py -- {")
    by_name = {each["name"]: each for each in study.json("build --dry-run")["experiments"]}
    assert by_name["evaluate"] == {
        "name": "evaluate",
        "runs": 2,
        "new": 0,
        "done": 0,
        "stale": 2,
        "failed": 0,
        "why": [{"reason": "command changed", "runs": 2}],
        "again": 0,
    }
    assert by_name["train"]["why"] == []
    assert {each["why"] for each in study.json("list evaluate")} == {"stale: command changed"}


def test_code_that_is_misspelt_is_told(tmp_path: Path) -> None:
    """A name that matches no file would let no change make a run stale: a warning says so, once. Files may come later
    for one of several patterns, but not for all of them."""
    source = tmp_path / "source"
    source.mkdir()
    text = 'experiment one:\n    code {}\n    run "python train.py"\n'
    (source / "Experimentfile").write_text(text.format('"trian.py", "*.py", "src/**"'))
    (source / "train.py").write_text("print(1)\n")
    folder = console.fresh_project(source, tmp_path / "project")
    for command in ("build", "submit"):
        done = console.run(f"xpc {command}", folder)
        assert (done.returncode, done.stderr.count("XP107")) == (0, 1), done.stderr
        assert done.stderr.startswith(
            "warning[XP107]: no file of the snapshot matches `trian.py`, which `code` of `one` names\n"
            "help: what is not named there makes no run stale\n"
        )
    (folder / "Experimentfile").write_text(text.format('"lib/**"'))
    said = console.run("xpc build", folder).stderr
    assert said.startswith("warning[XP107]: no file of the snapshot matches `lib/**`"), said
