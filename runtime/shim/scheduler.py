"""The environment of a job to which job it is, on which node, and until when: what SLURM and OAR tell their tasks."""

# A node may have Python 3.8.

from __future__ import annotations

import json
import os
from typing import Any, Dict, Mapping, Optional

SECRETS = os.path.join(".xpc", "secrets")


def identify(kind: str, environ: Mapping[str, str], array: str, index: int) -> Dict[str, Any]:
    """Name the job that this task is, as its claim does. *kind* is the target's; run by hand, it is nobody's."""
    if kind == "slurm" and environ.get("SLURM_JOB_ID"):
        raw = environ["SLURM_JOB_ID"]
        task = _number(environ.get("SLURM_ARRAY_TASK_ID"))
        job = raw if task is None else environ.get("SLURM_ARRAY_JOB_ID") or raw
        restart = _number(environ.get("SLURM_RESTART_COUNT")) or 0  # unset in the first start
        return {
            "kind": kind, "job": job, "task": task, "raw": raw, "array": array, "index": index, "restart": restart,
        }  # fmt: skip
    if kind == "oar" and environ.get("OAR_JOB_ID"):
        job = environ["OAR_JOB_ID"]
        whole = environ.get("OAR_ARRAY_ID") or job
        return {
            "kind": kind, "job": job, "task": None, "array": array, "index": index, "array_job": whole, "restart": 0,
        }  # fmt: skip
    return {"kind": "local", "job": None, "array": array, "task": index, "restart": 0}


def node(kind: str, environ: Mapping[str, str]) -> Optional[str]:
    """Give the name that the scheduler has for this node; nothing where none started us."""
    if kind == "slurm" and environ.get("SLURM_JOB_ID"):
        return environ.get("SLURMD_NODENAME") or None
    if kind == "oar" and environ.get("OAR_JOB_ID"):
        try:
            with open(environ.get("OAR_NODEFILE") or "") as file:
                return file.readline().strip() or None
        except OSError:
            return None
    return None


def time_limit(kind: str, environ: Mapping[str, str]) -> Optional[float]:
    """Give the seconds that OAR gives the job; SLURM does not tell its jobs."""
    found = _number(environ.get("OAR_JOB_WALLTIME_SECONDS")) if kind == "oar" else None
    return None if found is None else float(found)


def memory(kind: str, environ: Mapping[str, str]) -> Optional[int]:
    """Give the bytes a node that SLURM gave the job, if it says so."""
    found = _number(environ.get("SLURM_MEM_PER_NODE")) if kind == "slurm" else None
    return found << 20 if found else None


def is_same_job(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Tell whether two claims are of one and the same task of a job, started once or again.

    OAR gives a task that it starts again another id, but keeps it in its array.
    """
    if one.get("kind") not in ("slurm", "oar") or one["kind"] != other.get("kind"):
        return False
    if one["kind"] == "slurm":
        return (one.get("job"), one.get("task")) == (other.get("job"), other.get("task"))
    names = ("array_job", "array", "index")
    return all(one.get(name) == other.get(name) for name in names)


def token(kind: str, environ: Mapping[str, str]) -> Optional[str]:
    """Give the name that a submit gave the job."""
    return environ.get({"slurm": "SLURM_JOB_NAME", "oar": "OAR_JOB_NAME"}.get(kind, "")) or None


def secrets(kind: str, project: str, environ: Mapping[str, str]) -> Dict[str, str]:
    """Read the secrets that a submit left for a job of OAR, which passes no environment on."""
    token = environ.get("OAR_JOB_NAME") if kind == "oar" else None
    if not token or os.sep in token:
        return {}
    try:
        with open(os.path.join(project, SECRETS, str(os.getuid()), token + ".json"), "rb") as file:
            if os.fstat(file.fileno()).st_uid != os.getuid():
                return {}  # somebody else has put it there
            found = json.loads(file.read().decode("utf-8"))
    except (OSError, ValueError):
        return {}  # the run has none
    return {str(name): str(value) for name, value in found.items()} if isinstance(found, dict) else {}


def _number(text: Optional[str]) -> Optional[int]:
    return int(text) if text and text.isdigit() else None
