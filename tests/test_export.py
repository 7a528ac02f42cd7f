"""A snapshot to files: whole, read-only, made once, and told apart from what a killed process left."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from repository import Repo, mode_of

from xpc.grammar.diagnostic import Diagnostics
from xpc.runtime.export import export, prune, remove

CODE = {"Experimentfile": "project\n", "train.py": "print(1)\n", "pkg/__init__.py": "", "doc/a.md": "a\n"}


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo(tmp_path / "project", CODE)


def listing(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_symlink() or path.is_file()}


def test_names_that_are_no_utf8(repo: Repo) -> None:
    """A name is bytes: the stamp keeps it, and a run's folder gets its link."""
    name = os.fsdecode(b"caf\xe9.txt")
    (repo.path / name).write_text("latin")
    snapshot = repo.take()
    made = repo.export(snapshot)

    assert name in json.loads(made.stamp.read_text())["entries"]
    assert (made.folder / name).read_text() == "latin"
    assert name in os.listdir(f"{made.folder}.links")


def test_export_that_was_written_to_is_made_anew(repo: Repo) -> None:
    """A superuser's run can write into it: no later submit runs that code."""
    snapshot = repo.take()
    made = repo.export(snapshot)
    (made.folder / "pkg/__pycache__/x.pyc").write_text("")
    assert not repo.export(snapshot).made

    made.folder.chmod(0o755)
    (made.folder / "new.txt").write_text("")
    again = repo.export(snapshot)

    assert again.made
    assert not (made.folder / "new.txt").exists()
    assert not repo.export(snapshot).made


def test_export_holds_every_file(repo: Repo) -> None:
    """Executable bits, empty files, symlinks and odd names survive; `export-ignore` drops nothing."""
    repo.write(
        {
            ".gitattributes": "doc export-ignore\n*.txt export-subst\n",
            "run.sh": "echo\n",
            "e": "",
            "v.txt": "$Format:%H$",
            "ä\nb": "1",
        }
    )
    (repo.path / "run.sh").chmod(0o755)
    (repo.path / "link").symlink_to("pkg")
    made = repo.export(repo.take())

    files = {
        ".git",
        ".gitattributes",
        "Experimentfile",
        "doc/a.md",
        "e",
        "link",
        "pkg/__init__.py",
        "run.sh",
        "train.py",
    }
    assert listing(made.folder) == files | {"v.txt", "ä\nb"}
    assert os.readlink(made.folder / "link") == "pkg"
    assert (made.folder / "v.txt").read_text() == "$Format:%H$"
    assert mode_of(made.folder / "run.sh") == "555"
    assert (made.files, made.made) == (10, True)


def test_export_is_read_only_but_for_bytecode(repo: Repo) -> None:
    """Nothing can be written, but Python can keep what it compiled."""
    folder = repo.export(repo.take()).folder

    writable = {
        path.relative_to(folder).as_posix()
        for path in [folder, *folder.rglob("*")]
        if not path.is_symlink() and os.stat(path).st_mode & 0o222
    }
    assert writable == {"__pycache__", "pkg/__pycache__"}


def test_stamp_tells_what_is_there(repo: Repo) -> None:
    """The stamp is what a task looks at; its fields are documented in docs/formats.md."""
    repo.write({"results/.gitkeep": "", "src/net.py": "x = 1\n", "deep/out/.gitignore": "*\n", "deep/in.txt": "\n"})
    repo.git("add", "-f", "deep/out/.gitignore")
    snapshot = repo.take()
    made = repo.export(snapshot)

    stamp = json.loads(made.stamp.read_text())
    assert made.folder.stat().st_mtime_ns <= stamp.pop("written") <= made.stamp.stat().st_mtime_ns
    assert stamp == {
        "schema": "xpc.snapshot/1",
        "tree": snapshot.tree,
        "commit": snapshot.commit,
        "prefix": "",
        "files": 8,
        "bytes": 28,
        "links": 6,
        "entries": ["Experimentfile", "deep", "doc", "pkg", "results", "src", "train.py"],
        "empty": ["deep/out", "results"],
        "python_roots": [".", "src"],
    }


def test_second_export_is_the_first(repo: Repo) -> None:
    """One export for each tree: it is not made again, and a cut one is."""
    snapshot = repo.take()
    first = repo.export(snapshot)
    inode = first.folder.stat().st_ino
    second = repo.export(snapshot)

    assert (second.made, second.folder.stat().st_ino) == (False, inode)

    first.stamp.unlink()
    third = repo.export(snapshot)

    assert third.made
    assert listing(third.folder) == listing(repo.path / ".xpc/snapshots" / snapshot.tree)


def test_half_made_export_of_a_killed_process_is_removed(repo: Repo) -> None:
    """What a process left that is gone goes; what a live one is making stays."""
    home = repo.path / ".xpc/snapshots"
    host = os.uname().nodename
    gone = subprocess.Popen(["true"])
    gone.wait()
    for name in (f".{host}-{gone.pid}.tree", f".{host}-{os.getppid()}.tree", ".elsewhere-1.tree", ".elsewhere-2.tree"):
        (home / name / "x").mkdir(parents=True)
        (home / name).chmod(0o555)
    os.utime(home / ".elsewhere-2.tree", (time.time() - 100_000,) * 2)

    repo.export(repo.take())

    assert {path.name for path in home.glob(".*-*")} == {f".{host}-{os.getppid()}.tree", ".elsewhere-1.tree"}


EXPORTER = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from repository import Repo
repo = Repo(Path(sys.argv[2]))
made = repo.export(repo.take())
print(int(made.made), len(list(made.folder.rglob("*"))))
"""


def test_three_processes_at_once(repo: Repo) -> None:
    """All end with the same whole snapshot and export, and one of them made it."""
    repo.write({f"many/{n}.txt": str(n) for n in range(300)})
    command = [sys.executable, "-c", EXPORTER, str(Path(__file__).parent), str(repo.path)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    answers = [process.communicate() for process in processes]

    assert [err for _, err in answers] == ["", "", ""]
    assert sorted(out.split()[0] for out, _ in answers) == ["0", "0", "1"]
    assert len({out.split()[1] for out, _ in answers}) == 1
    assert [p.name for p in (repo.path / ".xpc/snapshots").glob(".*-*")] == []


def test_git_in_the_export_tells_the_snapshots_commit(repo: Repo) -> None:
    """`git rev-parse HEAD` there is the snapshot's commit, nothing differs, and no worktree is registered."""
    repo.write({"train.py": "print(2)\n"})
    snapshot = repo.take()
    folder = repo.export(snapshot).folder
    repo.commit("Something else")

    assert repo.git("rev-parse", "HEAD", cwd=folder) == snapshot.commit != repo.git("rev-parse", "HEAD")
    assert repo.git("status", "--short", "-uno", cwd=folder) == ""
    assert len(repo.git("worktree", "list").splitlines()) == 1


def test_same_tree_under_another_commit(repo: Repo) -> None:
    """A dirty tree that is committed as it was: the export stays, and names the commit of now."""
    repo.write({"train.py": "print(2)\n"})
    dirty = repo.take()
    first = repo.export(dirty)
    repo.commit()
    clean = repo.take()
    second = repo.export(clean)

    assert (clean.tree, second.made) == (dirty.tree, False)
    assert repo.git("rev-parse", "HEAD", cwd=first.folder) == clean.commit
    assert json.loads(second.stamp.read_text())["commit"] == clean.commit


def test_moved_project_works(repo: Repo, tmp_path: Path) -> None:
    """All paths are relative: the folder can go elsewhere, exports and all."""
    snapshot = repo.take()
    repo.export(snapshot)
    shutil.move(repo.path, tmp_path / "elsewhere")
    moved = Repo(tmp_path / "elsewhere")

    again = moved.export(moved.take())

    assert not again.made
    assert moved.git("rev-parse", "HEAD", cwd=again.folder) == snapshot.commit


def test_widened_root_keeps_the_layout(repo: Repo) -> None:
    """The export has the extent's layout; links lie beside each folder on the way to the Experimentfile."""
    repo.write({"a/study/Experimentfile": "\n", "a/study/t.py": "\n", "a/lib.py": "\n", "a/src/m.py": "\n"})
    repo.commit()
    snapshot = repo.take(folder="a/study", root="../..")
    made = repo.export(snapshot, folder="a/study")
    stamp = json.loads(made.stamp.read_text())

    assert (made.folder / "a/lib.py").exists()
    assert stamp["entries"] == ["Experimentfile", "t.py"]
    assert stamp["python_roots"] == ["a/study", "."]
    template = made.folder.with_name(f"{snapshot.tree}.links")
    links = {"Experimentfile", "a/lib.py", "a/src", "a/study/Experimentfile", "a/study/t.py", "doc", "pkg", "train.py"}
    assert listing(template) == links | {".git"}


def test_prune_keeps_what_is_used_and_the_newest_three(repo: Repo) -> None:
    """An export is a cache: it goes when no unfinished run uses it, but for the newest three."""
    made = []
    for n in range(6):
        repo.write({"train.py": f"print({n})\n"})
        made.append(repo.export(repo.take()))
        os.utime(made[-1].stamp, (1_000_000 + n, 1_000_000 + n))
    trees = [one.tree for one in made]

    assert prune(repo.path, {trees[1]}) == [trees[2], trees[0]]
    left = {path.name for path in (repo.path / ".xpc/snapshots").iterdir()}
    assert left == {".lock"} | {f"{t}{s}" for t in (trees[1], *trees[3:]) for s in ("", ".links", ".git", ".json")}
    assert prune(repo.path.parent, set()) == []


def test_too_many_entries_to_link(repo: Repo) -> None:
    """A run's folder gets two hundred links at most; another way to work is offered."""
    repo.write({f"f{n}.txt": "" for n in range(197)})
    snapshot = repo.take()
    diagnostics = Diagnostics()
    arguments = (repo.path, snapshot.tree, snapshot.commit, "", snapshot.repository, diagnostics)

    assert export(*arguments) is None
    assert [(d.code, d.message, d.help) for d in diagnostics.found] == [
        (
            "XP135",
            "the snapshot has 201 entries to link, and a run's folder gets up to 200",
            ("write `workdir snapshot` in the experiment, or put files into folders",),
        )
    ]
    assert export(*arguments, linked=False) is not None


def test_tree_that_is_gone(repo: Repo) -> None:
    """A snapshot that the repository lost can't be exported, and nothing half-made stays."""
    snapshot = repo.take()
    diagnostics = Diagnostics()
    tree = "0123456789" * 4

    assert export(repo.path, tree, snapshot.commit, "", snapshot.repository, diagnostics) is None
    assert [(d.code, d.message, d.help) for d in diagnostics.found] == [
        (
            "XP136",
            "snapshot 0123456 can't be exported: failed to unpack tree object " + tree,
            ("is the snapshot's commit still in the repository? `xpc build` makes it again",),
        )
    ]
    repo.export(snapshot)
    assert list((repo.path / ".xpc/snapshots").glob(".*-*")) == []


def test_file_that_a_filter_changes_is_found(repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file is compared with its blob: what a filter of the user's own makes of it must lead back."""
    settings = tmp_path / "gitconfig"
    settings.write_text('[filter "bad"]\n\tclean = cat\n\tsmudge = tr a b\n')
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    repo.write({".gitattributes": "*.md filter=bad\n"})
    snapshot = repo.take()
    diagnostics = Diagnostics()

    assert export(repo.path, snapshot.tree, snapshot.commit, "", snapshot.repository, diagnostics) is None
    assert [(d.code, d.message, d.help) for d in diagnostics.found] == [
        ("XP136", "`doc/a.md` comes out of git other than it went in", ("do the clean and smudge filters agree?",))
    ]


def test_removing_read_only_folders(tmp_path: Path) -> None:
    """An export can be removed though all of it is read-only."""
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/c").write_text("")
    for path in (tmp_path / "a/b/c", tmp_path / "a/b", tmp_path / "a"):
        path.chmod(0o444 if path.is_file() else 0o555)

    remove(tmp_path / "a")

    assert list(tmp_path.iterdir()) == []
