"""`xpc doctor`: what it makes of the answers of sites, also of odd ones; nothing is left behind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fake_schedulers import FakeSchedulers

from xpc.cli.failure import run_guarded
from xpc.runtime.schedulers.ask import Answer
from xpc.runtime.schedulers.findings import Site, render_sites
from xpc.runtime.schedulers.oar_site import find_oar
from xpc.runtime.schedulers.slurm_site import find_slurm
from xpc.runtime.schedulers.trial import Notes, Target, judge
from xpc.runtime.schedulers.trial_slurm import try_slurm

CONFIG = """Configuration data as of 2026-11-21T12:40:39
AccountingStorageType   = accounting_storage/slurmdbd
ClusterName             = loop
DependencyParameters    = (null)
JobRequeue              = 1
MaxArraySize            = 51
MaxJobCount             = 10000
MinJobAge               = 300 sec
PreemptMode             = OFF
PreemptType             = preempt/none
"""


def site(**answers: str | Answer) -> Site:
    """Give what is found where these programs answer so; all others answer nothing."""

    def run(command: list[str]) -> Answer:
        key = "_".join(word for word in command[:4] if word.isalpha())
        said = answers.get(key, answers.get(command[0], ""))
        return said if isinstance(said, Answer) else Answer(0, said, "")

    found = (find_oar if "oarnodes" in answers else find_slurm)(run)
    assert found is not None
    return found


def told(found: Site) -> dict[str, str]:
    return {finding.what: f"{finding.verdict}: {finding.found}" for finding in found.findings}


def test_a_site() -> None:
    """The limits, the least submit limit of all, and a target with what differs from the defaults."""
    found = site(
        sbatch="slurm-wlm 23.02.1\n",
        scontrol=CONFIG,
        id="ada\n",
        sacctmgr_show_assoc="",
        sacctmgr="proj|normal|long,normal|4000|\nnormal|||\n",
        sinfo="cpu* 1-00:00:00\n",
    )
    assert found.version == "23.02.1"
    assert told(found) == {
        "slurmctld": "ok: answers for the cluster `loop`",
        "arrays": "ok: MaxArraySize = 51: at most 51 tasks an array",
        "submit limit": "ok: 4,000 tasks (MaxSubmitJobs of account `proj`)",
        "accounting": "ok: slurmdbd",
        "requeue": "ok: JobRequeue = 1: preempted jobs and those of dead nodes go back to the queue",
        "preemption": "ok: none",
        "ended jobs": "ok: kept in the queue for 300 s (MinJobAge)",
        "dependants": "ok: cancelled since each of ours asks for it",
        "partitions": "ok: cpu* (up to 1-00:00:00)",
    }
    assert found.target == {"max_array": "51", "max_submit": "4000"}


def test_a_site_unlike_others() -> None:
    """No accounting, requeue switched off, jobs that are soon forgotten: xpc works, and says what is different."""
    config = CONFIG.replace("JobRequeue              = 1", "JobRequeue = 0").replace("300 sec", "5 sec")
    config = config.replace("(null)", "kill_invalid_depend").replace("MaxArraySize            = 51\n", "")
    config += "RequeueExit             = 99\nJobAcctGatherParams = OverMemoryKill\n"
    found = site(scontrol=config, sacct=Answer(1, "", "Slurm accounting storage is disabled\n"))

    assert found.usable
    notes = {finding.what for finding in found.findings if finding.verdict == "note"}
    assert notes == {"arrays", "accounting", "requeue", "ended jobs", "memory"}
    assert told(found)["accounting"] == "note: Slurm accounting storage is disabled"
    assert told(found)["dependants"] == "ok: cancelled by the site"


def test_no_arrays() -> None:
    """Where a site has switched them off, xpc can't be used."""
    found = site(scontrol=CONFIG.replace("= 51", "= 0"))

    assert not found.usable
    assert "target" not in render_sites([found])


def test_controller_that_is_down() -> None:
    """Its own words, and nothing is tried."""
    found = site(scontrol=Answer(1, "", "slurm_load_ctl_conf error: Unable to contact slurm controller\n"))

    assert told(found) == {"slurmctld": "bad: slurm_load_ctl_conf error: Unable to contact slurm controller"}


def test_a_site_with_oar() -> None:
    """Resources by state, the levels that a request can name, the queues that are in use."""
    node = {"state": "Alive", "host": "n1", "cpu": 1, "core": 1, "gpu": 0, "network_address": "n1"}
    nodes = {"1": node, "2": node | {"gpu": 1}, "3": node | {"host": "n2", "state": "Suspected"}}
    found = site(oarnodes=json.dumps(nodes), oarstat='{"7": {"queue": "besteffort"}}', id="ada\n")

    assert found.usable
    assert told(found)["resources"] == "ok: 3 resources on 2 hosts: 2 Alive, 1 Suspected"
    assert told(found)["queues"] == "ok: besteffort"


@pytest.mark.parametrize("nodes", ["", "[]", "{}", "no", '{"1": {"state": "Dead", "host": "n", "core": 1}}'])
def test_oar_without_nodes(nodes: str) -> None:
    """No job could start; and root may not submit any."""
    assert not site(oarnodes=nodes).usable
    node = json.dumps({"1": {"state": "Alive", "host": "n", "core": 1}})
    assert not site(oarnodes=node, id="root\n").usable


@pytest.mark.parametrize(
    ("notes", "verdicts"),
    [
        ({"python": "3.11.2", "clock": "100.0", "secret": "s"}, ["ok", "ok", "ok", "ok"]),
        ({"python": "3.6.8", "clock": "103.0", "secret": ""}, ["ok", "bad", "ok", "note"]),
        ({"python": "bash: python3: command not found", "clock": "190"}, ["ok", "bad", "note", "note"]),
        ({}, ["ok", "bad", "note"]),
    ],
)
def test_what_a_node_notes(notes: dict[str, str], verdicts: list[str]) -> None:
    """Python from 3.8 on, a clock within five seconds, a secret that arrives."""
    found = Site("slurm", "")
    judge(found, Notes(notes, 100.0), "s")

    assert [finding.verdict for finding in found.findings] == verdicts


def test_nothing_is_left_of_a_job_that_was_refused(tmp_path: Path) -> None:
    """Its folder is removed, and the refusal is told in the scheduler's words."""
    found = Site("slurm", "")
    try_slurm(found, tmp_path, Target(), lambda _: Answer(1, "", "sbatch: error: Invalid account\n"))

    assert told(found) == {"a tiny job": "bad: sbatch: error: Invalid account"}
    assert list(tmp_path.iterdir()) == []


def test_job_that_waits_is_taken_back(tmp_path: Path) -> None:
    """A busy cluster says nothing against it."""
    calls: list[str] = []

    def run(command: list[str]) -> Answer:
        calls.append(command[0])
        cancelled = "scancel" in calls
        return Answer(
            0, {"sbatch": "77\n", "squeue": "" if cancelled else "PENDING|Priority\n"}.get(command[0], ""), ""
        )

    found = Site("slurm", "")
    try_slurm(found, tmp_path, Target(), run, patience=0.1)

    assert told(found) == {"a tiny job": "note: still waits after 0.1 s: Priority"}
    assert calls[-2:] == ["scancel", "squeue"]
    assert list(tmp_path.iterdir()) == []


def test_machine_without_schedulers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says so, and that is no fault."""
    FakeSchedulers(tmp_path / "bin", monkeypatch)
    monkeypatch.chdir(tmp_path)

    assert run_guarded(["doctor"]) == 0
    assert capsys.readouterr().out == (
        "There is no SLURM or OAR on this machine: `sbatch` and `oarsub` are not on the path.\n"
    )
    assert run_guarded(["doctor", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"schema": "xpc.doctor/1", "sites": [], "exports": []}


def test_target_says_how_jobs_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only its own scheduler is looked for; this machine is none."""
    fake = FakeSchedulers(tmp_path / "bin", monkeypatch)
    monkeypatch.chdir(tmp_path)
    block = 'target far = slurm:\n    account = "abc"\n    partition = "gpu"\n\nexperiment train:\n    run "true"\n'
    (tmp_path / "Experimentfile").write_text(block)
    for name in ("sbatch", "sacct", "sinfo", "sacctmgr", "id", "scancel", "squeue", "oarsub"):
        fake.answers(name, "slurm 23.02.1\n" if name == "sbatch" else "")
    fake.answers("scontrol", CONFIG)

    assert run_guarded(["doctor", "--target", "far"]) == 1
    sent = [call for call in fake.calls if call.startswith("sbatch --parsable")]
    assert len(sent) == 1
    assert " --account=abc --partition=gpu " in sent[0]
    assert not any(call.startswith("oar") for call in fake.calls)
    assert "✗ bad   a tiny job" in capsys.readouterr().out
    assert run_guarded(["doctor", "--target", "local"]) == 1
