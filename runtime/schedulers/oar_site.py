"""An OAR site to findings: its nodes, its queues, who may submit."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from .findings import Site

if TYPE_CHECKING:
    from .evidence import Ask


def find_oar(run: Ask) -> Site | None:
    """Look at the site; nothing if there is no OAR on this machine."""
    version = run(["oarsub", "--version"])
    if version.code is None:
        return None
    found = re.search(r"(\d+\.\d+(?:\.\d+)?)", version.out)
    site = Site("oar", found[1] if found else "")
    answer = run(["oarnodes", "-J"])
    nodes = read_nodes(answer.out) if answer.fine else None
    if nodes is None:
        site.bad("OAR's server", answer.said, "jobs can be neither submitted nor seen until it answers")
        return site
    site.ok("OAR's server", "answers")
    _nodes(site, nodes)
    _looks(site, run)
    _queues(site, run)
    user = run(["id", "-un"]).out.strip()
    if user in ("root", "oar"):
        site.bad("user", f"{user} may not submit jobs", "be an ordinary user")
    return site


def read_nodes(text: str) -> list[Mapping[str, Any]] | None:
    """Read `oarnodes -J`: resources by number; nothing if it is something else."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    rows: Iterable[Any] = found.values() if isinstance(found, dict) else found if isinstance(found, list) else ()
    resources: list[Mapping[str, Any]] = [row for row in rows if isinstance(row, dict)]
    return resources or None


def _nodes(site: Site, resources: list[Mapping[str, Any]]) -> None:
    states = Counter(str(resource.get("state", "?")) for resource in resources)
    hosts = {str(resource.get("host") or resource.get("network_address")) for resource in resources}
    told = ", ".join(f"{count:,} {state}" for state, count in states.most_common())
    text = f"{len(resources):,} resources on {len(hosts):,} hosts: {told}"
    if states.get("Alive"):
        site.ok("resources", text)
    else:
        site.bad("resources", text, "no job can start until some are Alive")
    levels = [name for name in ("host", "network_address", "cpu", "core", "gpu", "switch") if name in resources[0]]
    gpus = sum(1 for resource in resources if str(resource.get("gpu") or "0") not in ("0", "none"))
    site.ok("request levels", ", ".join(levels), f"{gpus:,} of the resources belong to a GPU" if gpus else "")
    if "core" not in levels or not {"host", "network_address"} & set(levels):
        site.bad("request levels", "there is no `core` below `host`", "xpc asks for cores of hosts")


def _looks(site: Site, run: Ask) -> None:
    """See whether jobs can be asked for by their numbers, all at once."""
    answer = run(["oarstat", "-f", "-J", "--sql", "job_id = 0"])
    if answer.fine:
        site.ok("oarstat", "answers for many jobs in one call")
    else:
        site.bad("oarstat", answer.said, "`xpc status` can't tell how jobs go")


def _queues(site: Site, run: Ask) -> None:
    answer = run(["oarstat", "-J"])
    try:
        jobs = json.loads(answer.out) if answer.fine and answer.out.strip() else {}
    except (ValueError, RecursionError):
        return
    queues = (
        {str(job.get("queue")) for job in jobs.values() if isinstance(job, dict)} if isinstance(jobs, dict) else set()
    )
    told = "OAR does not list its queues: those of the jobs that are there now; none is needed in a target"
    site.ok("queues", ", ".join(sorted(queues)) or "no job is there", told)
