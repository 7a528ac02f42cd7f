"""What a job finds on a node of this OAR, tried with one tiny job."""

from __future__ import annotations

import json
import os
import re
import secrets
import shlex
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .ask import ask
from .trial import BUSY, PATIENCE, UNSEEN, Target, folder_for, judge, watch

if TYPE_CHECKING:
    from .evidence import Ask
    from .findings import Site

ENDED = ("Terminated", "Error")


def try_oar(site: Site, project: Path, target: Target, run: Ask = ask, patience: float = PATIENCE) -> None:
    """Send one job, and say what it found; it is deleted and its files are removed, whatever happens.

    OAR passes no environment on: a secret goes in a file that only its owner can read.
    """
    secret = secrets.token_hex(8)
    with folder_for(project, target.python) as (folder, name):
        place = str(folder.relative_to(project))
        with open(os.open(folder / "secret.json", os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            file.write(secret)
        log = f"{place}/log.said"
        words = ["-n", name, "-d", str(project), "-O", log, "-E", log, "-l", "core=1,walltime=0:02:00", *target.words]
        sent = run(["oarsub", *words, shlex.join(["/bin/bash", f"{place}/try.sh", place])])
        found = re.search(r"^OAR_JOB_ID=(\d+)$", sent.out, re.MULTILINE)
        if not sent.fine or found is None:
            site.bad("a tiny job", sent.said, "submit one by hand until OAR takes it; a target may need `project`")
            return
        job = found[1]
        try:
            notes = watch(folder, "end", patience, lambda: _job(run, job).get("state") in ENDED)
            if "host" in notes.notes:
                site.ok("a tiny job", "started and left its notes")
                judge(site, notes, secret)
                site.note("retries", "OAR's jobs can't change themselves", "retries wait for the next `xpc submit`")
            else:
                _explain_silence(site, _job(run, job), patience)
        finally:
            _end(run, job)


def _job(run: Ask, job: str) -> Mapping[str, Any]:
    try:
        found = json.loads(run(["oarstat", "-f", "-J", "-j", job]).out).get(job)
    except (ValueError, AttributeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _explain_silence(site: Site, job: Mapping[str, Any], patience: float) -> None:
    state = job.get("state", "it ended")
    if state not in ENDED and state != "Running":
        told = f"still waits after {patience:g} s: {job.get('message', state)}"
        site.note("a tiny job", told, BUSY)
        return
    events = [str(event.get("type")) for event in job.get("events") or () if isinstance(event, dict)]
    told = f"{state} ({', '.join(events)}), and left nothing in the project's folder"
    site.bad("project folder", told, UNSEEN)


def _end(run: Ask, job: str) -> None:
    """Delete what still goes on, and wait until nothing of it writes any more: its folder is removed next."""
    if _job(run, job).get("state") not in ENDED:
        run(["oardel", job])
    for _ in range(20):
        if _job(run, job).get("state") in ENDED:
            return
        time.sleep(0.5)
