"""The command line as a user meets it: whole commands, whole outputs, exit statuses."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import console
import pytest

from xpc.cli.report_mistakes import OF_ONE_RUN, OVER_RUNS
from xpc.runtime.query.aggregates import USAGE
from xpc.runtime.query.scalars import SCALARS

FIRST = console.ROOT / "examples" / "first"

STUDY = """\
grid sweep:
    n in [1, 2, 3]

experiment work:
    grid sweep
    run "python work.py {n} {output.square}"
    output square = "square-{n}.txt"
    metric value maximize from stdout matching "value=([0-9.]+)"

experiment total:
    after all work
    run "python total.py {work.runs}"
"""

WORK = """\
import sys
n = int(sys.argv[1])
print(f"value={n * n}")
if n == int(__import__("os").environ.get("FAIL", "0")):
    sys.exit("ValueError: no luck with %d" % n)
open(sys.argv[2], "w").write(str(n * n))
"""

TOTAL = """\
import json, sys
print(sum(int(open(json.loads(line)["outputs"]["square"]).read()) for line in open(sys.argv[1])))
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A small study in a git repository."""
    source = tmp_path / "source"
    source.mkdir()
    for name, text in (("Experimentfile", STUDY), ("work.py", WORK), ("total.py", TOTAL)):
        (source / name).write_text(text)
    return console.fresh_project(source, tmp_path / "project")


def typed(command: str, folder: Path, status: int = 0) -> str:
    """Type a command; give what it prints, both streams, after its status was compared."""
    done = console.shell(command, folder)

    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_check_counts_experiments_and_runs(project: Path) -> None:
    """A file without mistakes gets one line."""
    assert typed("xpc check", project) == "Experimentfile: 2 experiments, 4 runs. No problems.\n"


def test_check_shows_every_mistake_at_once(project: Path) -> None:
    """Three mistakes give three diagnostics, in file order, and nothing is written."""
    text = STUDY.replace("maximize", "maximise").replace("{output.square}", "{output.sqare}")
    text = text.replace("after all", "after al")
    (project / "Experimentfile").write_text(text)

    found = json.loads(typed("xpc check --format json", project, status=1))

    assert [(d["line"], d["code"]) for d in found] == [(6, "XP085"), (8, "XP001"), (11, "XP001")]
    assert not (project / ".xpc").exists()


def test_build_is_the_same_bytes_anywhere(project: Path, tmp_path: Path) -> None:
    """The build's id does not depend on the folder, and a second build changes nothing."""
    first = json.loads(typed("xpc build --json", project))
    again = json.loads(typed("xpc build --json", project))
    elsewhere = shutil.copytree(project, tmp_path / "elsewhere" / "deeper", symlinks=True)
    shutil.rmtree(elsewhere / ".xpc")
    there = json.loads(typed("xpc build --json", elsewhere))

    assert first["build"] == again["build"] == there["build"]
    mine, theirs = project / ".xpc/builds" / first["build"], elsewhere / ".xpc/builds" / first["build"]
    names = sorted(p.relative_to(mine) for p in mine.rglob("*") if p.is_file() and p.name != "provenance.json")
    assert [(mine / name).read_bytes() for name in names] == [(theirs / name).read_bytes() for name in names]


def everything(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Give time of change and content of all that there is, the repository's own files included; but for the index of
    records, which any question may bring up to date."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.startswith("index.sqlite"))
    return {path.relative_to(folder).as_posix(): (path.stat().st_mtime_ns, path.read_bytes()) for path in files}


@pytest.mark.parametrize("built", [False, True], ids=["at first", "after a build"])
def test_what_only_looks_writes_nothing(project: Path, built: bool) -> None:
    """Neither into the project nor into its repository, though the working tree has to be hashed; and what it says of
    the code is true."""
    if built:
        typed("xpc build", project)
    (project / "new.py").write_text("print(1)\n")
    before = everything(project)
    shown = typed("xpc build --dry-run -v", project)
    for command in ("build --against HEAD", "list", "accept"):
        typed(f"xpc {command}", project)

    assert everything(project) == before
    assert "--- arrays/work-1.sh" in shown
    assert shown.split()[:2] == typed("xpc build", project).split()[:2]  # Snapshot, and its tree


def test_origin_of_the_code(project: Path) -> None:
    """What git knows and what it does not know are told apart."""
    begin = typed("xpc build --dry-run", project).splitlines()[0]
    (project / "new.py").write_text("print(1)\n")
    new = typed("xpc build --dry-run", project).splitlines()[0]
    (project / "Experimentfile").write_text(STUDY + "\n")
    both = typed("xpc build --dry-run", project).splitlines()[0]

    assert begin.endswith(", nothing changed since.")
    commit = begin.split()[3].rstrip(",")
    assert new.endswith(f": the working tree, 1 file new since {commit}.")
    assert both.endswith(f": the working tree, 1 file changed and 1 new since {commit}.")


def test_submit_of_nothing(project: Path) -> None:
    """A condition that no run fulfils is answered."""
    said = typed("xpc submit --where 'run.id == \"0\"'", project)

    assert said.startswith('warning[XQ018]: no run has `run.id` equal to `"0"`\n')
    assert said.endswith("\nNothing to run: there is no such run.\n")


def test_submit_runs_parents_before_children(project: Path) -> None:
    """The whole graph runs once; a second submit has nothing to do."""
    typed("xpc submit", project)

    (log,) = (project / "runs/total").glob("*/stdout.log")
    assert log.read_text() == "14\n"
    assert typed("xpc submit", project) == "Nothing to run: 4 done.\n"


def test_failure_is_named_and_its_children_wait(project: Path) -> None:
    """A failed run is not sent again with the same code; `retry` sends it, and its children can run then."""
    said = typed("FAIL=2 xpc submit", project, status=1)

    assert "ValueError: no luck with 2" in said
    assert "2 done, 1 failed, 1 skipped" in said
    assert typed("xpc submit", project, status=1) == (
        "Nothing to run: 2 done, 1 that failed with this very code (`xpc retry` runs it again), "
        "1 whose parents are not done.\n"
    )
    built = typed("xpc build", project).splitlines()
    assert built[-4:-1] == [
        "Nothing to submit.",
        "1 waits for parents that failed.",
        "1 failed with this very code: `xpc retry` runs it again.",
    ]
    typed("xpc retry", project)
    typed("xpc submit", project)
    (log,) = (project / "runs/total").glob("*/stdout.log")
    assert log.read_text() == "14\n"


def test_logs_of_an_attempt_that_was_not_made(project: Path) -> None:
    """That is no run which printed nothing."""
    typed("xpc submit work", project)
    run = next((project / "runs/work").iterdir()).name

    assert typed(f"xpc logs {run} --attempt 2", project, status=1) == f"Run {run[:7]} of work has 1 attempt only.\n"


def test_list_calls_skipped_what_a_failed_parent_keeps_from_running(tmp_path: Path) -> None:
    """`xpc list` gives a run the state that `xpc status`, `xpc show` and a query give it; for a build it is new."""
    source = tmp_path / "source"
    source.mkdir()
    study = "experiment one:\n    repeat 2 as n\n    run \"sh -c 'exit $1' x {n}\"\n"
    (source / "Experimentfile").write_text(study + 'experiment two:\n    after one\n    run "true"\n')
    folder = console.fresh_project(source, tmp_path / "study")
    console.run("xpc submit", folder)

    told = json.loads(typed("xpc list two --json", folder))
    where = typed("xpc list two --where 'status == skipped'", folder).splitlines()
    found = typed("xpc query 'from two show status' --format csv", folder).split()
    build = typed("xpc build -v", folder).split("two:\n")[1].splitlines()

    assert [run["status"] for run in told] == found[1:] == ["done", "skipped"]
    assert [line.split()[1] for line in where] == ["status", "skipped", "of"]
    assert [line.split()[1] for line in build[1:3]] == ["done", "new"]


def test_list_says_how_many_runs_are_shown(project: Path) -> None:
    """One run is a run, not runs."""
    assert typed("xpc list total", project).splitlines()[-1] == "1 of 1 run."


def test_old_exports_are_dropped(project: Path) -> None:
    """A day of edits leaves the newest exports only, and the code of the last build is among them."""
    for edit in range(6):
        (project / "work.py").write_text(f"{WORK}# {edit}\n")
        built = json.loads(typed("xpc build --json", project))

    trees = {path.stem for path in (project / ".xpc/snapshots").glob("*.json")}
    assert len(trees) == 3
    assert built["snapshot"] in trees


def test_unknown_experiment_gets_the_nearest_name(project: Path) -> None:
    """A misspelt experiment on the command line is no silent nothing."""
    assert typed("xpc build wrok", project, status=1) == (
        "error: no experiment is called `wrok`\nhelp: did you mean `work`?\n"
    )


def test_no_experimentfile(tmp_path: Path) -> None:
    """Outside a project the cure is named."""
    assert typed("xpc check", tmp_path, status=1) == (
        f"error: no Experimentfile in {tmp_path} or above it\n"
        "help: write one there, or go to a project with `xpc -C DIR …`\n"
    )


def test_no_git_repository(tmp_path: Path) -> None:
    """A folder that is no repository can be checked, but not built; the error says how to make it one."""
    shutil.copytree(FIRST, tmp_path / "first")

    typed("xpc check", tmp_path / "first")
    assert "git init" in typed("xpc build", tmp_path / "first", status=1)


def test_unknown_target_is_told_the_known_ones(project: Path) -> None:
    """Nothing is run in a place that is not there."""
    assert typed("xpc submit --target cluster", project, status=1) == (
        "error[XP020]: unknown target `cluster`\nhelp: there are: local, oar, slurm\n\n1 error. Nothing was written.\n"
    )


def test_unknown_command_is_misuse(tmp_path: Path) -> None:
    """A misspelt command ends with status 2 and the nearest one."""
    assert "Did you mean `xpc check`?" in typed("xpc chek", tmp_path, status=2)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("reproduce", "Error: Missing argument 'RUN'.\n"),
        ("submit -j 0", "Error: Invalid value for '-j' / '--jobs': 0 is not in the range x>=1.\n"),
        ("build --snapshot tag", "is not one of 'worktree', 'head', 'clean'.\n"),
        ("list --nope", "Error: No such option '--nope'.\n"),
        (
            "submit --dry-run",
            "'--dry-run'. `xpc build --dry-run -v` shows what would be sent, and writes nothing.\n",
        ),
    ],
)
def test_misuse_names_the_option(tmp_path: Path, command: str, said: str) -> None:
    """What is wrong with a command line is told with the name of the argument or option."""
    done = console.run(f"xpc {command}", tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.endswith(said), done.stderr


REPORTS = """
report values:
    from wrok
    group by n
    show avg(value) ± ci95(value) as v, log2(n), value.last, value.at(3)
    having count() > 1
    plot box x = n, y = men(value)

report earlier:
    from gone
    with past
    show count()
"""


def test_check_reads_reports(project: Path) -> None:
    """What is wrong with a report whatever runs log is told before they run, as `xpc report` tells it."""
    (project / "Experimentfile").write_text(STUDY + REPORTS)
    told = typed("xpc check --format concise", project, status=1)
    assert told == (
        "Experimentfile:15:10: error[XQ005]: there is no experiment `wrok`\n"
        "Experimentfile:17:10: error[XQ008]: there is no function `avg`\n"
        "Experimentfile:19:25: error[XQ008]: there is no function `men`\n"
    )
    known = REPORTS.replace("wrok", "work").replace("avg", "mean").replace("men(", "mean(")
    (project / "Experimentfile").write_text(STUDY + known)
    assert typed("xpc check", project).endswith("No problems.\n")


def test_functions_that_check_knows() -> None:
    """They are those that queries have."""
    assert (list(USAGE), list(SCALARS)) == (OVER_RUNS, OF_ONE_RUN)


HABITS = """
config base:
    lr = 0.1

experiment train:
    config base
    LINE
    run "RUN"
"""


@pytest.mark.parametrize(
    ("line", "run", "told"),
    [
        ("retries = 2", "true", "help: write `retries 2`"),
        ('code = "*.py"  # all', "true", 'help: write `code "*.py"`'),
        (
            "time = 2h",
            "true",
            (
                "help: `time` stands in a `resources` block: `time = 2h` below `resources NAME:`, "
                "and `resources NAME` here"
            ),
        ),
        ("config = base", "true", "help: write `config base`"),
        ("retries 2", "echo {lr:flags}", "error[XP055]: `flags` is no format, did you mean `flag`?"),
        ("retries 2", "echo $lr", "warning[XP057]: `$lr` is left to the shell, and `lr` is a key"),
    ],
)
def test_habits_of_other_files(tmp_path: Path, line: str, run: str, told: str) -> None:
    """A line that is written as a value, and a key as the shell's variable, are told what they are here."""
    (tmp_path / "Experimentfile").write_text(HABITS.replace("LINE", line).replace("RUN", run))
    done = console.run("xpc check", tmp_path)
    assert told in done.stdout.splitlines()
    assert done.returncode == (0 if told.startswith("warning") else 1)


@pytest.mark.parametrize("run", ["lr=3; echo $lr", "for lr in 1 2; do echo $lr; done", "echo $lrs $HOME"])
def test_variables_of_the_shells_own(tmp_path: Path, run: str) -> None:
    """What the text gives a value, or does not name, is no key."""
    (tmp_path / "Experimentfile").write_text(HABITS.replace("LINE", "").replace("RUN", run))
    assert typed("xpc check", tmp_path).endswith("No problems.\n")


@pytest.mark.parametrize("name", ["experimentfile", "Experimentfile.txt"])
def test_file_of_nearly_that_name(tmp_path: Path, name: str) -> None:
    """It is not read, and it is told what its name should be."""
    (tmp_path / name).write_text("")
    assert typed("xpc check", tmp_path, status=1).endswith(f"help: rename `{name}` to `Experimentfile`\n")


def test_page_that_can_not_be_written(project: Path) -> None:
    """It is the user's path that is told."""
    said = typed("xpc report --html nowhere/page.html", project, status=3)
    assert said == "error[XS000]: nowhere/page.html: No such file or directory\n"
    assert typed("xpc report --html .", project, status=3) == "error[XS000]: .: Is a directory\n"


def test_key_with_a_hyphen(tmp_path: Path) -> None:
    """Whoever writes it bare is told how, where each error stands; what is told works."""
    study = 'config c:\n    "batch-size" = 3\n    double = 2 * {}\nexperiment e:\n    config c\n    run "echo {{{}}}"\n'
    (tmp_path / "Experimentfile").write_text(study.format("batch-size", "batch-size"))
    told = [line for line in typed("xpc check", tmp_path, status=1).splitlines() if line.startswith("help:")]
    cure = "help: a key with `-` stands in quotes, from its root: "
    assert told == [*[cure + '`config."batch-size"`'] * 2, *[cure + "`config.'batch-size'`"] * 2]

    (tmp_path / "Experimentfile").write_text(study.format('config."batch-size"', "config.'batch-size'"))
    assert "echo 3" in typed("xpc list --command", tmp_path)
    asked = typed("xpc list --set batch-size=4", tmp_path, status=1)
    assert """help: the shell takes quotes away, so write `'"batch-size"=…'`""" in asked
    assert "echo 4" in typed("""xpc list --command --set '"batch-size"=4'""", tmp_path)


def test_build_runs_without_xpc(project: Path) -> None:
    """A build's own script runs the study right after `xpc build`, with another Python and from anywhere."""
    typed("xpc build", project)
    (script,) = project.glob(".xpc/builds/*/submit.sh")
    bare = {"PATH": f"{sys.base_prefix}/bin:/usr/bin:/bin", "HOME": str(project)}  # out of the environment

    done = subprocess.run([script], env=bare, cwd="/", capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    assert typed("xpc status", project) == "experiment  done\nwork           3\ntotal          1\n"


def test_scripts_of_a_build_whose_export_is_gone(project: Path) -> None:
    """They say once what is missing and what makes it, and run nothing."""
    typed("xpc build", project)
    (stamp,) = project.glob(".xpc/snapshots/*.json")
    stamp.unlink()
    (script,) = project.glob(".xpc/builds/*/submit.sh")

    done = subprocess.run([script], capture_output=True, text=True, check=False)

    tree = stamp.stem[:7]
    said = f"the export of snapshot {tree} is not there, or not whole; `xpc build` makes it again\n"
    assert (done.returncode, done.stderr) == (78, said)
    assert not (project / "runs").exists()


def test_interrupt_while_it_is_loaded() -> None:
    """Ctrl-C before there is a command ends it like any other, without a word of Python's."""
    code = (
        "import sys\n"
        "class Interrupt:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'click':\n"
        "            raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupt())\n"
        "from xpc.cli import main\n"
        "sys.exit(main(['check']))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("xpc list | true", 0),
        ("xpc --help | true", 0),
        ("xpc list >&-", 0),
        ("xpc list >&- 2>&-", 0),
        ("xpc list <&- >&- 2>&-", 0),
        ("xpc nothing 2>&-", 2),
        ("xpc submit 2>&1 | true", 1),
    ],
)
def test_nobody_reads_what_is_printed(project: Path, line: str, status: int) -> None:
    """A reader that leaves, or an output that is closed, is no error; but what may not have been done is not fine."""
    typed = f"{Path(sys.executable).parent}/{line}; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", typed], cwd=project, check=False)
    assert done.returncode == status
