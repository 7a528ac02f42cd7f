"""Programs called `squeue`, `sacct`, `oarstat` that answer what a test says, and note how they were called."""

from __future__ import annotations

from pathlib import Path

import pytest


class FakeSchedulers:
    """Puts itself first on PATH. What is not set up is not there at all."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        folder.mkdir()
        monkeypatch.setenv("PATH", str(folder))

    def answers(self, program: str, out: str = "", *, err: str = "", status: int = 0, sleep: float = 0) -> None:
        """Let *program* print this from now on."""
        for name, text in (("out", out), ("err", err)):
            (self.folder / f"{program}.{name}").write_text(text)
        script = self.folder / program
        here = self.folder
        script.write_text(
            "#!/bin/sh\n"
            f"printf '%s ' {program} \"$@\" >> {here}/calls; echo >> {here}/calls\n"
            f"/bin/cat {here}/{program}.out; /bin/cat {here}/{program}.err >&2\n"
            + (f"/bin/sleep {sleep:g}\n" if sleep else "")
            + f"exit {status}\n"
        )
        script.chmod(0o755)

    @property
    def calls(self) -> list[str]:
        """The calls so far, a line each."""
        try:
            return (self.folder / "calls").read_text().splitlines()
        except FileNotFoundError:
            return []

    def programs(self) -> list[str]:
        return [call.split()[0] for call in self.calls]


def queue_line(job: str, task: int | str, state: str, reason: str = "None", restarts: int = 0, name: str = "t") -> str:
    """Give a line as `squeue` prints it for us."""
    return f"{job}|{task}|{state}|{reason}|{restarts}|0|{name}\n"
