"""Calls of git that run nothing of a repository's own: no hook, monitor, filter, fetch, pager or prompt."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

LINE_END: Final = "a line end in a path"

# What of the caller's GIT_* stays: where git and its user's own settings are. All else (GIT_DIR, GIT_INDEX_FILE …)
# would lead a call elsewhere, as inside a hook.
KEPT_VARIABLES: Final = frozenset(
    {
        "GIT_CEILING_DIRECTORIES",
        "GIT_CONFIG_GLOBAL",
        "GIT_CONFIG_NOSYSTEM",
        "GIT_CONFIG_SYSTEM",
        "GIT_DISCOVERY_ACROSS_FILESYSTEM",
        "GIT_EXEC_PATH",
    }
)
SET_VARIABLES: Final = {
    "GIT_ALLOW_PROTOCOL": "none",  # stands above every `protocol.*.allow` of the repository
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_PAGER": "cat",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}
SETTINGS: Final = (
    ("core.askPass", ""),
    ("core.filesRefLockTimeout", "5000"),  # milliseconds; two snapshots at once make the same ref
    ("core.fsmonitor", "false"),
    ("core.hooksPath", os.devnull),
    ("core.logAllRefUpdates", "false"),
    ("core.pager", "cat"),
    ("core.safecrlf", "false"),
    ("core.splitIndex", "false"),
    ("core.untrackedCache", "false"),
    ("credential.helper", ""),
    ("gc.auto", "0"),
    ("index.skipHash", "false"),
    ("maintenance.auto", "false"),
    ("submodule.recurse", "false"),
)
COMMANDS: Final = ("clean", "smudge", "process")


class GitError(subprocess.CalledProcessError):
    """A call of git that failed; *text* is what git said."""

    def __init__(self, arguments: Sequence[str], status: int, text: str) -> None:
        super().__init__(status, ("git", *arguments), stderr=text)
        self.arguments = tuple(arguments)
        self.text = text


class GitMissingError(Exception):
    """There is no git on the path, or one that is too old to be told what not to run."""


@dataclass(frozen=True, slots=True)
class Repository:
    """One work tree. *folder* is the folder that was asked for, relative to *top* (``""`` for *top* itself).

    *scratch*, if there is one, is a folder that takes all new objects: nothing is written to the repository then.
    """

    top: str
    folder: str
    git_dir: str
    common_dir: str
    lfs_dir: str
    silenced: tuple[str, ...]  # filters with a command that only the repository defines; it is not run
    environment: Mapping[str, str] = field(repr=False)
    scratch: str = ""

    def apart(self, scratch: str) -> Repository:
        """Give the same repository, with an empty folder for what is new."""
        objects = os.path.join(scratch, "objects")
        os.makedirs(objects, exist_ok=True)
        known = os.path.join(self.common_dir, "objects").replace("\\", "\\\\").replace('"', '\\"')
        places = {"GIT_OBJECT_DIRECTORY": objects, "GIT_ALTERNATE_OBJECT_DIRECTORIES": f'"{known}"'}
        return replace(self, scratch=scratch, environment={**self.environment, **places})

    def run(
        self,
        *arguments: str,
        input: bytes = b"",
        cwd: str | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> bytes:
        """Give what a git command prints; raises `GitError` if it fails."""
        process = self.start(*arguments, cwd=cwd, variables=variables)
        out, err = process.communicate(input)
        if process.returncode:
            raise GitError(arguments, process.returncode, err.decode("utf-8", "replace").strip())
        return out

    def start(
        self, *arguments: str, cwd: str | None = None, variables: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        environment = {**self.environment, **variables} if variables else self.environment
        return _start(arguments, cwd or self.top, environment)

    def read_blobs(self, names: Sequence[str]) -> list[bytes]:
        """Give the contents of blobs, in order."""
        if not names:
            return []
        out = self.run("cat-file", "--batch", input="".join(f"{name}\n" for name in names).encode())
        found = []
        at = 0
        for _ in names:
            end = out.index(b"\n", at)
            size = int(out[at:end].split(b" ")[2])
            found.append(out[end + 1 : end + 1 + size])
            at = end + size + 2
        return found

    def blob_sizes(self, names: Sequence[str]) -> list[int]:
        """Give the sizes of blobs in bytes, in order."""
        if not names:
            return []
        listing = "".join(f"{name}\n" for name in names).encode()
        out = self.run("cat-file", "--batch-check=%(objectsize)", input=listing)
        return [int(line) for line in out.split()]

    def attributes(self, name: str, paths: Sequence[str]) -> dict[str, str]:
        """Give the attribute *name* of those *paths* that have it, as the .gitattributes on disk say."""
        if not paths:
            return {}
        listing = b"".join(os.fsencode(path) + b"\0" for path in paths)
        fields = os.fsdecode(self.run("check-attr", "-z", "--stdin", name, input=listing)).split("\0")
        values = zip(fields[::3], fields[2::3], strict=False)
        return {path: value for path, value in values if value not in ("unspecified", "unset")}

    def has_lfs(self) -> bool:
        """Tell whether files of this repository are kept by git LFS."""
        return os.path.isdir(self.lfs_dir)

    def inside(self, path: str) -> Repository | None:
        """Give the submodule at *path* (relative to *top*), or nothing if it isn't checked out."""
        folder = os.path.join(self.top, path)
        if not os.path.lexists(os.path.join(folder, ".git")):
            return None
        try:
            return open_repository(folder)
        except GitError:
            return None


def open_repository(folder: str | os.PathLike[str]) -> Repository:
    """Find the repository around *folder*; raises `GitError` if there is none, `GitMissingError` without git."""
    place = os.path.realpath(folder)
    if "\n" in place:  # git tells the paths of a repository line by line
        raise GitError(("rev-parse",), 128, LINE_END)
    environment = _environment(SETTINGS)
    listing = _start(("config", "--list", "-z", "--show-scope"), place, environment)
    question = ("rev-parse", "--show-toplevel", "--show-prefix", "--absolute-git-dir", "--git-common-dir")
    process = _start(question, place, environment)
    out, err = process.communicate()
    settings, _ = listing.communicate()
    text = err.decode("utf-8", "replace").strip()
    if process.returncode:
        raise GitError(question, process.returncode, text)
    if b"command\0core.hookspath\n" not in settings:
        raise GitMissingError("this one is too old")
    top, prefix, git_dir, common = os.fsdecode(out).split("\n")[:4]
    common = os.path.normpath(os.path.join(place, common))
    overrides, silenced, lfs = _filters(settings)
    return Repository(
        top=top,
        folder=prefix.rstrip("/"),
        git_dir=git_dir,
        common_dir=common,
        lfs_dir=os.path.join(common, lfs),
        silenced=silenced,
        environment=_environment((*SETTINGS, *overrides)),
    )


def _start(arguments: Sequence[str], cwd: str, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    pipe = subprocess.PIPE
    try:
        return subprocess.Popen(["git", *arguments], cwd=cwd, env=environment, stdin=pipe, stdout=pipe, stderr=pipe)
    except FileNotFoundError as error:
        if error.filename not in ("git", b"git"):
            raise GitError(arguments, 128, str(error)) from error
        raise GitMissingError("there is none on the path") from error


def _environment(settings: Sequence[tuple[str, str]]) -> dict[str, str]:
    found = {k: v for k, v in os.environ.items() if not k.startswith("GIT_") or k in KEPT_VARIABLES}
    found |= SET_VARIABLES
    found["GIT_CONFIG_COUNT"] = str(len(settings))
    for number, (key, value) in enumerate(settings):
        found[f"GIT_CONFIG_KEY_{number}"] = key
        found[f"GIT_CONFIG_VALUE_{number}"] = value
    return found


def _filters(listing: bytes) -> tuple[list[tuple[str, str]], tuple[str, ...], str]:
    """Give the settings that leave only the user's own filters, the names of the others, and where LFS keeps files.

    LFS is never run: `git-lfs` itself runs what a repository's config says. Its pointers are resolved by us.
    """
    own: dict[tuple[str, str], str] = {}
    foreign: set[tuple[str, str]] = set()
    lfs = "lfs"
    fields = os.fsdecode(listing).split("\0")
    for scope, setting in zip(fields[::2], fields[1::2], strict=False):
        key, _, value = setting.partition("\n")
        if key == "lfs.storage" and value:
            lfs = value
        section, _, rest = key.partition(".")
        name, _, variable = rest.rpartition(".")
        if section != "filter" or not name:
            continue
        if name == "lfs" or scope not in ("system", "global"):
            foreign.add((name, variable))
        else:
            own[name, variable] = value
    overrides: list[tuple[str, str]] = []
    silenced: set[str] = set()
    for name, variable in sorted(foreign):
        # A command that is empty is none; but an empty `process` keeps git from looking at `clean`.
        overrides.append(
            (f"filter.{name}.{variable}", own.get((name, variable), "false" if variable == "required" else ""))
        )
        if name != "lfs" and variable in COMMANDS and (name, variable) not in own:
            silenced.add(name)
    return overrides, tuple(sorted(silenced)), lfs
