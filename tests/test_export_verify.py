"""An export compared with git: every file is read, whatever filters, submodules and LFS make of it."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

import pytest
from repository import Repo

from xpc.compiler.snapshot import Snapshot
from xpc.runtime.export import Export
from xpc.runtime.export_verify import Difference, verify

CODE = {"Experimentfile": "project\n", "train.py": "print(1)\n", "pkg/__init__.py": "", "doc/a.md": "a\n"}


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo(tmp_path / "project", CODE)


def compared(snapshot: Snapshot, made: Export) -> tuple[int, list[Difference]]:
    found = verify(snapshot.repository, snapshot.tree, snapshot.prefix, made.folder)
    return found.files, list(found.different)


def unlock(path: Path) -> None:
    path.parent.chmod(0o755)
    if path.exists() and not path.is_symlink():
        path.chmod(0o755 if path.is_dir() else 0o644)


def test_an_export_as_it_was_made_is_equal(repo: Repo) -> None:
    """With odd names, empty files, links, line ends that filters change, and bytecode, which is nobody's code."""
    repo.write({".gitattributes": "*.txt text eol=crlf\n", "a.txt": "one\ntwo\n", "ä\nb": "1", '"q" c': "2", "e": ""})
    (repo.path / "link").symlink_to("pkg")
    (repo.path / "pkg/run.sh").write_text("echo\n")
    (repo.path / "pkg/run.sh").chmod(0o755)
    snapshot = repo.take()
    made = repo.export(snapshot)
    (made.folder / "pkg/__pycache__/x.pyc").write_text("")

    assert b"\r\n" in (made.folder / "a.txt").read_bytes()
    assert compared(snapshot, made) == (11, [])


def test_what_differs_is_named(repo: Repo) -> None:
    """Changed, missing and added files; also one of the same size and time, a mode, and where a link leads."""
    (repo.path / "link").symlink_to("pkg")
    (repo.path / "run.sh").write_text("echo\n")
    snapshot = repo.take()
    made = repo.export(snapshot)
    train = made.folder / "train.py"
    before = train.stat()
    unlock(train)
    train.write_text("print(2)\n")
    os.utime(train, ns=(before.st_atime_ns, before.st_mtime_ns))
    train.chmod(0o444)
    for name in ("doc/a.md", "link"):
        unlock(made.folder / name)
        (made.folder / name).unlink()
    (made.folder / "link").symlink_to("doc")
    (made.folder / "run.sh").chmod(0o555)
    (made.folder / "doc/new.md").write_text("")

    files, found = compared(snapshot, made)
    assert files == 6
    assert found == [
        Difference("doc/a.md", "missing"),
        Difference("link", "changed"),
        Difference("run.sh", "changed"),
        Difference("train.py", "changed"),
        Difference("doc/new.md", "added"),
    ]


def test_a_part_of_a_repository(repo: Repo) -> None:
    """With a root above the Experimentfile, and one below the repository's top."""
    repo.write({"lab/a/Experimentfile": "project\n", "lab/a/x.py": "", "lab/lib/y.py": "1\n"})
    snapshot = repo.take(folder="lab/a", root="..")
    made = repo.export(snapshot, folder="lab/a")
    assert compared(snapshot, made) == (3, [])

    unlock(made.folder / "lib/y.py")
    (made.folder / "lib/y.py").write_text("2\n")
    assert compared(snapshot, made)[1] == [Difference("lib/y.py", "changed")]


def test_files_that_lfs_keeps(repo: Repo) -> None:
    """The content is compared with the pointer's digest."""
    content = b"weights\0" * 100
    digest = sha256(content).hexdigest()
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {len(content)}\n"
    store = repo.path / ".git/lfs/objects" / digest[:2] / digest[2:4]
    store.mkdir(parents=True)
    (store / digest).write_bytes(content)
    blob = repo.path.parent / "pointer"
    blob.write_text(pointer)
    name = repo.git("hash-object", "-w", "--no-filters", str(blob))
    repo.write({".gitattributes": "*.bin filter=lfs -text\n"})
    repo.git("add", ".gitattributes")
    repo.git("update-index", "--add", "--cacheinfo", f"100644,{name},w.bin")
    repo.git("commit", "-q", "-m", "Weights")
    snapshot = repo.take("head")
    made = repo.export(snapshot)
    assert (made.folder / "w.bin").read_bytes() == content
    assert compared(snapshot, made) == (6, [])

    unlock(made.folder / "w.bin")
    (made.folder / "w.bin").write_bytes(content[:-1] + b"x")
    assert compared(snapshot, made)[1] == [Difference("w.bin", "changed")]


def test_submodules(repo: Repo, tmp_path: Path) -> None:
    """Their files are compared with their own repository; without it nobody can tell."""
    Repo(tmp_path / "other", {"lib.py": "1\n", "sub/z.py": "2\n"})
    repo.git("submodule", "add", "-q", str(tmp_path / "other"), "vendor/other")
    repo.commit()
    snapshot = repo.take()
    made = repo.export(snapshot)
    assert compared(snapshot, made) == (7, [])

    unlock(made.folder / "vendor/other/sub/z.py")
    (made.folder / "vendor/other/sub/z.py").write_text("3\n")
    (made.folder / "vendor/other/sub/new").write_text("")
    assert compared(snapshot, made)[1] == [
        Difference("vendor/other/sub/z.py", "changed"),
        Difference("vendor/other/sub/new", "added"),
    ]
    repo.git("submodule", "deinit", "-q", "--force", "vendor/other")
    assert compared(snapshot, made)[1] == [Difference("vendor/other", "unknown")]
