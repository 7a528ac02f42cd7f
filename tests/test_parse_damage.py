"""Damaged files: nothing raises, each damage is reported at its own line, and what is whole survives."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xpc.grammar.diagnostic import Diagnostics
from xpc.grammar.node import Node
from xpc.grammar.parser import parse, parse_query
from xpc.grammar.render import render
from xpc.grammar.source import Source

STUDY = """\
project "digits"
link "data"
let rate = 0.1
config base:
    from "configs/base.yaml"
    optimizer.lr = rate * 2
    model:
        name = "mlp"
        width = max(64, 32)
    layers = [{size: 3}, {size: 4}]
config wide(base):
    model.width = 512
grid sweep:
    optimizer.lr in [0.1, 0.01, 0.001]
    model.name in ["mlp", "cnn"]
    if model.name == "cnn" and (seed > 3):
        new model.kernel in [3, 5]
    elif model.name == "mlp":
        new model.norm in ["a", "b"]
    else:
        epochs = 3
    zip:
        data.size in [100, 1000]
        epochs in [50, 5]
    sample 50 seed 7:
        model.width ~ choice([32, 64, 128])
    skip if optimizer.lr == 0.1
    point seed = 1, epochs = 2
grid full = (sweep + search) * seeds
resources gpu(small):
    memory = 8GiB * attempt
    slurm.partition = "gpu"
target jeanzay = slurm:
    account = "abc@a100"
    setup "module load python"
environment quiet:
    OMP_NUM_THREADS = "{cpus}"
    secret WANDB_API_KEY
experiment train:
    config base
    grid full
    run "python train.py --lr {optimizer.lr} {model.kernel:flag}"
    output model = "model.pt"
    metric accuracy maximize from stdout matching "acc=([0-9.]+)"
    ignore data.workers == 2
experiment evaluate:
    after all train by optimizer.lr
    run "python evaluate.py {train.model}"
report accuracy:
    from train
    where status == done
    group by optimizer.lr, model.name
    show mean(accuracy) ± std(accuracy) as acc, count()
    sort by acc desc
"""
LINES = STUDY.splitlines()
WORDS = ("gird", "frobnicate", "qqq")


def findings(text: str) -> Diagnostics:
    report = Diagnostics()
    parse(Source("Experimentfile", text), report)
    return report


def reported_lines(text: str) -> list[int]:
    source, report = Source("Experimentfile", text), Diagnostics()
    parse(source, report)
    return [source.position(d.span.start)[0] for d in report.sorted() if d.span is not None]


def survivors(text: str) -> set[str]:
    """Give the text of every statement in the tree, a block by its first line."""
    found: set[str] = set()
    waiting: list[object] = [*parse(Source("Experimentfile", text), Diagnostics()).statements]
    while waiting:
        node = waiting.pop()
        if not isinstance(node, Node):
            continue
        fields = node.fields()
        found.add(fields["span"].text.split("\n", 1)[0])
        for name in ("body", "arms", "clauses"):
            inner = fields.get(name)
            waiting.extend(inner if isinstance(inner, tuple) else ())
    return found


def damage(line: str, choice: random.Random) -> str:
    """Break one line in one of the ways in which lines break."""
    kind = choice.choice(("drop", "drop", "drop", "word", "dangle", "extra"))
    if kind == "drop":
        places = [m.start() for m in re.finditer(r"[][(){}\":=]", line)]
        if places:
            at = choice.choice(places)
            return line[:at] + line[at + 1 :]
    if kind == "word":
        return re.sub(r"\w+", choice.choice(WORDS), line, count=1)
    if kind == "dangle":
        body, colon = (line[:-1], ":") if line.endswith(":") else (line, "")
        return f"{body} {choice.choice(('+', '==', 'and', ','))}{colon}"
    spaces = [m.start() for m in re.finditer(r"(?<=\S) (?=\S)", line)]
    at = choice.choice(spaces) if spaces else len(line)
    return f"{line[:at]} {choice.choice(('= =', ')', '7 7', '&'))}{line[at:]}"


def parents(index: int) -> list[int]:
    """Give the lines that line *index* is indented below."""
    above: list[int] = []
    indent = len(LINES[index]) - len(LINES[index].lstrip())
    for other in range(index - 1, -1, -1):
        width = len(LINES[other]) - len(LINES[other].lstrip())
        if width < indent:
            above.append(other)
            indent = width
    return above


def alone(index: int, line: str) -> list[int]:
    """Give the lines reported when this line is the only damaged one."""
    return reported_lines("\n".join([*LINES[:index], line, *LINES[index + 1 :]]))


@pytest.mark.parametrize("seed", range(60))
def test_each_damage_is_reported_once_where_it_is(seed: int) -> None:
    """Up to six damaged lines give one finding each, at their own lines, whatever else is broken."""
    choice = random.Random(seed)  # noqa: S311
    lines = list(LINES)
    hit: set[int] = set()
    for index in choice.sample(range(len(LINES)), choice.randint(1, 6)):
        broken = damage(LINES[index], choice)
        reported = alone(index, broken)
        if not reported:
            continue  # nobody can notice this damage
        assert reported == [index + 1], broken
        if hit & set(parents(index)) or any(index in parents(other) for other in hit):
            continue  # what stands below an unknown word is not looked at
        lines[index] = broken
        hit.add(index)
    text = "\n".join(lines)

    assert reported_lines(text) == sorted(index + 1 for index in hit)

    whole = {
        LINES[index].strip()
        for index in range(len(LINES))
        if index not in hit and not hit & set(parents(index)) and not hit & _arms_before(index)
    }
    assert whole - survivors(text) - {"elif", "else:"} == set()


def _arms_before(index: int) -> set[int]:
    """An `elif` or `else` without its `if` is no statement: give the arms that the line or its parents hang on."""
    found: set[int] = set()
    for place in (index, *parents(index)):
        if LINES[place].strip().startswith(("elif", "else")):
            indent = len(LINES[place]) - len(LINES[place].lstrip())
            found |= {other for other in range(place) if re.match(rf"{' ' * indent}(if|elif)\b", LINES[other])}
    return found


def test_the_study_is_whole() -> None:
    """The file that is damaged here is right before."""
    assert reported_lines(STUDY) == []
    assert {line.strip() for line in LINES} == survivors(STUDY)


JUNK = st.sampled_from(
    [*"()[]{}\"':=,.+-*/&|!$;#\\ \n\t", '"""', "\n    ", "in", "if", "0x", "1_0", "\x00", "“", "é", "{{", "${"]
)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(STUDY)), st.integers(0, 6), JUNK), min_size=1, max_size=8))
def test_nothing_raises(edits: list[tuple[int, int, str]]) -> None:
    """Whatever is cut out or put in, the parser answers, and every finding can be shown."""
    text = STUDY
    for at, cut, junk in edits:
        text = text[:at] + junk + text[at + cut :]

    report = findings(text)

    shown = [render(report.sorted(), format, color=True) for format in ("full", "concise", "json", "github")]
    assert all(bool(text) for text in shown) or not report.found


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="abcin =:\"'{}[]()\n\t#,.0123 \\+-~$r", max_size=80))
def test_any_text_is_answered(text: str) -> None:
    """Any text at all is a file or a query, or gets findings inside it."""
    report = findings(text)
    parse_query(Source("<query>", text), report)

    for found in report.found:
        assert found.span is not None
        assert 0 <= found.span.start <= found.span.end <= len(text)
