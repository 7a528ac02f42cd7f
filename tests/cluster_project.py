"""A project of an ordinary user on a real cluster, and the commands that this user types in it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from repository import IDENTITY

USER = "xpc"


class ClusterProject:
    """A git repository in *folder* that belongs to the user, with one commit. *bin* has the user's xpc and python."""

    def __init__(self, kind: str, folder: Path, files: Mapping[str, str], bin: Path) -> None:
        self.kind = kind
        self.folder = folder
        self.bin = bin
        folder.mkdir(exist_ok=True)
        self.write(files)
        if (folder / ".git").exists():
            return
        self.run("git", "init", "-q", "-b", "main")
        self.run("git", *IDENTITY, "add", "-A")
        self.run("git", *IDENTITY, "commit", "-q", "-m", "Begin")

    def write(self, files: Mapping[str, str]) -> None:
        for name, text in files.items():
            place = self.folder / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
        subprocess.run(["chown", "-R", f"{USER}:{USER}", self.folder], check=True)

    def run(
        self,
        *command: str,
        check: bool = True,
        environ: Mapping[str, str] | None = None,
        timeout: float = 120,
    ) -> subprocess.CompletedProcess[str]:
        """Type a command as the user, in the project, with little in the environment but *environ*."""
        kept = {name: os.environ[name] for name in ("LANG", "TERM", "TZ") if name in os.environ}
        env = {**kept, "NO_COLOR": "1", "COLUMNS": "100", "HOME": f"/home/{USER}", "USER": USER, "LOGNAME": USER}
        env["PATH"] = f"{self.bin}:/usr/local/bin:/usr/bin:/bin:/usr/games"
        env.update(environ or {})
        done = subprocess.run(
            [shutil.which("runuser") or "runuser", "-u", USER, "--", *command],
            cwd=self.folder,
            env=env,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        if check:
            assert done.returncode == 0, f"{command} gave {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def xpc(self, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        return self.run("xpc", *arguments, **options)

    def status(self) -> dict[str, dict[str, int]]:
        """Give the number of runs by experiment and state."""
        found: dict[str, dict[str, int]] = json.loads(self.xpc("status", "--json").stdout)["experiments"]
        return found

    def journals(self, experiment: str) -> dict[str, list[list[dict[str, Any]]]]:
        """Give the records of each attempt by run id."""
        found: dict[str, list[list[dict[str, Any]]]] = {}
        for folder in sorted((self.folder / "runs" / experiment).iterdir()):
            paths = sorted(folder.glob("run*.jsonl"), key=lambda path: (len(path.name), path.name))
            texts = [path.read_text() for path in paths if "release" not in path.name]
            found[folder.name] = [[json.loads(line) for line in text.splitlines()] for text in texts]
        return found

    def until(self, holds: Callable[[], object], timeout: float = 300, every: float = 0.5) -> None:
        """Look until something holds; fail after *timeout* seconds with what the user would see."""
        deadline = time.monotonic() + timeout
        while not holds():
            if time.monotonic() > deadline:
                shown = self.xpc("status", check=False)
                raise AssertionError(f"not within {timeout:g} s\n{shown.stdout}{shown.stderr}\n{self.logs()}")
            time.sleep(every)

    def logs(self) -> str:
        """Give what the scheduler wrote for the project's arrays."""
        paths = sorted((self.folder / ".xpc" / "builds").glob("*/logs/*"))
        return "\n".join(f"--- {path.name}\n{path.read_text(errors='replace')}" for path in paths)

    def cancel_all(self) -> None:
        """Cancel whatever jobs of the project are left. A job's name is the token of a submit's intent line."""
        tokens = [
            json.loads(line)["token"]
            for path in (self.folder / ".xpc" / "submissions").glob("*.jsonl")
            for line in path.read_text().splitlines()
            if '"intent"' in line
        ]
        for token in tokens:
            if self.kind == "slurm":
                subprocess.run(["scancel", f"--user={USER}", f"--name={token}"], check=False)
            else:
                self._delete(token)

    def _delete(self, token: str) -> None:
        query = ["oarstat", "-J", "--sql", f"job_name = '{token}' AND state NOT IN ('Terminated', 'Error')"]
        said = subprocess.run(query, capture_output=True, text=True, check=False).stdout
        ids = re.findall(r'^\s*"(\d+)" : \{', said, re.MULTILINE)
        if ids:
            subprocess.run(["oardel", *ids], check=False, capture_output=True)
