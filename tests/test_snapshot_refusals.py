"""What can't or shouldn't go into a snapshot: each finding in full, with its cure."""

import hashlib
import os
import shutil
from pathlib import Path

import pytest
from repository import Repo

from xpc.compiler.git_calls import GitError
from xpc.compiler.snapshot import take
from xpc.compiler.snapshot_checks import leaves
from xpc.compiler.snapshot_policy import secret_part
from xpc.compiler.snapshot_refusal import refuse
from xpc.grammar.diagnostic import Diagnostic, Diagnostics

Finding = tuple[str, str, str, tuple[str, ...]]


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo(tmp_path / "project", {"Experimentfile": "project\n", "train.py": "print(1)\n"})


def shown(found: list[Diagnostic]) -> list[Finding]:
    return [(d.code, d.severity, d.message, d.help) for d in found]


def refusals(repo: Repo, mode: str = "worktree", *, folder: str = ".", root: str = ".") -> list[Finding]:
    diagnostics = Diagnostics()
    assert mode in ("worktree", "head", "clean")
    snapshot = take(repo.path / folder, root, mode, diagnostics)  # type: ignore[arg-type]
    assert (snapshot is None) == diagnostics.failed
    return shown(diagnostics.found)


def test_everything_untracked_that_is_too_much_is_named_at_once(repo: Repo) -> None:
    """A large file, a secret, a nested repository and a symlink that leads out: four errors, one run."""
    repo.write({"key.pem": "x\n"})
    (repo.path / "model.bin").write_bytes(b"\0" * 10_000_001)
    Repo(repo.path / "vendor/lib", {"a": "1\n"})
    (repo.path / "out").symlink_to("../elsewhere")
    repo.git("add", "out")

    assert refusals(repo) == [
        (
            "XP125",
            "error",
            "untracked `model.bin` is 10.0 MB, and a snapshot takes up to 10 MB each",
            ("write `model.bin` into .gitignore, or commit it",),
        ),
        (
            "XP127",
            "error",
            "untracked `key.pem` looks secret",
            ("write `key.pem` into .gitignore, or commit it if it holds no secret",),
        ),
        (
            "XP129",
            "error",
            "`vendor/lib/` is a git repository of its own that this one does not know",
            (
                "write `vendor/lib/` into .gitignore, and `link` it if runs read it",
                "or make it a submodule: `git submodule add URL vendor/lib`",
            ),
        ),
        (
            "XP128",
            "error",
            "the symlink `out` leads out of the snapshot, to `../elsewhere`",
            (
                "take it out of git: `git rm --cached out`, and write `out` into .gitignore",
                'then write `link "../elsewhere" as out` in the Experimentfile',
            ),
        ),
    ]


def test_ignored_and_committed_files_are_no_untracked_ones(repo: Repo) -> None:
    """The two cures work: ignoring a file, and committing it."""
    repo.write({".env": "SECRET=1\n", "key.pem": "x\n", ".gitignore": ".env\n"})
    (repo.path / "model.bin").write_bytes(b"\0" * 10_000_001)
    repo.commit()

    assert refusals(repo) == []


def test_symlinks_that_git_does_not_know(repo: Repo) -> None:
    """Nothing to take out of git; a link's name that is no name is left to the folder's own."""
    (repo.path / "a.py").symlink_to("../lib/b.py")
    assert [help for *_, help in refusals(repo)] == [
        (
            "write `a.py` into .gitignore",
            'then write `link "../lib/b.py"` in the Experimentfile; runs see it as `b.py`',
        )
    ]


@pytest.mark.parametrize("committed", [False, True])
def test_a_virtual_environment_is_told_once(repo: Repo, committed: bool) -> None:
    """Its interpreters are symlinks that lead out; what helps is to ignore all of it."""
    repo.write({"env/.venv/pyvenv.cfg": "home = /usr/bin\n"})
    (repo.path / "env/.venv/bin").mkdir()
    for name in ("python", "python3"):
        (repo.path / "env/.venv/bin" / name).symlink_to("/usr/bin/python3")
    if committed:
        repo.commit()
    ignore = "write `env/.venv/` into .gitignore"
    assert refusals(repo) == [
        (
            "XP128",
            "error",
            "the symlink `env/.venv/bin/python` leads out of the snapshot, to `/usr/bin/python3`",
            (
                f"take it out of git: `git rm -r --cached env/.venv`, and {ignore}" if committed else ignore,
                '`env/.venv/` is a virtual environment; if a `run` names it, write `link "env/.venv"`, too',
            ),
        )
    ]


def test_many_untracked_files(repo: Repo) -> None:
    """More than 2,000 files: where most of them are, and what to do."""
    repo.write({f"out/{n}.txt": "" for n in range(2001)} | {"x.txt": ""})

    assert refusals(repo) == [
        (
            "XP126",
            "error",
            "there are 2,002 untracked files, and a snapshot takes up to 2,000",
            (
                "most are in `out/`, `x.txt`",
                "write `out/` into .gitignore, or commit it",
                'if runs read it, ignore `out/` and write `link "out"` in the Experimentfile',
            ),
        )
    ]


def test_much_in_untracked_files(repo: Repo) -> None:
    """Over 100 MB together, though none is large."""
    (repo.path / "data").mkdir()
    for n in range(11):
        with open(repo.path / f"data/{n}", "wb") as file:
            file.truncate(9_500_000)

    assert refusals(repo) == [
        (
            "XP126",
            "error",
            "untracked files are 104 MB together, and a snapshot takes up to 100 MB",
            (
                "most are in `data/`",
                "write `data/` into .gitignore, or commit it",
                'if runs read it, ignore `data/` and write `link "data"` in the Experimentfile',
            ),
        )
    ]


@pytest.mark.parametrize(
    ("path", "secret"),
    [
        (".env", ".env"),
        (".env.local", ".env.local"),
        ("conf/.netrc", "conf/.netrc"),
        ("a/b.KEY", "a/b.KEY"),
        ("id_ed25519", "id_ed25519"),
        ("aws_credentials.json", "aws_credentials.json"),
        ("credentials/prod.json", "credentials/"),
        (".env/bin/python", ".env/"),
        ("id_rsa.pub", None),
        ("id_map.csv", None),
        ("environment.yml", None),
        ("keys.py", None),
    ],
)
def test_names_that_look_secret(path: str, secret: str | None) -> None:
    """Names of keys and passwords, and of folders of them."""
    assert secret_part(path) == secret


@pytest.mark.parametrize(
    ("links", "outside"),
    [
        ({"a": "b"}, False),
        ({"a": "../b"}, True),
        ({"a": "/etc/passwd"}, True),
        ({"d/a": "../b"}, False),
        ({"d/a": "../../b"}, True),
        ({"d/a": "x/../../b/./c"}, False),
        ({"a": "a"}, False),
        ({"a": "b", "b": "a"}, False),
        ({"d/e/up": "../..", "a": "d/e/up/../x"}, True),
        ({"d/e/up": "../..", "a": "d/e/up/x"}, False),
    ],
)
def test_symlinks_are_followed_to_their_end(links: dict[str, str], outside: bool) -> None:
    """A link may lead out by another link; a loop leads nowhere."""
    assert any(leaves(path, links) for path in links) == outside


def test_folder_without_repository(tmp_path: Path) -> None:
    """The first thing a newcomer meets."""
    diagnostics = Diagnostics()

    assert take(tmp_path, ".", "worktree", diagnostics) is None
    assert shown(diagnostics.found) == [
        (
            "XP121",
            "error",
            "this folder is in no git repository",
            ("write `git init` here; nothing needs to be committed", "the code of a run is kept as a git tree"),
        )
    ]
    assert list(tmp_path.iterdir()) == []


def test_machine_without_git(repo: Repo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No git on the path."""
    monkeypatch.setenv("PATH", str(tmp_path))

    assert refusals(repo) == [
        (
            "XP120",
            "error",
            "xpc needs git: there is none on the path",
            ("install git 2.31 or newer; the code of a run is kept by it",),
        )
    ]


def test_git_that_is_too_old(repo: Repo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A git that ignores settings from the environment would run what a repository says: refused."""
    real = shutil.which("git")
    old = tmp_path / "git"
    old.write_text(f'#!/bin/sh\nunset GIT_CONFIG_COUNT\nexec {real} "$@"\n')
    old.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")

    assert [finding[:3] for finding in refusals(repo)] == [("XP120", "error", "xpc needs git: this one is too old")]


def test_repository_of_another_user(tmp_path: Path) -> None:
    """Git's own refusal, with the line that lifts it."""
    for text in (
        "fatal: detected dubious ownership in repository at '/srv/p'\nTo add an exception …",
        "fatal: unsafe repository ('/srv/p' is owned by someone else)",
    ):
        diagnostics = Diagnostics()
        refuse(GitError(("rev-parse",), 128, text), tmp_path, diagnostics)

        assert shown(diagnostics.found) == [
            (
                "XP122",
                "error",
                "the repository `/srv/p` belongs to another user, and git refuses it",
                ("if you trust it: `git config --global --add safe.directory /srv/p`",),
            )
        ]


def test_clean_and_head_want_a_commit(tmp_path: Path) -> None:
    """Without a commit only the working tree can be taken."""
    repo = Repo(tmp_path / "new")
    repo.write({"train.py": "\n"})

    for mode in ("clean", "head"):
        assert refusals(repo, mode) == [
            (
                "XP123",
                "error",
                f"the repository has no commit yet, and `--snapshot {mode}` takes one",
                ("make a commit, or leave the option out: the working tree is then taken as it is",),
            )
        ]


def test_clean_refuses_differences(repo: Repo) -> None:
    """For CI: what ran is what is committed. Untracked files count."""
    assert refusals(repo, "clean") == []
    repo.write({"train.py": "print(2)\n", **{f"n{n}.py": "" for n in range(6)}})

    assert refusals(repo, "clean") == [
        (
            "XP124",
            "error",
            "the working tree differs from HEAD, and `--snapshot clean` allows no difference",
            ("`n0.py`, `n1.py`, `n2.py`, `n3.py`, `n4.py` and 2 more differ", "commit or ignore what differs"),
        )
    ]


def test_root_outside_the_repository(repo: Repo) -> None:
    """The repository is the widest root."""
    repo.write({"a/b/Experimentfile": "\n"})

    assert refusals(repo, folder="a/b", root="../../..") == [
        (
            "XP133",
            "error",
            "the root `../../..` is outside the repository",
            ('the widest root is the repository itself: `root "../.."`; `link` lets runs read other folders',),
        )
    ]
    assert refusals(repo, root="a") == [
        (
            "XP133",
            "error",
            "the root `a` does not hold the Experimentfile's folder",
            ("a root is `.` or goes up: `..`, `../..`",),
        )
    ]
    assert refusals(repo, folder="a/b", root="../c")[0][0] == "XP133"


def test_ignored_folder(repo: Repo) -> None:
    """A project in a folder that an outer repository ignores."""
    repo.write({".gitignore": "scratch/\n", "scratch/p/Experimentfile": "\n"})

    assert refusals(repo, folder="scratch/p") == [
        (
            "XP139",
            "error",
            "the snapshot would be empty",
            ("git ignores this folder: write `git init` here, or take it out of .gitignore",),
        )
    ]


def test_everything_ignored(tmp_path: Path) -> None:
    """A repository that ignores all of its files has nothing to run."""
    repo = Repo(tmp_path / "p")
    repo.write({".gitignore": "*\n", "Experimentfile": "\n"})

    assert [finding[0] for finding in refusals(repo)] == ["XP139"]


def test_own_folders_under_version_control(repo: Repo) -> None:
    """Runs that someone committed are no part of the code."""
    repo.write({"runs/train/1/run.jsonl": "{}\n"})
    repo.commit()
    diagnostics = Diagnostics()

    snapshot = take(repo.path, ".", "worktree", diagnostics)

    assert snapshot is not None
    assert not snapshot.dirty
    assert set(repo.files(snapshot.tree)) == {"Experimentfile", "train.py"}
    assert shown(diagnostics.found) == [
        (
            "XP134",
            "warning",
            "`runs/` is tracked by git, and no part of a snapshot",
            ("xpc writes there; `git rm -r --cached runs` leaves it to xpc",),
        )
    ]


def test_unreadable_project_folder(repo: Repo) -> None:
    """A file where xpc keeps its own."""
    (repo.path / ".xpc").write_text("")

    assert refusals(repo) == [
        (
            "XP137",
            "error",
            "no snapshot can be made: `.xpc`: file exists",
            ("xpc writes into `.xpc/`, beside the Experimentfile, and into the git repository",),
        )
    ]


# ------------------------------------------------------------------ submodules


@pytest.fixture
def parent(repo: Repo, tmp_path: Path) -> Repo:
    Repo(tmp_path / "lib", {"lib.py": "v = 1\n", "deep/x.py": "\n"})
    repo.git("submodule", "add", "-q", str(tmp_path / "lib"), "libs/lib")
    repo.commit("Add a submodule")
    return repo


def test_submodule_is_exported_at_its_recorded_commit(parent: Repo) -> None:
    """Its files are there, as they were recorded."""
    snapshot = parent.take()
    folder = parent.export(snapshot).folder

    assert (folder / "libs/lib/lib.py").read_text() == "v = 1\n"
    assert (folder / "libs/lib/deep/x.py").exists()
    assert not (folder / "libs/lib/.git").exists()


def test_submodule_with_changes(parent: Repo) -> None:
    """Changes inside a submodule are not taken, and each snapshot says so."""
    (parent.path / "libs/lib/lib.py").write_text("v = 2\n")
    dirty = (
        "XP132",
        "warning",
        "submodule `libs/lib` has changes, and runs see its recorded commit",
        ("commit them there, then `git add libs/lib`",),
    )

    assert refusals(parent) == refusals(parent) == [dirty]

    Repo(parent.path / "libs/lib").commit("Go on")
    moved = (
        "XP132",
        "warning",
        "submodule `libs/lib` stands at another commit than the recorded one, and runs see the recorded one",
        ("`git add libs/lib` records the commit that is checked out",),
    )

    assert refusals(parent) == [moved]

    parent.git("add", "libs/lib")
    snapshot = parent.take()

    assert snapshot.changed == ("libs/lib",)
    assert (parent.export(snapshot).folder / "libs/lib/lib.py").read_text() == "v = 2\n"


def test_submodule_runs_nothing(parent: Repo, tmp_path: Path) -> None:
    """A submodule has a configuration of its own, which is no more trusted."""
    program = tmp_path / "evil"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\ncat\n")
    program.chmod(0o755)
    inside = parent.path / "libs/lib"
    (inside / ".gitattributes").write_text("*.py filter=evil\n")
    Repo(inside).commit("Add attributes")
    for key in ("core.fsmonitor", "filter.evil.clean", "filter.evil.smudge"):
        parent.git("config", key, str(program), cwd=inside)
    parent.git("-c", f"filter.evil.clean={program}", "-c", "core.fsmonitor=false", "add", "libs/lib")
    (tmp_path / "ran").unlink(missing_ok=True)
    (inside / "lib.py").write_text("v = 3\n")

    snapshot, _ = parent.look()
    assert snapshot is not None
    parent.export(snapshot)

    assert not (tmp_path / "ran").exists()


def test_submodule_that_is_not_checked_out(parent: Repo, tmp_path: Path) -> None:
    """A clone without its submodules."""
    parent.git("clone", "-q", str(parent.path), str(tmp_path / "clone"))

    assert refusals(Repo(tmp_path / "clone")) == [
        (
            "XP131",
            "error",
            "submodule `libs/lib` is not checked out",
            ("`git submodule update --init libs/lib`",),
        )
    ]


# ------------------------------------------------------------------ git LFS


def lfs_pointer(content: bytes) -> str:
    oid = hashlib.sha256(content).hexdigest()
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {len(content)}\n"


def store(repo: Repo, content: bytes) -> None:
    oid = hashlib.sha256(content).hexdigest()
    place = repo.path / f".git/lfs/objects/{oid[:2]}/{oid[2:4]}/{oid}"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)


def test_lfs_pointers_are_resolved(repo: Repo) -> None:
    """An export holds the content, not the pointer; a fixture that looks like a pointer is left alone."""
    fixture = lfs_pointer(b"nothing")
    repo.write({".gitattributes": "*.bin filter=lfs\n", "w.bin": lfs_pointer(b"weights"), "fixture.txt": fixture})
    (repo.path / "w.bin").chmod(0o755)
    repo.commit()
    store(repo, b"weights")

    folder = repo.export(repo.take()).folder

    assert (folder / "w.bin").read_bytes() == b"weights"
    assert os.lstat(folder / "w.bin").st_mode & 0o777 == 0o555
    assert (folder / "fixture.txt").read_text() == fixture


def test_lfs_content_that_is_not_here(repo: Repo) -> None:
    """A clone without LFS has pointers only: the run would read them as data."""
    repo.write({".gitattributes": "*.bin filter=lfs\n", "w.bin": lfs_pointer(b"weights")})
    repo.commit()

    assert refusals(repo) == [
        (
            "XP130",
            "error",
            "`w.bin` is kept by git LFS, and its content is not here",
            ("`git lfs fetch --include w.bin`, or `git lfs fetch` for all",),
        )
    ]


def test_lfs_files_looked_at_apart(repo: Repo, tmp_path: Path) -> None:
    """What only looks takes an edited file for what LFS would make of it, and leaves LFS's own store as it is."""
    repo.write({".gitattributes": "*.bin filter=lfs\n", "w.bin": lfs_pointer(b"weights")})
    repo.commit()
    store(repo, b"weights")
    repo.write({"w.bin": "better weights"})
    (tmp_path / "scratch").mkdir()
    found = take(repo.path, ".", "worktree", Diagnostics(), scratch=tmp_path / "scratch")

    assert found is not None
    assert found.tree != repo.git("rev-parse", "HEAD^{tree}")
    assert len([path for path in (repo.path / ".git/lfs").rglob("*") if path.is_file()]) == 1
    assert repo.take().tree == found.tree


def test_lfs_files_in_the_working_tree(repo: Repo) -> None:
    """With LFS at work the files hold content: unchanged it is no difference, edited it is stored as LFS does."""
    repo.write({".gitattributes": "*.bin filter=lfs\n", "w.bin": lfs_pointer(b"weights")})
    repo.commit()
    store(repo, b"weights")
    (repo.path / "w.bin").write_bytes(b"weights")

    assert not repo.take().dirty

    (repo.path / "w.bin").write_bytes(b"better weights")
    snapshot = repo.take()

    assert snapshot.changed == ("w.bin",)
    assert repo.files(snapshot.tree)["w.bin"] == lfs_pointer(b"better weights").strip()
    assert (repo.export(snapshot).folder / "w.bin").read_bytes() == b"better weights"
