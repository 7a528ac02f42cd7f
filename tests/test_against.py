"""`xpc build --against REV`, in real repositories: what a change of the study does to its runs."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import console
import pytest
from repository import Repo

STUDY = """\
config base:
    optimizer.lr = 0.1
    seed = 0

grid sweep:
    optimizer.lr in [0.1, 0.01]
    seed in range(2)

resources small:
    cpus = 2
    time = 30min

experiment train:
    config base
    grid sweep
    resources small
    run "python train.py {optimizer.lr} {seed}"

experiment test:
    after train
    resources small
    run "python test.py {seed}"
"""
FILES = {"Experimentfile": STUDY, "train.py": "print(1)\n", "test.py": "print(2)\n"}


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo(tmp_path / "project", FILES)


def against(repo: Repo, *words: str, folder: str = ".", status: int = 0) -> str:
    """Give what the command prints, with ids of commits and runs made alike."""
    done = console.run(f"xpc build --against {' '.join(words)}", repo.path / folder)
    assert (done.returncode, done.stderr if status == 0 else "") == (status, ""), done.stderr
    return (done.stdout if status == 0 else done.stderr).replace(repo.git("rev-parse", "HEAD")[:7], "HEAD")


def as_json(repo: Repo, *words: str, folder: str = ".") -> dict[str, Any]:
    done = console.run(f"xpc build --against {' '.join(words)} --format json", repo.path / folder)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def edit(repo: Repo, *pairs: tuple[str, str], name: str = "Experimentfile") -> None:
    text = (repo.path / name).read_text()
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    (repo.path / name).write_text(text)


# ------------------------------------------------------------------ texts


def test_nothing_changed(repo: Repo) -> None:
    """Two equal states differ in nothing, and nothing but objects of git is written."""
    before = repo.state()

    assert against(repo, "main") == (
        "From main (HEAD) to commit HEAD, nothing changed since: nothing differs.\n"
        "\n"
        "All runs together, at most: 8 core-hours, 40 files.\n"
    )
    assert repo.state() == before
    assert not (repo.path / ".xpc/builds").exists()
    assert not (repo.path / ".xpc/snapshots").exists()


def test_a_value_more_on_an_axis(repo: Repo) -> None:
    """What an axis gained and lost is said in words, once, and what it costs."""
    edit(repo, ("[0.1, 0.01]", "[0.1, 0.001, 0.003]"))

    assert against(repo, "main") == (
        "From main (HEAD) to the working tree, 1 file changed since HEAD: 8 runs added, 4 runs dropped.\n"
        "\n"
        "experiment   runs  added  dropped  altered  same  core-hours\n"
        "train       4 → 6      4        2        0     2  4 → 6 (+2)\n"
        "test        4 → 6      4        2        0     2  4 → 6 (+2)\n"
        "\n"
        "train:\n"
        "  optimizer.lr  + 0.001, 0.003   − 0.01\n"
        "\n"
        "All runs together, at most: 8 → 12 (+4) core-hours, 40 → 60 (+20) files.\n"
    )


def test_an_added_key_is_said_with_the_line_that_keeps_the_runs(repo: Repo) -> None:
    """All runs are new because a config has grown: whoever reviews this has to know, and how to mend it."""
    edit(repo, ("    seed = 0\n", '    seed = 0\n    norm = "none"\n'))

    assert against(repo, "main", "train", "-v") == (
        "From main (HEAD) to the working tree, 1 file changed since HEAD: 4 runs added, 4 runs dropped.\n"
        "\n"
        "experiment  runs  added  dropped  altered  same  core-hours\n"
        "train          4      4        4        0     0           4\n"
        "\n"
        "train:\n"
        '  norm  a new key, "none"\n'
        "  + f26dca9  optimizer.lr=0.1 seed=0\n"
        "  + 73741be  optimizer.lr=0.1 seed=1\n"
        "  + eb90b06  optimizer.lr=0.01 seed=0\n"
        "  + 1c26293  optimizer.lr=0.01 seed=1\n"
        "  − 5100331  optimizer.lr=0.1 seed=0\n"
        "  − 99682d7  optimizer.lr=0.1 seed=1\n"
        "  − 3f15bc3  optimizer.lr=0.01 seed=0\n"
        "  − 6ff5803  optimizer.lr=0.01 seed=1\n"
        "\n"
        'note: 4 runs of `train` are new only because `norm = "none"` was added: '
        '`ignore norm == "none"` in the experiment keeps them.\n'
        "All runs together, at most: 4 core-hours, 20 files.\n"
    )


def test_what_alters_runs_that_stay(repo: Repo) -> None:
    """Command, environment, inputs, request: each is told apart, and how many done runs it makes stale."""
    (repo.path / "data.csv").write_text("1\n")
    edit(repo, ('    run "python train.py', '    input data = "data.csv"\n    run "python train.py'))
    repo.commit()
    assert console.run("xpc submit train", repo.path).returncode == 0
    edit(
        repo,
        ("python train.py {optimizer.lr}", "python train.py --lr {optimizer.lr}"),
        ('    run "python test.py', '    environment threads\n    run "python test.py'),
        ("experiment test:", 'environment threads:\n    THREADS = "2"\n\nexperiment test:'),
        ("    cpus = 2", "    cpus = 4 if seed == 1 else 2"),
    )
    (repo.path / "data.csv").write_text("2\n")

    assert against(repo, "main") == (
        "From main (HEAD) to the working tree, 2 files changed since HEAD: 8 runs altered.\n"
        "\n"
        "experiment  runs  added  dropped  altered  same  core-hours\n"
        "train          4      0        0        4     0  4 → 6 (+2)\n"
        "test           4      0        0        4     0  4 → 6 (+2)\n"
        "\n"
        "train:\n"
        '  command  "python train.py {optimizer.lr} {seed}" → "python train.py --lr {optimizer.lr} {seed}"\n'
        "  inputs   data.csv changed\n"
        "  code     data.csv changed\n"
        "  stale    4 done runs will be stale: command, inputs and code changed\n"
        "  request  2 CPU, 30 min → 4 CPU, 30 min (2 runs)\n"
        "  arrays   1 → 2\n"
        "\n"
        "test:\n"
        "  environment  changed\n"
        "  code         data.csv changed\n"
        "  request      2 CPU, 30 min → 4 CPU, 30 min (2 runs)\n"
        "  arrays       1 → 2\n"
        "\n"
        "All runs together, at most: 8 → 12 (+4) core-hours, 40 files.\n"
    )


def test_code_that_only_one_experiment_counts(repo: Repo) -> None:
    """`code` limits what makes runs stale, here too; files that come and go are told apart."""
    edit(repo, ('    run "python train.py', '    code "train.py", "lib/*"\n    run "python train.py'))
    repo.write({"lib/old.py": "1", "lib/same.py": "2"})
    repo.commit()
    assert console.run("xpc submit train", repo.path).returncode == 0
    repo.write({"lib/new.py": "3", "test.py": "print(3)\n", "train.py": "print(4)\n"})
    (repo.path / "lib/old.py").unlink()
    found = {change["name"]: change for change in as_json(repo, "main")["experiments"]}

    assert "train:\n  code   train.py changed; lib/new.py added; lib/old.py removed\n" in against(repo, "main")
    assert found["train"]["code"] == {
        "differs": True,
        "added": ["lib/new.py"],
        "changed": ["train.py"],
        "dropped": ["lib/old.py"],
    }
    assert len(found["train"]["stale"]) == 4
    assert found["train"]["altered"] == []


def test_experiments_that_come_and_go(repo: Repo) -> None:
    """A new experiment and one that is gone; of both it is said how many runs are done."""
    assert console.run("xpc submit", repo.path).returncode == 0
    text = STUDY.replace("experiment test:", "experiment verify:")
    (repo.path / "Experimentfile").write_text(text)
    assert console.run("xpc submit verify --where 'seed == 0'", repo.path).returncode == 0

    assert against(repo, "main") == (
        "From main (HEAD) to the working tree, 1 file changed since HEAD: 4 runs added, 4 runs dropped.\n"
        "\n"
        "experiment   runs  added  dropped  altered  same  core-hours\n"
        "verify      0 → 4      4        0        0     0  0 → 4 (+4)\n"
        "test        4 → 0      0        4        0     0  4 → 0 (−4)\n"
        "\n"
        "verify:\n"
        "  new  4 runs, 2 of 4 are done already\n"
        "\n"
        "test:\n"
        "  gone  4 runs, all 4 are done; their records stay\n"
        "\n"
        "All runs together, at most: 8 core-hours, 40 files.\n"
    )


def test_a_condition_chooses_the_runs(repo: Repo) -> None:
    """`--where` and names narrow both sides."""
    edit(repo, ("[0.1, 0.01]", "[0.1, 0.001]"))
    found = as_json(repo, "main", "train", "--where", "'seed == 0'")

    assert [(change["name"], change["runs"]) for change in found["experiments"]] == [("train", {"before": 2, "now": 2})]
    assert found["runs"] == {"before": 2, "now": 2, "added": 1, "dropped": 1, "altered": 0}


# ------------------------------------------------------------------ markdown


def test_markdown_for_a_pull_request(repo: Repo) -> None:
    """The comment has a marker, a table, the facts, and the run lines folded away."""
    edit(repo, ("[0.1, 0.01]", "[0.1]"), ("cpus = 2", "cpus = 1"))

    assert against(repo, "main", "--format markdown") == (
        "<!-- xpc build --against -->\n"
        "### What this changes in the runs\n"
        "\n"
        "4 runs dropped, 4 runs altered, against <code>main (HEAD)</code>.\n"
        "\n"
        "| experiment | runs | added | dropped | altered | same | core-hours |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |\n"
        "| <code>train</code> | 4 → 2 | 0 | 2 | 2 | 0 | 4 → 1 (−3) |\n"
        "| <code>test</code> | 4 → 2 | 0 | 2 | 2 | 0 | 4 → 1 (−3) |\n"
        "\n"
        "**<code>train</code>**\n"
        "\n"
        "- <code>optimizer.lr</code>: <code>− 0.01</code>\n"
        "- request: 2 CPU, 30 min → 1 CPU, 30 min (2 runs)\n"
        "\n"
        "<details>\n"
        "<summary>4 runs</summary>\n"
        "\n"
        "<pre>\n"
        "− 3f15bc3  optimizer.lr=0.01 seed=0\n"
        "− 6ff5803  optimizer.lr=0.01 seed=1\n"
        "~ 5100331  seed=0\n"
        "~ 99682d7  seed=1\n"
        "</pre>\n"
        "\n"
        "</details>\n"
        "\n"
        "**<code>test</code>**\n"
        "\n"
        "- request: 2 CPU, 30 min → 1 CPU, 30 min (2 runs)\n"
        "\n"
        "<details>\n"
        "<summary>4 runs</summary>\n"
        "\n"
        "<pre>\n"
        "− 34ca8df  optimizer.lr=0.01 seed=0\n"
        "− d107101  optimizer.lr=0.01 seed=1\n"
        "~ 114ec57  seed=0\n"
        "~ 4ac3d93  seed=1\n"
        "</pre>\n"
        "\n"
        "</details>\n"
        "\n"
        "All runs together, at most: 8 → 2 (−6) core-hours, 40 → 20 (−20) files.\n"
    )


MARKER = "<!-- xpc build --against -->\n"
HOSTILE = ["</pre><script>alert(1)</script>", "| a | b |", "`x` **y** _z_ [l](http://e.org) <!-- -->", "@ada #1 :+1:"]


def test_markdown_shows_what_users_wrote_as_it_is(repo: Repo) -> None:
    """No value, key, path or command becomes markup, a link, a mention or the end of a cell."""
    values = json.dumps([*HOSTILE, "line\nbreak\x1b[31m"], ensure_ascii=False)
    edit(
        repo,
        ("    seed in range(2)\n", f"    seed in range(2)\n    note in {values}\n"),
        ("config base:\n", 'config base:\n    note = "-"\n'),
    )
    repo.write({"www.evil.org|@bob.py": "1"})
    page = against(repo, "main", "--format markdown")
    ours = re.sub(
        r"<pre>.*?</pre>|^> |&#\d+;|</?(code|details|summary)>",
        "",
        page.removeprefix(MARKER),
        flags=re.DOTALL | re.MULTILINE,
    )

    for sign in ("<", ">", "http:", "@", "#1", "`", "**y", "_z", "\x1b", "[", "www.", "!"):
        assert sign not in ours.replace("****", ""), sign
    inside = re.findall(r"<pre>(.*?)</pre>", page, re.DOTALL)
    assert [text for text in inside if "<" in text or "\x1b" in text] == []
    assert page.count("</pre>") == page.count("<pre>") == 2
    assert page.count("<details>") == page.count("</details>") == 2
    assert all(line.count("|") == 8 for line in page.split("\n") if line.startswith("| <code>"))


def test_markdown_stays_within_what_a_comment_may_have(repo: Repo) -> None:
    """However many experiments differ: GitHub takes 65,536 characters."""
    text = "".join(f'experiment e{n}:\n    grid g\n    run "true {{x}}"\n' for n in range(300))
    (repo.path / "Experimentfile").write_text(f"grid g:\n    x in range(30)\n{text}")
    page = against(repo, "main", "--format markdown")

    assert len(page) < 65_536
    assert page.endswith(" files.\n")
    assert "more experiments\n" in page


# ------------------------------------------------------------------ revisions


def test_names_of_revisions(repo: Repo) -> None:
    """A branch, a tag, a commit's beginning, a snapshot's tree, and where this branch left another."""
    first = repo.git("rev-parse", "HEAD")
    repo.git("tag", "v1")
    tree = json.loads(console.run("xpc build --json", repo.path).stdout)["snapshot"]
    edit(repo, ("[0.1, 0.01]", "[0.1]"))
    repo.commit()
    repo.git("checkout", "-q", "-b", "topic", "v1")
    edit(repo, ("range(2)", "range(3)"))
    repo.commit()

    def counted(name: str) -> tuple[int, int]:
        found = as_json(repo, name, "train")
        return found["runs"]["added"], found["runs"]["dropped"]

    assert counted("main") == (4, 0)
    assert [counted(name) for name in ("v1", first[:8], "main...", tree[:10], "HEAD~1")] == [(2, 0)] * 5


def test_unknown_revision(repo: Repo) -> None:
    """It is refused, and what there is can be looked up."""
    for name in ("mian", "-x", "--output=x", "HEAD:train.py", "''", "'a b'"):
        assert against(repo, name, status=1).startswith("error: no commit, branch, tag or snapshot is called `")


def test_shallow_clone_says_how_to_get_the_rest(repo: Repo, tmp_path: Path) -> None:
    """CI systems fetch one commit unless told otherwise."""
    first = repo.git("rev-parse", "HEAD")
    repo.commit("More")
    repo.git("clone", "-q", "--depth=1", f"file://{repo.path}", str(tmp_path / "clone"))
    done = console.run(f"xpc build --against {first}", tmp_path / "clone")

    assert done.returncode == 1
    assert done.stderr == (
        f"error: no commit, branch, tag or snapshot is called `{first}`\n"
        "help: this clone is shallow: `git fetch --unshallow` gets the rest (actions/checkout: `fetch-depth: 0`)\n"
    )


def test_mistakes_of_the_revision_name_it(repo: Repo) -> None:
    """The earlier file may be broken; its findings say where they stand, and the present file is not blamed."""
    edit(repo, ("range(2)", "range(2"), ("{optimizer.lr} {seed}", "{optimizer.lr} {sed}"))
    repo.commit()
    (repo.path / "Experimentfile").write_text(STUDY)

    assert against(repo, "HEAD", status=1) == (
        "error[XP006]: `(` is not closed\n"
        " --> HEAD:Experimentfile:7:18\n"
        "  |\n"
        "7 |     seed in range(2\n"
        "  |                  ^ opened here\n"
        "  |\n"
        "help: add `)`; lines inside brackets are indented deeper than the line that opens them\n"
        "\n"
        "error[XP021]: unknown key `sed`\n"
        "  --> HEAD:Experimentfile:17:42\n"
        "   |\n"
        '17 |     run "python train.py {optimizer.lr} {sed}"\n'
        "   |                                          ^^^ config `base` has no such key\n"
        "   |\n"
        "help: did you mean `seed`?\n"
        "\n"
        "2 errors. Nothing was compared.\n"
    )


def test_a_revision_without_a_study(tmp_path: Path) -> None:
    """The pull request that brings the first Experimentfile."""
    repo = Repo(tmp_path / "project", {"train.py": "1"})
    repo.git("branch", "base")
    repo.write(FILES)
    repo.commit()

    assert against(repo, "base", "train").startswith("From base (")
    assert against(repo, "base", "train").endswith(
        "), which has no Experimentfile, to commit HEAD, nothing changed since: 4 runs added.\n"
        "\n"
        "experiment   runs  added  dropped  altered  same  core-hours\n"
        "train       0 → 4      4        0        0     0  0 → 4 (+4)\n"
        "\n"
        "train:\n"
        "  new  4 runs\n"
        "\n"
        "All runs together, at most: 0 → 4 (+4) core-hours, 0 → 20 (+20) files.\n"
    )


# ------------------------------------------------------------------ files as they were

READING = """\
include "parts/shared.xp"

config base:
    from "configs/base.yaml"
    text = read("notes/note.txt")

grid all:
    rows from "data/points.csv"
    model from "configs/model/*.yaml"
    file in files("data/**/*.csv")

experiment train:
    config base
    grid all
    run "python train.py {text} {file} {x} {lr} {width}"
"""
READ = {
    "Experimentfile": READING,
    "parts/shared.xp": "let unused = 1\n",
    "configs/base.yaml": "lr: 0.1\nx: 0\nfile: ''\nmodel:\n  width: 1\nwidth: 2\n",
    "configs/model/a.yaml": "width: 3\n",
    "configs/model/.hidden.yaml": "width: [\n",
    "configs/real.txt": "hello",
    "notes/.keep": "",
    "data/points.csv": "x\n1\n2\n",
    "train.py": "1",
}


def test_files_are_read_as_they_were(tmp_path: Path) -> None:
    """YAML, CSV, `read`, globs, includes and links come from the revision, not from the disk."""
    repo = Repo(tmp_path / "project")
    repo.write(READ)
    os.symlink("../configs/real.txt", repo.path / "notes/note.txt")
    repo.commit()
    here = as_json(repo, "main")
    repo.write({"configs/model/b.yaml": "width: 4\n", "data/points.csv": "x\n1\n", "configs/real.txt": "bye"})
    repo.write(
        {"configs/base.yaml": READ["configs/base.yaml"].replace("0.1", "0.2"), "parts/shared.xp": "let new = 2\n"}
    )
    changed = as_json(repo, "main")

    assert (here["runs"]["before"], here["runs"]["added"], here["runs"]["dropped"]) == (2, 0, 0)
    assert {v["key"]: (v["before"], v["now"]) for v in changed["experiments"][0]["values"]} == {
        "lr": ([0.1], [0.2]),
        "text": (["hello"], ["bye"]),
        "x": ([1, 2], [1]),
        "model": (["a"], ["a", "b"]),
        "model.width": ([3], [3, 4]),
    }


def test_what_git_never_knew_is_read_where_it_lies(tmp_path: Path) -> None:
    """Ignored data and linked folders have no earlier state; what was not yet written is a mistake of the revision."""
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared/list.txt").write_text("a\nb\n")
    study = (
        'link "../shared" as shared\n'
        'grid g:\n    rows from "data/points.csv"\n    name in lines("../shared/list.txt")\n'
        'experiment train:\n    grid g\n    run "true {x} {name}"\n'
    )
    repo = Repo(tmp_path / "project", {".gitignore": "data\n", "Experimentfile": study})
    repo.write({"data/points.csv": "x\n1\n"})

    assert as_json(repo, "main")["runs"]["before"] == 2
    (repo.path / "data/points.csv").unlink()
    (repo.path / "Experimentfile").write_text('experiment train:\n    run "true"\n')
    assert "cannot read `data/points.csv`: no such file or directory" in against(repo, "main", status=1)


def test_inputs_count_by_what_they_hold(repo: Repo) -> None:
    """In linked folders, and with placeholders, as `xpc build` looks at them: another folder with the same is no other
    input, what lies there now is the same for both sides."""
    for folder, text in (("one", "1"), ("two", "2"), ("copy", "1")):
        (repo.path.parent / folder).mkdir()
        (repo.path.parent / folder / "x.csv").write_text(text)
    inputs = '    input data = "data/x.csv"\n    input part = "parts/{seed}.csv"\n'
    linked = 'link "../one" as data\n' + STUDY.replace('    run "python train.py', inputs + '    run "python train.py')
    repo.write({"Experimentfile": linked, "parts/0.csv": "0", "parts/1.csv": "1"})
    repo.commit("linked")

    def differing() -> tuple[list[str], list[str]]:
        train = next(e for e in as_json(repo, "HEAD")["experiments"] if e["name"] == "train")
        return train["inputs"], train["altered_by"]

    assert differing() == ([], [])
    (repo.path.parent / "one/x.csv").write_text("another")
    assert differing() == ([], [])
    (repo.path.parent / "one/x.csv").write_text("1")
    repo.write({"Experimentfile": linked.replace("../one", "../two")})
    assert differing() == (["data/x.csv"], ["inputs"])
    repo.write({"Experimentfile": linked.replace("../one", "../copy")})
    assert differing()[0] == []
    repo.write({"Experimentfile": linked, "parts/1.csv": "one"})
    assert differing() == (["parts/{seed}.csv"], ["inputs"])
    assert "  inputs  parts/{seed}.csv changed\n" in against(repo, "HEAD", "train")


def test_links_of_a_revision_lead_nowhere_else(tmp_path: Path) -> None:
    """Neither a link that was committed nor one that git ignores gets at what lies outside the project."""
    (tmp_path / "secret").write_text("s3cr3t")
    study = 'experiment train:\n    note = read("{}")\n    run "true {{note}}"\n'
    repo = Repo(tmp_path / "project", {".gitignore": "hidden\n"})
    for name in ("hidden", "committed"):
        os.symlink("../secret", repo.path / name)
        repo.write({"Experimentfile": study.format(name)})
        repo.commit()
        repo.write({"Experimentfile": study.format(".gitignore")})
        if name == "committed":
            (repo.path / name).unlink()
        said = against(repo, "HEAD", status=1)

        assert said.startswith(f"error[XP049]: `{name}` lies outside the project\n --> HEAD:Experimentfile:2:17\n")
        assert "s3cr3t" not in said


def test_a_study_in_a_folder_of_the_repository(tmp_path: Path) -> None:
    """The extent may be wider than the Experimentfile's folder; files above it are read from the revision too."""
    study = 'project "x" root ".."\n' + STUDY.replace(
        "config base:\n", 'config base:\n    from "../configs/base.yaml"\n'
    ).replace("python train.py", "python ../train.py")
    repo = Repo(tmp_path / "project", {"lab/Experimentfile": study, "configs/base.yaml": "depth: 1\n", "train.py": "1"})
    built = console.run("xpc build --dry-run --json", repo.path / "lab")
    repo.write({"configs/base.yaml": "depth: 2\n", "train.py": "2"})
    found, of_tree = (
        as_json(repo, revision, "train", folder="lab")["experiments"][0]
        for revision in ("main", json.loads(built.stdout)["snapshot"])
    )

    assert of_tree == found
    assert found["values"] == [{"key": "depth", "before": [1], "now": [2]}]
    assert found["code"] == {"differs": True, "added": [], "changed": ["configs/base.yaml", "train.py"], "dropped": []}


def test_targets(repo: Repo) -> None:
    """For a cluster the arrays are its own; a target that is new is taken as it is now."""
    edit(
        repo,
        ("experiment train:", 'target far = slurm:\n    max_array = 2\n    partition = "cpu"\n\nexperiment train:'),
    )
    new = as_json(repo, "main", "--target", "far")
    repo.commit()
    edit(repo, ("max_array = 2", "max_array = 3\n    throttle = 1"))
    changed = as_json(repo, "main", "--target", "far")

    assert [change["arrays"] for change in new["experiments"]] == [{"before": 2, "now": 2}] * 2
    assert [change["status"] for change in new["experiments"]] == ["unchanged"] * 2
    assert [change["throttle"]["before"] for change in changed["experiments"]] == [[None]] * 2
    assert [change["status"] for change in changed["experiments"]] == ["altered"] * 2


def test_format_is_for_against_alone(repo: Repo) -> None:
    """Elsewhere it would say nothing."""
    done = console.run("xpc build --format markdown", repo.path)

    assert done.returncode == 2
    assert "Error: --format is for --against; write `xpc build --against main --format markdown`.\n" in done.stderr
