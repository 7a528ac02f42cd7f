"""What a tired person types: each slip is one finding, at its place, with the line that was meant."""

from __future__ import annotations

import pytest
from resolving import attempt, concise, faults

from xpc.compiler.expand import expand
from xpc.compiler.plan import check_plan
from xpc.grammar.nearest import nearest
from xpc.grammar.render import render

STUDY = """
config base:
    lr = 0.1
    seed = 0

resources small:
    cpus = 2
    RESOURCE

grid sweep:
    lr in [0.1, 0.2]
    GRID

experiment train:
    config base
    grid sweep
    resources small
    LINE
    run "python train.py {lr} {seed}"
"""


def written(place: str, line: str) -> str:
    text = STUDY.replace(place, line)
    for other in ("RESOURCE", "GRID", "LINE"):
        text = text.replace(f"    {other}\n", "")
    return text


@pytest.mark.parametrize(
    ("place", "line", "at", "code", "cure"),
    [
        ("LINE", "retry 2", "15:5", "XP010", "write `retries 2`"),
        ("LINE", "depends_on prepare", "15:5", "XP010", "write `after prepare`"),
        ("LINE", "tags paper, draft", "15:10", "XP001", 'write `tags "paper", "draft"`'),
        ("RESOURCE", 'slurm: partition = "gpu"', "7:10", "XP016", 'write `slurm.partition = "gpu"`'),
        ("RESOURCE", "time = 2h30", "7:12", "XP012", "write `2h30min`"),
        ("RESOURCE", "time = 1:30:00", "7:12", "XP012", "write `1h30min`"),
        ("RESOURCE", "time = 2:30", "7:12", "XP012", "durations have units: `90s`, `30min`, `1d12h`"),
        ("RESOURCE", "mem = 4GiB", "7:5", "XP141", "did you mean `memory`?"),
        ("RESOURCE", "walltime = 2h", "7:5", "XP141", "did you mean `time`?"),
        ("RESOURCE", 'partition = "gpu"', "7:5", "XP141", "write `slurm.partition = …`"),
        ("RESOURCE", 'queue = "default"', "7:5", "XP141", "write `oar.queue = …`"),
        (
            "GRID",
            "seed in [x for x in range(3)]",
            "10:16",
            "XP001",
            "a list has no loop: write `range(5)`, or its elements",
        ),
    ],
)
def test_slip(place: str, line: str, at: str, code: str, cure: str) -> None:
    """One error, at the place of the slip, with its cure."""
    text = written(place, line)

    (found,) = concise(text)
    assert found.startswith(f"Experimentfile:{at}: error[{code}]: ")
    assert faults(text).splitlines()[-1] == f"help: {cure}"


def test_repeats_counted_in_a_misspelt_key() -> None:
    """A `repeat` whose key is no key of the config, and that nothing reads, leaves all runs with one seed: it tells."""
    assert faults(written("LINE", "repeat 5 as sed")) == (
        "warning[XP021]: `sed` is no key of config `base`, and nothing reads it\n"
        "  --> Experimentfile:15:17\n"
        "   |\n"
        "15 |     repeat 5 as sed\n"
        "   |                 ^^^ a new key\n"
        "   |\n"
        "help: did you mean `seed`?"
    )


@pytest.mark.parametrize(
    "line", ["repeat 5 as seed", "repeat 5", "repeat 5 as trial", 'repeat 5 as sed\n    output m = "{sed}.pt"']
)
def test_repeats_counted_in_another_key(line: str) -> None:
    """A key of the config, one that is like none of them, and one that something reads, are left alone."""
    assert concise(written("LINE", line)) == []


def running(run: str) -> str:
    return written("LINE", "retries 1").replace("{lr} {seed}", run)


@pytest.mark.parametrize(
    ("run", "at", "message", "cure"),
    [
        ("{{lr}}", "16:26", "`{{lr}}` is no placeholder, and `lr` is a key", "write `{lr}` for the key"),
        ("{{ lr }}", "16:26", "`{{ lr }}` is no placeholder, and `lr` is a key", "write `{lr}` for the key"),
        ("{lr}} {seed}", "16:30", "this `}` closes nothing", "take it away"),
    ],
)
def test_brace_too_many(run: str, at: str, message: str, cure: str) -> None:
    """Braces of other tools, and one too many, would be handed to the program as they are: a warning."""
    assert concise(running(run)) == []
    found = planned(running(run))
    assert found[0] == f"warning[XP014]: {message}"
    assert found[1].endswith(f"--> Experimentfile:{at}")
    assert found[-1] == f"help: {cure}"


@pytest.mark.parametrize(
    "run",
    [
        "'{{print $1}' {lr}",
        "'{{\\\"lr\\\": {lr}}'",
        '\'{{\\"a\\": {{\\"lr\\": {lr}}}\'',
        "${{HOME} {lr}",
        "{{lr} {lr}",
        "'}' {lr}",
    ],
)
def test_braces_of_the_texts_own(run: str) -> None:
    """Braces in pairs, and a closing one alone, are the text's own."""
    assert [line for line in planned(running(run)) if "XP014" in line] == []


def planned(text: str) -> list[str]:
    """Check a study as far as its run texts; give all findings as lines."""
    study, diagnostics = attempt(text)
    assert study is not None
    check_plan(study, expand(study, diagnostics), study.targets["local"], diagnostics)
    return render(diagnostics.sorted(), "full", color=False).splitlines()


def test_names_in_a_grid_that_nobody_uses() -> None:
    """What a grid is put together of is looked up, used or not."""
    assert faults(written("LINE", "retries 1") + "\ngrid all = sweep * swep\n") == (
        "error[XP020]: unknown grid `swep`\n"
        "  --> Experimentfile:18:20\n"
        "   |\n"
        "18 | grid all = sweep * swep\n"
        "   |                    ^^^^ no such grid\n"
        "   |\n"
        "help: did you mean `sweep`?"
    )


def test_of_equally_near_names_the_one_with_the_same_beginning() -> None:
    """People seldom mistype the first letter."""
    assert nearest("men", ["len", "mean"]) == "mean"
    assert nearest("bse", ["use", "base"]) == "base"
