"""Plans: resource classes, arrays and their order, cost, fingerprints, and what is wrong with resources."""

from __future__ import annotations

from textwrap import dedent

import pytest

from xpc.compiler.plan import Plan
from xpc.compiler.plan_command import command_of

from .planning import EVERYTHING, EVERYTHING_FILES, attempt, check_golden, found, plan_of


def asked(plan: Plan) -> list[list[tuple[object, ...]]]:
    """Give cpus, memory in MiB and time in seconds of each class, by attempt."""
    return [
        [(r.cpus, None if r.memory is None else r.memory // 2**20, r.time) for r in requests]
        for requests in plan.resources
    ]


def arrays(plan: Plan) -> list[tuple[object, ...]]:
    return [(a.name, a.resources, a.first, a.count, a.after) for a in plan.arrays]


def with_resources(resources: str, grid: str = "seed in range(4)", more: str = "") -> str:
    parts = ["grid g:", *(f"    {line}" for line in grid.splitlines()), "resources r:"]
    parts += [f"    {line}" for line in resources.splitlines()]
    parts += [
        "experiment train:",
        "    grid g",
        "    resources r",
        '    run "p"',
        *(f"    {x}" for x in more.splitlines()),
    ]
    return "\n".join(parts) + "\n"


# ------------------------------------------------------------------ resource classes and arrays


def test_requests_are_rounded_so_that_points_share_an_array() -> None:
    """Time goes up to the minute and memory to 64 MiB."""
    plan = plan_of(with_resources("time = 10min + 10s * seed\nmemory = 1GiB + 1MiB * seed\ncpus = 2"))

    assert asked(plan) == [[(2, 1024, 600)], [(2, 1088, 660)]]
    assert arrays(plan) == [("train-1", 0, 0, 1, ()), ("train-2", 1, 1, 3, ())]


def test_rows_of_a_class_stand_together() -> None:
    """Rows are stored grouped by class, classes as first met, and keep their order inside."""
    plan = plan_of(with_resources("cpus = 1 + seed % 2"))
    planned = plan.experiments["train"]

    assert planned.rows == [0, 2, 1, 3]
    assert arrays(plan) == [("train-1", 0, 0, 2, ()), ("train-2", 1, 2, 2, ())]


def test_growing_requests_are_listed_by_attempt() -> None:
    """A request that depends on the attempt is listed for retries and some more; equal ones at the end are one."""
    assert asked(plan_of(with_resources("memory = 1GiB * attempt"))) == [[(1, 1024 * n, None) for n in (1, 2, 3, 4)]]
    plan = plan_of(with_resources("memory = 1GiB * attempt", more="retries 5"))
    assert len(plan.resources[0]) == 6
    assert asked(plan_of(with_resources("memory = 1GiB * min(attempt, 2)"))) == [[(1, 1024, None), (1, 2048, None)]]


def test_resources_may_name_each_other_and_groups_of_keys() -> None:
    """A resource's own fields and keys are evaluated together, once for each combination."""
    grid = "m.a in [1, 2]\nm.b in [1, 2]"
    plan = plan_of(with_resources("cpus = config.m.a\nmemory = 1GiB * cpus", grid=grid))

    assert asked(plan) == [[(1, 1024, None)], [(2, 2048, None)]]


def test_experiments_share_classes_but_not_arrays() -> None:
    """Equal requests of two experiments are one class."""
    plan = plan_of('experiment a:\n    run "a"\nexperiment b:\n    run "b"\n')

    assert len(plan.resources) == 1
    assert arrays(plan) == [("a-1", 0, 0, 1, ()), ("b-1", 0, 1, 1, ())]


def test_arrays_come_after_those_that_hold_their_parents() -> None:
    """An array waits for the arrays with its runs' parents, and for no other."""
    text = with_resources("cpus = 1 + seed") + dedent(
        """
        resources s:
            cpus = 1 if seed < 2 else 2
        experiment evaluate:
            after train
            resources s
            run "e"
        """
    )
    assert arrays(plan_of(text))[4:] == [
        ("evaluate-1", 0, 4, 2, ("train-1", "train-2")),
        ("evaluate-2", 1, 6, 2, ("train-3", "train-4")),
    ]


def test_chosen_rows() -> None:
    """A plan of some runs holds those, in their order, and the arrays that have any."""
    text = with_resources("cpus = 1 + seed % 2") + 'experiment other:\n    after train\n    run "o {seed}"\n'
    plan = plan_of(text, rows={"train": [1, 3], "other": [0, 3]})

    assert arrays(plan) == [("train-1", 0, 0, 2, ()), ("other-1", 1, 2, 2, ("train-1",))]
    assert [plan.experiments["other"].row(i) for i in range(2)] == [0, 3]
    assert command_of(plan, "other", 1) == ["o", "3"]
    assert plan_of(text, rows={"other": [2]}).arrays[0].after == ()
    assert plan_of(text, rows={"train": [0, 1], "other": [2, 3]}).arrays[-1].after == ()
    assert asked(plan_of(text, rows={"train": [1]})) == [[(2, None, None)]]


RESOURCES = {
    "too few": "cpus = seed",
    "nothing": "memory = 1GiB * seed",
    "no duration": "time = 10 * seed",
    "division": "cpus = 4 // seed",
}


@pytest.mark.parametrize("case", RESOURCES)
def test_wrong_resources_of_a_point(case: str) -> None:
    """A request that is wrong for a point is reported at its expression, with the first such point, once."""
    text = with_resources(RESOURCES[case])
    check_golden(f"faults/resources-{case.replace(' ', '-')}.txt", f"{text}\n{found(text)}\n")


# ------------------------------------------------------------------ cost


def test_cost_is_an_upper_bound() -> None:
    """Hours of cores and GPUs if every run uses its whole time; files in any case."""
    plan = plan_of(with_resources("cpus = 2\ntasks = 3\nnodes = 2\ngpus = 4\ntime = 30min", more='output m = "m"'))

    assert plan.cost.fields() == {"core_hours": 24.0, "gpu_hours": 16.0, "inodes": 24}


def test_cost_is_unknown_without_a_time() -> None:
    """One run without a limit makes the sum unknown."""
    assert plan_of(with_resources("cpus = 2")).cost.fields() == {"core_hours": None, "gpu_hours": None, "inodes": 20}


# ------------------------------------------------------------------ fingerprints

BASE = """
let scale = 2
environment e:
    setup "module load x"
    A = 1
experiment train:
    config base
    environment e
    grid g
    run "python train.py {k:flag} --lr {scale * lr} --to {output.model}"
    output model = "m.pt"
    input data = "d.csv"
    code "src/**"
grid g:
    k in [1, 2]
config base:
    k = 0
    lr = 0.1
"""


def changed(old: str, new: str, files: dict[str, str] | None = None) -> list[str]:
    """Give the parts of the fingerprint that an edit changes."""
    assert old in BASE
    before = plan_of(BASE, {"d.csv": "1"}).experiments["train"].fingerprint.fields()
    after = plan_of(BASE.replace(old, new), files or {"d.csv": "1"}).experiments["train"].fingerprint.fields()
    return [name for name in before if before[name] != after[name]]


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        ("train.py", "other.py", ["command"]),
        ("scale = 2", "scale = 3", ["command"]),
        ("scale * lr", "lr * scale", ["command"]),
        ('"m.pt"', '"n.pt"', ["command"]),
        ("module load x", "module load y", ["environment"]),
        ("A = 1", "A = 2", ["environment"]),
        ('"src/**"', '"lib/**"', ["code"]),
        ("k in [1, 2]", "k in [1, 2, null, 3]", []),
        ("lr = 0.1", "lr = 0.2", []),
        ("input data", "input other", ["inputs"]),
        ("let scale", 'link "data"\nlet scale', ["inputs"]),
    ],
)
def test_what_makes_runs_stale(old: str, new: str, parts: list[str]) -> None:
    """The command as written, with what its names stand for; values and axes make other runs instead."""
    assert changed(old, new) == parts


def test_content_of_inputs_counts() -> None:
    """An input's hash is part of the fingerprint."""
    assert changed("x", "x", {"d.csv": "1", "other": "2"}) == []
    text = BASE.replace('"d.csv"', '"e.csv"')
    one, two = (
        plan_of(text, files).experiments["train"].fingerprint.inputs for files in ({"e.csv": "1"}, {"d.csv": ""})
    )
    assert one != two


# ------------------------------------------------------------------ paths and environment


PATHS = {
    "absolute by value": ('output m = "{k}/m"', 'k in ["/tmp", "a"]'),
    "upwards by value": ('output m = "x/{k}"', 'k in ["../.."]'),
    "upwards in the text": ('output m = "{k}/../../m"', 'k in ["a"]'),
    "upwards by expression": ("output m = 'x/{k + \"/..\"}'", 'k in ["a", "b"]'),
    "input by value": ('input m = "{k}"', 'k in ["data", "../data"]'),
    "absolute part": ('output m = "{run.dir}/m"', 'k in ["a"]'),
    "same": ('output m = "x/{k}"\noutput n = "x/{k}"', 'k in ["a"]'),
    "list": ('output m = "x/{k}"', "k in [[1], [2]]"),
    "unknown": ('output m = "x/{kk}"', "k in [1]"),
}


@pytest.mark.parametrize("case", PATHS)
def test_wrong_path(case: str) -> None:
    """A path leads nowhere outside the run's folder, whatever its keys hold; two outputs are two files."""
    more, grid = PATHS[case]
    text = with_resources("cpus = 1", grid=grid, more=more)
    check_golden(f"faults/path-{case.replace(' ', '-')}.txt", f"{text}\n{found(text)}\n")


def test_environment() -> None:
    """Variables are templates; a setup line is a script that gets its values as parameters."""
    from xpc.compiler.plan_json import plan_json

    plan = plan_json(plan_of(EVERYTHING, EVERYTHING_FILES))
    assert plan["experiments"]["train"]["environment"] == {  # type: ignore[index,call-overload]
        "setup": [{"script": 'export NOTE="${1}"', "args": [[{"key": "note"}]]}],
        "variables": {"OMP_NUM_THREADS": [{"run": "cpus"}], "WIDTH": [{"key": "model.width"}], "MODE": ["quiet"]},
        "secrets": ["WANDB_API_KEY"],
        "container": None,
    }


# ------------------------------------------------------------------ commands for people


def test_command_is_shown_with_relative_paths() -> None:
    """A run's command, with the paths that its files will have."""
    plan = plan_of(EVERYTHING, EVERYTHING_FILES)
    run = plan.experiments["train"].table.id(plan.experiments["train"].row(0))

    assert command_of(plan, "train", 0) == [
        *("python", "train.py", "--seed", "0", "--optimizer.lr", "0.1", "--optimizer.weight-decay", "0.0"),
        *("--model.width", "16", "--layers", "64", "32", "--note", 'it\'s "quoted"', "--half", "0.05"),
        *("--model.kernel", "3", "--half", "0.0500", "--data", "data/images.npy"),
        *("--save", f"runs/train/{run}/files/model-0.pt"),
    ]


def test_script_is_shown_with_its_values() -> None:
    """Each value stands where its placeholder stood, quoted for that place."""
    plan = plan_of(EVERYTHING, EVERYTHING_FILES)
    ensemble = plan.experiments["ensemble"]
    run = ensemble.table.id(0)
    evaluate = plan.tables["evaluate"]
    scores = [f"runs/evaluate/{evaluate.id(row)}/files/scores.json" for row in ensemble.ancestors["evaluate"].of(0)]

    assert command_of(plan, "ensemble", 0) == (
        f"python ensemble.py {' '.join(scores)} 64 32 --runs runs/ensemble/{run}/train.runs.jsonl"
        """ && echo 'it'"'"'s "quoted"'"""
    )


def test_texts_are_checked_without_a_table() -> None:
    """A grid that can't be expanded does not hide what is wrong with the text."""
    text = """
    config base:
        lr = 0.1
        inverse = 1 / lr
    grid g:
        lr in [0.1, 0]
    experiment train:
        config base
        grid g
        run "p {lrr}"
    """
    assert {d.code for d in attempt(text).diagnostics.found} == {"XP021", "XP028"}
