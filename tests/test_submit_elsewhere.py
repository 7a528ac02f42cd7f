"""Runs that a cluster has: a submit to this machine leaves them alone, and their code stays where they find it."""

from __future__ import annotations

import json
from pathlib import Path

from hand_build import Experiment, run_id, write_build
from repository import Repo

from xpc.cli.command_build import drop_old_exports
from xpc.cli.session import Session
from xpc.grammar.diagnostic import Diagnostics
from xpc.runtime.evidence_files import EvidenceWriter
from xpc.runtime.executor.lines import Lines
from xpc.runtime.schedulers.elsewhere import on_clusters
from xpc.runtime.schedulers.local import submit
from xpc.runtime.submissions import SubmissionWriter


def sent_to_slurm(project: Path, build: str, indices: list[int]) -> SubmissionWriter:
    """Write what a submit of tasks of `train-1` to SLURM writes, without its end."""
    writer = SubmissionWriter(project, build, "here", "slurm")
    writer.intent(1, "train-1", "xpc-token-that-no-job-has-1", indices, 1)
    writer.result(1, [("99999999", len(indices))])
    writer.released()
    return writer


def test_local_submit_leaves_queued_runs_alone(tmp_path: Path) -> None:
    """What SLURM was given, and nobody says has ended, is not started here as well."""
    build = write_build(tmp_path, [Experiment("train", runs=3)])
    sent_to_slurm(tmp_path, build.name, [1, 2]).end()
    with (tmp_path / "said").open("w") as said:
        done = submit(tmp_path, build, range(3), Diagnostics(), reporter=Lines(said))

    assert done is not None
    assert done.selection.busy == [1, 2]
    assert [path.name for path in (tmp_path / "runs/train").iterdir()] == [run_id("train", 0)]


def test_project_without_clusters_asks_nobody(tmp_path: Path) -> None:
    """A submit to this machine alone is no reason to look for schedulers."""
    build = write_build(tmp_path, [Experiment("train", runs=3)])
    writer = SubmissionWriter(tmp_path, build.name, "local", "local")
    writer.runs("train", [0, 1, 2])

    assert on_clusters(tmp_path) == {}
    writer.end()


def test_exports_that_clusters_need_are_kept(tmp_path: Path) -> None:
    """An ended submit to a cluster is no ended run: its export stays until all of its runs have ended."""
    repo = Repo(
        tmp_path / "p", {"Experimentfile": 'experiment train:\n    run "true"\n', ".gitignore": ".xpc/\nruns/\n"}
    )
    trees = []
    for n in range(5):
        repo.write({"train.py": f"print({n})\n"})
        trees.append(repo.export(repo.take()).tree)
    build = repo.path / ".xpc/builds/b1"
    build.mkdir(parents=True)
    (build / "plan.json").write_text(json.dumps({"schema": "xpc.plan/1", "snapshot": {"tree": trees[0], "prefix": ""}}))
    writer = sent_to_slurm(repo.path, "b1", [0])
    writer.end()
    session = Session(repo.path)

    drop_old_exports(session)
    assert (repo.path / ".xpc/snapshots" / trees[0]).is_dir()
    assert not (repo.path / ".xpc/snapshots" / trees[1]).is_dir()

    EvidenceWriter(repo.path).settled([writer.path.name])
    drop_old_exports(session)
    assert not (repo.path / ".xpc/snapshots" / trees[0]).is_dir()
