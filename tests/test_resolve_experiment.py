"""Experiments: what they inherit, what comes after what, resources, environments, files, metrics, settings."""

from __future__ import annotations

import pytest
from resolving import attempt, concise, experiment, faults, study

from xpc.compiler.evaluate import EvaluationError
from xpc.compiler.scope import Scope
from xpc.compiler.study import After, Axis, Code, Grid
from xpc.compiler.values import ABSENT

BASE = """
config base:
    lr = 0.1
    seed = 0
    name = "mlp"
grid g:
    lr in [0.1, 0.01]
"""


def train(body: str = "", before: str = BASE) -> str:
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return f'{before}\nexperiment train:\n    config base\n    run "true"\n{lines}'


def findings(body: str, before: str = BASE) -> list[str]:
    """Give the findings without their place."""
    return [line.split("error[", 1)[1] for line in concise(train(body, before))]


def test_a_child_replaces_and_adds() -> None:
    """A child's run, grid and config replace its parent's; outputs, metrics and tags add; own values win."""
    text = (
        BASE
        + """
experiment parent:
    config base
    grid g
    run "parent"
    seed = 1
    output model = "model.pt"
    metric loss minimize
    tags "a"
    workdir copy

experiment child(parent):
    run "child"
    seed = 2
    output extra = "x.txt"
    metric acc maximize
    tags "b", "a"
"""
    )
    found = experiment(text)

    assert found.name == "child"
    assert found.run is not None
    assert found.run.plain == "child"
    assert isinstance(found.grid, Grid)
    assert found.keys[("seed",)].value == 2
    assert [file.name for file in found.outputs] == ["model", "extra"]
    assert [(metric.path, metric.direction) for metric in found.metrics] == [
        (("loss",), "minimize"),
        (("acc",), "maximize"),
    ]
    assert (found.tags, found.workdir, found.own) == (("a", "b"), "copy", (("seed",),))


def test_parents_by_inheritance_need_no_run() -> None:
    """An experiment that others inherit from may have no `run`, and is none itself."""
    found = study('experiment abstract:\n    tags "a"\nexperiment train(abstract):\n    run "true"\n')

    assert list(found.experiments) == ["train"]
    assert concise('experiment train:\n    tags "a"\n') == [
        "Experimentfile:1:12: error[XP054]: experiment `train` has no `run`"
    ]


def test_after_brings_keys_and_order() -> None:
    """Parents come first; a child without a config has its parent's keys, and sees its axes."""
    text = (
        BASE
        + """
experiment evaluate:
    after train
    run "evaluate"
experiment train:
    config base
    grid g
    repeat 3 as rep
    run "train"
experiment ensemble:
    after all train by lr
    run "ensemble"
"""
    )
    found = study(text)
    evaluate, ensemble = found.experiments["evaluate"], found.experiments["ensemble"]

    assert list(found.experiments) == ["train", "evaluate", "ensemble"]
    assert [(a.experiment, a.all, a.by) for a in evaluate.after] == [("train", False, ())]
    assert isinstance(ensemble.after[0], After)
    assert ensemble.after[0].by == (("lr",),)
    assert set(evaluate.keys) == {("lr",), ("seed",), ("name",)}
    assert found.experiments["train"].repeats[0].keys == (("rep",),)
    scope = found.scope("evaluate")
    assert isinstance(scope, Scope)
    assert scope.is_key(("rep",))
    scope = found.scope("ensemble")
    assert isinstance(scope, Scope)
    assert not scope.is_key(("rep",))


def test_an_inherited_axis_is_not_set_again() -> None:
    """Setting an axis of the parent is an error that shows the parent's."""
    text = (
        BASE
        + """
experiment train:
    config base
    grid g
    run "train"
experiment evaluate:
    after train
    grid g
    run "evaluate"
experiment other:
    after train
    lr = 0.5
    run "other"
"""
    )
    assert concise(text) == [
        "Experimentfile:14:5: error[XP043]: `lr` is an axis of the parent, and its runs have their values already",
        "Experimentfile:18:5: error[XP043]: `lr` is an axis of the parent, and its runs have their values already",
    ]


def test_after_is_checked() -> None:
    """Unknown parents, cycles, parents named twice and unknown `by` keys are errors, each once."""
    text = """
experiment a:
    after b
    run "a"
experiment b:
    after a
    run "b"
experiment c:
    after trian
    run "c"
experiment train:
    seed = 1
    run "train"
experiment d:
    after all train by sed
    after train
    run "d"
"""
    assert concise(text) == [
        "Experimentfile:5:11: error[XP058]: experiment `a` comes after itself",
        "Experimentfile:8:11: error[XP020]: unknown experiment `trian`",
        "Experimentfile:14:24: error[XP021]: unknown config key `sed`",
        "Experimentfile:15:5: error[XP038]: `train` is named by `after` twice",
    ]


def test_broken_experiments_are_marked() -> None:
    """A study marks the experiments that are not whole, and those that come after one."""
    found, diagnostics = attempt(
        'experiment bad:\n    resources nope\n    run "x"\n'
        'experiment next:\n    after bad\n    run "x"\n'
        'experiment good:\n    run "x"\n'
    )

    assert found is not None
    assert list(found.experiments) == ["bad", "next", "good"]
    assert found.faulty == {"bad", "next"}
    assert [d.code for d in diagnostics.found] == ["XP020"]


def test_repeats_and_folds_are_axes() -> None:
    """They count from 0, under their own key or a given one."""
    found = experiment(train("repeat 2\nfolds 3 as seed"))

    assert [(axis.keys, axis.columns) for axis in found.repeats] == [
        ((("repeat",),), ([0, 1],)),
        ((("seed",),), ([0, 1, 2],)),
    ]
    assert all(isinstance(axis, Axis) for axis in found.repeats)
    assert found.folds == 3


def test_resources_inherit_and_follow_points() -> None:
    """Constants are checked at once; the rest is code over keys, `attempt` and the block's own fields."""
    before = (
        BASE
        + """
resources small:
    cpus = 2
    memory = 4GiB
    time = 30min
resources gpu(small):
    gpus = 1
    memory = 2GiB * cpus * attempt
    slurm.partition = "gpu"
    slurm:
        nice = 10 * seed
"""
    )
    found = experiment(train("resources gpu", before)).resources

    assert (found.cpus, found.gpus, found.time, found.nodes) == (2, 1, 1800.0, 1)
    assert isinstance(found.memory, Code)
    assert (found.memory.names, found.memory.call([3])) == ((("attempt",),), 12 * 1024**3)
    assert found.options["slurm"]["partition"] == "gpu"
    assert isinstance(found.options["slurm"]["nice"], Code)


def test_resources_at_a_point_are_checked_too() -> None:
    """A late value that is no resource fails when it is asked for, at its place."""
    before = BASE + "resources r:\n    cpus = seed\n"
    found = experiment(train("resources r", before)).resources.cpus
    assert isinstance(found, Code)

    assert found.call([2]) == 2
    with pytest.raises(EvaluationError, match="`cpus` is at least 1"):
        found.call([0])


def test_a_key_called_like_a_resource_is_ambiguous() -> None:
    """A bare name with two meanings is an error; the exact names are not."""
    before = "config base:\n    cpus = 3\nresources r:\n    cpus = 2\n    memory = 1GiB * {name}\n"
    assert findings("resources r", before.format(name="cpus")) == [
        "XP056]: `cpus` has two meanings here: a key, and the resource of that name"
    ]
    found = experiment(train("resources r", before.format(name="run.cpus"))).resources
    assert found.memory == 2 * 1024**3
    found = experiment(train("resources r", before.format(name="config.cpus"))).resources
    assert isinstance(found.memory, Code)


@pytest.mark.parametrize(
    ("line", "finding"),
    [
        ("cpus = 0", "XP140]: `cpus` is at least 1"),
        ('cpus = "4"', "XP140]: `cpus` is an int, but this is a text"),
        ("memory = 4", "XP140]: `memory` is a size, but this is an int"),
        ("time = 30", "XP140]: `time` is a duration, but this is an int"),
        ("gpu = 1", "XP141]: unknown resource `gpu`"),
        ("slum.partition = 1", "XP141]: unknown resource `slum.partition`"),
        ("time = 10min * sed", "XP021]: unknown key `sed`"),
    ],
)
def test_faults_of_resources(line: str, finding: str) -> None:
    """Each mistake in resources is one finding."""
    assert findings("resources r", BASE + f"resources r:\n    {line}\n") == [finding]


def test_environments_inherit() -> None:
    """Variables and secrets add up; a text with placeholders keeps them; container lines are for clusters."""
    before = (
        BASE
        + """
environment a:
    setup "module load python"
    OMP_NUM_THREADS = "1"
    TOKENIZERS_PARALLELISM = "false"
    secret WANDB_API_KEY
environment b(a):
    OMP_NUM_THREADS = "{cpus}"
    SEED = seed
"""
    )
    found = experiment(train("environment b", before)).environment

    assert [text.plain for text in found.setup] == ["module load python"]
    assert list(found.variables) == ["OMP_NUM_THREADS", "TOKENIZERS_PARALLELISM", "SEED"]
    assert isinstance(found.variables["SEED"], Code)
    assert found.secrets == ("WANDB_API_KEY",)


@pytest.mark.parametrize(
    ("line", "finding"),
    [
        ('WANDB_API_KEY = "abc"', "XP037]: `WANDB_API_KEY` looks secret, and the values of variables are recorded"),
        ('container "image" with pod', "XP045]: unknown container runtime `pod`"),
        ('mount "data" at "/data"', "XP045]: `mount` without a `container`"),
    ],
)
def test_faults_of_environments(line: str, finding: str) -> None:
    """Each mistake in an environment is one finding, and none when nobody uses it."""
    before = BASE + f"environment e:\n    {line}\n"

    assert findings("environment e", before) == [finding]
    assert findings("", before) == []


@pytest.mark.parametrize(
    ("line", "finding"),
    [
        ("lrr = 1", "XP021]: unknown config key `lrr`"),
        ('lr = "a"', "XP034]: `lr` is a float, but this is a text"),
        ('run "again"', "XP038]: an experiment has one `run`"),
        ("repeat 0", "XP045]: the number of `repeat` is at least 1, not 0"),
        ("repeat 2 as name", "XP034]: `name` is a text, but this is an int"),
        ("retries -1", "XP045]: the number of retries is at least 0, not -1"),
        ("workdir link", "XP045]: unknown working directory `link`"),
        ("checkpoint 90", "XP045]: `checkpoint` is a duration, but this is an int"),
        ("checkpoint 1d", "XP045]: `checkpoint` is at most 18 h before the limit"),
        ("checkpoint 90s signal KILL", "XP045]: no signal `KILL` can be sent"),
        ("pack 0", "XP045]: the number of runs in a task is at least 1, not 0"),
        ("pack 2\npack 3", "XP038]: an experiment has one `pack`"),
        ('metric a from stdout matching "a=.*"', "XP046]: the pattern has no group"),
        (
            'metric a from stdout matching "a=(.*"',
            "XP046]: `a=(.*` is no regular expression: missing ), unterminated subpattern at position 2",
        ),
        ("metric a\nmetric a", "XP022]: metric `a` is given twice"),
        ('output a = "x"\noutput a = "y"', "XP022]: output `a` is given twice"),
        ('output a = "/tmp/x"', "XP049]: `/tmp/x` lies outside the run's folder"),
        ('writable "../x"', "XP049]: `../x` lies outside the run's folder"),
        ('input a = "../x"', "XP049]: `../x` lies outside the project"),
        ('metrics "log.txt"', "XP045]: `log.txt` is no file of logged values"),
        ("ignore sed", "XP021]: unknown config key `sed`"),
        ("ignore name == 3", "XP034]: `name` is a text, but this is an int"),
        ("grid h", "XP020]: unknown grid `h`"),
    ],
)
def test_faults(line: str, finding: str) -> None:
    """Each mistake in an experiment is one finding."""
    assert findings(line) == [finding]


def test_ignored_keys() -> None:
    """A key is ignored always, or while it has a value of its type; a group stands for its keys."""
    text = train("ignore data\nignore lr == 1", "config base:\n    lr = 0.5\n    data.a = 1\n    data.b = 2\n")

    assert experiment(text).ignore == ((("data", "a"), ABSENT), (("data", "b"), ABSENT), (("lr",), 1.0))


def test_settings_are_read_by_the_keys_type() -> None:
    """`--set` wins everywhere the key is, as its key's type; before its key may stand one experiment's name."""
    text = (
        BASE + 'experiment a:\n    config base\n    grid g\n    run "a"\nexperiment b:\n    config base\n    run "b"\n'
    )
    found = study(text, settings=["lr=1", "name=3", "a.seed=7"])

    assert found.experiments["a"].overrides == {("lr",): 1.0, ("name",): "3", ("seed",): 7}
    assert found.experiments["b"].overrides == {("lr",): 1.0, ("name",): "3"}


def test_faults_of_settings() -> None:
    """An unknown key is shown in the text of the command line, a wrong value too."""
    assert faults(train(), settings=["optimzer=1"]).startswith(
        "error[XP021]: unknown config key `optimzer`\n --> --set:1:1\n"
    )
    assert faults(train(), settings=["lr=fast"]).startswith(
        "error[XP034]: `lr` is a float, but this is a text\n --> --set:1:4\n"
    )


def test_targets() -> None:
    """This machine and each kind of cluster are there without being named."""
    text = 'target mine = local:\n    cpus = 4\n    memory = 8GiB\ntarget far = slurm:\n    account = "x"\n' + train()
    found = study(text)

    assert list(found.targets) == ["local", "oar", "slurm", "mine", "far"]
    assert found.targets["local"].options == {}
    assert found.targets["mine"].options == {"cpus": 4, "memory": 8 * 1024**3}
    assert found.targets["far"].options == {"account": "x", "max_array": 1001}
    assert attempt(text, target="far")[1].found == []
    assert concise(text, target="mien") == ["error[XP020]: unknown target `mien`"]
    assert concise("target x = local:\n    cpu = 4\n" + train()) == [
        "Experimentfile:2:5: error[XP141]: unknown option `cpu`"
    ]


def test_links_open_what_lies_outside() -> None:
    """A file outside the project is refused; inside a linked folder it is read."""
    text = 'let names = lines("../data/names.txt")\n' + train()
    files = {"../data/names.txt": "a\nb\n"}

    assert concise(text, files) == ["Experimentfile:1:19: error[XP049]: `../data/names.txt` lies outside the project"]
    found = study('link "../data" as data\n' + text, files)
    assert [(link.name, link.path) for link in found.links] == [("data", "../data")]


def test_the_project() -> None:
    """Its name, and how far its snapshot reaches."""
    assert (study('project "digits" root ".."\n').name, study('project "x" root ".."\n').root) == ("digits", "..")
    assert study("let x = 1\n").root == "."
    assert concise('project "x" root "src"\n') == [
        "Experimentfile:1:18: error[XP045]: `src` is no folder above the Experimentfile"
    ]


def test_lines_that_cannot_be_read_cause_nothing_else() -> None:
    """What follows from a broken line is not reported, what stands beside it is; the experiment is left out."""
    text = (
        BASE
        + """
config more(base):
    optimizer.lr =
    ?
grid sweep:
    lr in
    ?
    seed in [1]
    skip if unknown == 1
grid lost(:
    seed in [2]
experiment a:
    config more
    grid sweep * lost
    run python x
    depth = 3
experiment b:
    after a
    run "x"
    retries -1
"""
    )
    found, diagnostics = attempt(text)

    assert found is not None
    assert found.faulty == set(found.experiments)
    assert {d.code for d in diagnostics.found} - {"XP045"} <= {f"XP{n:03}" for n in range(20)}
    assert [d.message for d in diagnostics.found if d.code == "XP045"] == [
        "the number of retries is at least 0, not -1"
    ]


def test_a_block_of_the_top_level_inside_an_experiment() -> None:
    """It is no group of keys, unless the config has one of that name."""
    text = """
        experiment train:
            resources:
                mem_mb = 100
            run "python train.py"
    """
    assert faults(text) == (
        "error[XP011]: `resources` stands at the top level, not in an experiment\n"
        " --> Experimentfile:2:5\n  |\n"
        "2 |     resources:\n  |     ^^^^^^^^^\n  |\n"
        "help: write `resources NAME:` at the start of a line, and `resources NAME` here"
    )
    with_key = """
        config base:
            resources.mem_mb = 50

        experiment train:
            config base
            resources:
                mem_mb = 100
            run "python train.py"
    """
    assert experiment(with_key).keys["resources", "mem_mb"].value == 100
