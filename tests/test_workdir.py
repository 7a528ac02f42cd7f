"""The folder in which a run works: reads as at home, writes of its own, and nothing else left at the end."""

import errno
import json
import os
import shutil
import subprocess
import sys
import time
import venv
from pathlib import Path

import pytest
from repository import Repo

from xpc.runtime.shim import workdir as shim
from xpc.runtime.shim.workdir import Workdir, WorkdirError, prepare, read_stamp, snapshot_write_hint, sweep, witness

CODE = {
    "Experimentfile": "project\n",
    "train.py": "import pkg, sys\nprint(pkg.where)\n",
    "pkg/__init__.py": "where = __file__\n",
    "conf/base.yaml": "lr: 1\n",
    "conf/deep/x.yaml": "x\n",
    "results/old.txt": "old\n",
    "outputs/.gitkeep": "",
}
# What a program of an ordinary user gets, also where the tests run as root.
AS_USER = (
    "import ctypes, os, sys\n"
    "libc = ctypes.CDLL(None)\n"
    "[libc.prctl(24, capability, 0, 0, 0) for capability in (1, 2)]\n"
    "os.execvp(sys.argv[1], sys.argv[1:])\n"
)


class Study:
    """A project with a snapshot, ready for runs."""

    def __init__(self, path: Path, files: dict[str, str] = CODE, *, folder: str = ".", root: str = ".") -> None:
        self.repo = Repo(path, files)
        self.project = path if folder == "." else path / folder
        self.snapshot = self.repo.take(folder=folder, root=root)
        self.export = self.repo.export(self.snapshot, folder=folder).folder
        self.count = 0

    def folder(self) -> Path:
        self.count += 1
        run = self.project / "runs/train" / f"{self.count:016x}"
        run.mkdir(parents=True)
        return run

    def prepare(self, run: Path | None = None, mode: str = "links", **declared: list[str]) -> Workdir:
        stamp = read_stamp(str(self.project), self.snapshot.tree)
        return prepare(str(self.project), stamp, str(run or self.folder()), mode, **declared)  # type: ignore[arg-type]


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return Study(tmp_path / "project")


def python(workdir: Workdir, *arguments: str, program: str = sys.executable) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **workdir.environment(os.environ)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [sys.executable, "-c", AS_USER, program, *arguments]
    return subprocess.run(command, cwd=workdir.cwd, env=environment, capture_output=True, text=True, check=False)


def tree(folder: Path) -> dict[str, str]:
    """Give each file's text, each link's target as `-> target`, each empty folder as `/`."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found[name] = f"-> {os.readlink(path)}"
        elif path.is_file():
            found[name] = path.read_text()
        elif not any(path.iterdir()):
            found[name] = "/"
    return found


def test_program_reads_as_at_home_and_writes_its_own(study: Study) -> None:
    """Imports, relative reads and writes work; at the end only what was written is left."""
    workdir = study.prepare(outputs=["model.pt"])
    program = "import json; open('model.pt', 'w').write(open('conf/base.yaml').read())"

    assert python(workdir, "train.py").stdout == f"{study.export}/pkg/__init__.py\n"
    assert python(workdir, "-c", program).stderr == ""
    workdir.remove_links()

    assert tree(Path(workdir.files)) == {"model.pt": "lr: 1\n"}
    assert (study.export / "pkg/__pycache__").is_dir()
    assert list((study.export / "pkg/__pycache__").iterdir()) != []


def test_links_share_the_templates_inode(study: Study) -> None:
    """A link of a run costs no inode; nor does its git file."""
    files = Path(study.prepare().files)
    template = study.export.with_name(study.export.name + ".links")

    for name in ("train.py", "pkg", "conf", ".git"):
        assert os.lstat(files / name).st_ino == os.lstat(template / name).st_ino


DAMAGED = [b"", b"\0" * 40, b"gitdir: ../../../../.xp", b"gitdir: ../../../" + b"\0" * 24, b"git"]


@pytest.mark.parametrize("left", DAMAGED)
def test_damaged_git_file_is_removed_too(study: Study, left: bytes) -> None:
    """A power failure may damage the file that runs get as their `.git`; it is no result of theirs."""
    damaged = study.export.with_name(study.export.name + ".links") / ".git"
    damaged.chmod(0o644)
    damaged.write_bytes(left)
    workdir = study.prepare()
    assert (Path(workdir.files) / ".git").exists()
    workdir.remove_links()

    assert not Path(workdir.files).exists()


@pytest.mark.parametrize("left", DAMAGED)
def test_damaged_git_file_of_a_killed_attempt_makes_room(study: Study, left: bytes) -> None:
    """The export has been put right since: the next attempt gets the file as it should be."""
    git = Path(study.prepare().files) / ".git"
    git.unlink()
    git.write_bytes(left)
    workdir = study.prepare()

    assert study.repo.git("rev-parse", "HEAD", cwd=Path(workdir.files)) == study.snapshot.commit
    workdir.remove_links()
    assert not Path(workdir.files).exists()


def test_git_file_of_the_program_stays(study: Study) -> None:
    """It leads elsewhere, as that of a clone with a separate folder does."""
    workdir = study.prepare()
    git = Path(workdir.files) / ".git"
    git.unlink()
    git.write_bytes(b"gitdir: /srv/other.git\n")
    workdir.remove_links()
    study.prepare().remove_links()

    assert git.read_bytes() == b"gitdir: /srv/other.git\n"


def test_symlinks_where_hard_links_are_refused(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too many links, another file system, none at all: then symlinks, and they work the same."""
    asked = []

    def refuse(source: str, *_: object, **__: object) -> None:
        asked.append(source)
        raise OSError(31, "Too many links")

    monkeypatch.setattr(shim.os, "link", refuse)
    workdir = study.prepare()

    assert len(asked) == 2  # one link and the git file: the others are not tried
    assert (Path(workdir.files) / "conf/base.yaml").read_text() == "lr: 1\n"
    assert study.repo.git("rev-parse", "HEAD", cwd=Path(workdir.files)) == study.snapshot.commit
    workdir.remove_links()
    assert not Path(workdir.files).exists()


def test_writing_into_the_snapshot_fails_and_is_explained(study: Study) -> None:
    """A tracked folder is read-only: the run fails, and is told what to write."""
    workdir = study.prepare()
    done = python(workdir, "-c", "open('results/new.txt', 'w')")

    assert done.returncode == 1
    assert snapshot_write_hint(done.stderr, workdir) == "wrote into the snapshot: results/"


def test_writable_folder(study: Study) -> None:
    """`writable "results"`: the old contents can be read there, and new ones are the run's own."""
    workdir = study.prepare(writable=["results"])
    done = python(workdir, "-c", "open('results/new.txt', 'w').write(open('results/old.txt').read())")
    workdir.remove_links()

    assert done.stderr == ""
    assert tree(Path(workdir.files)) == {"results/new.txt": "old\n"}


def test_writable_folder_is_writable_below_too(study: Study) -> None:
    """Folders inside a writable folder are real as well; their files stay links."""
    workdir = study.prepare(writable=["conf"])

    assert python(workdir, "-c", "open('conf/deep/y', 'w')").stderr == ""
    assert (Path(workdir.files) / "conf/deep/x.yaml").is_symlink()


def test_writable_file(study: Study) -> None:
    """A tracked file that the program changes: a copy, kept where it changed."""
    workdir = study.prepare(writable=["conf/base.yaml", "train.py"])

    assert python(workdir, "-c", "open('conf/base.yaml', 'a').write('epochs: 2\\n')").stderr == ""
    workdir.remove_links()

    assert tree(Path(workdir.files)) == {"conf/base.yaml": "lr: 1\nepochs: 2\n"}


def test_folder_that_waits_for_results_is_real(study: Study) -> None:
    """A folder with a `.gitkeep` and nothing else is made, empty and writable."""
    workdir = study.prepare()

    assert tree(Path(workdir.files) / "outputs") == {}
    assert python(workdir, "-c", "open('outputs/x', 'w')").stderr == ""
    workdir.remove_links()
    assert tree(Path(workdir.files)) == {"outputs/x": ""}


def test_folders_along_outputs_are_real(study: Study) -> None:
    """Outputs and metrics files may lie in tracked folders, new folders, and be tracked files themselves."""
    workdir = study.prepare(outputs=["conf/deep/m/model.pt", "results/old.txt"], metrics_files=["logs/a/m.csv"])
    files = Path(workdir.files)
    up = "../../../../"
    code = f".xpc/snapshots/{study.snapshot.tree}"

    assert tree(files) == {
        ".git": f"gitdir: {up}{code}.git\n",
        "Experimentfile": f"-> {up}{code}/Experimentfile",
        "conf/base.yaml": f"-> {up}../{code}/conf/base.yaml",
        "conf/deep/m": "/",
        "conf/deep/x.yaml": f"-> {up}../../{code}/conf/deep/x.yaml",
        "logs/a": "/",
        "outputs": "/",
        "pkg": f"-> {up}{code}/pkg",
        "results": "/",
        "train.py": f"-> {up}{code}/train.py",
    }
    assert (files / "conf/deep/x.yaml").read_text() == "x\n"
    workdir.remove_links()
    assert not files.exists()


def test_output_that_is_a_tracked_folder(study: Study) -> None:
    """An output may be a whole folder that the snapshot has."""
    workdir = study.prepare(outputs=["results"])

    assert python(workdir, "-c", "open('results/new.txt', 'w')").stderr == ""
    assert (Path(workdir.files) / "results/old.txt").read_text() == "old\n"


def test_linked_folders(study: Study, tmp_path: Path) -> None:
    """Linked folders are there under their names, also in place of tracked ones, and are never removed."""
    for name in ("project/data", "beside", "far"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "x").write_text(name)
    links = [("data", "data"), ("in/beside", "../beside"), ("conf", str(tmp_path / "far"))]
    workdir = study.prepare(links=links, outputs=["data/made"])  # type: ignore[arg-type]
    files = Path(workdir.files)

    assert [(files / name / "x").read_text() for name, _ in links] == ["project/data", "beside", "far"]
    workdir.remove_links()
    assert not files.exists()
    assert (tmp_path / "beside/x").exists()


def test_linked_folder_that_is_missing(study: Study) -> None:
    """A run doesn't start without its data."""
    with pytest.raises(WorkdirError, match=r"^the linked `\.\./nowhere` is not there$"):
        study.prepare(links=[("data", "../nowhere")])  # type: ignore[list-item]


def test_path_outside_the_working_directory(study: Study) -> None:
    """Nothing is made outside a run's folder."""
    with pytest.raises(WorkdirError, match=r"^`a/\.\./\.\./x` is outside the working directory$"):
        study.prepare(outputs=["a/../../x"])


def test_git_inside_a_run_tells_the_snapshots_commit(study: Study) -> None:
    """Trackers ask git, by command or by GitPython: they get the snapshot's commit, and no difference."""
    study.repo.write({"train.py": "\n"})
    study.repo.commit("Something else")
    workdir = study.prepare(outputs=["conf/x"])
    program = "import git; r = git.Repo(search_parent_directories=True); print(r.head.commit.hexsha, r.is_dirty())"

    assert study.repo.git("rev-parse", "HEAD", cwd=Path(workdir.cwd)) == study.snapshot.commit
    assert python(workdir, "-c", program).stdout == f"{study.snapshot.commit} False\n"
    assert study.repo.git("status", "--short", "-uno", cwd=Path(workdir.cwd)) == ""


def test_editable_install_imports_the_snapshot(tmp_path: Path) -> None:
    """`pip install -e .` puts the live tree on an environment's path; the snapshot comes before it."""
    study = Study(tmp_path / "p", {"src/pkg/__init__.py": "where = __file__\n", "bin/go.py": CODE["train.py"]})
    study.repo.write({"src/pkg/__init__.py": "where = 'live'\n"})
    venv.create(tmp_path / "venv", symlinks=True)
    site = next((tmp_path / "venv/lib").glob("python3*/site-packages"))
    (site / "__editable__.pkg-0.pth").write_text(f"{study.project}/src\n")
    own = str(tmp_path / "venv/bin/python")
    workdir = study.prepare()

    assert python(workdir, "bin/go.py", program=own).stdout == f"{study.export}/src/pkg/__init__.py\n"
    assert subprocess.check_output([own, "bin/go.py"], cwd=workdir.cwd, text=True) == "live\n"


def test_import_roots_come_before_the_users(tmp_path: Path) -> None:
    """`src` is a root too, and what the user had stays behind."""
    study = Study(tmp_path / "p", {"src/m.py": "\n"})
    workdir = study.prepare()
    found = workdir.environment({"PYTHONPATH": "/mine"})

    assert found == {"PYTHONPATH": f"{study.export}:{study.export}/src:/mine", "XPC_CODE": str(study.export)}


def test_widened_root_keeps_relative_paths(tmp_path: Path) -> None:
    """With `root ".."` the program still finds what lies beside its folder, and writes in its own."""
    files = {"study/Experimentfile": "\n", "study/t.py": "\n", "common/a.txt": "1\n", "lib.py": "v = 7\n"}
    study = Study(tmp_path / "p", files, folder="study", root="..")
    (study.project / "data").mkdir()
    workdir = study.prepare(outputs=["out/x"], links=[("data", "data")])  # type: ignore[list-item]
    program = "import lib; open('out/x', 'w').write(open('../common/a.txt').read() + str(lib.v))"

    assert workdir.cwd == workdir.home == f"{workdir.files}/study"
    assert (Path(workdir.cwd) / "data").resolve() == study.project / "data"
    assert python(workdir, "-c", program).stderr == ""
    assert study.repo.git("rev-parse", "HEAD", cwd=Path(workdir.cwd)) == study.snapshot.commit
    assert workdir.environment({})["XPC_CODE"] == f"{study.export}/study"
    workdir.remove_links()
    assert tree(Path(workdir.files)) == {"study/out/x": "1\n7"}


def test_earlier_attempts_files_are_kept(study: Study) -> None:
    """A second attempt finds what the first one wrote, also where the snapshot has a file of that name."""
    run = study.folder()
    first = study.prepare(run, outputs=["model.pt"])
    os.unlink(Path(first.files) / "train.py")
    (Path(first.files) / "train.py").write_text("mine\n")
    (Path(first.files) / "model.pt").write_text("half\n")
    first.remove_links()
    second = study.prepare(run, outputs=["model.pt"])

    assert (Path(second.files) / "train.py").read_text() == "mine\n"
    second.remove_links()
    assert tree(Path(second.files)) == {"model.pt": "half\n", "train.py": "mine\n"}


def test_links_of_a_killed_run_are_swept(study: Study, tmp_path: Path) -> None:
    """What a run left that was killed hard: its links go, its own files and links stay."""
    run = study.folder()
    (tmp_path / "far").mkdir()
    links = [("data", str(tmp_path / "far")), ("conf2", "conf")]
    files = Path(study.prepare(run, outputs=["results/x"], links=links).files)  # type: ignore[arg-type]
    (files / "results/x").write_text("1\n")
    (files / "latest").symlink_to("results/x")
    (files / "up").symlink_to("../run.jsonl")
    sweep(str(run), links)

    assert tree(files) == {"latest": "-> results/x", "results/x": "1\n", "up": "-> ../run.jsonl"}
    sweep(str(study.folder()))


def test_run_of_another_snapshot_in_the_same_folder(study: Study) -> None:
    """A retry after an edit gets links to the code of now."""
    run = study.folder()
    study.prepare(run)
    study.repo.write({"conf/base.yaml": "lr: 2\n"})
    study.snapshot = study.repo.take()
    study.repo.export(study.snapshot)

    assert (Path(study.prepare(run).files) / "conf/base.yaml").read_text() == "lr: 2\n"


def test_workdir_copy(study: Study) -> None:
    """A real copy, all of it writable; what did not change is dropped at the end."""
    workdir = study.prepare(mode="copy", outputs=["model.pt"])
    program = (
        "open('conf/base.yaml', 'a').write('x\\n'); open('results/old.txt', 'w').write('old\\n'); open('model.pt', 'w')"
    )

    assert not (Path(workdir.files) / "conf").is_symlink()
    assert python(workdir, "-c", program).stderr == ""
    assert study.repo.git("rev-parse", "HEAD", cwd=Path(workdir.cwd)) == study.snapshot.commit
    workdir.remove_links()
    assert tree(Path(workdir.files)) == {"conf/base.yaml": "lr: 1\nx\n", "model.pt": ""}


def test_workdir_snapshot(study: Study) -> None:
    """The program runs in the export itself; its declared outputs have their folders in files/."""
    workdir = study.prepare(mode="snapshot", outputs=["a/model.pt"])

    assert (workdir.cwd, workdir.witness) == (str(study.export), "stamp")
    assert tree(Path(workdir.files)) == {"a": "/"}
    workdir.remove_links()
    assert not Path(workdir.files).exists()


def test_workdir_project(study: Study) -> None:
    """The program runs in the live project, and the record says so."""
    workdir = study.prepare(mode="project")

    assert (workdir.cwd, workdir.witness) == (str(study.project), "live")
    assert workdir.environment({"PYTHONPATH": "/mine"}) == {"XPC_CODE": str(study.project)}


@pytest.mark.skipif(os.geteuid() != 0, reason="the modes stop everybody else")
def test_superuser_who_writes_into_the_snapshot_is_found(study: Study) -> None:
    """Read-only modes don't stop root, as in a container: the records say that the code was altered,
    those of later runs too."""
    workdir = study.prepare()
    (study.export / "pkg/__pycache__/x.pyc").write_text("")
    assert workdir.witness == "stamp"
    (Path(workdir.files) / "results/new.txt").write_text("")

    assert workdir.witness == "altered"
    assert study.prepare().witness == "altered"


def test_copy_left_by_a_killed_attempt_is_dropped(study: Study) -> None:
    """The next attempt knows an old copy from a result."""
    run = study.folder()
    killed = study.prepare(run, mode="copy")
    (Path(killed.files) / "train.py").write_text("mine\n")
    study.prepare(run, mode="copy").remove_links()

    assert tree(Path(killed.files)) == {"train.py": "mine\n"}


def test_witness_wants_a_whole_export(study: Study) -> None:
    """A task checks the stamp before it starts."""
    name = study.snapshot.tree
    project = str(study.project)
    assert witness(project, name) == "stamp"

    (study.export.parent / f"{name}.json").rename(study.export.parent / "aside")
    with pytest.raises(WorkdirError, match=f"^the export of snapshot {name[:7]} is not there, or not whole$"):
        witness(project, name)

    record = json.loads((study.export.parent / "aside").read_text())
    (study.export.parent / f"{name}.json").write_text(json.dumps({**record, "tree": "0" * 40}))
    with pytest.raises(WorkdirError, match=f"^the export of snapshot {name[:7]} does not match its stamp$"):
        witness(project, name)


@pytest.mark.parametrize(
    ("stderr", "hint"),
    [
        ("PermissionError: [Errno 13] Permission denied: 'results/a.txt'", "wrote into the snapshot: results/"),
        ("bash: line 1: results/a: Permission denied", "wrote into the snapshot: results/"),
        ("OSError: [Errno 30] Read-only file system: '{export}/conf/x'\nmore", "wrote into the snapshot: conf/"),
        ("open {files}/train.py: EACCES '{files}/train.py'", "wrote into the snapshot: train.py"),
        ("PermissionError: [Errno 13] Permission denied: '/etc/shadow'", None),
        ("PermissionError: [Errno 13] Permission denied: 'elsewhere/x'", None),
        ("FileNotFoundError: 'results/x'", None),
        ("", None),
    ],
)
def test_hint_after_a_failed_write(study: Study, stderr: str, hint: str | None) -> None:
    """Only a denied write to something of the snapshot is explained."""
    workdir = study.prepare()

    assert snapshot_write_hint(stderr.format(export=study.export, files=workdir.files), workdir) == hint


def test_moved_project(study: Study, tmp_path: Path) -> None:
    """Links are relative: a run's folder works after the project was moved."""
    workdir = study.prepare()
    shutil.move(study.project, tmp_path / "moved")
    files = tmp_path / "moved" / Path(workdir.files).relative_to(study.project)

    assert (files / "conf/base.yaml").read_text() == "lr: 1\n"
    assert study.repo.git("rev-parse", "HEAD", cwd=files) == study.snapshot.commit


def test_twenty_links_are_quick(tmp_path: Path) -> None:
    """Making and removing twenty links takes about a millisecond; ten are allowed on a busy machine."""
    study = Study(tmp_path / "p", {f"f{n:02}": "" for n in range(20)})
    times = []
    for _ in range(20):
        run = study.folder()
        start = time.perf_counter()
        study.prepare(run).remove_links()
        times.append(time.perf_counter() - start)

    assert min(times) < 0.01


def test_old_python_runs_the_shim(study: Study) -> None:
    """A node may have Python 3.8."""
    installed = sorted(Path(os.environ.get("PYENV_ROOT", "/opt/python")).glob("versions/3.8.*/bin/python"))
    old = str(installed[0]) if installed else shutil.which("python3.8")
    if old is None:
        pytest.skip("no Python 3.8 here")
    program = (
        f"import sys; sys.path.insert(0, {str(Path(shim.__file__).parent)!r}); import workdir as w\n"
        f"d = w.prepare({str(study.project)!r}, w.read_stamp({str(study.project)!r}, {study.snapshot.tree!r}),"
        f" {str(study.folder())!r}, outputs=['conf/x']); d.remove_links(); print(d.witness)"
    )

    done = subprocess.run([old, "-c", program], capture_output=True, text=True, check=False)

    assert done.stdout == "stamp\n", done.stderr


@pytest.mark.parametrize("killed", [False, True])
def test_copy_that_was_cut_off(study: Study, monkeypatch: pytest.MonkeyPatch, killed: bool) -> None:
    """Half a copy, of a full disk or of a killed task, is never taken for a file that an earlier attempt wrote."""
    run = study.folder()

    def cut(source: str, place: str) -> None:
        Path(place).write_text("import p")
        raise KeyboardInterrupt if killed else OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as full:
        full.setattr(shutil, "copyfile", cut)
        with pytest.raises(KeyboardInterrupt if killed else OSError):
            study.prepare(run, "copy")
    workdir = study.prepare(run, "copy")

    assert Path(workdir.files, "train.py").read_text() == CODE["train.py"]
    assert [path.name for path in run.iterdir()] == ["files"]
    workdir.remove_links()
    assert tree(run) == {}
