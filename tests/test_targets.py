"""Targets: what their blocks may say, native options, and what the scheduler is asked for."""

from __future__ import annotations

import pytest

from xpc.compiler.backends.oar import header as oar
from xpc.compiler.backends.oar.options import OWN as OAR_OWN
from xpc.compiler.backends.oar.options import TAKES as OAR_TAKES
from xpc.compiler.backends.slurm import header as slurm
from xpc.compiler.backends.slurm.options import LETTERS, OWN, TAKES
from xpc.compiler.plan import Plan

from .planning import attempt, found, plan_of

RUN = 'experiment e:\n    run "true"\n'


def block(lines: str, kind: str = "slurm", name: str = "t") -> str:
    return f"target {name} = {kind}:\n" + "".join(f"    {line}\n" for line in lines.splitlines())


def headline(text: str, target: str = "local") -> str:
    """Give the first and the help lines of what is found."""
    lines = found(text, target=target).splitlines()
    return "\n".join([line for line in lines if line.startswith(("error", "warning", "help"))])


def slurm_lines(resources: str = "", target: str = "", experiment: str = "") -> list[str]:
    """Give the #SBATCH lines that ask for something, as they are for an experiment with these lines."""
    use = "    resources r\n" if resources else ""
    text = block(target or 'partition = "p"')
    text += "resources r:\n" + "".join(f"    {line}\n" for line in resources.splitlines()) if resources else ""
    text += RUN + use + "".join(f"    {line}\n" for line in experiment.splitlines())
    plan = plan_of(text, target="t")
    lines = slurm.header(plan.arrays[0], *_asked(plan))
    return lines[2:]


def _asked(plan: Plan):  # type: ignore[no-untyped-def]  # three values of three types
    checkpoint = plan.experiments["e"].compiled.experiment.checkpoint
    return plan.resources[plan.arrays[0].resources][0], plan.target, checkpoint


def oar_lines(resources: str = "", target: str = "", experiment: str = "") -> list[tuple[str, str]]:
    use = "    resources r\n" if resources else ""
    text = block(target or 'queue = "q"', "oar")
    text += "resources r:\n" + "".join(f"    {line}\n" for line in resources.splitlines()) if resources else ""
    text += RUN + use + "".join(f"    {line}\n" for line in experiment.splitlines())
    return oar.header(*_asked(plan_of(text, target="t")))


# ------------------------------------------------------------------ blocks


def test_a_block_is_read_with_those_it_is_made_from() -> None:
    """The later one wins, key by key; `setup` lines add up; each kind is there without a block."""
    text = (
        block('partition = "a"\nthrottle = 3\nlease = 2min\nslurm.exclude = "n1"\nsetup "one"')
        + block('partition = "b"\nslurm.exclude = null\nslurm:\n    qos = "long"\nsetup "two"', "t", "u")
        + RUN
    )
    planned = attempt(text, target="u")
    target = planned.study.targets["u"]

    assert planned.diagnostics.found == []
    assert (target.kind, target.options) == (
        "slurm",
        {"partition": "b", "throttle": 3, "lease": 120.0, "max_array": 1001},
    )
    assert target.native == {"exclude": None, "qos": "long"}
    assert [text.plain for text in target.setup] == ["one", "two"]
    assert plan_of(RUN, target="slurm").target.kind == "slurm"
    assert plan_of(RUN, target="oar").target.options == {}


@pytest.mark.parametrize(
    ("lines", "kind", "said"),
    [
        ("throtle = 3", "slurm", "error[XP141]: unknown option `throtle`\nhelp: did you mean `throttle`?"),
        (
            "cpus = 3",
            "slurm",
            (
                "error[XP141]: unknown option `cpus`\n"
                "help: a SLURM target takes account, lease, max_array, max_requeues, max_submit, "
                "partition, python, qos, requeue, throttle, and `slurm.OPTION`"
            ),
        ),
        (
            "walltime = 3",
            "oar",
            (
                "error[XP141]: unknown option `walltime`\nhelp: an OAR target takes lease, max_array, max_requeues, "
                "max_submit, project, python, queue, requeue, and `oar.OPTION`"
            ),
        ),
        (
            'partition = "x"',
            "oar",
            'error[XP142]: `partition` is an option of SLURM, and this target is OAR\nhelp: write `queue = "…"`',
        ),
        (
            "throttle = 3",
            "local",
            (
                "error[XP142]: `throttle` is an option of SLURM, and this target is this machine\n"
                "help: `xpc submit -j 8` says how many runs at once"
            ),
        ),
        ("throttle = 0", "slurm", "error[XP140]: `throttle` is at least 1"),
        (
            "throttle = 1.5",
            "slurm",
            "error[XP140]: `throttle` is an int, but this is a float\nhelp: such as `throttle = 64`",
        ),
        ("lease = 60", "slurm", "error[XP140]: `lease` is a duration, but this is an int\nhelp: such as `lease = 60s`"),
        (
            'requeue = "no"',
            "slurm",
            "error[XP140]: `requeue` is true or false, but this is a text\nhelp: such as `requeue = false`",
        ),
        ('account = "a b"', "slurm", 'error[XP140]: `account` is one word\nhelp: such as `"vision"`'),
        (
            "account = null",
            "slurm",
            (
                "error[XP140]: `account` is a text, but this is null\n"
                "help: leave the line out: `account` then has its default"
            ),
        ),
        (
            'slurm.time = "1:00"',
            "slurm",
            "error[XP143]: `slurm.time` is an option that xpc sets itself\nhelp: write `time = 2h`",
        ),
        (
            "slurm.array = 3",
            "oar",
            (
                "error[XP143]: `slurm.array` is an option that xpc sets itself\n"
                "help: grids make arrays; `max_array` and `throttle` in the target bound them"
            ),
        ),
        (
            'slurm.constrain = "x"',
            "slurm",
            "error[XP141]: SLURM has no option `--constrain`\nhelp: did you mean `slurm.constraint`?",
        ),
        (
            'oar.t = "x"\noar.tpye = "x"',
            "oar",
            "error[XP141]: OAR has no option `--tpye`\nhelp: did you mean `oar.type`?",
        ),
        ("slurm.exclude = true", "slurm", "error[XP140]: `slurm.exclude` takes a value"),
        (
            'slurm.reboot = "x"',
            "slurm",
            "error[XP140]: `slurm.reboot` takes no value\nhelp: write `slurm.reboot = true`",
        ),
        ('slurm.comment = "a\\nb"', "slurm", "error[XP140]: `slurm.comment` is one line of text"),
        (
            "slurm.comment = [1]",
            "slurm",
            "error[XP140]: `slurm.comment` is a text, a number or true, but this is a list",
        ),
    ],
)
def test_faults(lines: str, kind: str, said: str) -> None:
    """A wrong line is one finding with its cure, whichever target is chosen."""
    assert headline(block(lines, kind) + RUN) == said


def test_a_target_that_is_made_from_itself() -> None:
    """A cycle is reported where it begins."""
    text = "target a = b:\n    throttle = 1\ntarget b = a:\n    throttle = 2\n" + RUN

    assert headline(text) == (
        "error[XP032]: target `a` is made from itself\nerror[XP032]: target `b` is made from itself"
    )


def test_option_tables_agree() -> None:
    """No option is both set by xpc and free; short names lead to known ones."""
    assert not set(TAKES) & set(OWN)
    assert not set(OAR_TAKES) & set(OAR_OWN)
    assert set(LETTERS.values()) <= set(TAKES) | set(OWN)


# ------------------------------------------------------------------ what is asked for


def test_slurm_is_asked_in_its_own_terms() -> None:
    """Memory in MiB a node, days before the hours, tasks and GPUs a node."""
    asked = slurm_lines("nodes = 2\ntasks = 4\ncpus = 8\nmemory = 1000MB\ngpus = 1\ntime = 26h\ndisk = 1GiB")

    assert asked == [
        "--nodes=2",
        "--ntasks-per-node=4",
        "--cpus-per-task=8",
        "--mem=960M",
        "--gpus-per-node=1",
        "--tmp=1024M",
        "--time=1-02:00:00",
        "--partition=p",
        "--requeue",
        "--open-mode=append",
    ]


def test_native_options_of_the_resources_win() -> None:
    """Those of the resources win over those of the target, null takes one back, true is a bare flag."""
    target = 'partition = "a"\naccount = "x"\nslurm.exclude = "n1"\nslurm.nice = 5\noar.type = "besteffort"'
    asked = slurm_lines(
        'slurm.partition = "b"\nslurm.exclude = null\nslurm.nice = true\nslurm.C = "x y"\nslurm.time_min = 90s', target
    )

    assert asked[3:-2] == ["--account=x", "--partition=b", "--nice", "--constraint='x y'", "--time-min=0-00:01:30"]


def test_a_gres_stands_for_the_gpus() -> None:
    """Where the kind of GPU is asked for, their number is not asked for a second time."""
    assert "--gpus-per-node=2" not in slurm_lines('gpus = 2\nslurm.gres = "gpu:a100:2"')
    assert "--gpus-per-node=2" in slurm_lines('gpus = 2\nslurm.gres = "tmpdisk:5"')


def test_checkpoints_and_requeue_on_slurm() -> None:
    """The batch shell is warned; a target may keep jobs from starting again."""
    assert slurm_lines("time = 1h", experiment="checkpoint 90s signal INT")[-3:] == [
        "--signal=B:USR1@90",
        "--requeue",
        "--open-mode=append",
    ]
    assert slurm_lines(target="requeue = false")[-2] == "--no-requeue"


def test_oar_is_asked_in_its_own_terms() -> None:
    """All cores of a host's tasks, hours first; GPUs with the cores that belong to them; memory has no word."""
    assert oar_lines("nodes = 2\ntasks = 4\ncpus = 8\nmemory = 1GiB\ntime = 26h") == [
        ("-l", "/nodes=2/core=32,walltime=26:00:00"),
        ("--queue", "q"),
    ]
    assert oar_lines("gpus = 2\ncpus = 4", 'oar.property = "mem > 1"') == [
        ("-l", "/nodes=1/gpu=2"),
        ("-p", "(gpu <> '0') AND (mem > 1)"),
    ]


def test_what_oar_starts_again_is_idempotent() -> None:
    """Checkpoints and best effort make jobs idempotent, unless the target says that none may start again."""
    assert oar_lines("time = 1h", experiment="checkpoint 90s")[2:] == [
        ("-t", "idempotent"),
        ("--checkpoint", "90"),
        ("--signal", "10"),
    ]
    assert oar_lines('oar.type = ["besteffort", "token:x=1"]')[2:] == [
        ("-t", "besteffort"),
        ("-t", "token:x=1"),
        ("-t", "idempotent"),
    ]
    assert oar_lines(target='requeue = false\noar.type = "besteffort"')[1:] == [("-t", "besteffort")]


def test_a_checkpoint_before_the_run_starts() -> None:
    """A time limit that is shorter than the warning is an error."""
    text = "resources r:\n    time = 1min\n" + RUN + "    resources r\n    checkpoint 90s\n"

    assert headline(text) == (
        "error[XP140]: a run of 1 min can't be warned 90 s before its time limit\n"
        "help: warn later, or give the runs a greater `time`"
    )


def test_the_place_is_not_the_experiment() -> None:
    """A run has the same fingerprint on every target, whatever is set up there; its own container counts."""
    text = block('setup "module load x"') + RUN + "    environment v\nenvironment v:\n    A = 1\n"
    boxed = text + '    container "img"\n'
    other = text + '    container "other"\n'

    def environment(text: str, target: str) -> str:
        return plan_of(text, target=target).experiments["e"].fingerprint.environment

    assert environment(text, "t") == environment(text, "local") == environment(text, "oar")
    assert len({environment(each, "t") for each in (text, boxed, other)}) == 3


def test_target_without_a_block() -> None:
    """A head without colon and lines is one mistake, and the help says both."""
    assert found(RUN + "target t = oar\n") == (
        "error[XP007]: the colon of this block is missing\n"
        " --> Experimentfile:3:15\n"
        "  |\n"
        "3 | target t = oar\n"
        "  |               ^\n"
        "  |\n"
        "help: write `target t = oar:`, and indent at least one line below it"
    )
