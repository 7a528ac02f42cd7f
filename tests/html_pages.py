"""Studies with records of every kind, and the HTML pages made of them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from recorded import START, STUDY, Recorded, claim, end, journal
from repository import Repo

from xpc.compiler.git_calls import open_repository
from xpc.grammar.diagnostic import Diagnostics
from xpc.runtime.html.code_diff import Git
from xpc.runtime.html.document import Document, Section, render
from xpc.runtime.html.pictures import section
from xpc.runtime.report import run_report

EVIL = '"><img src=x onerror=alert(1)></script><script>alert(1)</script><!--'

REPORTS = """
report accuracy:
    title "How accurate it is"
    from train
    where status == done
    group by optimizer.lr, model.name
    show mean(accuracy) ± std(accuracy) as accuracy, min(loss.min) as loss, count() as n
    sort by accuracy desc

report runs:
    from train
"""


def sections(study: Recorded) -> list[Section]:
    """Answer all reports of a study."""
    assert study.study is not None
    diagnostics = Diagnostics()
    view = study.view()
    found = [
        section(report, run_report(report, view, diagnostics), view, diagnostics)
        for report in study.study.reports.values()
    ]
    assert [d.message for d in diagnostics.found if d.severity == "error"] == []
    return found


def document(study: Recorded, git: Git | None = None, most: int = 500) -> Document:
    assert study.study is not None
    return render(study.study.name or "study", sections(study), study.view(), git, most)


def data_of(text: str) -> dict[str, Any]:
    """Give the data that a page's script reads."""
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    data: dict[str, Any] = json.loads(found[1])
    return data


class Page(HTMLParser):
    """A page's elements: *tags* with their attributes, texts of scripts and styles, and the cells of its tables."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.raw: list[tuple[str, str]] = []
        self.tables: list[list[list[str]]] = []
        self.bold: list[str] = []
        self._inside = ""
        self._open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag
        if tag in ("script", "style"):
            self.raw.append((tag, ""))
        elif tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")
            self._open.append(tag)
        elif tag == "b":
            self.bold.append("")
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""
        if self._open and self._open[-1] == tag:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if self._inside in ("script", "style"):
            self.raw[-1] = (self._inside, self.raw[-1][1] + data)
        if "td" in self._open or "th" in self._open:
            self.tables[-1][-1][-1] += data
        if "b" in self._open:
            self.bold[-1] += data

    def attributes(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def write_run(
    study: Recorded,
    row: int,
    *,
    state: str | None = "done",
    claimed: Mapping[str, object] | None = None,
    started: Mapping[str, object] | None = None,
    ended: Mapping[str, object] | None = None,
    logs: Mapping[str, str] | None = None,
    metrics: Sequence[Mapping[str, object]] = (),
    attempt: int = 1,
) -> Path:
    """Write one attempt of a run of `train` with fields of its own in each line."""
    table = study.tables["train"]
    folder = study.run(row)
    values = {".".join(path): value for path, value in table.values(row).items()}
    first = claim("train", table.id(row), values, attempt=attempt, **(claimed or {}))
    lines = [first, {**START, **(started or {})}, *([end(state, **(ended or {}))] if state else [])]
    number = "" if attempt == 1 else f".{attempt}"
    (folder / f"run{number}.jsonl").write_text(journal(*lines))
    if metrics:
        (folder / f"metrics{number}.jsonl").write_text(journal(*metrics))
    for name, text in (logs or {}).items():
        (folder / f"{name}{number}.log").write_bytes(text.encode())
    return folder


def full_study(folder: Path) -> tuple[Recorded, Git]:
    """Give 12 runs in a repository whose code changed halfway: 9 are done (1 at the second try), 2 failed."""
    repo = Repo(
        folder, {"train.py": "import model\nprint('one')\n", "model.py": "width = 1\n", ".gitignore": "runs\n.xpc\n"}
    )
    before = repo.git("rev-parse", "HEAD^{tree}")
    repo.write({"train.py": "import model\nprint('two')\nprint('three')\n", "notes.md": "# Notes\n"})
    (folder / "model.py").rename(folder / "network.py")
    repo.commit()
    after = repo.git("rev-parse", "HEAD^{tree}")
    study = Recorded(folder, 'project "birds"\n' + STUDY + REPORTS)
    for row in range(11):
        tree, hour = (before, 9) if row < 5 else (after, 10)
        claimed = {"snapshot": tree, "time": f"2026-11-21T{hour:02}:30:00.000Z"}
        started = {"time": f"2026-11-21T{hour:02}:30:0{row % 10}.000Z"}
        state = "failed" if row in (3, 9) else "done"
        ended = {"time": f"2026-11-21T{hour:02}:45:00.000Z", "duration": 60.0 + row}
        logs = {"stdout": "".join(f"epoch {n} acc=0.{80 + row}{n}\n" for n in range(5))}
        if state == "failed":
            logs["stderr"] = "Traceback (most recent call last):\nValueError: \x1b[31mred\x1b[0m\n"
            ended |= {"exit": 1, "reason": "exit code 1"}
        steps = [{"step": 10 * n, "loss": 1.0 / (n + 1) + row / 100} for n in range(6)]
        more: dict[str, Any] = {"claimed": claimed, "started": started, "logs": logs, "metrics": steps}
        if row == 4:
            write_run(study, row, state="killed", ended=ended | {"reason": "SIGKILL"}, **more)
            more["attempt"] = 2
        if row == 0:
            ended["outputs"] = {"weights": {"path": "files/w.npz", "bytes": 2048, "carried": False}}
        write_run(study, row, state=state, ended=ended, **more)
    return study, open_repository(folder)


def evil_study(folder: Path) -> Recorded:
    """Give a study in which every text that a user or a run can choose is hostile."""
    quoted = EVIL.replace('"', '\\"')
    study = Recorded(
        folder,
        f'project "{quoted}"\n'
        f'grid sweep:\n    new name in ["{quoted}", "plain"]\n    new "<script>alert(1)</script>" in [1, 2]\n'
        f'experiment train:\n    grid sweep\n    run "true"\n    tags "{quoted}"\n'
        f'report all:\n    title "{quoted}"\n    group by name\n    show mean(metric."<img src=x onerror=alert(1)>") '
        f'as "{quoted}"\n',
    )
    evil = {"host": EVIL, "user": EVIL, "command": [EVIL], "build": EVIL, "tags": [EVIL]}
    outputs = {EVIL: {"path": EVIL, "bytes": 1, "carried": False}}
    for row in range(4):
        state = "failed" if row == 3 else "done"
        metrics = [{"<img src=x onerror=alert(1)>": float(n), "</script>": n, "step": n} for n in range(3)]
        write_run(
            study,
            row,
            state=state,
            claimed={**evil, "snapshot": f"{row % 2}" * 40, "time": f"2026-11-21T0{row}:00:00Z"},
            started={"time": f"2026-11-21T0{row}:00:00Z"},
            ended={"reason": EVIL, "outputs": outputs, "artifacts": [EVIL]},
            logs={"stdout": f"{EVIL}\n\x1b]0;title\x07\x1b[2J{EVIL}\n", "stderr": f"<b>{EVIL}\n"},
            metrics=metrics,
        )
    return study
