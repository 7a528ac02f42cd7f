"""A SLURM site to findings: its limits, and what they mean for arrays, accounts and dependants."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from .findings import Site

if TYPE_CHECKING:
    from .evidence import Ask

LONG: Final = 300  # seconds that SLURM should keep ended jobs in its queue
_VERSION: Final = re.compile(r"(\d+\.\d+(?:\.\d+)?)")


def find_slurm(run: Ask) -> Site | None:
    """Look at the site; nothing if there is no SLURM on this machine."""
    version = run(["sbatch", "--version"])
    if version.code is None:
        return None
    found = _VERSION.search(version.out)
    site = Site("slurm", found[1] if found else version.out.strip())
    answer = run(["scontrol", "show", "config"])
    if not answer.fine:
        site.bad("slurmctld", answer.said, "jobs can be neither submitted nor seen until it answers")
        return site
    config = read_config(answer.out)
    site.ok("slurmctld", f"answers for the cluster `{config.get('ClusterName', '?')}`")
    _arrays(site, config)
    _limits(site, config, run)
    _accounting(site, config, run)
    _requeue(site, config)
    _queue(site, config)
    _partitions(site, run)
    return site


def read_config(text: str) -> dict[str, str]:
    """Read `scontrol show config`: `Name = value` lines."""
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line)
    return {name.strip(): value.strip() for name, _, value in pairs}


def number(text: str | None) -> int | None:
    """Give the number that a value begins with: `300 sec` is 300."""
    found = re.match(r"\d+", text or "")
    return int(found[0]) if found else None


def _arrays(site: Site, config: Mapping[str, str]) -> None:
    most = number(config.get("MaxArraySize"))
    if most is None:
        site.note("arrays", "MaxArraySize is not told", "1001, SLURM's own default, is taken")
    elif most < 2:
        site.bad("arrays", f"MaxArraySize = {most}: this site has no job arrays", "xpc submits arrays alone")
    else:
        site.ok("arrays", f"MaxArraySize = {most:,}: at most {most:,} tasks an array")
        if most != 1001:
            site.target["max_array"] = str(most)


def _limits(site: Site, config: Mapping[str, str], run: Ask) -> None:
    """Say how many tasks may be queued at once: the least of the site's and the user's limits."""
    limits = {"MaxJobCount, for all users": number(config.get("MaxJobCount"))}
    limits |= dict(_own_limits(run))
    known = {name: limit for name, limit in limits.items() if limit is not None}
    if not known:
        site.note("submit limit", "none is told")
        return
    name = min(known, key=lambda name: known[name])
    site.ok("submit limit", f"{known[name]:,} tasks ({name})", "each task of an array counts")
    site.target["max_submit"] = str(known[name])


def _own_limits(run: Ask) -> Iterator[tuple[str, int | None]]:
    """Give the user's own limits: of each association, and of the qos that it has by default."""
    fields = ["Account", "DefaultQOS", "QOS", "MaxSubmitJobs", "GrpSubmitJobs"]
    who = run(["id", "-un"]).out.strip()
    answer = run(["sacctmgr", "-n", "-P", "show", "assoc", "where", f"user={who}", f"format={','.join(fields)}"])
    used: set[str] = set()
    for line in answer.out.splitlines() if answer.fine else ():
        values = line.split("|")
        if len(values) == len(fields):
            used.add(values[1] or ("normal" if "normal" in values[2].split(",") else ""))
            yield f"MaxSubmitJobs of account `{values[0]}`", number(values[3])
            yield f"GrpSubmitJobs of account `{values[0]}`", number(values[4])
    names = ["Name", "MaxSubmitJobsPerUser", "MaxSubmitJobsPerAccount", "GrpSubmitJobs"]
    answer = run(["sacctmgr", "-n", "-P", "show", "qos", f"format={','.join(names)}"])
    for line in answer.out.splitlines() if answer.fine else ():
        name, *values = line.split("|")
        if name in used:
            yield from (
                (f"{what} of qos `{name}`", number(value)) for what, value in zip(names[1:], values, strict=False)
            )


def _accounting(site: Site, config: Mapping[str, str], run: Ask) -> None:
    answer = run(["sacct", "-n", "-X", "-P", "-j", "1", "-o", "JobID"])
    if answer.fine:
        site.ok("accounting", config.get("AccountingStorageType", "answers").removeprefix("accounting_storage/"))
        return
    age = number(config.get("MinJobAge")) or LONG
    site.note("accounting", answer.said, f"`xpc status` knows how jobs ended only if it looks within {age} s")


def _requeue(site: Site, config: Mapping[str, str]) -> None:
    if config.get("JobRequeue") == "1":
        site.ok("requeue", "JobRequeue = 1: preempted jobs and those of dead nodes go back to the queue")
    else:
        site.note("requeue", "JobRequeue = 0: only jobs that ask for it go back to the queue", "xpc asks for it")
    codes = [config.get(name, "(null)") for name in ("RequeueExit", "RequeueExitHold")]
    taken = [code for code in codes if code != "(null)"]
    if taken:
        site.note("requeue", f"SLURM requeues after the exit status {', '.join(taken)} by itself")
    preempt = config.get("PreemptType", "").removeprefix("preempt/")
    site.ok("preemption", "none" if preempt in ("none", "") else f"{preempt}, {config.get('PreemptMode', '?')}")


def _queue(site: Site, config: Mapping[str, str]) -> None:
    age = number(config.get("MinJobAge"))
    if age is not None and age < LONG:
        site.note(
            "ended jobs", f"forgotten after {age} s (MinJobAge)", "the guard of each run checks its parents' records"
        )
    else:
        site.ok("ended jobs", f"kept in the queue for {age} s (MinJobAge)")
    kills = "kill_invalid_depend" in config.get("DependencyParameters", "")
    site.ok("dependants", "cancelled by the site" if kills else "cancelled since each of ours asks for it")
    if "OverMemoryKill" in config.get("JobAcctGatherParams", ""):
        help = "such a run is told as `killed`, since SLURM kills the shim as well"
        site.note("memory", "OverMemoryKill: jobs over their memory are killed by polling", help)
    elif "cgroup" in config.get("TaskPlugin", ""):
        site.ok("memory", f"held by {config['TaskPlugin']}")


def _partitions(site: Site, run: Ask) -> None:
    answer = run(["sinfo", "-h", "-o", "%P %l"])
    rows = [line.split() for line in answer.out.splitlines() if len(line.split()) == 2]
    if rows:
        site.ok("partitions", ", ".join(f"{name} (up to {limit})" for name, limit in rows), "* is the default one")
