"""Run texts as they are compiled: what each form becomes, and what is said where a form is wrong."""

from __future__ import annotations

import json
import re

import pytest

from xpc.compiler.template import command_json as as_json

from .planning import check_golden, command_json, found, plan_of, study_text

VALUES = """\
lr = 0.1
name = "mlp"
verbose = false
nothing = null
optimizer.lr = 0.1
optimizer.beta = 2
layers = [64, 32]
"""


def words(run: str, **more: str) -> object:
    """Give the words of a run text that needs no shell."""
    command = command_json(json.dumps(run), **{"values": VALUES, **more})
    assert isinstance(command, dict)
    assert command["kind"] == "argv"
    return command["words"]


def script(run: str, **more: str) -> tuple[object, object]:
    """Give script and parameters of a run text that needs one."""
    command = command_json(json.dumps(run), **{"values": VALUES, **more})
    assert isinstance(command, dict)
    assert command["kind"] == "script"
    return command["script"], command["args"]


def texts(run: str, **more: str) -> list[object]:
    """Give the values of the text columns, those of each column in order."""
    plan = plan_of(study_text(json.dumps(run), **{"values": VALUES, **more}))
    return [list(text.results.values()) for text in plan.experiments["train"].compiled.texts]


def faults(run: str, **more: str) -> str:
    return found(study_text(json.dumps(run, ensure_ascii=False), **{"values": VALUES, **more}))


# ------------------------------------------------------------------ what placeholders become


def test_keys_are_parts_of_words() -> None:
    """A key stands for itself, alone or inside a larger word."""
    assert words("python train.py --lr={lr} {name} out-{name}.txt") == [
        ["python"],
        ["train.py"],
        ["--lr=", {"key": "lr"}],
        [{"key": "name"}],
        ["out-", {"key": "name"}, ".txt"],
    ]


def test_what_the_run_knows() -> None:
    """Names of the run become what the node fills in."""
    run = "p {run.id} {run.dir} {run.config} {run.config:yaml} {attempt} {cpus} {gpus} {memory} {nodes} {tasks}"
    fields = ["id", "dir", "config", "config_yaml", "attempt", "cpus", "gpus", "memory", "nodes", "tasks"]

    assert words(run) == [["p"], *([{"run": field}] for field in fields)]
    assert words("p {project.root} {run.attempt}") == [["p"], [{"project": "root"}], [{"run": "attempt"}]]


def test_files_of_the_run() -> None:
    """Outputs and inputs stand for their paths, also inside a word and as a flag."""
    extra = 'output model = "m.pt"\ninput data = "d.csv"'

    assert words("p --to={output.model} {input.data} {output.model:flag}", extra=extra) == [
        ["p"],
        ["--to=", {"output": "model"}],
        [{"input": "data"}],
        ["--model"],
        [{"output": "model"}],
    ]


def test_flags() -> None:
    """A flag is named by the last segment; null and false give nothing, true the name alone, a list its elements."""
    assert words("p {optimizer.lr:flag} {verbose:flag} {nothing:flag} {layers:flag}") == [
        ["p"],
        ["--lr"],
        [{"key": "optimizer.lr"}],
        ["--layers"],
        ["64"],
        ["32"],
    ]
    assert texts("p {layers:flag}", grid="layers in [[64, 32], []]") == [[["--layers", "64", "32"], ["--layers"]]]
    assert words("p {verbose:flag}", grid="verbose in [true]") == [["p"], ["--verbose"]]


def test_flag_that_only_some_runs_have() -> None:
    """Where rows differ in how many words a flag is, each row has its own."""
    grid = "verbose in [true, false]"
    assert words("p {verbose:flag}", grid=grid) == [["p"], {"words": 0}]
    assert texts("p {verbose:flag}", grid=grid) == [[["--verbose"], []]]

    grid = "name in ['a', 'b']\nif name == 'a':\n    new k in [3, 5]"
    assert texts("p {k:flag}", grid=grid) == [[["--k", "3"], ["--k", "5"], []]]
    assert texts("p {k}", grid=grid) == [["3", "5", "null"]]


def test_flags_of_a_group_and_of_everything() -> None:
    """A group's keys by their names inside it, in the config's order; `args` by their whole names."""
    assert words("p {optimizer:flag}") == [
        ["p"],
        ["--lr"],
        [{"key": "optimizer.lr"}],
        ["--beta"],
        [{"key": "optimizer.beta"}],
    ]
    assert words("p {args}", values="b.c = 1\na = 'x'") == [["p"], ["--b.c"], [{"key": "b.c"}], ["--a"], [{"key": "a"}]]


def test_overrides_are_what_was_given() -> None:
    """Point, experiment and `--set`, but not the config, in the config's order, quoted as Hydra reads it."""
    text = study_text(
        '"p {overrides}"', values=VALUES, grid="optimizer.lr in [0.1, 1e-5]\nname in ['a', 'b c', 'null']"
    )
    text += '    layers = [1, 2]\n    verbose = "it\'s"\n'.replace("verbose = ", "nothing = ")
    plan = plan_of(text, settings=["lr=3"])
    compiled = plan.experiments["train"].compiled

    assert [list(column.results.values()) for column in compiled.texts] == [
        [["name=a"], ["name='b c'"], ["name='null'"]],
    ]
    assert as_json(compiled.command)["words"] == [  # type: ignore[index,call-overload]
        ["p"],
        ["lr=", {"key": "lr"}],
        {"words": 0},
        ["nothing='it\\'s'"],
        ["optimizer.lr=", {"key": "optimizer.lr"}],
        ["layers=[1,2]"],
    ]


def test_config_groups_are_overridden_by_name() -> None:
    """A config group's choice is one override, without the keys of its files; it is no key of the config."""
    files = {"configs/model/cnn.yaml": "width: 3\n", "configs/model/mlp.yaml": "width: 4\n"}
    text = study_text(
        '"p {overrides} {model} {args}"', values="model.width = 1", grid='model from "configs/model/*.yaml"'
    )
    plan = plan_of(text, files)
    compiled = plan.experiments["train"].compiled

    assert [list(column.results.values()) for column in compiled.texts] == [[["model=cnn"], ["model=mlp"]]]
    assert as_json(compiled.command)["words"] == [  # type: ignore[index,call-overload]
        ["p"],
        {"words": 0},
        [{"key": "model"}],
        ["--model.width"],
        [{"key": "model.width"}],
    ]


def test_computed_texts() -> None:
    """An expression is evaluated once for each combination of the keys that it names."""
    grid = "lr in [0.1, 0.2]\nname in ['a', 'b']"
    assert texts("p {lr * 10} {name + 'x'}", grid=grid) == [["1.0", "2.0"], ["ax", "bx"]]
    assert texts("p {lr:.3f}", grid=grid) == [["0.100", "0.200"]]
    assert texts("p {layers} {layers:.1f}", grid="layers in [[1, 2], []]") == [[["1", "2"], []], [["1.0", "2.0"], []]]
    assert texts("p {([1] if lr == 3 else [lr, null])}", grid="lr in [1, 3]") == [[["1.0", "null"], ["1"]]]
    assert texts("p {optimizer:json}", grid="optimizer.lr in [1, 2]") == [
        ['{"lr": 1.0, "beta": 2}', '{"lr": 2.0, "beta": 2}']
    ]


def test_what_is_the_same_in_all_runs_is_computed_once() -> None:
    """It stands in the command, and in no row."""
    run = "p {optimizer:json} {layers:json} {nothing:json} {optimizer.beta:03d} {layers} {len(layers)} {lr * 10}"
    assert words(run) == [
        ["p"],
        ['{"lr": 0.1, "beta": 2}'],
        ["[64, 32]"],
        ["null"],
        ["002"],
        ["64"],
        ["32"],
        ["2"],
        ["1.0"],
    ]
    assert texts(run) == []


def test_lets_and_folds() -> None:
    """A `let` is read where it is named; `folds` is how many there are."""
    text = "let scale = 3\n" + study_text('"p {scale * lr} {scale} {folds} {fold}"', values="lr = 1", extra="folds 2")
    command = plan_of(text).experiments["train"].compiled.command

    assert as_json(command)["words"] == [["p"], ["3"], ["3"], ["2"], [{"key": "fold"}]]  # type: ignore[index,call-overload]


def test_folds_of_a_parent() -> None:
    """What comes after an experiment with folds knows how many there are, unless it has a key of that name."""
    parent = "experiment train:\n    folds 3\n    run 'p'\n"
    child = "experiment evaluate:\n    after train\n    run 'p {fold} {folds}'\n"
    plan = plan_of(parent + child)
    own = plan_of(parent + child.replace("    run", "    folds = 4\n    run"))

    words = [as_json(p.experiments["evaluate"].compiled.command)["words"] for p in (plan, own)]  # type: ignore[index,call-overload]
    assert words == [[["p"], [{"key": "fold"}], ["3"]], [["p"], [{"key": "fold"}], [{"key": "folds"}]]]


def test_ancestors() -> None:
    """A parent's output is one path, under `after all` a word a parent; `runs` is a file in both."""
    text = """
    grid g:
        seed in [0, 1]
        lr in [1, 2]
    experiment train:
        grid g
        run "p"
        output model = "m.pt"
    experiment evaluate:
        after train
        run "p {train.model} x={train.model} {after.train.runs}"
        output scores = "s.json"
    experiment best:
        after all evaluate by lr
        run "p {evaluate.scores} {train.model} {train.runs} {train.model:flag}"
    """
    plan = plan_of(text)
    one = {"ancestor": "train", "output": "model"}
    assert as_json(plan.experiments["evaluate"].compiled.command)["words"] == [  # type: ignore[index,call-overload]
        ["p"],
        [one],
        ["x=", one],
        [{"ancestor": "train", "runs": True}],
    ]
    assert as_json(plan.experiments["best"].compiled.command)["words"] == [  # type: ignore[index,call-overload]
        ["p"],
        {"each": {"ancestor": "evaluate", "output": "scores"}},
        {"each": one},
        [{"ancestor": "train", "runs": True}],
        ["--model"],
        {"each": one},
    ]


def test_two_ways_to_one_ancestor() -> None:
    """Where two ways lead to one and the same run, it is one path."""
    text = """
    grid g:
        lr in [1, 2]
    experiment prepare:
        grid g
        run "p"
        output data = "d"
    experiment a:
        after prepare
        run "a"
    experiment b:
        after prepare
        run "b"
    experiment c:
        after a
        after b
        run "c {prepare.data}"
    """
    planned = plan_of(text).experiments["c"]

    assert list(planned.ancestors["prepare"].rows) == [0, 1]
    assert planned.ancestors["prepare"].offsets is None


# ------------------------------------------------------------------ scripts


@pytest.mark.parametrize(
    "run",
    [
        "a | b",
        "a > f",
        "a < f",
        "a; b",
        "a && b",
        "a $HOME",
        'a "$HOME"',
        "a *.txt",
        "a f?",
        "a [ab]",
        "a ~/x",
        "a x=~/x",
        "a `b`",
        "(a)",
        "a\nb",
        "A=1 b",
        "cd x",
        "a {{1,2}",
        "! a",
        "a # b",
        "a $'b'",
    ],
)
def test_what_needs_a_shell(run: str) -> None:
    """Whatever bash would do something about is left to bash, as it is written."""
    assert script(run) == (run.replace("{{", "{"), [])


@pytest.mark.parametrize("run", ["a b", "a 'b | c'", r"a \| b", "a b~ c=d", 'a "b c"', "a $ b", "a % b ^ c @ d + e"])
def test_what_needs_none(run: str) -> None:
    """Plain words, quotes and escapes are split here."""
    assert isinstance(words(run), list)


def test_expansions_by_place() -> None:
    """Each placeholder is an expansion that is right where it stands; one that stands twice is one parameter."""
    assert script("""a {lr} "b {lr}" 'c {name}' | d""") == (
        """a "${1}" "b ${1}" 'c '"${2}"'' | d""",
        [[{"key": "lr"}], [{"key": "name"}]],
    )
    assert script("cat <<EOF\n{lr} '{name}'\nEOF") == (
        "cat <<EOF\n${1} '${2}'\nEOF",
        [[{"key": "lr"}], [{"key": "name"}]],
    )
    assert script("a {layers} {folds} {note} | b", values='layers = [1, "a b"]\nnote = "c"', extra="folds 3") == (
        'a 1 "${1}" "${2}" "${3}" | b',
        [["a b"], ["3"], [{"key": "note"}]],
    )
    assert script("a {layers} {lr} | b", grid="layers in [[1], [2, 3]]") == (
        'a "${@:3:${2}}" "${1}" | b',
        [[{"key": "lr"}], {"words": 0}],
    )
    assert script("a {optimizer:flag} | b") == (
        'a --lr "${1}" --beta "${2}" | b',
        [[{"key": "optimizer.lr"}], [{"key": "optimizer.beta"}]],
    )


def test_parameters_are_saved_where_they_would_change() -> None:
    """A function has its own parameters, and `set` and `shift` change them: the values are put into variables."""
    assert script("f() {{ a {lr}; }\nf") == ('xpc_1=${1}; shift 1\nf() { a "${xpc_1}"; }\nf', [[{"key": "lr"}]])
    assert script("shift 0; a {lr}")[0] == 'xpc_1=${1}; shift 1\nshift 0; a "${xpc_1}"'


def test_comments_keep_their_text() -> None:
    """A placeholder in a comment is no parameter, and need not be right."""
    assert script("# as {nonsense} in don't\na {lr}") == ('# as {nonsense} in don\'t\na "${1}"', [[{"key": "lr"}]])


# ------------------------------------------------------------------ what is wrong


FAULTS = {
    "arithmetic": "echo $(( {lr} + 1 ))",
    "old arithmetic": "echo $[ {lr} + 1 ]",
    "arithmetic command": "(( {lr} > 1 )) && echo",
    "let": "let n={lr}",
    "let in quotes": 'let "n={lr}"',
    "integer variable": "declare -i n={lr}; echo",
    "subscript": "a[{lr}]=3; echo",
    "subscript in quotes": 'a["{lr}"]=3; echo',
    "subscript in an array": "a=([{lr}]=3); echo",
    "name of a variable": "read -r {name}; [ -v {name} ]; declare {name}=3; printf -v '{name}' x",
    "number test": "[[ {lr} -gt 1 ]] && echo",
    "quoted here-document": "cat <<'EOF'\n{lr}\nEOF",
    "end word": "cat <<{lr}\nx\n",
    "parameter": "echo ${x:-${lr}",
    "backslash": "echo \\{lr}",
    "dollar": 'echo "$"{lr} $a',
    "unclosed quote": "python 'x {lr}",
    "unclosed here-document": "cat <<EOF\nx",
    "unclosed substitution": "echo $(date",
    "background": "python x.py &",
    "nothing": " ",
    "shell in a shell": "bash -c 'echo {lr}'",
    "shell after a launcher": "srun -n 2 sh -ec 'echo {lr}'",
    "eval": "if true; then eval {lr}; fi",
    "ssh": "ssh -p 22 host ls {name}",
    "list in a word": "p --layers={layers}",
    "list in quotes": 'p "{layers}"',
    "flag in a word": "p x{lr:flag}",
    "group": "p {optimizer}",
    "unknown key": "p {optimizer.lrr}",
    "unknown name": "p {cpu}",
    "unknown name of the run": "p {run.idd}",
    "unknown output": "p {output.model}",
    "an output without a name": "p {input}",
    "Snakemake's wildcards": "p {wildcards.lr} {params.lr} {threads}",
    "OmegaConf's reference": "p ${optimizer.lr} ${a.b}",
    "key or shell variable": "p ${lr}",
    "run's name in an expression": "p {attempt + 1}",
    "format of a run's name": "p {attempt:03d}",
    "flag of an expression": "p {lr + 1:flag}",
    "yaml": "p {lr:yaml}",
    "raw number": "p {lr:raw}",
    "wrong format": "p {name:.3f}",
    "several": "p {lrr} 'x {nam}",
}


@pytest.mark.parametrize("case", FAULTS)
def test_fault(case: str) -> None:
    """Each is said with its place and its cure."""
    check_golden(f"faults/{re.sub('[^a-z]+', '-', case.lower())}.txt", f"{FAULTS[case]}\n\n{faults(FAULTS[case])}\n")


def test_ambiguous_names() -> None:
    """A key may be called like a name of the run; only a bare use is refused, and says how each is written."""
    values = "attempt = 1\noutput.model = 2\nrun.id = 3\nargs = 4"
    extra = 'output model = "m"'
    run = '"p {attempt} {output.model} {args} {run.id}"'
    check_golden("faults/ambiguous.txt", found(study_text(run, values=values, extra=extra)) + "\n")

    exact = '"p {config.attempt} {run.attempt} {config.output.model} {run.output.model} {config.run.id}"'
    assert command_json(exact, values=values, extra=extra) == {
        "kind": "argv",
        "words": [
            ["p"],
            [{"key": "attempt"}],
            [{"run": "attempt"}],
            [{"key": "output.model"}],
            [{"output": "model"}],
            [{"key": "run.id"}],
        ],
    }


def test_builtins_that_take_names_take_values_elsewhere() -> None:
    """What is no name may hold anything: a prompt, a value behind `=`, an option's word."""
    parts = ["read -p {name} x", "export A={name}", "printf %s {name}", "a=({name} [1]={name})", "[ {name} = v ]"]
    run = "; ".join(parts)

    assert script(run)[0] == run.replace("{name}", '"${1}"')
