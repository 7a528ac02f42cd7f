"""A snapshot to the folder in which one run works: links to the code that it may read, real folders where it writes."""

from __future__ import annotations

import errno
import json
import os
import re
import stat
from typing import Mapping, Sequence

SCHEMA = "xpc.snapshot/1"
UP_FROM_FILES = "../../../../"  # files, run, experiment, runs
SNAPSHOTS = ".xpc/snapshots"
CACHE = "__pycache__"
ASIDE = ".copy"  # the ending of a file that is being copied, beside the run's files
MOST_WATCHED = 2_000  # files of an export
NO_HARD_LINKS = {errno.EPERM, errno.EXDEV, errno.EMLINK, errno.EACCES, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}
DENIED = re.compile(r"Permission denied|Read-only file system|EACCES|EROFS")
QUOTED = re.compile(r"'([^']+)'|\"([^\"]+)\"")
UNQUOTED = re.compile(r"([^\s:]+): (?:Permission denied|Read-only file system)")


class WorkdirError(Exception):
    """A working directory that can't be made; the text is for people."""


class Stamp:
    """What is known of an export: see `snapshots/<tree>.json`. Paths in *python_roots* are relative to the export."""

    __slots__ = ("commit", "empty", "entries", "prefix", "python_roots", "tree", "written")

    def __init__(self, record: Mapping[str, object]) -> None:
        self.tree = str(record["tree"])
        self.commit = str(record["commit"])
        self.prefix = str(record["prefix"])
        self.entries = _texts(record["entries"])
        self.empty = _texts(record["empty"])
        self.python_roots = _texts(record["python_roots"])
        written = record.get("written")
        self.written = written if isinstance(written, int) else -1


def _texts(value: object) -> list[str]:
    if not isinstance(value, list):
        raise TypeError("not a list")
    return [str(item) for item in value]


def read_stamp(project: str, tree: str) -> Stamp:
    """Read the stamp of an export; raises `WorkdirError` if the export isn't there, whole, and of this very tree."""
    export = os.path.join(project, SNAPSHOTS, tree)
    try:
        with open(export + ".json", "rb") as file:
            record = json.loads(file.read().decode("utf-8"))
        stamp = Stamp(record)
        fits = record["schema"] == SCHEMA and stamp.tree == tree
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WorkdirError("the export of snapshot %s is not there, or not whole" % tree[:7]) from error
    if not fits or not os.path.isdir(export) or not os.path.isdir(export + ".links"):
        raise WorkdirError("the export of snapshot %s does not match its stamp" % tree[:7])
    return stamp


def witness(project: str, tree: str) -> str:
    """Check an export by its stamp; give what the run's record says of it."""
    read_stamp(project, tree)
    return "stamp"


class Workdir:
    """Where a run works. *cwd* is its working directory, *home* the folder that outputs are relative to."""

    def __init__(self, project: str, stamp: Stamp, run_folder: str) -> None:
        self.project = project
        self.stamp = stamp
        self.export = os.path.join(project, SNAPSHOTS, stamp.tree)
        self.files = os.path.join(run_folder, "files")
        self.home = os.path.join(self.files, stamp.prefix) if stamp.prefix else self.files
        self.cwd = self.home
        self._live = False
        self._newest = -1  # when the export was last written to, if that has to be watched
        self._links: dict[str, str] = {}  # path relative to files -> target
        self._folders: list[str] = []  # relative to files, parents first
        self._copies: dict[str, tuple[int, int]] = {}  # size and time of what was copied
        self._hard = True

    @property
    def witness(self) -> str:
        """Say which code the run sees: ``stamp`` (the snapshot's), ``live`` (the project as it is), or ``altered``
        (the snapshot's, and somebody wrote into it since it was made, as only a superuser can)."""
        if self._live:
            return "live"
        return "altered" if self._newest >= 0 and last_write(self.export) != self._newest else "stamp"

    def environment(self, environ: Mapping[str, str]) -> dict[str, str]:
        """Give the variables that lead a program to its code, before what *environ* has."""
        if self._live:
            return {"XPC_CODE": self.project}
        roots = [os.path.normpath(os.path.join(self.export, root)) for root in self.stamp.python_roots]
        before = environ.get("PYTHONPATH")
        code = os.path.normpath(os.path.join(self.export, self.stamp.prefix))
        return {"PYTHONPATH": os.pathsep.join(roots + ([before] if before else [])), "XPC_CODE": code}

    def remove_links(self) -> None:
        """Leave what the run wrote, and nothing else. What it put in the place of a link stays."""
        for path, target in self._links.items():
            whole = os.path.join(self.files, path)
            if _target(whole) == target:
                os.unlink(whole)
        for path, before in self._copies.items():
            self._drop_unchanged(path, before)
        _unlink_git(self.files)
        for path in reversed(self._folders):
            _rmdir(os.path.join(self.files, path))
        _rmdir(self.files)

    # -------------------------------------------------------------- links

    def _fill(self, template: str, folder: str, plan: "_Plan") -> None:
        """Repeat a folder of the template: its links as hard links, its folders as folders."""
        with os.scandir(os.path.join(template, folder)) as entries:
            for entry in entries:
                path = folder + "/" + entry.name if folder else entry.name
                if path in plan.skipped:
                    continue
                if not entry.is_symlink():
                    if entry.is_dir():
                        self._make(path)
                        self._fill(template, path, plan)
                    elif entry.name == ".git":
                        self._link_git(entry.path)
                elif path in plan.real:
                    self._open(path, plan)
                else:
                    self._link(path, entry.path)

    def _open(self, path: str, plan: "_Plan") -> None:
        """Make a real folder (or, of a file, a copy) instead of a link, with links to what the snapshot holds there."""
        source = os.path.join(self.export, path)
        if not os.path.isdir(source):
            if path in plan.writable:
                self._copy(path)
            return
        if not self._make(path):
            return
        everything = path in plan.writable
        for name in os.listdir(source):
            child = path + "/" + name
            if name == CACHE or child in plan.skipped:
                continue
            below = os.path.join(source, name)
            if everything and os.path.isdir(below) and not os.path.islink(below):
                plan.writable.add(child)
                self._open(child, plan)
            elif child in plan.real:
                self._open(child, plan)
            else:
                self._link(child, None)

    def _link(self, path: str, template: str | None) -> None:
        """Link to the snapshot's *path*, without an inode of its own where that can be had."""
        place = os.path.join(self.files, path)
        target = "%s%s%s/%s/%s" % (UP_FROM_FILES, "../" * path.count("/"), SNAPSHOTS, self.stamp.tree, path)
        try:
            if template is not None and self._hard:
                try:
                    os.link(template, place, follow_symlinks=False)
                except OSError as error:
                    if error.errno not in NO_HARD_LINKS:
                        raise
                    self._hard = False
                    os.symlink(target, place)
            else:
                os.symlink(target, place)
        except FileExistsError:
            return  # an earlier attempt wrote it
        self._links[path] = target

    def _link_folder(self, path: str, given: str) -> None:
        """Link a folder of the user's (*given* as the Experimentfile says it) at *path*."""
        if not os.path.exists(os.path.join(self.project, given)):
            raise WorkdirError("the linked `%s` is not there" % given)
        target = given
        if not os.path.isabs(given):
            target = UP_FROM_FILES + "../" * path.count("/") + given
        self._make_parents(path)
        try:
            os.symlink(target, os.path.join(self.files, path))
        except FileExistsError:
            return
        self._links[path] = target

    def _link_git(self, template: str) -> None:
        place = os.path.join(self.files, ".git")
        try:
            os.link(template, place)
        except FileExistsError:
            return  # the program of an earlier attempt has made it
        except OSError as error:
            if error.errno not in NO_HARD_LINKS:
                raise
            self._copy_file(template, place)

    # -------------------------------------------------------------- folders and copies

    def _make(self, path: str) -> bool:
        """Make a real folder; tell whether there is one now."""
        try:
            os.mkdir(os.path.join(self.files, path))
        except FileExistsError:
            if not os.path.isdir(os.path.join(self.files, path)):
                return False
        self._folders.append(path)
        return True

    def _make_parents(self, path: str) -> None:
        for parent in _parents(path):
            self._make(parent)

    def _copy(self, path: str) -> None:
        source, place = os.path.join(self.export, path), os.path.join(self.files, path)
        if os.path.lexists(place):  # an earlier attempt's; if it is the copy that one got, it goes at the end
            if os.path.isfile(source) and os.path.isfile(place) and not os.path.islink(place):
                self._copies[path] = (-1, -1)
            return
        if os.path.islink(source):
            os.symlink(os.readlink(source), place)
            self._links[path] = os.readlink(source)
            return
        self._copy_file(source, place)
        found = os.stat(place)
        self._copies[path] = (found.st_size, found.st_mtime_ns)

    def _copy_file(self, source: str, place: str) -> None:
        """Copy a file, whole or not at all: half of one would stay, and be taken for what an earlier attempt wrote."""
        import shutil  # few runs copy anything, and it takes a task longer to load than to run

        aside = self.files + ASIDE
        try:
            shutil.copyfile(source, aside)
            os.chmod(aside, stat.S_IMODE(os.stat(source).st_mode) | stat.S_IWUSR)
            os.rename(aside, place)
        except OSError:
            _unlink(aside)
            raise

    def _copy_all(self, plan: "_Plan") -> None:
        for folder, folders, files in os.walk(self.export):
            inside = os.path.relpath(folder, self.export).replace(os.sep, "/")
            inside = "" if inside == "." else inside + "/"
            folders[:] = [name for name in folders if name != CACHE and inside + name not in plan.skipped]
            for name in list(folders):
                if os.path.islink(os.path.join(folder, name)):
                    folders.remove(name)
                    files.append(name)
                else:
                    self._make(inside + name)
            for name in files:
                if name != ".git" and inside + name not in plan.skipped:
                    self._copy(inside + name)

    def _drop_unchanged(self, path: str, before: tuple[int, int]) -> None:
        place = os.path.join(self.files, path)
        try:
            found = os.lstat(place)
        except OSError:
            return
        if not stat.S_ISREG(found.st_mode):
            return
        source = os.path.join(self.export, path)
        if (found.st_size, found.st_mtime_ns) == before or _are_equal(source, place):
            os.unlink(place)


class _Plan:
    """What of a snapshot is not simply linked; paths are relative to files."""

    def __init__(self, skipped: set[str], real: set[str], writable: set[str]) -> None:
        self.skipped = skipped
        self.real = real
        self.writable = writable


def prepare(
    project: str,
    stamp: Stamp,
    run_folder: str,
    mode: str = "links",
    links: Sequence[tuple[str, str]] = (),
    outputs: Sequence[str] = (),
    metrics_files: Sequence[str] = (),
    writable: Sequence[str] = (),
) -> Workdir:
    """Make the working directory of a run; *mode* is one of links, copy, snapshot, project.

    *links* are name and path of linked folders; they and all other paths are relative to the working directory, a
    link's path to the project. What an earlier attempt left in files/ is kept. Raises `WorkdirError` and `OSError`.
    """
    workdir = Workdir(project, stamp, run_folder)
    if os.path.isdir(workdir.files):
        sweep(run_folder, links)
    os.makedirs(workdir.files, exist_ok=True)
    within = stamp.prefix + "/" if stamp.prefix else ""
    named = [within + _clean(name) for name, _ in links]
    produced = [within + _clean(path) for path in (*outputs, *metrics_files)]
    kept = [within + _clean(path) for path in writable]
    if mode in ("links", "copy"):
        folders = {path for path in produced if os.path.isdir(os.path.join(workdir.export, path))}
        real = {parent for path in (*produced, *kept, *named) for parent in _parents(path)} | set(kept) | folders
        skipped = set(named) | (set(produced) - folders)
        plan = _Plan(skipped, real, set(kept) | folders)
        if mode == "copy":
            workdir._copy_all(plan)
        template = workdir.export + ".links"
        if mode == "links":
            workdir._fill(template, "", plan)
        else:
            workdir._link_git(os.path.join(template, ".git"))
        for number, path in enumerate(named):
            workdir._link_folder(path, links[number][1])
    elif mode == "snapshot":
        workdir.cwd = os.path.join(workdir.export, stamp.prefix) if stamp.prefix else workdir.export
    else:
        workdir.cwd = project
        workdir._live = True
    if mode != "project" and os.geteuid() == 0:
        # The read-only modes don't stop this user.
        workdir._newest = stamp.written if stamp.written >= 0 else last_write(workdir.export)
    if within:
        workdir._make_parents(within)
    for path in produced:
        workdir._make_parents(path)
    return workdir


def _are_equal(one: str, other: str) -> bool:
    import filecmp

    return filecmp.cmp(one, other, shallow=False)


def sweep(run_folder: str, links: Sequence[tuple[str, str]] = ()) -> None:
    """Remove the links that a run left which was killed hard, and the folders that are empty without them."""
    files = os.path.join(run_folder, "files")
    given = {path for _, path in links}
    _unlink_git(files)
    _unlink(files + ASIDE)
    for folder, folders, names in os.walk(files, topdown=False):
        for name in folders + names:
            path = os.path.join(folder, name)
            target = _target(path)
            if target is not None and _is_ours(target, given):
                os.unlink(path)
        _rmdir(folder)


def _is_ours(target: str, given: set[str]) -> bool:
    if not target.startswith(UP_FROM_FILES):
        return target in given
    climbed = target
    while climbed.startswith("../"):
        climbed = climbed[3:]
        if climbed in given:
            return True
    return climbed.startswith(SNAPSHOTS + "/")


def last_write(folder: str) -> int:
    """Give when anything in *folder* was last written to (nanoseconds), bytecode aside; -1 if that takes too long."""
    newest = seen = 0
    todo = [folder]
    while todo:
        place = todo.pop()
        newest = max(newest, os.stat(place).st_mtime_ns)
        with os.scandir(place) as entries:
            for entry in entries:
                seen += 1
                if entry.is_dir(follow_symlinks=False):
                    if entry.name != CACHE:
                        todo.append(entry.path)
                else:
                    newest = max(newest, entry.stat(follow_symlinks=False).st_mtime_ns)
        if seen > MOST_WATCHED:
            return -1
    return newest


def _unlink_git(files: str) -> None:
    """Remove the `.git` file that leads to a snapshot, or, damaged by a crash, nowhere."""
    place = os.path.join(files, ".git")
    ours = b"gitdir: " + (UP_FROM_FILES + SNAPSHOTS).encode()
    try:
        with open(place, "rb") as file:
            found = file.read(1024)
    except OSError:
        return
    leads_elsewhere = found.startswith(b"gitdir: ") and not found.startswith(ours)
    if not leads_elsewhere or ours.startswith(found.rstrip(b"\0\n")):
        os.unlink(place)


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return  # it was never there


def _target(path: str) -> str | None:
    try:
        return os.readlink(path)
    except OSError:
        return None


def _rmdir(path: str) -> None:
    try:
        os.rmdir(path)
    except OSError:
        return  # something is in it, and stays


def _parents(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["/".join(parts[: n + 1]) for n in range(len(parts))]


def _clean(path: str) -> str:
    """Give a path inside the working directory in one form; raises `WorkdirError` if it leads elsewhere."""
    found = os.path.normpath(path).replace(os.sep, "/")
    if found.startswith(("/", "../")) or found == "..":
        raise WorkdirError("`%s` is outside the working directory" % path)
    return found


def snapshot_write_hint(stderr_tail: str, workdir: Workdir) -> str | None:
    """Tell what of the snapshot a failed run tried to write, by the last lines of its stderr."""
    for line in reversed(stderr_tail.splitlines()):
        if not DENIED.search(line):
            continue
        quoted = [first or second for first, second in QUOTED.findall(line)]
        for named in quoted or UNQUOTED.findall(line):
            entry = _entry(named, workdir)
            if entry is not None:
                return "wrote into the snapshot: " + entry
    return None


def _entry(named: str, workdir: Workdir) -> str | None:
    """Give the top-level entry of the snapshot that a path of a message is in."""
    code = os.path.normpath(os.path.join(workdir.export, workdir.stamp.prefix))
    # Through the links of the run's folder: what is a real folder there, or linked from elsewhere, is no snapshot.
    path, base = os.path.realpath(os.path.join(workdir.home, named)), os.path.realpath(code)
    if not path.startswith(base + os.sep):
        return None
    first = path[len(base) + 1 :].split(os.sep)[0]
    if first not in workdir.stamp.entries:
        return None
    return first + "/" if os.path.isdir(os.path.join(code, first)) else first
