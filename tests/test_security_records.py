"""Records that a stranger wrote: every command over them comes back, and prints nothing that is obeyed."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from recorded import START, Recorded, claim, end, journal
from strangers import ESCAPES, everything, typed

from xpc.runtime.submissions import read_submissions, sent_jobs

STUDY = """
grid sweep:
    lr in [0.1, 0.01]
    name in ["a", "b"]

experiment train:
    grid sweep
    run "python train.py"
    output model = "model.pt"
    metric loss minimize
    metric accuracy maximize from stdout matching "acc=([0-9.]+)"

report losses:
    group by lr
    show mean(loss) as loss, count()
"""
DEEP = "[" * 100_000 + "]" * 100_000
ID = "00000000000000aa"


def commands(id: str = ID) -> list[list[str]]:
    """Give all commands that read records."""
    return [
        ["status"],
        ["status", "--json"],
        ["list"],
        ["show", id],
        ["show", id, "--json"],
        ["logs", id],
        ["logs", id, "--tail", "3"],
        ["report"],
        ["report", "--format", "json"],
        ["report", "--format", "latex"],
        ["report", "--format", "csv"],
        [
            "query",
            "with past show id, status, loss, lr, name, host, user, reason, command, started, duration, tags, job",
        ],
        ["query", "group by status with past show count(), mean(duration), max(loss), mean(accuracy)"],
        ["query", "group by status with past show count()", "--explain"],
        ["gc"],
    ]


@pytest.fixture
def study(tmp_path: Path) -> Recorded:
    (tmp_path / "project").mkdir()
    found = Recorded(tmp_path / "project", STUDY)
    found.write(0, metrics=[{"loss": 0.5}], stdout="acc=0.5\n")
    return found


def stranger(study: Recorded, text: str | bytes, name: str = "run.jsonl", id: str = ID) -> Path:
    """Write a file of a run that the Experimentfile does not know."""
    folder = study.folder / "runs/train" / id
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text)
    return folder


def all_of(study: Recorded, id: str = ID) -> str:
    return "\n".join(typed(study.folder, *command) for command in commands(id))


@pytest.mark.parametrize("place", ["runs", "metrics", "log", "submissions", "evidence", "events", "plan", "release"])
@pytest.mark.parametrize("kind", ["pipe", "folder", "sparse", "loop", "secret"])
def test_what_is_no_file_is_not_waited_for(study: Recorded, tmp_path: Path, place: str, kind: str) -> None:
    """A pipe, a folder, a file of a terabyte, a symlink to itself or out of the project, where a record should be."""
    folder = stranger(study, journal(claim("train", ID, {}, build="b1"), START, end()))
    paths = {
        "runs": folder / "run.jsonl",
        "metrics": folder / "metrics.jsonl",
        "log": folder / "stdout.log",
        "release": folder / "run.1.release.jsonl",
        "submissions": study.folder / ".xpc/submissions/20261121T093000Z-a-1.jsonl",
        "evidence": study.folder / ".xpc/evidence/20261121T093000Z-a-1.jsonl",
        "events": study.folder / ".xpc/events/a.log",
        "plan": study.folder / ".xpc/builds/b1/plan.json",
    }
    path = paths[place]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    outside = tmp_path / "outside"
    outside.write_text("top secret\n")
    match kind:
        case "pipe":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
        case "sparse":
            with path.open("wb") as file:
                file.truncate(1 << 40)
        case "loop":
            path.symlink_to(path.name)
        case _:
            path.symlink_to(outside)

    said = all_of(study)

    if place != "log":  # a log is shown as it is: whoever may write it may write anything into it
        assert "top secret" not in said
    assert outside.read_text() == "top secret\n"


HOSTILE = {
    "no object": "[]\n",
    "deep": DEEP + "\n",
    "deep inside": '{"event":"claim","schema":"xpc.run/1","values":' + '{"a":' * 90_000 + "1" + "}" * 90_000 + "}\n",
    "long number": json.dumps(claim("train", ID, {}))[:-1] + ',"attempt":' + "9" * 5000 + "}\n",
    "infinite": json.dumps(claim("train", ID, {"lr": 1e999, "name": float("nan")})) + "\n" + json.dumps(end()) + "\n",
    "surrogates": json.dumps(claim("train", ID, {"lr": "\ud800", "\udfff": 1}, host="\ud800")) + "\n",
    "escapes": journal(claim("train", ID, {ESCAPES: ESCAPES, "lr": ESCAPES}, host=ESCAPES, user=ESCAPES), START),
    "huge times": journal(
        claim("train", ID, {}, time="9" * 400), START | {"time": "99999-99-99"}, end(time="-1", duration=1e308)
    ),
    "huge numbers": journal(
        claim("train", ID, {"lr": 10**400}, request={"cpus": 10**400, "memory": 10**30, "gpus": -1}),
        START,
        end(duration=10**400, cpu_time=10**400, peak_memory=10**400, exit=10**30),
    ),
    "markup": journal(
        claim("train", ID, {"lr": "<script>alert(1)</script>"}, host="</script>"), START, end(reason="<b>")
    ),
    "path": journal(
        claim("train", ID, {}, build="../../..", snapshot="../../../x"),
        START,
        end(outputs={"model": {"path": "/etc/passwd"}, "../../x": {"path": "../../../x"}}, artifacts=["/etc/passwd"]),
    ),
    "nul": journal(
        claim("train", ID, {"lr": "\0"}, build="a\0b", snapshot="\0"), START, end(outputs={"model": {"path": "\0"}})
    ),
    "pid": journal(claim("train", ID, {}, shim={"pid": 10**30, "start": -1}, host=os.uname().nodename), START),
    "long key": journal(claim("train", ID, {"k" * 100_000: "v" * 100_000}), START, end()),
    "quoted key": journal(claim("train", ID, {'"a': 1, 'a."': 2, "": 3, ".": 4, "a..b": 5}), START, end()),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_journals(study: Recorded, name: str) -> None:
    """Each is a run of which some is known, or a record that can't be read; the other runs are there as ever."""
    stranger(study, HOSTILE[name])

    all_of(study)

    assert "0.5" in typed(study.folder, "report")


WRONG = [None, True, -1, 10**400, 0.5, "", "x", ESCAPES, [], [[]], [None], {}, {"": {}}, {"pid": "x"}, "../../etc"]
FIELDS = [
    *({"claim": name} for name in claim("train", ID, {})),
    *({"start": name} for name in (*START, "command", "witness")),
    *({"end": name} for name in (*end(), "requeued", "by", "witness")),
]


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: "-".join(*field.items()))
def test_wrong_types_in_every_field(study: Recorded, field: dict[str, str]) -> None:
    """A field of any type is that value or none; one run for each wrong value, all read at once."""
    ((line, name),) = field.items()
    for number, wrong in enumerate(WRONG):
        id = f"{number:016x}"
        lines = {"claim": claim("train", id, {"lr": 0.1}), "start": START, "end": end()}
        lines[line] = lines[line] | {name: wrong}
        stranger(study, journal(*lines.values()), id=id)

    for command in commands("0000000000000007"):
        if command[0] != "logs":
            typed(study.folder, *command)
    for number in range(len(WRONG)):
        typed(study.folder, "show", f"{number:016x}")


def test_hostile_metrics(study: Recorded) -> None:
    """Names and values that are markup, escapes, formulas, templates, lists, huge: columns and cells of text."""
    names = [
        ESCAPES,
        "<script>alert(1)</script>",
        "=HYPERLINK(1)",
        "{{ 7*7 }}",
        "a\nb",
        "",
        ".",
        "\0",
        "\\input{x}",
        "x" * 9000,
    ]
    lines = [{name: 1.0} for name in names] + [
        {"loss": wrong} for wrong in (10**400, "nan", None, [], {}, True, 1e999, ESCAPES, "1e400")
    ]
    lines += [{"step": wrong, "loss": 1.0} for wrong in (10**400, "x", None, [], {}, -1, 1e999, True)]
    lines += [{"xpc.progress": wrong} for wrong in (1, [1], ["a", "b"], [10**400, 1], [0, 0], {})]
    stranger(study, journal(claim("train", ID, {}), START))
    stranger(study, "".join(json.dumps(line) + "\n" for line in lines) + DEEP + "\n", "metrics.jsonl")
    stranger(study, ESCAPES + "acc=" + "9" * 5000 + "\nacc=.\nacc=1.2.3\n", "stdout.log")

    all_of(study)
    typed(study.folder, "report", "--html", str(study.folder / "page.html"))
    assert "<script>alert(1)" not in (study.folder / "page.html").read_text()


def test_names_of_runs_and_experiments(study: Recorded) -> None:
    """Folders called like escapes, options or markup below runs/ are no runs, and are not shown as they are."""
    for name in (ESCAPES.replace("/", "-"), "--all", "<script>", "a\nb", "$(touch x)", "é\udcff"):
        folder = os.path.join(os.fsencode(study.folder / "runs"), os.fsencode(name), ID.encode())
        os.makedirs(folder)
        with open(os.path.join(folder, b"run.jsonl"), "w") as file:
            file.write(journal(claim(name.encode("utf-8", "replace").decode(), ID, {"lr": 0.1}), START, end()))

    all_of(study)


def test_run_folder_that_leads_out(study: Recorded, tmp_path: Path) -> None:
    """A run folder that is a symlink out of the project: nothing there is written, packed or removed."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "run.jsonl").write_text(
        journal(claim("train", ID, {"lr": 0.1}, time="2020-01-01T00:00:00.000Z"), START, end())
    )
    (outside / "precious").write_text("1")
    (study.folder / "runs/train" / ID).symlink_to(outside)
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / ID).mkdir(parents=True)
    (elsewhere / ID / "run.jsonl").write_text(journal(claim("other", ID, {}), START, end()))
    (study.folder / "runs/other").symlink_to(elsewhere)
    before = everything(outside), everything(elsewhere)

    all_of(study)
    (study.folder / "runs/other").unlink()  # who links a whole experiment elsewhere wants it packed there
    typed(study.folder, "gc", "--pack", "--yes")
    typed(study.folder, "view", str(tmp_path / "view"), "--by", "status,lr")

    assert (everything(outside), everything(elsewhere)) == before


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from([10**400, ESCAPES, "481", "slurm", "oar", "a-1", "b0"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=3) | st.sampled_from(["process", "pid", "start"]), inner, max_size=3)
    ),
    max_leaves=6,
)
EVENTS = st.sampled_from(
    [
        "submit",
        "runs",
        "intent",
        "result",
        "refused",
        "cancelled",
        "adopted",
        "absent",
        "completed",
        "released",
        "cancel",
        "cancels",
        "end",
        "ended",
        "settled",
        "missing",
    ]
)
NAMES = st.sampled_from(
    [
        "schema",
        "time",
        "build",
        "target",
        "kind",
        "process",
        "call",
        "array",
        "token",
        "indices",
        "request",
        "jobs",
        "exit",
        "said",
        "calls",
        "file",
        "experiment",
        "rows",
        "run",
        "attempt",
        "job",
        "task",
        "state",
        "reason",
        "submission",
        "host",
        "arrays",
    ]
)
LINES = st.builds(lambda event, fields: fields | {"event": event}, EVENTS, st.dictionaries(NAMES, VALUES, max_size=7))
FIRST = {
    "schema": "xpc.submission/1",
    "event": "submit",
    "time": "2026-11-21T09:30:00.000Z",
    "host": "a",
    "user": "ada",
    "boot": "b",
    "space": "",
    "process": {"pid": 1, "start": 1},
    "build": "b0",
    "target": "far",
    "kind": "slurm",
}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=st.sampled_from(["slurm", "oar", "local"]), lines=st.lists(LINES, max_size=6))
def test_any_lines_of_submits_and_evidence(study: Recorded, kind: str, lines: list[dict[str, object]]) -> None:
    """Whatever stands in them, the states are answered, and no job is taken for one whose id is no number."""
    for folder in ("submissions", "evidence"):
        (study.folder / ".xpc" / folder).mkdir(exist_ok=True)
        (study.folder / ".xpc" / folder / "20261121T093000Z-a-1.jsonl").write_text(
            "".join(json.dumps(line) + "\n" for line in [FIRST | {"kind": kind}, *lines])
        )

    for submission in read_submissions(study.folder):
        for call in submission.calls:
            assert all(job.isdigit() for job, _ in call.jobs or ())
    list(sent_jobs(study.folder))
    typed(study.folder, "status", "--json")


@pytest.mark.parametrize("number", [10**400, -(10**400), 10**308 * 17], ids=["great", "small", "beyond"])
@pytest.mark.parametrize("function", ["mean", "sum", "std", "sem", "var", "median", "iqm", "ci95", "bootstrap95"])
def test_claims_of_numbers_beyond_all_floats(study: Recorded, function: str, number: int) -> None:
    """What can't be reckoned is null, and a note says of what; no traceback, in no format."""
    for id, lr in ((ID, number), ("00000000000000ab", number + 1), ("00000000000000ac", 1)):
        text = journal(claim("train", id, {"lr": lr, "name": "x"}), START, end())
        stranger(study, text, id=id)

    query = f"with past group by name show {function}(lr) as found, count()"
    said = typed(study.folder, "query", query)
    assert "Numbers too large to reckon with: `lr`." in said
    for format in ("json", "csv", "latex"):
        typed(study.folder, "query", query, "--format", format)
    typed(study.folder, "query", f"with past where {function}(lr) > 1 group by name show count()")
    typed(study.folder, "query", "with past show lr / 2, lr * 2, lr + 0.5, sqrt(lr), round(lr), float(lr)")
    typed(
        study.folder,
        "query",
        f'with past group by name show diff(lr, baseline = (name == "a")), {function}(lr) ± std(lr)',
    )
