"""A project that a stranger wrote: compiling it runs nothing, writes nothing outside, and reads nothing from there."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from fake_schedulers import FakeSchedulers
from repository import Repo
from strangers import ESCAPES, answer, everything, typed

EVIL = "$(touch {0}/ran)`touch {0}/ran`;touch {0}/ran;'\"|touch {0}/ran&\n#SBATCH --wrap=evil"
TEMPLATE = "{{ 1234567*7654321 }}{% for x in ().__class__.__mro__ %}{{ x }}{% endfor %}<# c #>"

SETUP = f": '{TEMPLATE}'"


class Hostile:
    """A repository in *folder* with a sentinel file and a folder beside it."""

    def __init__(self, above: Path) -> None:
        self.above = above
        self.outside = above / "outside"
        self.outside.mkdir()
        (self.outside / "secret.txt").write_text("top secret\n")
        self.folder = above / "project"
        self.repo = Repo(self.folder)

    def write(self, text: str, **files: str) -> None:
        self.repo.write({"Experimentfile": text, **{name.replace("__", "."): body for name, body in files.items()}})
        self.repo.commit()

    def exported(self) -> Path:
        """Give the folder that runs see as their code."""
        (file,) = (self.folder / ".xpc/snapshots").glob("*/Experimentfile")
        return file.parent

    def untouched(self) -> None:
        assert everything(self.outside) == {"secret.txt": b"top secret\n"}
        assert sorted(path.name for path in self.above.iterdir()) == ["outside", "project"]


@pytest.fixture
def hostile(tmp_path: Path) -> Hostile:
    return Hostile(tmp_path)


def quoted(value: str) -> str:
    """Give a value as an Experimentfile writes it."""
    return json.dumps(value).replace("{", "{{")


def codes(text: str) -> set[str]:
    return set(re.findall(r"\[(X[A-Z]\d{3})\]", text))


ONE = 'experiment train:\n    run "true"\n'
READS = {
    "read": 'let x = read("{}")\n' + ONE,
    "lines": 'let x = lines("{}")\n' + ONE,
    "from": 'config c:\n    from "{}"\n' + ONE,
    "rows": 'grid g:\n    rows from "{}"\nexperiment train:\n    grid g\n    run "true"\n',
    "include": 'include "{}"\n' + ONE,
    "input": 'experiment train:\n    input data = "{}"\n    run "cat {{input.data}}"\n',
}
OUT = ["../outside/secret.txt", "{outside}/secret.txt", "a/../../outside/secret.txt", "out/secret.txt", "single.txt"]


@pytest.mark.parametrize("path", OUT)
@pytest.mark.parametrize("how", READS)
def test_nothing_outside_is_read(hostile: Hostile, how: str, path: str) -> None:
    """By a relative path, an absolute one, or links out of the tree: an error that says so, and none of the text."""
    (hostile.folder / "out").symlink_to(hostile.outside)
    (hostile.folder / "single.txt").symlink_to(hostile.outside / "secret.txt")
    text = READS[how].format(path.format(outside=hostile.outside))
    (hostile.folder / "Experimentfile").write_text(text)

    said = typed(hostile.folder, "check")

    assert codes(said) & {"XP049", "XP045"}, said
    assert "top secret" not in said


@pytest.mark.parametrize(
    "call", ['files("../outside/*")', 'files("{outside}/*")', 'files("out/*")', 'files("**/*.txt")']
)
def test_no_names_from_outside(hostile: Hostile, call: str) -> None:
    """A pattern that leads out is an error, or finds nothing there."""
    (hostile.folder / "out").symlink_to(hostile.outside)
    pattern = call.format(outside=hostile.outside)
    text = f'grid g:\n    x in {pattern}\nexperiment train:\n    grid g\n    run "cat {{x}}"\n'
    (hostile.folder / "Experimentfile").write_text(text)

    typed(hostile.folder, "check")
    said = typed(hostile.folder, "list", "--json")

    assert "secret.txt" not in re.sub(r"error.*?\n\n", "", said, flags=re.S) or codes(said)


WRITES = ['output x = "{}"', 'metrics "{}"', 'writable "{}"', 'metric a from "{}" matching "(.)"']
PLACES = ["../../etc/x.csv", "/etc/x.csv", "a/../../x.csv", "..", "/", "../x.csv"]


@pytest.mark.parametrize("line", WRITES)
@pytest.mark.parametrize("place", PLACES)
def test_no_place_outside_is_written(hostile: Hostile, line: str, place: str) -> None:
    """Outputs, metrics and writable folders lie below the run's working directory, or the file is refused."""
    (hostile.folder / "Experimentfile").write_text(f'experiment train:\n    run "true"\n    {line.format(place)}\n')

    assert codes(typed(hostile.folder, "check")) & {"XP049", "XP045"}


def test_places_that_values_make(hostile: Hostile) -> None:
    """A path with a value in it is known late: it is refused before a run starts, and nothing is made outside."""
    hostile.write(
        'grid g:\n    x in ["../../../../../outside/y", "/tmp/strangers-wrote-this", "a/../../../../../../outside/y"]\n'
        'experiment train:\n    grid g\n    output y = "{x}"\n'
        '    run "mkdir -p $(dirname {output.y}); echo 1 > {output.y}"\n'
    )
    status, said = answer(hostile.folder, "submit")

    assert status == 1
    assert "XP049" in said
    assert not Path("/tmp/strangers-wrote-this").exists()
    hostile.untouched()


def test_output_that_is_a_link_out(hostile: Hostile) -> None:
    """A run's own program may link anywhere, with its user's rights; xpc writes nothing through such a link."""
    hostile.write(
        'experiment train:\n    output m = "m.txt"\n    metrics "log.csv"\n'
        f'    run "ln -s {hostile.outside}/secret.txt {{output.m}}; ln -s {hostile.outside}/secret.txt log.csv"\n'
        'experiment child:\n    after train\n    run "cat {train.m}"\n'
    )
    answer(hostile.folder, "submit")
    for command in (["status"], ["report"], ["gc", "--pack"], ["query", "show id, status"]):
        typed(hostile.folder, *command)

    hostile.untouched()


@pytest.mark.parametrize("target", ["local", "slurm", "oar"])
def test_templates_and_shell_in_names_and_values(hostile: Hostile, target: str) -> None:
    """Jinja's and the shell's own syntax in a project's name, values, set-up and options stays text in every script."""
    evil = EVIL.format(hostile.outside)
    hostile.write(
        f"project {quoted(TEMPLATE + evil)}\n"
        f"target far = {target}:\n    setup {quoted(SETUP)}\n"
        f"grid g:\n    x in [{quoted(evil)}, {quoted(TEMPLATE)}]\n"
        'experiment train:\n    grid g\n    run "echo {x}"\n    tags ' + json.dumps(evil) + "\n"
    )
    status, said = answer(hostile.folder, "build", "--target", "far")
    assert status == 0, said
    (build,) = (hostile.folder / ".xpc/builds").iterdir()

    for script in [build / "submit.sh", *(build / "arrays").iterdir()]:
        text = script.read_text()
        assert str(1234567 * 7654321) not in text
        assert not re.search(r"^#SBATCH --wrap", text, re.M), text
        assert not re.search(r"^[^#\n]*touch", text, re.M), text
        subprocess.run(["bash", "-n", script], check=True)
    typed(hostile.folder, "list", "--json")
    typed(hostile.folder, "list", "-v") if target == "local" else None
    hostile.untouched()


@pytest.mark.parametrize(
    "line",
    [
        'slurm.comment = "x\\n#SBATCH --wrap=evil"',
        'slurm.comment = "x\\r#SBATCH --wrap=evil"',
        'slurm.comment = "x\\u0000"',
        'slurm.wrap = "evil"',
        'slurm.chdir = "/"',
        'slurm.output = "/etc/x"',
        'slurm.export = "ALL,LD_PRELOAD=/evil"',
        'account = "a; touch x"',
        'account = "$(touch x)"',
        'partition = "a b"',
        'partition = "`x`"',
        'qos = "a\\nb"',
        'python = "python3; touch x"',
    ],
)
def test_options_that_are_more_than_options(hostile: Hostile, line: str) -> None:
    """A line end in an option, or an option that would run or write something of its own, is an error."""
    (hostile.folder / "Experimentfile").write_text(f"target far = slurm:\n    {line}\n{ONE}")

    assert codes(typed(hostile.folder, "check")) & {"XP140", "XP141", "XP143"}


@pytest.mark.parametrize(
    "value", ["$(touch x)", "`touch x`", "a'b", 'a"b', "a;b", "a # b", "-x", "a\\b", "{{ 7*7 }}", "é"]
)
def test_options_with_shell_in_them(hostile: Hostile, value: str) -> None:
    """They stay one word in the script's header, and bash reads none of it."""
    hostile.write(f"target far = slurm:\n    slurm.comment = {json.dumps(value)}\n{ONE}")
    status, said = answer(hostile.folder, "build", "--target", "far")
    assert status == 0, said
    (script,) = (hostile.folder / ".xpc/builds").glob("*/arrays/*")

    (line,) = (line for line in script.read_text().splitlines() if "--comment" in line)
    assert line.startswith("#SBATCH --comment=")
    subprocess.run(["bash", "-n", script], check=True)


def test_strange_file_names(hostile: Hostile) -> None:
    """Files whose names hold line ends, escapes, options and half characters are code like any other."""
    names = ["a\nb.py", "--version", "\x1b]52;c;eA==\x07.py", "é.py", "$(touch ran)", "a\\b", "a'b\"c", " ", "-rf"]
    hostile.write(ONE)
    for name in names:
        (hostile.folder / name).write_text(name)
    (hostile.folder / "sub\ndir").mkdir()
    (hostile.folder / "sub\ndir" / "Experimentfile\x1b[2J").write_text("x")

    said = typed(hostile.folder, "submit")

    assert "1 done" in said, said
    tree = hostile.exported()
    assert {name: (tree / name).read_text() for name in names} == {name: name for name in names}
    hostile.untouched()


def test_names_and_texts_are_not_obeyed_by_the_terminal(hostile: Hostile) -> None:
    """Escapes in values, tags, keys, and in what git says, come out as pictures of them."""
    shown = json.dumps(ESCAPES)
    hostile.write(
        f"config c:\n    {shown} = {shown}\ngrid g:\n    {shown} in [{shown}, 1]\n"
        f'experiment train:\n    config c\n    grid g\n    run "false"\n    tags {shown}\n'
    )
    (hostile.folder / f"new{ESCAPES.replace('/', '')}.pem").write_text("x")
    for command in (
        ["check"],
        ["list"],
        ["list", "--json"],
        ["build"],
        ["submit"],
        ["status"],
        ["query", "show config"],
    ):
        typed(hostile.folder, *command)
    (hostile.folder / f"new{ESCAPES.replace('/', '')}.pem").unlink()
    for command in (
        ["build"],
        ["build", "--json"],
        ["submit"],
        ["status"],
        ["status", "--json"],
        ["query", "show config, tags"],
    ):
        typed(hostile.folder, *command)
    for run in (hostile.folder / "runs/train").glob("?" * 16):
        typed(hostile.folder, "show", run.name)
        typed(hostile.folder, "logs", run.name)


def test_logs_and_error_lines_are_not_obeyed(hostile: Hostile) -> None:
    """What a run prints is shown without what a terminal obeys; `--raw` is the way to have all of it."""
    hostile.write(
        'experiment train:\n    run "python evil.py"\n',
        evil__py=f"import sys\nprint({ESCAPES!r})\nsys.exit({ESCAPES!r})\n",
    )
    typed(hostile.folder, "submit")
    (run,) = (path.name for path in (hostile.folder / "runs/train").glob("?" * 16))

    for command in (["status"], ["status", "--failed"], ["logs", run], ["logs", run, "--tail", "1"], ["show", run]):
        typed(hostile.folder, *command)
    assert ESCAPES.split("\r")[0] in answer(hostile.folder, "logs", run, "--raw")[1]


def test_repository_that_would_run_something(hostile: Hostile) -> None:
    """Hooks, monitors, filters, ssh commands, aliases, remote helpers in submodules: none is run by any command."""
    marker = hostile.above / "project/.git/ran"
    program = hostile.folder / ".git/evil"
    hostile.write(ONE, __gitattributes="* filter=evil diff=evil merge=evil export-subst\nsecret export-ignore\n")
    program.write_text(f"#!/bin/sh\necho $0 $@ >> {marker}\ncat\n")
    program.chmod(0o755)
    for hook in (
        "post-index-change",
        "reference-transaction",
        "post-checkout",
        "pre-commit",
        "pre-auto-gc",
        "fsmonitor-watchman",
    ):
        (hostile.folder / ".git/hooks").mkdir(exist_ok=True)
        (hostile.folder / ".git/hooks" / hook).write_text(program.read_text())
        (hostile.folder / ".git/hooks" / hook).chmod(0o755)
    for key in (
        "core.fsmonitor", "core.pager", "core.editor", "core.sshCommand", "core.askPass", "core.gitProxy",
        "gpg.program", "credential.helper", "filter.evil.clean", "filter.evil.smudge", "filter.evil.process",
        "diff.evil.textconv",
        "diff.evil.command", "diff.external", "merge.evil.driver", "pager.diff", "sequence.editor",
        "uploadpack.packObjectsHook",
    ):  # fmt: skip
        hostile.repo.git("config", key, str(program))
    hostile.repo.git("config", "commit.gpgSign", "true")
    hostile.repo.git("config", "alias.cat-file", f"!{program}")
    hostile.repo.git("config", "remote.origin.url", f"ext::{program}")
    hostile.repo.git("config", "remote.origin.promisor", "true")
    hostile.repo.git("config", "submodule.sub.url", f"ext::{program}")
    hostile.repo.git("config", "submodule.sub.update", f"!{program}")
    (hostile.folder / ".gitmodules").write_text(
        f'[submodule "sub"]\n\tpath = sub\n\turl = ext::{program}\n\tupdate = !{program}\n'
    )
    (hostile.folder / "secret").write_text("1")
    marker.unlink(missing_ok=True)

    for command in (["check"], ["build"], ["submit"], ["status"], ["report"], ["query", "show id, commit"], ["doctor"]):
        typed(hostile.folder, *command)

    assert not marker.exists(), marker.read_text()
    tree = hostile.exported()
    assert (tree / "secret").exists()  # what is exported is the tree, whatever attributes say of archives
    hostile.untouched()


YAML = {
    "python": "a: !!python/object/apply:os.system ['touch {0}/ran']\n",
    "tag": "a: !evil 1\n",
    "bomb": "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
    + "".join(f"{n}: &{n} [{', '.join(['*' + chr(ord(n) - 1)] * 10)}]\n" for n in "bcdefghij"),
    "merge": "a: &a {{x: 1}}\nb:\n  <<: *a\n",
    "twice": "a: 1\na: 2\n",
    "huge": "a: " + "9" * 5000 + "\n",
    "deep": "a: " + "[" * 5000 + "]" * 5000 + "\n",
    "self": "a: &a [*a]\n",
    "control": 'a: "\\x1b]52;c;eA==\\x07"\n',
    "key": "? [1, 2]\n: 3\n",
    "documents": "a: 1\n---\na: 2\n",
    "binary": "a: !!binary aGk=\n",
}


@pytest.mark.parametrize("name", YAML)
def test_hostile_yaml(hostile: Hostile, name: str) -> None:
    """It is read as data within bounds, or refused with its place."""
    (hostile.folder / "c.yaml").write_text(YAML[name].format(hostile.outside) if "{" in YAML[name] else YAML[name])
    (hostile.folder / "Experimentfile").write_text(
        'config c:\n    from "c.yaml"\nexperiment train:\n    config c\n    run "true"\n'
    )

    said = typed(hostile.folder, "check")

    assert codes(said) or name in ("control", "key"), said
    typed(hostile.folder, "list", "--json")
    hostile.untouched()


CSV = {
    "nul": "x\n\0\n",
    "huge field": "x\n" + "a" * 1_000_000 + "\n",
    "huge row": "x\n" + "1," * 100_000 + "\n",
    "open quote": 'x\n"a\n' + "b\n" * 1000,
    "formula": "x\n=cmd|' /C calc'!A0\n",
    "no head": "\n\n\n",
    "same heads": "x,x\n1,2\n",
    "carriage": "x\r1\r2\r",
    "escapes": "x\n\x1b]52;c;eA==\x07\n",
    "head": "\x1b[2J\n1\n",
    "number": "x\n" + "9" * 5000 + "\n1e999\nnan\n",
}


@pytest.mark.parametrize("name", CSV)
def test_hostile_csv(hostile: Hostile, name: str) -> None:
    """It is read as data within bounds, or refused with its place."""
    (hostile.folder / "rows.csv").write_text(CSV[name], newline="")
    (hostile.folder / "Experimentfile").write_text(
        'grid g:\n    rows from "rows.csv"\nexperiment train:\n    grid g\n    run "true"\n'
    )

    typed(hostile.folder, "check")
    typed(hostile.folder, "list", "--json")
    typed(hostile.folder, "list")


@pytest.mark.parametrize("kind", ["pipe", "sparse", "device"])
def test_input_that_never_ends(hostile: Hostile, kind: str) -> None:
    """A pipe, a file of a terabyte, a device: refused at once where an Experimentfile reads it."""
    path = hostile.folder / "c.yaml"
    match kind:
        case "pipe":
            import os

            os.mkfifo(path)
        case "sparse":
            with path.open("wb") as file:
                file.truncate(1 << 40)
        case _:
            path.symlink_to("/dev/zero")
    (hostile.folder / "Experimentfile").write_text('let x = read("c.yaml")\nconfig c:\n    from "c.yaml"\n' + ONE)

    assert codes(typed(hostile.folder, "check"))


SUBMISSION = {
    "schema": "xpc.submission/1",
    "event": "submit",
    "time": "2026-11-21T09:30:00.000Z",
    "host": "a",
    "user": "ada",
    "boot": "b",
    "space": "",
    "process": {"pid": 1, "start": 1},
    "target": "far",
}


@pytest.mark.parametrize("kind", ["slurm", "oar"])
@pytest.mark.parametrize("build", ["", "../../../outside", "a\0b", "own", "/etc"])
def test_submissions_of_a_stranger(hostile: Hostile, monkeypatch: pytest.MonkeyPatch, kind: str, build: str) -> None:
    """A forged hand-over names jobs like options and commands: none of that reaches a scheduler's command."""
    hostile.write(ONE + "    retries 0\n" + "target far = " + kind + ":\n    max_submit = 10\n")
    git, python = shutil.which("git"), shutil.which("python3")
    answer(hostile.folder, "build", "--target", "far")
    (own,) = (path.name for path in (hostile.folder / ".xpc/builds").iterdir())
    fake = FakeSchedulers(hostile.folder / ".git/bin", monkeypatch)
    for name, place in (("git", git), ("python3", python)):
        (fake.folder / name).symlink_to(str(place))
    for program in ("squeue", "sacct", "scancel", "scontrol", "sbatch", "oarstat", "oardel", "oarsub"):
        fake.answers(program, err="no", status=1)
    jobs = ["--user=root", "1; touch ran", "-a", "../..", ESCAPES, "$(touch ran)", None, -5]
    lines = [SUBMISSION | {"kind": kind, "build": own if build == "own" else build}]
    for number, job in enumerate(jobs, 1):
        lines.append({"event": "intent", "call": number, "array": "train-1", "token": str(job), "indices": [[0, 1]]})
        lines.append({"event": "result", "call": number, "jobs": [[job, 1]]})
    folder = hostile.folder / ".xpc/submissions"
    folder.mkdir(exist_ok=True)
    (folder / "20261121T093000Z-a-1.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))

    for command in (
        ["status"],
        ["cancel", "--all"],
        ["retry"],
        ["submit", "--target", "far"],
        ["wait", "--timeout", "1s"],
    ):
        typed(hostile.folder, *command)

    assert not any(re.search(r"--user=root|touch|\x1b| -a | -5 ", call) for call in fake.calls), fake.calls
    hostile.untouched()


@pytest.mark.parametrize("name", ["proj\n", "a\nb", "\n"])
def test_folder_with_a_line_end_in_its_name(tmp_path: Path, name: str) -> None:
    """Git tells paths line by line: the error says that it is the line end, and the checks that need no git go on."""
    folder = tmp_path / name / "study"
    folder.mkdir(parents=True)
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    (folder / "Experimentfile").write_text('experiment a:\n    run "true"\n')
    assert answer(folder, "check")[0] == 0
    status, said = answer(folder, "build")
    assert status == 1
    shown = str(folder).replace("\n", "\N{SYMBOL FOR LINE FEED}")
    assert said == (
        f"error[XP137]: git can't tell where `{shown}` is: there is a line end in its path\n"
        "help: rename the folder\n\n1 error. Nothing was written.\n"
    )
