"""What a task may do on this SLURM, tried with one tiny job."""

from __future__ import annotations

import secrets
import time
from pathlib import Path
from typing import TYPE_CHECKING

from .ask import ask
from .slurm_submit import log_place
from .trial import BUSY, PATIENCE, SECRET, UNSEEN, Target, folder_for, judge, said, watch

if TYPE_CHECKING:
    from .evidence import Ask
    from .findings import Site


def try_slurm(site: Site, project: Path, target: Target, run: Ask = ask, patience: float = PATIENCE) -> None:
    """Send one job, and say what it found; it is cancelled and its files are removed, whatever happens."""
    secret = secrets.token_hex(8)
    with folder_for(project, target.python) as (folder, name):
        place = folder.relative_to(project)
        passed = ["--export", f"ALL,{SECRET}={secret}"]
        command = ["sbatch", "--parsable", f"--job-name={name}", "--time=2", "--requeue", *passed, *target.words]
        command += [
            f"--chdir={project}",
            f"--output={log_place(project, str(place))}/log.said",
            "--open-mode=append",
            f"{place}/try.sh",
            str(place),
        ]
        sent = run(command)
        job = sent.out.strip().splitlines()[-1].split(";")[0] if sent.fine and sent.out.strip() else ""
        if not job.isdecimal():
            site.bad("a tiny job", sent.said, "submit one by hand until SLURM takes it; a target may need `account`")
            return
        try:
            found = watch(folder, "end", patience, lambda: not said(run, ["squeue", "-h", "-j", job]))
            if "host" in found.notes:
                site.ok("a tiny job", "started and left its notes")
                judge(site, found, secret)
                _judge_requeue(site, found.notes, folder, run, job)
            else:
                _explain_silence(site, run, job, patience)
        finally:
            run(["scancel", job])
            _until_gone(run, job)


def _judge_requeue(site: Site, notes: dict[str, str], folder: Path, run: Ask, job: str) -> None:
    again = said(run, ["squeue", "-h", "-j", job, "-O", "State:|,RestartCnt:"]).split("|")
    if notes.get("requeue") == "0" or "restarted" in notes or again[-1:] == ["1"]:
        site.ok("requeue itself", "a task may: retries and checkpoints need no command of yours")
    else:
        site.note("requeue itself", _words(folder, "requeue"), "retries wait for the next `xpc submit`")
        site.target["requeue"] = "false"
        return
    if notes.get("update") == "0":
        site.ok("update itself", "a task may: `memory = 4GiB * attempt` grows without a command of yours")
    else:
        help = "runs whose request grows with the attempt wait for the next `xpc submit`"
        site.note("update itself", _words(folder, "update"), help)


def _words(folder: Path, name: str) -> str:
    try:
        lines = (folder / f"{name}.said").read_text(errors="replace").strip().splitlines()
    except OSError:
        lines = []
    return lines[-1] if lines else "a task may not"


def _explain_silence(site: Site, run: Ask, job: str, patience: float) -> None:
    state, _, reason = said(run, ["squeue", "-h", "-t", "all", "-j", job, "-o", "%T|%r"]).partition("|")
    if state == "PENDING":
        site.note("a tiny job", f"still waits after {patience:g} s: {reason}", BUSY)
    else:
        told = f"{state or 'it ended'}, and left nothing in the project's folder"
        site.bad("project folder", told, UNSEEN)


def _until_gone(run: Ask, job: str) -> None:
    """Wait until nothing of the job writes any more: its folder is removed next."""
    for _ in range(20):
        if not said(run, ["squeue", "-h", "-j", job]):
            return
        time.sleep(0.5)
