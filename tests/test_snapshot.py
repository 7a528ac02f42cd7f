"""The working tree to a snapshot: all of it, nothing else, and nothing of the user's touched."""

import shutil
import subprocess
from pathlib import Path

import pytest
from repository import Repo

from xpc.compiler.snapshot import take
from xpc.grammar.diagnostic import Diagnostics

CODE = {"Experimentfile": "project\n", "train.py": "print(1)\n", "src/net.py": "x = 1\n", ".gitignore": "data/\n"}


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo(tmp_path / "project", CODE)


def test_clean_tree_gives_head(repo: Repo) -> None:
    """Where nothing differs, the snapshot is HEAD itself."""
    snapshot = repo.take()

    assert snapshot.commit == snapshot.head == repo.git("rev-parse", "HEAD")
    assert snapshot.tree == repo.git("rev-parse", "HEAD^{tree}")
    assert (snapshot.branch, snapshot.dirty, snapshot.changed, snapshot.untracked) == ("main", False, (), ())


@pytest.mark.parametrize("name", ["project", 'a:b "c" \\d', "ö ü"])
def test_apart_is_the_same_and_writes_nothing(tmp_path: Path, name: str) -> None:
    """What only looks gets the same tree and commit; objects and index go to a scratch folder."""
    repo = Repo(tmp_path / name, CODE)
    repo.write({"train.py": "print(2)\n", "new.py": "print(3)\n"})
    before = everything(repo.path)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    found = take(repo.path, ".", "worktree", Diagnostics(), scratch=scratch)

    assert found is not None
    assert everything(repo.path) == before
    assert found.repository.read_blobs([found.listing.entries["new.py"][1]]) == [b"print(3)\n"]
    kept = repo.take()
    assert (found.tree, found.commit, found.changed) == (kept.tree, kept.commit, kept.changed)


def everything(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_dirty_tree_is_taken_as_it_is(repo: Repo) -> None:
    """Staged, unstaged, untracked, deleted, executable and empty: all as it stands in the working tree."""
    repo.write({"staged.py": "old\n"})
    repo.git("add", "staged.py")
    repo.write({"staged.py": "new\n", "train.py": "print(2)\n", "new/ä b\n.py": "3\n", "empty": "", "data/x": "no\n"})
    (repo.path / "src/net.py").unlink()
    (repo.path / "Experimentfile").chmod(0o755)

    snapshot = repo.take()

    assert repo.files(snapshot.tree) == {
        ".gitignore": "data/",
        "Experimentfile": "project",
        "empty": "",
        "new/ä b\n.py": "3",
        "staged.py": "new",
        "train.py": "print(2)",
    }
    assert repo.git("ls-tree", snapshot.tree, "Experimentfile").startswith("100755 ")
    assert snapshot.changed == ("Experimentfile", "src/net.py", "staged.py", "train.py")
    assert snapshot.untracked == ("empty", "new/ä b\n.py")
    assert snapshot.dirty
    assert repo.git("rev-parse", f"{snapshot.commit}^") == snapshot.head


def test_nothing_of_the_users_is_touched(repo: Repo) -> None:
    """HEAD, index, branches, stash and reflogs keep every byte."""
    repo.write({"train.py": "stashed\n"})
    repo.git("stash")
    repo.write({"train.py": "staged\n"})
    repo.git("add", "train.py")
    repo.write({"train.py": "edited\n", "new.py": "\n"})
    before = repo.state()

    repo.take()
    repo.take()

    assert repo.state() == before


def test_same_content_gives_the_same_commit(repo: Repo, tmp_path: Path) -> None:
    """The commit depends on HEAD and the content alone, not on who, when, where or how often."""
    edit = {"train.py": "print(2)\n", "new.py": "\n"}
    clone = tmp_path / "clone"
    repo.git("clone", "-q", str(repo.path), str(clone))
    repo.write(edit)
    first = repo.take()
    again = repo.take()
    other = Repo(clone)
    other.write(edit)
    elsewhere = other.take()

    assert first.commit == again.commit == elsewhere.commit


def test_reverted_edit_gives_head_again(repo: Repo) -> None:
    """What the index kept from an earlier snapshot does not linger."""
    repo.write({"train.py": "print(2)\n", "new.py": "\n"})
    assert repo.take().dirty
    repo.write({"train.py": "print(1)\n"})
    (repo.path / "new.py").unlink()

    assert not repo.take().dirty


def test_untracked_file_that_is_ignored_later_leaves(repo: Repo) -> None:
    """The ignore rules of now hold, though an earlier snapshot had the file."""
    repo.write({"notes.txt": "1\n"})
    assert repo.take().untracked == ("notes.txt",)
    repo.write({".gitignore": "data/\nnotes.txt\n"})
    snapshot = repo.take()

    assert snapshot.untracked == ()
    assert snapshot.blob_of("notes.txt") is None


def test_edit_of_the_same_size_at_the_same_time_is_seen(repo: Repo) -> None:
    """Two edits within the clock's grain: the second one counts."""
    for text in ("a = 1\n", "a = 2\n", "a = 3\n"):
        repo.write({"train.py": text})
        assert repo.files(repo.take().tree)["train.py"] == text.strip()


def test_assume_unchanged_and_skip_worktree_hide_nothing(repo: Repo) -> None:
    """A file that git was told not to look at is taken as it is."""
    repo.git("update-index", "--assume-unchanged", "train.py")
    repo.git("update-index", "--skip-worktree", "src/net.py")
    repo.write({"train.py": "print(2)\n", "src/net.py": "x = 2\n"})

    snapshot = repo.take()

    assert snapshot.changed == ("src/net.py", "train.py")
    assert repo.files(snapshot.tree)["train.py"] == "print(2)"


def test_sparse_checkout_gives_absent_paths_from_the_commit(repo: Repo) -> None:
    """What a sparse checkout left out is in the snapshot all the same; what is there is taken as it is."""
    repo.write({"big/a.txt": "a\n", "big/b.txt": "b\n"})
    repo.commit()
    repo.git("sparse-checkout", "set", "src")
    assert not (repo.path / "big").exists()
    repo.write({"train.py": "print(2)\n"})

    snapshot = repo.take()

    assert snapshot.changed == ("train.py",)
    assert repo.files(snapshot.tree)["big/a.txt"] == "a"
    assert (repo.export(snapshot).folder / "big/b.txt").read_text() == "b\n"


def test_intent_to_add_is_taken(repo: Repo) -> None:
    """`git add -N` names a file; its content counts."""
    repo.write({"new.py": "1\n"})
    repo.git("add", "-N", "new.py")

    assert repo.files(repo.take().tree)["new.py"] == "1"


def test_unmerged_file_is_taken_as_it_stands(repo: Repo) -> None:
    """In the middle of a merge the working tree counts, with its conflict marks."""
    repo.git("checkout", "-q", "-b", "other")
    repo.write({"train.py": "theirs\n"})
    repo.commit()
    repo.git("checkout", "-q", "main")
    repo.write({"train.py": "ours\n"})
    repo.commit()
    with pytest.raises(subprocess.CalledProcessError):
        repo.git("merge", "other")

    assert "<<<<<<<" in repo.files(repo.take().tree)["train.py"]


def test_kinds_of_entries_may_change(repo: Repo) -> None:
    """A file becomes a folder, a folder a file, a folder a symlink."""
    repo.write({"a": "1\n", "b/c": "2\n", "d/e": "3\n"})
    repo.commit()
    (repo.path / "a").unlink()
    shutil.rmtree(repo.path / "b")
    shutil.rmtree(repo.path / "d")
    repo.write({"a/x": "4\n", "b": "5\n"})
    (repo.path / "d").symlink_to("src")

    files = repo.files(repo.take().tree)

    assert {name: files[name] for name in ("a/x", "b", "d")} == {"a/x": "4", "b": "5", "d": "src"}
    assert "d/e" not in files


def test_repository_without_a_commit(tmp_path: Path) -> None:
    """A first snapshot needs no commit: it has no parent."""
    repo = Repo(tmp_path / "new")
    repo.write(CODE)

    first, again = repo.take(), repo.take()

    assert (first.head, first.branch, first.dirty) == (None, "main", True)
    assert first.untracked == (".gitignore", "Experimentfile", "src/net.py", "train.py")
    assert first.commit == again.commit
    assert "parent" not in repo.git("cat-file", "commit", first.commit)


def test_repository_without_a_commit_whose_records_were_removed(tmp_path: Path) -> None:
    """Refs of ours are no commits of the user's: a second snapshot works without `.xpc/` too."""
    repo = Repo(tmp_path / "project")
    repo.write({"train.py": "print(1)"})
    first = repo.take()
    shutil.rmtree(repo.path / ".xpc")

    assert repo.take().tree == first.tree


def test_detached_head_and_linked_worktree(repo: Repo, tmp_path: Path) -> None:
    """A worktree has a HEAD and an index of its own, and shares the objects."""
    other = tmp_path / "other"
    repo.git("worktree", "add", "-q", "--detach", str(other))
    (other / "train.py").write_text("print(2)\n")
    diagnostics = Diagnostics()

    snapshot = take(other, ".", "worktree", diagnostics)

    assert snapshot is not None
    assert diagnostics.found == []
    assert (snapshot.branch, snapshot.changed) == (None, ("train.py",))
    assert repo.git("rev-parse", f"refs/xpc/snapshots/{snapshot.commit}") == snapshot.commit


def test_gc_keeps_snapshots(repo: Repo) -> None:
    """A ref of its own holds the commit when git collects what nobody needs."""
    repo.write({"train.py": "print(2)\n"})
    snapshot = repo.take()
    repo.write({"train.py": "print(1)\n"})
    repo.git("gc", "-q", "--prune=now")

    assert repo.files(snapshot.commit)["train.py"] == "print(2)"


def test_extent_is_the_experimentfiles_folder(repo: Repo) -> None:
    """In a larger repository the snapshot is the folder of the Experimentfile; the rest of the commit is HEAD's."""
    repo.write({"study/run.py": "1\n", "study/Experimentfile": "\n", "common/lib.py": "1\n"})
    repo.commit()
    repo.write({"study/run.py": "2\n", "study/new.py": "\n", "common/lib.py": "2\n", "common/.env": "secret\n"})
    repo.git("add", "common/lib.py")

    snapshot = repo.take(folder="study")

    assert repo.files(snapshot.tree) == {"Experimentfile": "", "new.py": "", "run.py": "2"}
    assert (snapshot.prefix, snapshot.extent) == ("", "study")
    assert (snapshot.changed, snapshot.untracked) == (("run.py",), ("new.py",))
    assert repo.files(snapshot.commit)["common/lib.py"] == "1"
    assert repo.files(snapshot.commit)["study/run.py"] == "2"


def test_edit_outside_the_extent_is_not_dirty(repo: Repo) -> None:
    """Only what runs see makes a snapshot differ from HEAD."""
    repo.write({"study/Experimentfile": "\n"})
    repo.commit()
    repo.write({"train.py": "print(2)\n"})

    snapshot = repo.take("clean", folder="study")

    assert snapshot.commit == snapshot.head


def test_root_widens_the_extent(repo: Repo) -> None:
    """`root ".."` takes the folder above too, and says where the Experimentfile is in it."""
    repo.write({"a/study/Experimentfile": "\n", "a/common.py": "1\n"})
    repo.commit()

    snapshot = repo.take(folder="a/study", root="..")
    whole = repo.take(folder="a/study", root="../..")

    assert (snapshot.extent, snapshot.prefix) == ("a", "study")
    assert set(repo.files(snapshot.tree)) == {"common.py", "study/Experimentfile"}
    assert (whole.extent, whole.prefix, whole.commit) == ("", "a/study", whole.head)
    assert snapshot.blob_of("../common.py") == repo.git("rev-parse", "HEAD:a/common.py")


def test_head_mode_ignores_the_working_tree(repo: Repo) -> None:
    """`--snapshot head` takes the last commit, whatever lies about."""
    repo.write({"train.py": "print(2)\n", ".env": "secret\n"})

    snapshot = repo.take("head")

    assert snapshot.commit == snapshot.head
    assert snapshot.branch == "main"
    assert repo.files(snapshot.tree)["train.py"] == "print(1)"


def test_own_folders_and_bytecode_are_no_code(repo: Repo) -> None:
    """What xpc and Python write beside the code makes no other snapshot."""
    clean = repo.take()
    repo.write({"runs/train/1/run.jsonl": "{}\n", ".xpc/builds/x": "\n", "src/__pycache__/net.cpython-311.pyc": "\n"})

    assert repo.take() == clean


def test_damaged_cache_is_made_again(repo: Repo) -> None:
    """The index that the last snapshot kept is a cache: it may be cut, or belong to another."""
    repo.write({"train.py": "print(2)\n"})
    good = repo.take()
    kept = repo.path / ".xpc/snapshot.index"
    for damage in (b"", b"DIRC", kept.read_bytes()[:-1]):
        kept.write_bytes(damage)
        assert repo.take() == good
    (repo.path / ".xpc/snapshot.json").write_text("[]")

    assert repo.take() == good


def test_callers_git_variables_do_not_lead_astray(repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Called from a hook, GIT_DIR and its kin point elsewhere; the folder counts."""
    other = Repo(tmp_path / "other", {"x": "1\n"})
    monkeypatch.setenv("GIT_DIR", str(other.path / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other.path))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(tmp_path / "objects"))

    snapshot = repo.take()

    assert snapshot.repository.top == str(repo.path)
    assert snapshot.blob_of("train.py") is not None


def test_stranger_repository_runs_nothing(repo: Repo, tmp_path: Path) -> None:
    """Hooks, monitors, filters, pagers and credential helpers of a repository's own are never run."""
    marker = tmp_path / "ran"
    program = tmp_path / "evil"
    program.write_text(f'#!/bin/sh\necho "$0 $@" >> {marker}\ncat\n')
    program.chmod(0o755)
    hooks = repo.path / ".git/hooks"
    for name in ("post-index-change", "reference-transaction", "post-checkout", "pre-commit", "pre-auto-gc"):
        shutil.copy(program, hooks / name)
    repo.write({".gitattributes": "*.py filter=evil diff=evil\n*.dat filter=a=b\n", "x.dat": "1\n", "net.py": "1\n"})
    repo.git("-c", "core.hooksPath=/dev/null", "add", "-A")
    repo.git("-c", "core.hooksPath=/dev/null", "commit", "-q", "-m", "Go on")
    for key in (
        "core.fsmonitor",
        "core.pager",
        "core.editor",
        "core.sshCommand",
        "core.askPass",
        "credential.helper",
        "filter.evil.clean",
        "filter.evil.smudge",
        "filter.a=b.process",
        "diff.evil.textconv",
        "diff.external",
        "filter.lfs.process",
    ):
        repo.git("config", key, str(program))
    repo.git("config", "filter.evil.required", "true")
    marker.unlink(missing_ok=True)
    repo.write({"train.py": "print(2)\n", "new.py": "\n", "x.dat": "2\n"})

    snapshot, found = repo.look()
    assert snapshot is not None
    export = repo.export(snapshot)

    assert not marker.exists()
    assert (export.folder / "train.py").read_text() == "print(2)\n"
    assert [(d.code, d.severity, d.message) for d in found] == [
        ("XP138", "warning", "the filter `a=b` is defined by this repository alone, and was not run"),
        ("XP138", "warning", "the filter `evil` is defined by this repository alone, and was not run"),
    ]


def test_filter_of_the_users_own_is_run(repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A filter that the user defined for all repositories works, whatever the repository says of it."""
    settings = tmp_path / "gitconfig"
    settings.write_text('[filter "upper"]\n\tclean = tr a-z A-Z\n\tsmudge = cat\n')
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    repo.git("config", "filter.upper.clean", "false")
    repo.git("config", "filter.upper.required", "true")
    repo.write({".gitattributes": "*.txt filter=upper\n", "x.txt": "abc\n"})

    assert repo.files(repo.take().tree)["x.txt"] == "ABC"


def test_fingerprint_follows_path_mode_and_content(repo: Repo) -> None:
    """Each change of a file that counts makes another fingerprint; none of the others does."""
    first = repo.take()
    repo.write({"README": "1\n"})
    second = repo.take()
    (repo.path / "src/net.py").chmod(0o755)
    third = repo.take()

    assert first.code_fingerprint() != second.code_fingerprint()
    assert first.code_fingerprint(["src/**"]) == second.code_fingerprint(["src/**"])
    assert first.code_fingerprint() == second.code_fingerprint(exclude=["README"])
    assert second.code_fingerprint(["src"]) != third.code_fingerprint(["src"])
    assert len(first.code_fingerprint()) == 32


@pytest.mark.parametrize(
    ("pattern", "matched"),
    [
        ("**", {"a.py", "src/b.py", "src/deep/c.py", "src/d.txt"}),
        ("src/**", {"src/b.py", "src/deep/c.py", "src/d.txt"}),
        ("src", {"src/b.py", "src/deep/c.py", "src/d.txt"}),
        ("./src/", {"src/b.py", "src/deep/c.py", "src/d.txt"}),
        ("*.py", {"a.py"}),
        ("**/*.py", {"a.py", "src/b.py", "src/deep/c.py"}),
        ("src/*", {"src/b.py", "src/deep/c.py", "src/d.txt"}),
        ("src/?.py", {"src/b.py"}),
        ("s[r]c/b.py", {"src/b.py"}),
        ("nothing", set()),
    ],
)
def test_patterns_of_code(tmp_path: Path, pattern: str, matched: set[str]) -> None:
    """`**` goes through folders, `*` stays inside one, and a folder means all below it."""
    names = ["a.py", "src/b.py", "src/deep/c.py", "src/d.txt"]
    repo = Repo(tmp_path / "p", dict.fromkeys(names, "1\n"))
    base = repo.take()
    seen = set()
    for name in names:
        if base.code_fingerprint([pattern]) != base.code_fingerprint([pattern], exclude=[name]):
            seen.add(name)

    assert seen == matched


def test_small_repository_is_quick(repo: Repo) -> None:
    """What a snapshot costs is its calls of git: they are counted."""
    log = repo.path.parent / "trace"
    settings = repo.path.parent / "gitconfig"
    settings.write_text(f"[trace2]\n\teventTarget = {log}\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIT_CONFIG_GLOBAL", str(settings))
        repo.take()
        log.write_text("")
        repo.take()
        warm = log.read_text().count('"event":"version"')
        repo.write({"train.py": "print(2)\n"})
        log.write_text("")
        repo.take()
        edited = log.read_text().count('"event":"version"')

    assert (warm, edited) == (7, 12)
