"""Two Unix accounts of one group, the folder that they share, and the commands that each of them types in it."""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from fcntl import LOCK_EX, flock
from functools import cache
from pathlib import Path
from typing import Any

import prefork
from repository import IDENTITY

ANN, BEN, GROUP = "xpc-ann", "xpc-ben", "xpc-lab"
MADE_BY = "it makes Unix accounts, and only root can"

USER_PYTHON = Path(__file__).parent / "clusters" / "user-python"


def possible() -> bool:
    """Tell whether the accounts can be made here."""
    return os.getuid() == 0 and shutil.which("runuser") is not None and shutil.which("useradd") is not None


@cache
def make_accounts() -> None:
    """Make the group and the two accounts, if they are missing."""
    with open("/tmp/xpc-people.lock", "w") as lock:  # processes of one test run may come at once
        flock(lock, LOCK_EX)
        _make_missing()


def _make_missing() -> None:
    if GROUP not in {group.gr_name for group in grp.getgrall()}:
        subprocess.run(["groupadd", GROUP], check=True)
    for user in (ANN, BEN):
        if user not in {account.pw_name for account in pwd.getpwall()}:
            subprocess.run(["useradd", "--create-home", "--user-group", "--groups", GROUP, user], check=True)


@cache
def programs() -> Path:
    """Give the folder of programs that both can run; `XPC_PEOPLE_BIN` names one that is there."""
    given = os.environ.get("XPC_PEOPLE_BIN")
    return Path(given or subprocess.check_output([USER_PYTHON, ANN], text=True).strip())


def _runuser() -> str:
    found = shutil.which("runuser")
    assert found is not None
    return found


class Lab:
    """A group's folder: a git repository of ann's with the setgid bit, in *above*.

    Both have umask *umask*, and git told to trust the folder, unless a test says otherwise.
    """

    def __init__(self, above: Path, files: Mapping[str, str], *, umask: int = 0o002, trusted: bool = True) -> None:
        make_accounts()
        self.above = above
        self.folder = above / "project"
        self.umask = {ANN: umask, BEN: umask}
        self._homes = {user: above / f"home-{user}" for user in (ANN, BEN)}
        for user, home in self._homes.items():
            home.mkdir(mode=0o700)
            shutil.chown(home, user, user)
        self.folder.mkdir()
        shutil.chown(self.folder, ANN, GROUP)
        self.folder.chmod(0o2775)
        self.write(files)
        self.git("init", "-q", "-b", "main", "--shared=group")
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "Begin")
        if trusted:
            self.trust(BEN)

    def trust(self, user: str) -> None:
        self.run(user, "git", "config", "--global", "--add", "safe.directory", str(self.folder))

    def git(self, *arguments: str, user: str = ANN) -> str:
        return self.run(user, "git", *IDENTITY, *arguments).stdout

    def write(self, files: Mapping[str, str], user: str = ANN) -> None:
        """Write files as the user's editor would, with the user's umask."""
        for name, text in files.items():
            place = self.folder / name
            self.run(user, "mkdir", "-p", str(place.parent))
            self.run(user, "sh", "-c", 'cat > "$1"', "sh", str(place), input=text)

    def environ(self, user: str) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("LANG", "TERM", "TZ") if name in os.environ}
        env = {**kept, "NO_COLOR": "1", "COLUMNS": "100", "USER": user, "LOGNAME": user}
        env["HOME"] = str(self._homes[user])
        env["PATH"] = f"{programs()}:/usr/local/bin:/usr/bin:/bin:/usr/games"
        return env

    def _as(self, user: str, command: Sequence[str]) -> list[str]:
        """Give a command as a user types it; the home of the test stands for the account's own."""
        return [_runuser(), "-u", user, "--", "env", f"HOME={self._homes[user]}", *command]

    def run(
        self,
        user: str,
        *command: str,
        check: bool = True,
        input: str = "",
        environ: Mapping[str, str] | None = None,
        timeout: float = 120,
        trace: bool = False,
    ) -> subprocess.CompletedProcess[str]:
        """Type a command as a user, in the project, with that user's umask; a traceback fails, unless *trace*."""
        variables = {**self.environ(user), **(environ or {})}
        if command[0] == "xpc" and not input and not environ:
            python = (_runuser(), "-u", user, "--", str(programs() / "python"))
            words, umask = list(command[1:]), self.umask[user]
            done = prefork.run(words, self.folder, variables, python=python, umask=umask, timeout=timeout)
        else:
            done = subprocess.run(
                self._as(user, command),
                cwd=self.folder,
                env=variables,
                umask=self.umask[user],
                input=input,
                capture_output=True,
                text=True,
                timeout=timeout,
                check=False,
            )
        assert trace or "Traceback (most recent call last)" not in done.stderr, done.stderr
        if check:
            assert done.returncode == 0, f"{user}: {command} gave {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def xpc(self, user: str, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        return self.run(user, "xpc", *arguments, **options)

    def start(self, user: str, *command: str) -> subprocess.Popen[str]:
        """Start a command that goes on meanwhile."""
        return subprocess.Popen(
            self._as(user, command),
            cwd=self.folder,
            env=self.environ(user),
            umask=self.umask[user],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
