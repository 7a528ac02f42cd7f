"""Arrays of clusters: what is in which task, under which index, after which others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from textwrap import indent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xpc.compiler.plan import Plan
from xpc.compiler.plan_arrays import Array

from .planning import attempt, found, plan_of

SLURM = "target t = slurm:\n    max_array = {most}\n"


def planned(experiments: str, most: int = 1001, options: str = "", **more: object) -> Plan:
    return plan_of(SLURM.format(most=most) + indent(options, "    ") + "\n" + experiments, target="t", **more)


def shown(plan: Plan) -> list[str]:
    """Give each array on a line: indices, rows a task, class, what it comes after (`=` task by task)."""
    lines = []
    for a in plan.arrays:
        indices = ",".join(f"{first}+{count}" for first, count in a.indices)
        sizes = ",".join(f"{size}x{count}" for size, count in a.sizes)
        after = " ".join(f"{'=' if name in a.pairwise else ''}{name}" for name in a.after)
        lines.append(f"{a.name} {indices} {sizes} {a.resources} {after}".rstrip())
    return lines


def tasks(plan: Plan, array: Array) -> Iterator[tuple[int, list[int]]]:
    """Give index and rows of the table of each task."""
    one = plan.experiments[array.experiment]
    at = array.first - one.first
    indices = (index for first, count in array.indices for index in range(first, first + count))
    for size, count in array.sizes:
        for _ in range(count):
            yield next(indices), [one.row(at + offset) for offset in range(size)]
            at += size
    assert list(indices) == []


# ------------------------------------------------------------------ cutting and pairing

GRID = "grid g:\n    k in range({count})\nexperiment train:\n    grid g\n    run 'a {{k}}'\n"


def test_arrays_are_cut_and_children_are_cut_alike() -> None:
    """An array has at most `max_array` tasks, each counts from 0, and a child has the index of its parent."""
    text = GRID.format(count=7) + "experiment evaluate:\n    after train\n    run 'b {k}'\n"

    assert shown(planned(text, 3)) == [
        "train-1 0+3 1x3 0",
        "train-2 0+3 1x3 0",
        "train-3 0+1 1x1 0",
        "evaluate-1 0+3 1x3 0 =train-1",
        "evaluate-2 0+3 1x3 0 =train-2",
        "evaluate-3 0+1 1x1 0 =train-3",
    ]


def test_children_of_one_parent_are_an_array_each() -> None:
    """Where each parent has m children, m arrays wait for the parent's array task by task."""
    text = GRID.format(count=3) + "experiment evaluate:\n    after train\n    repeat 2\n    run 'b {repeat}'\n"
    plan = planned(text)

    assert shown(plan) == ["train-1 0+3 1x3 0", "evaluate-1 0+3 1x3 0 =train-1", "evaluate-2 0+3 1x3 0 =train-1"]
    assert plan.experiments["evaluate"].rows is not None
    assert list(plan.experiments["evaluate"].rows) == [0, 2, 4, 1, 3, 5]


def test_resource_classes_split_both_sides() -> None:
    """An own class splits a child's array too; what is left has the parent's indices, with holes."""
    text = (
        "resources r:\n    cpus = 1 + k % 2\n" + GRID.format(count=5) + "experiment evaluate:\n    after train\n"
        "    resources r\n    run 'b'\n"
    )

    assert shown(planned(text)) == [
        "train-1 0+5 1x5 0",
        "evaluate-1 0+1,2+1,4+1 1x3 0 =train-1",
        "evaluate-2 1+1,3+1 1x2 1 =train-1",
    ]


def test_a_parent_that_is_not_built_is_no_dependency() -> None:
    """Runs whose parents are left out of the build wait for nothing, and count from 0."""
    text = GRID.format(count=4) + "experiment evaluate:\n    after train\n    run 'b {k}'\n"

    assert shown(planned(text, rows={"train": [1, 2], "evaluate": [0, 2, 3]})) == [
        "train-1 0+2 1x2 0",
        "evaluate-1 0+2 1x2 0",
        "evaluate-2 1+1 1x1 0 =train-1",
    ]


def test_two_parents_pair_where_the_indices_agree() -> None:
    """Of two parents both are waited for task by task where all indices agree; else the other one as a whole."""
    text = (
        GRID.format(count=3)
        + "experiment test:\n    grid g\n    run 'c {k}'\n"
        + "experiment both:\n    after train\n    after test\n    run 'd'\n"
        + "grid other:\n    z in range(2)\nexperiment set:\n    grid other\n    run 'e {z}'\n"
        + "experiment each:\n    after set\n    after train\n    run 'f'\n"
    )
    plan = attempt(SLURM.format(most=1001) + text, target="t").plan
    assert plan is not None

    assert shown(plan) == [
        "train-1 0+3 1x3 0",
        "test-1 0+3 1x3 0",
        "both-1 0+3 1x3 0 =train-1 =test-1",
        "set-1 0+2 1x2 0",
        "each-1 0+3 1x3 0 =train-1 set-1",
        "each-2 0+3 1x3 0 =train-1 set-1",
    ]


def test_barriers_are_grouped_by_what_they_wait_for() -> None:
    """`after all … by` waits for whole arrays: an array for each set of these."""
    text = (
        "grid g:\n    a in range(2)\n    b in range(4)\nexperiment train:\n    grid g\n    run 'x {a} {b}'\n"
        "experiment mean:\n    after all train by a\n    run 'm {a}'\n"
        "experiment total:\n    after all mean\n    run 't'\n"
    )

    assert shown(planned(text, 4)) == [
        "train-1 0+4 1x4 0",
        "train-2 0+4 1x4 0",
        "mean-1 0+1 1x1 0 train-1",
        "mean-2 0+1 1x1 0 train-2",
        "total-1 0+1 1x1 0 mean-1 mean-2",
    ]


def test_many_sets_become_one() -> None:
    """More than 50 sets of arrays are one group that waits for all of them."""
    text = (
        "grid g:\n    a in range(60)\n    b in range(4)\nexperiment train:\n    grid g\n    run 'x {a} {b}'\n"
        "experiment mean:\n    after all train by a\n    run 'm {a}'\n"
    )
    plan = planned(text, 4)

    assert shown(plan)[60:] == [
        f"mean-{n} 0+4 1x4 0 " + " ".join(f"train-{k}" for k in range(1, 61)) for n in range(1, 16)
    ]


def test_too_many_children_wait_for_the_whole_array() -> None:
    """Above 50 children a parent the pairs are given up, with a warning that says what would keep them."""
    text = GRID.format(count=3) + "experiment evaluate:\n    after train\n    repeat 60\n    run 'b {repeat}'\n"
    text = SLURM.format(most=1001) + text
    plan = attempt(text, target="t").plan
    assert plan is not None

    assert shown(plan) == ["train-1 0+3 1x3 0", "evaluate-1 0+180 1x180 0 train-1"]
    assert found(text, target="t") == (
        "warning[XP145]: runs of `evaluate` wait for all of array `train-1`: 60 arrays would have to wait for its "
        "tasks one by one\n"
        " --> Experimentfile:8:1\n"
        "  |\n"
        "8 | experiment evaluate:\n"
        "  | ^^^^^^^^^^^^^^^^^^^^ more than 50 runs a parent\n"
        "  |\n"
        "help: `pack 2` puts that many runs in one task"
    )
    assert found(text + "    pack 2\n", target="t") == ""


def test_names_that_every_scheduler_takes() -> None:
    """Array names are plain and short, whatever experiments are called, and no two are the same."""
    names = ["données", "donn_es", "x" * 90, "x" * 91]
    text = "".join(f"experiment {name}:\n    run 'a'\n" for name in names)

    assert [a.name for a in planned(text).arrays] == ["donn_es-1", "donn_es_-1", "x" * 60 + "-1", "x" * 60 + "_-1"]


# ------------------------------------------------------------------ packing


def test_packed_runs_are_dealt_out_to_tasks() -> None:
    """Task i of T has rows i, i + T …; the last tasks may have one less; the request is as long as all of them."""
    text = "resources r:\n    time = 10min\n    cpus = 2\n" + GRID.format(count=7) + "    pack 3\n    resources r\n"
    plan = planned(text)

    assert shown(plan) == ["train-1 0+3 3x1,2x2 1"]
    assert list(tasks(plan, plan.arrays[0])) == [(0, [0, 3, 6]), (1, [1, 4]), (2, [2, 5])]
    assert [(r[0].cpus, r[0].time) for r in plan.resources] == [(2, 600), (2, 1800)]
    assert plan.experiments["train"].class_of(0) == 0
    assert plan.cost.core_hours == pytest.approx(7 * 2 / 6, abs=0.001)


def test_side_by_side_asks_for_room_instead_of_time() -> None:
    """Runs beside each other need as much time as one, and as much of all else as all of them."""
    text = "resources r:\n    time = 10min\n    cpus = 2\n    gpus = 1\n    memory = 1GiB\n"
    plan = planned(text + GRID.format(count=4) + "    pack 2 side by side\n    resources r\n")

    request = plan.resources[plan.arrays[0].resources][0]
    assert (request.cpus, request.gpus, request.memory, request.time) == (4, 2, 2 * 1024**3, 600)
    assert plan.arrays[0].side_by_side


def test_children_of_packed_runs_pair_by_task() -> None:
    """A packed task's children have its index: an array for each of its runs, or packed alike."""
    text = GRID.format(count=6) + "    pack 2\nexperiment evaluate:\n    after train\n    run 'b {k}'\n"

    assert shown(planned(text)) == [
        "train-1 0+3 2x3 0",
        "evaluate-1 0+3 1x3 0 =train-1",
        "evaluate-2 0+3 1x3 0 =train-1",
    ]
    plan = planned(text + "    pack 2\n")
    assert shown(plan) == ["train-1 0+3 2x3 0", "evaluate-1 0+3 2x3 0 =train-1"]
    assert [row for _, row in tasks(plan, plan.arrays[1])] == [[0, 3], [1, 4], [2, 5]]


def test_packed_children_of_single_parents_wait_for_the_array() -> None:
    """Where a parent's task has one run, packing its children by task would pack nothing: they wait for the array."""
    text = GRID.format(count=6) + "experiment evaluate:\n    after train\n    run 'b {k}'\n    pack 2\n"

    assert shown(planned(text, 4)) == [
        "train-1 0+4 1x4 0",
        "train-2 0+2 1x2 0",
        "evaluate-1 0+2 2x2 0 train-1",
        "evaluate-2 0+1 2x1 0 train-2",
    ]


# ------------------------------------------------------------------ limits of the target


def test_throttle_is_shared_by_what_may_run_at_once() -> None:
    """Arrays that wait for all of another never run beside it; a share is never 0, which would mean no limit."""
    text = GRID.format(count=6) + "experiment last:\n    after all train\n    run 'z'\n"

    assert [a.throttle for a in planned(text, 3, "throttle = 5").arrays] == [3, 2, 5]
    planned_with_less = attempt(SLURM.format(most=2) + "    throttle = 2\n" + GRID.format(count=6), target="t")
    assert planned_with_less.plan is not None
    assert [a.throttle for a in planned_with_less.plan.arrays] == [1, 1, 1]
    assert [d.code for d in planned_with_less.diagnostics.found] == ["XP146"]


def test_stages_do_not_add_up() -> None:
    """Arrays of different stages are never counted together: there is nothing to warn of."""
    text = GRID.format(count=16) + "experiment last:\n    after all train\n    repeat 16\n    run 'z'\n"

    assert sum(a.throttle or 0 for a in planned(text, 2, "throttle = 10").arrays[:8]) <= 10


def test_throttle_is_used_up() -> None:
    """What rounding leaves of it is given away, but never to an array that has not so many tasks."""
    text = GRID.format(count=10)

    assert [a.throttle for a in planned(text, 2, "throttle = 8").arrays] == [2, 2, 2, 1, 1]
    assert [a.throttle for a in planned(text, 4, "throttle = 12").arrays] == [4, 4, 2]
    assert [a.throttle for a in planned(text, 9, "throttle = 3").arrays] == [2, 1]


def test_throttle_goes_by_work() -> None:
    """Of arrays that may run at once, long ones get more than short ones, and all together what the throttle says."""
    text = (
        "resources long:\n    time = 30min\nresources short:\n    time = 10min\n"
        + GRID.format(count=90)
        + "    resources long\nexperiment evaluate:\n    after train\n    resources short\n    run 'b'\n"
    )

    assert [a.throttle for a in planned(text, options="throttle = 64").arrays] == [48, 16]


@given(st.lists(st.integers(1, 400), min_size=1, max_size=6), st.integers(1, 40))
def test_shares_are_never_more_than_the_throttle(counts: list[int], throttle: int) -> None:
    """Whatever may run at once runs no more tasks than allowed, unless each array has one alone."""
    text = "".join(f"experiment e{n}:\n    repeat {count}\n    run 'x'\n" for n, count in enumerate(counts))
    text = SLURM.format(most=100) + f"    throttle = {throttle}\n" + text
    plan = attempt(text, target="t").plan
    assert plan is not None
    shares = [array.throttle for array in plan.arrays]

    assert all(share is not None and share >= 1 for share in shares)
    assert sum(share or 0 for share in shares) <= max(throttle, len(shares))


def test_more_tasks_than_a_submit_may_have() -> None:
    """Over `max_submit` nothing is built, and the help says which `pack` makes it fit."""
    text = "target t = slurm:\n    max_submit = 500\n" + GRID.format(count=2000)
    text += "experiment last:\n    after all train\n    run 'z'\n"

    assert found(text, target="t") == (
        "error[XP144]: 2,001 tasks are more than one submit may have\n"
        " --> Experimentfile:2:18\n"
        "  |\n"
        "2 |     max_submit = 500\n"
        "  |                  ^^^ at most 500\n"
        "  |\n"
        "help: `pack 5` in experiment train gives 401 tasks"
    )


def test_local_plans_have_no_indices() -> None:
    """On this machine arrays are what they were: a range of rows each."""
    plan = plan_of(GRID.format(count=4) + "    pack 2\n")

    assert [(a.name, a.first, a.count, a.tasks) for a in plan.arrays] == [("train-1", 0, 4, 4)]


# ------------------------------------------------------------------ any study

BLOCK = st.fixed_dictionaries(
    {
        "keys": st.integers(0, 2),
        "repeat": st.integers(1, 4),
        "classes": st.integers(1, 3),
        "pack": st.sampled_from(["", "pack 2", "pack 3", "pack 2 side by side"]),
        "parents": st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["each", "all", "by"])), max_size=2),
    }
)


def study_text(blocks: list[dict[str, object]], most: int) -> str:
    """Give a study with an experiment for each block; parents are earlier ones."""
    parts = [SLURM.format(most=most)]
    for number, block in enumerate(blocks):
        keys = [f"k{number}_{n}" for n in range(block["keys"])]  # type: ignore[call-overload]
        own = [f"repeat {block['repeat']} as r{number}"]
        if keys:
            parts.append(f"grid g{number}:\n" + "".join(f"    {key} in range(3)\n" for key in keys))
            own.append(f"grid g{number}")
        parts.append(f"resources q{number}:\n    cpus = 1 + r{number} % {block['classes']}\n")
        own.append(f"resources q{number}")
        used: set[int] = set()
        for place, how in block["parents"]:  # type: ignore[attr-defined]
            if number and place % number not in used:
                parent = place % number
                used.add(parent)
                own.append(
                    f"after {'' if how == 'each' else 'all '}e{parent}" + (f" by r{parent}" if how == "by" else "")
                )
        own += [str(block["pack"])] if block["pack"] else []
        parts.append(f"experiment e{number}:\n    run 'x'\n" + "".join(f"    {line}\n" for line in own))
    return "".join(parts)


@settings(max_examples=150, deadline=None)
@given(st.lists(BLOCK, min_size=1, max_size=5), st.integers(1, 8), st.data())
def test_any_study(blocks: list[dict[str, object]], most: int, data: st.DataObject) -> None:
    """Every run is in one task; arrays and indices are in bounds; a child has its parent's index, or waits for it."""
    text = study_text(blocks, most)
    whole = attempt(text, target="t")
    rows = None
    if data.draw(st.booleans()):
        rows = {
            name: [row for row in range(table.count) if data.draw(st.booleans())] if table.count < 40 else range(5)
            for name, table in whole.tables.items()
        }
    made = attempt(text, target="t", rows=rows)
    plan = made.plan
    assert plan is not None, [d.message for d in made.diagnostics.found]

    place: dict[tuple[str, int], tuple[str, int]] = {}
    stored = 0
    for array in plan.arrays:
        assert array.first == stored
        stored += array.count
        limit = {"": 1, "pack 2": 2, "pack 3": 3}.get(str(blocks[int(array.experiment[1:])]["pack"]), 2)
        listed = list(tasks(plan, array))
        assert len(listed) == array.tasks <= most
        assert [index for index, _ in listed] == sorted({index for index, _ in listed})
        assert all(index < most for index, _ in listed)
        classes = {plan.experiments[array.experiment].class_of(row) for _, each in listed for row in each}
        assert classes == {array.runs_resources}
        for index, each in listed:
            assert 1 <= len(each) <= limit
            for row in each:
                assert (array.experiment, row) not in place
                place[array.experiment, row] = (array.name, index)
    held = {name: set(range(t.count)) if rows is None else set(rows[name]) for name, t in made.tables.items()}
    assert Counter(name for name, _ in place) == {name: len(found) for name, found in held.items() if found}

    arrays = {array.name: array for array in plan.arrays}
    for (name, row), (mine, index) in place.items():
        for parents in made.tables[name].parents:
            for parent in parents.of(row):
                if parent in held[parents.experiment]:
                    theirs, at = place[parents.experiment, parent]
                    assert theirs in arrays[mine].after
                    if theirs in arrays[mine].pairwise:
                        assert at == index
    for array in plan.arrays:
        assert set(array.pairwise) <= set(array.after)
        assert all(list(arrays).index(name) < list(arrays).index(array.name) for name in array.after)
