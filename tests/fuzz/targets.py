"""Bytes to everything that reads what others wrote: each target takes any bytes, and fails where a reader breaks."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from test_print import form

from xpc.compiler.expand import expand
from xpc.compiler.files import MemoryFiles
from xpc.compiler.resolve import resolve
from xpc.compiler.yaml_core import load_yaml
from xpc.grammar.codes import TITLES
from xpc.grammar.diagnostic import Diagnostics
from xpc.grammar.parser import parse, parse_expression, parse_query, parse_setting
from xpc.grammar.print_clause import query_text
from xpc.grammar.print_expression import expression_text
from xpc.grammar.print_statement import tree_text
from xpc.grammar.render import render
from xpc.grammar.source import Source
from xpc.runtime.accepted import read_accepted
from xpc.runtime.evidence_files import read_evidence
from xpc.runtime.metrics import Declarations, read_metrics
from xpc.runtime.records import read_run
from xpc.runtime.schedulers.ask import Answer
from xpc.runtime.schedulers.evidence import look
from xpc.runtime.schedulers.oar_site import find_oar
from xpc.runtime.schedulers.oar_submit import read_oarsub
from xpc.runtime.schedulers.slurm_site import find_slurm
from xpc.runtime.schedulers.slurm_states import unfold
from xpc.runtime.schedulers.slurm_submit import read_sbatch
from xpc.runtime.states import STATES
from xpc.runtime.submissions import read_submissions, sent_jobs
from xpc.runtime.table_read import read_tables

RUN = "00000000000000aa"
FILES = {"base.yaml": "a: 1\nmodel:\n  width: 3\n", "points.csv": "a,b\n1,2\n", "note.txt": "one\ntwo\n"}


def _said(diagnostics: Diagnostics) -> None:
    """Print what was found in every form; all of it has a known code."""
    found = diagnostics.sorted()
    assert {d.code for d in found} <= set(TITLES)
    for name in ("full", "concise", "json", "github"):
        printed = render(found, name, color=False)
        assert name in ("json", "github") or "\x1b" not in printed


def parser(data: bytes) -> None:
    """An Experimentfile: read, printed, read again."""
    diagnostics = Diagnostics()
    found = parse(Source("Experimentfile", data.decode("utf-8", "replace")), diagnostics)
    _said(diagnostics)
    if diagnostics.failed:
        return
    printed = tree_text(found)
    again = parse(Source("Experimentfile", printed), diagnostics)
    assert not diagnostics.failed, printed
    assert form(again) == form(found), printed


def study(data: bytes) -> None:
    """An Experimentfile, through resolving and expanding."""
    diagnostics = Diagnostics()
    text = data.decode("utf-8", "replace")
    found = resolve(Source("Experimentfile", text), MemoryFiles(FILES), {"HOME": "/"}, (), diagnostics)
    if found is not None and not diagnostics.failed:
        for table in expand(found, diagnostics).values():
            assert len(table.digests) == 8 * table.count
    _said(diagnostics)


def query(data: bytes) -> None:
    """A query, a condition, a setting: read, printed, read again."""
    text = data.decode("utf-8", "replace")
    diagnostics = Diagnostics()
    found = parse_query(Source("<query>", text), diagnostics)
    if found is not None and not diagnostics.failed:
        printed = query_text(found)
        again = parse_query(Source("<query>", printed), diagnostics)
        assert again is not None, printed
        assert form(again) == form(found), printed
    _said(diagnostics)
    diagnostics = Diagnostics()
    condition = parse_expression(Source("--where", text), diagnostics)
    if condition is not None and not diagnostics.failed:
        printed = expression_text(condition, query=True)
        again_expression = parse_expression(Source("--where", printed), diagnostics)
        assert form(again_expression) == form(condition), printed
    parse_setting(Source("--set", text), diagnostics)
    _said(diagnostics)


def yaml(data: bytes) -> None:
    """A config in YAML, alone and in a study."""
    diagnostics = Diagnostics()
    load_yaml(Source("base.yaml", data.decode("utf-8", "replace")), diagnostics)
    _said(diagnostics)
    _read('config c:\n    from "f"\nexperiment e:\n    config c\n    run "true {args}"\n', data)


def csv(data: bytes) -> None:
    """Points in CSV; tables that were printed."""
    _read('grid g:\n    rows from "f"\nexperiment e:\n    grid g\n    run "true {args}"\n', data)
    for kind in ("csv", "json", "github", "latex"):
        with contextlib.suppress(ValueError):  # which is how it says that this is no table
            read_tables(data.decode("utf-8", "replace"), kind)


def _read(text: str, data: bytes) -> None:
    diagnostics = Diagnostics()
    found = resolve(Source("Experimentfile", text), MemoryFiles({"f": data}), {}, (), diagnostics)
    if found is not None and not diagnostics.failed:
        expand(found, diagnostics)
    _said(diagnostics)


class _Project:
    """A folder whose files are written anew for each input."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="xpc-fuzz-"))
        self.run = self.folder / "runs/train" / RUN
        for name in ("submissions", "evidence", "accepted"):
            (self.folder / ".xpc" / name).mkdir(parents=True)
        self.run.mkdir(parents=True)

    def __del__(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


_project: list[_Project] = []


def _files() -> _Project:
    if not _project:
        _project.append(_Project())
    return _project[0]


def records(data: bytes) -> None:
    """A journal, a file of metrics, submissions, evidence, accepted results."""
    place = _files()
    (place.run / "run.jsonl").write_bytes(data)
    found = read_run(str(place.run))
    assert found is not None
    if found.broken is None and found.end is not None:
        assert found.end["state"] in STATES
    (place.run / "metrics.jsonl").write_bytes(data)
    read_metrics(str(place.run), 1, Declarations())
    for name in ("submissions", "evidence", "accepted"):
        (place.folder / ".xpc" / name / "20261121T093000Z-a-1.jsonl").write_bytes(data)
    for submission in read_submissions(place.folder):
        assert all(job.isdigit() for call in submission.calls for job, _ in call.jobs or ())
    list(sent_jobs(place.folder))
    read_evidence(place.folder)
    read_accepted(place.folder)


JOBS: list[tuple[str, int | None]] = [("3", 0), ("3", 1), ("4", 0), ("8", None), ("10", 2), ("57", None)]


def words(data: bytes) -> None:
    """What squeue, sacct, oarstat, sbatch, oarsub, scontrol, sinfo and oarnodes print."""
    text = data.decode("utf-8", "replace")
    for kind in ("slurm", "oar"):
        seen = look(kind, JOBS, run=lambda command: Answer(0, text, "")).seen
        assert set(seen) <= set(JOBS)
    for read in (read_sbatch, read_oarsub):
        accepted = read(Answer(0, text, ""), 2)
        for job, count in getattr(accepted, "jobs", ()):
            assert str(job).isdigit()
            assert count >= 1
    for find in (find_slurm, find_oar):
        find(lambda command: Answer(0, text, ""))
    unfold(text)


TARGETS: dict[str, Callable[[bytes], None]] = {
    "parser": parser,
    "study": study,
    "query": query,
    "yaml": yaml,
    "csv": csv,
    "records": records,
    "words": words,
}
CORPUS = Path(__file__).resolve().parent / "corpus"


def seeds(target: str) -> list[Path]:
    """Give the inputs that are kept for a target: some of each kind, and each that once broke it."""
    folder = CORPUS / target
    return sorted(folder.iterdir()) if folder.is_dir() else []
