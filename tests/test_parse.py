"""Sources to trees: every construct of the language, shown as an S-expression."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from xpc.grammar import generate, tables
from xpc.grammar.diagnostic import Diagnostics
from xpc.grammar.node import Node
from xpc.grammar.parser import parse, parse_expression, parse_literal, parse_setting
from xpc.grammar.source import Source
from xpc.grammar.tree import Key, Piece, Placeholder, Text, Tree, Word

ACCEPT = sorted((Path(__file__).parent / "accept").iterdir())


def shown(value: object) -> str:
    """Show a tree without its places."""
    match value:
        case Key(segments):
            return ".".join(shown(word) for word in segments)
        case Word(text):
            return text if re.fullmatch(r"\w+", text) else f"'{text}'"
        case Text(parts, raw):
            return ("r" if raw else "") + '"' + "".join(map(shown, parts)) + '"'
        case Piece(text):
            return text.replace("\n", "\\n")
        case Placeholder(expr, spec):
            return "{" + shown(expr) + (f":{spec}" if spec is not None else "") + "}"
        case Node():
            fields = (v for f, v in value.fields().items() if not f.endswith("span") and f not in ("starts", "ends"))
            return f"({' '.join([type(value).__name__, *map(shown, fields)])})"
        case tuple():
            return f"[{' '.join(map(shown, value))}]"
        case None:
            return "-"
        case _:
            return repr(value) if not isinstance(value, str) else value


def read(text: str) -> Tree:
    """Parse a file that has no fault."""
    report = Diagnostics()
    tree = parse(Source("Experimentfile", text), report)
    assert [d.message for d in report.found] == []
    return tree


def inside(head: str, line: str) -> str:
    """Show the only statement below *head*."""
    body = read(f"{head}\n    " + line.replace("\n", "\n    ")).statements[0]
    fields = body.fields()
    (node,) = fields.get("body") or fields["clauses"]
    return shown(node)


def expression(text: str) -> str:
    report = Diagnostics()
    found = parse_expression(Source("<where>", text), report)
    assert [d.message for d in report.found] == []
    return shown(found)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("1", "(Number 1)"),
        ("1e-3", "(Number 0.001)"),
        ("2.50", "(Number 2.5)"),
        ("-3", "(Unary - (Number 3))"),
        ("9223372036854775807", "(Number 9223372036854775807)"),
        ("true", "(Constant True)"),
        ("null", "(Constant -)"),
        ("'a'", '"a"'),
        (r'"\u00e9\n\"\/"', '"é\\n"/"'),
        (r'"\ud83d\ude00"', '"😀"'),
        (r'r"\d{a}"', r'r"\d{a}"'),
        ("4GiB", "(Quantity 4294967296 size)"),
        ("1.5kB", "(Quantity 1500 size)"),
        ("30min", "(Quantity 1800 duration)"),
        ("1d12h", "(Quantity 129600 duration)"),
        ("1.5s", "(Quantity 1.5 duration)"),
        ("250ms", "(Quantity 0.25 duration)"),
        ("-9223372036854775808", "(Unary - (Number 9223372036854775808))"),
        ("1 -9223372036854775808", "(Binary - (Number 1) (Number 9223372036854775808))"),
        ("[]", "(ListOf [])"),
        ("[1, 'a',]", '(ListOf [(Number 1) "a"])'),
        ("{a: 1, 'b c'.d: 2,}", "(MapOf [[a (Number 1)] ['b c'.d (Number 2)]])"),
        ("a.b.c", "(Name a.b.c)"),
        ('config."a b"', "(Name config.'a b')"),
        ("config.not", "(Name config.not)"),
        ("1 + 2 * 3", "(Binary + (Number 1) (Binary * (Number 2) (Number 3)))"),
        ("1 - 2 - 3", "(Binary - (Binary - (Number 1) (Number 2)) (Number 3))"),
        ("-a ** -b ** c", "(Unary - (Binary ** (Name a) (Unary - (Binary ** (Name b) (Name c)))))"),
        ("a // b % c", "(Binary % (Binary // (Name a) (Name b)) (Name c))"),
        (
            "not a == b or c and d",
            "(Binary or (Unary not (Binary == (Name a) (Name b))) (Binary and (Name c) (Name d)))",
        ),
        ("a in b", "(Binary in (Name a) (Name b))"),
        ("a not in b", "(Binary not in (Name a) (Name b))"),
        ("a inb", None),
        ("a is null", "(IsNull (Name a) False)"),
        ("a is not null", "(IsNull (Name a) True)"),
        ("a matches r'x'", '(Binary matches (Name a) r"x")'),
        ("a if b else c if d else e", "(Conditional (Name b) (Name a) (Conditional (Name d) (Name c) (Name e)))"),
        ("(a + b) * c", "(Binary * (Binary + (Name a) (Name b)) (Name c))"),
        ("x[0].y", "(Member (Index (Name x) (Number 0)) y)"),
        ("f()", "(Call f [])"),
        (
            "diff(x, baseline = (lr == 1),)",
            "(Call diff [(Argument - (Name x)) (Argument baseline (Binary == (Name lr) (Number 1)))])",
        ),
        (
            "test.err.at(valid.err.argmin)",
            "(Call test.err.at [(Argument - (Name valid.err.argmin))])",
        ),
        ("metric.loss.at(3).z", "(Member (Call metric.loss.at [(Argument - (Number 3))]) z)"),
        ("in == if", "(Binary == (Name in) (Name if))"),
        ("in not in in", "(Binary not in (Name in) (Name in))"),
        ("run + grid.status * by", "(Binary + (Name run) (Binary * (Name grid.status) (Name by)))"),
        ("a\n  # a comment\n + b", "(Binary + (Name a) (Name b))"),
    ],
)
def test_expressions(text: str, tree: str | None) -> None:
    """Every form of an expression has one tree."""
    if tree is None:
        report = Diagnostics()
        assert parse_expression(Source("<where>", text), report) is None
        assert report.failed
    else:
        assert expression(text) == tree


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ('project "x"', '(Project "x" -)'),
        ('project "x" root ".."', '(Project "x" "..")'),
        ('include "a.xpc"', '(Include "a.xpc")'),
        ('link "../data" as data', '(Link "../data" data)'),
        ("let a = 1 + b", "(Let a (Binary + (Number 1) (Name b)))"),
        (
            "grid full = (a + b) * c",
            "(Grid full (GridCombine * (GridCombine + (GridName a) (GridName b)) (GridName c)))",
        ),
        ("config a(b, c,):\n  x = 1", "(Config a [b c] [(Assign x (Number 1))])"),
        ("config grid(run):\n  x = 1", "(Config grid [run] [(Assign x (Number 1))])"),
        ("target t = slurm:\n  throttle = 3", "(Target t slurm [(Assign throttle (Number 3))])"),
        ("report r:\n  limit 3", "(Report r [(Limit (Number 3))])"),
    ],
)
def test_top_level(text: str, tree: str) -> None:
    """Every statement of the top level has one tree."""
    assert shown(read(text).statements[0]) == tree


@pytest.mark.parametrize(
    ("line", "tree"),
    [
        ('from "base.yaml"', '(FromFile "base.yaml")'),
        ("a.b = 1", "(Assign a.b (Number 1))"),
        ("model:\n  width = 3", "(KeyGroup model [(Assign width (Number 3))])"),
        ('optimizer."learning-rate" = 1', "(Assign optimizer.'learning-rate' (Number 1))"),
        ("from = 3", "(Assign from (Number 3))"),
        ("from:\n  a = 3", "(KeyGroup from [(Assign a (Number 3))])"),
        ("from.x = 3", "(Assign from.x (Number 3))"),
        ("model.run = 3", "(Assign model.run (Number 3))"),
        ("grid = 5", "(Assign grid (Number 5))"),
        ("not = true", "(Assign not (Constant True))"),
        ("if = if if if else else", "(Assign if (Conditional (Name if) (Name if) (Name else)))"),
    ],
)
def test_config_items(line: str, tree: str) -> None:
    """A config holds values, groups of keys and files; any word can be a key."""
    assert inside("config c:", line) == tree


@pytest.mark.parametrize(
    ("line", "tree"),
    [
        ("a in [1]", "(Axis False a (ListOf [(Number 1)]))"),
        ("new a.b in range(3)", "(Axis True a.b (Call range [(Argument - (Number 3))]))"),
        ("a ~ normal(0, 1)", "(Draw False a (Call normal [(Argument - (Number 0)) (Argument - (Number 1))]))"),
        ("a = b * 2", "(GridValue False a (Binary * (Name b) (Number 2)))"),
        ('model from "m/*.yaml"', '(AxisFrom False model "m/*.yaml")'),
        ('rows from "p.csv"', '(AxisFrom False rows "p.csv")'),
        ("config in [small, large]", "(Axis False config (ListOf [(Name small) (Name large)]))"),
        (
            "zip:\n  a in [1]\n  b in [2]",
            "(Zip [(Axis False a (ListOf [(Number 1)])) (Axis False b (ListOf [(Number 2)]))])",
        ),
        (
            "sample 50 seed 7:\n  a ~ u()",
            "(Sample (Number 50) (Number 7) [(Draw False a (Call u []))])",
        ),
        ("sample n:\n  a ~ u()", "(Sample (Name n) - [(Draw False a (Call u []))])"),
        ("skip if a", "(Constraint False (Name a))"),
        ("keep if a", "(Constraint True (Name a))"),
        ("point a = 1, b.c = 2", "(Point [(Assign a (Number 1)) (Assign b.c (Number 2))])"),
        ("in in [1]", "(Axis False in (ListOf [(Number 1)]))"),
        ("if in [1]", "(Axis False if (ListOf [(Number 1)]))"),
        ("if in == 3:\n  a = 1", "(Branch [(Arm (Binary == (Name in) (Number 3)) [(GridValue False a (Number 1))])])"),
        ("if in[0]:\n  a = 1", "(Branch [(Arm (Index (Name in) (Number 0)) [(GridValue False a (Number 1))])])"),
        ("new in [1]", "(Axis False new (ListOf [(Number 1)]))"),
        ("new in in [1]", "(Axis True in (ListOf [(Number 1)]))"),
        ("new new in [1]", "(Axis True new (ListOf [(Number 1)]))"),
        ("point in = 3", "(Point [(Assign in (Number 3))])"),
        ("zip in [1]", "(Axis False zip (ListOf [(Number 1)]))"),
        ("sample ~ u()", "(Draw False sample (Call u []))"),
        ("skip = 1", "(GridValue False skip (Number 1))"),
        ("keep.x in [1]", "(Axis False keep.x (ListOf [(Number 1)]))"),
        ("status in ['a']", '(Axis False status (ListOf ["a"]))'),
    ],
)
def test_grid_items(line: str, tree: str) -> None:
    """A grid's words are words only where no key is meant."""
    assert inside("grid g:", line) == tree


def test_arms_join() -> None:
    """`if`, `elif` and `else` are one branch; another `if` begins a new one."""
    text = "if a:\n  x = 1\nelif b:\n  x = 2\nelse:\n  x = 3\nif c:\n  y = 1"
    (grid,) = read("grid g:\n  " + text.replace("\n", "\n  ")).statements

    first, second = grid.fields()["body"]

    assert [shown(arm.condition) for arm in first.arms] == ["(Name a)", "(Name b)", "-"]
    assert [shown(arm.condition) for arm in second.arms] == ["(Name c)"]
    assert first.span.text.startswith("if a")
    assert first.span.text.endswith("x = 3")


@pytest.mark.parametrize(
    ("line", "tree"),
    [
        ("config C", "(UseConfig C)"),
        ("grid a + b", "(UseGrid (GridCombine + (GridName a) (GridName b)))"),
        ("resources r", "(UseResources r)"),
        ("environment e", "(UseEnvironment e)"),
        ("lr = 0.1", "(Assign lr (Number 0.1))"),
        ("config = 1", "(Assign config (Number 1))"),
        ("run.x = 1", "(Assign run.x (Number 1))"),
        ("output:\n  x = 1", "(KeyGroup output [(Assign x (Number 1))])"),
        ("repeat 5", "(Repeat repeat (Number 5) -)"),
        ("folds k as cv.fold", "(Repeat folds (Name k) cv.fold)"),
        ("after train", "(After train False [])"),
        ("after all train", "(After train True [])"),
        ('after all train by a.b, "c d"', "(After train True [a.b 'c d'])"),
        ('run "x {lr:.3f}"', '(Run "x {(Name lr):.3f}")'),
        ("workdir copy", "(Workdir copy)"),
        ('input data = "d.csv"', '(File input data "d.csv")'),
        ('output model = "m.pt"', '(File output model "m.pt")'),
        ('writable "out"', '(Writable "out")'),
        ('metrics "m.jsonl"', '(MetricsFile "m.jsonl")'),
        ("metric loss", "(Metric loss - - -)"),
        ("metric loss minimize", "(Metric loss minimize - -)"),
        (
            'metric "train/loss" maximize from stdout matching r"l=(.*)"',
            "(Metric 'train/loss' maximize stdout r\"l=(.*)\")",
        ),
        ('metric a from "x.log" matching "{a}"', '(Metric a - "x.log" "{a}")'),
        ("metric minimize minimize", "(Metric minimize minimize - -)"),
        ("retries 3", "(Retries (Number 3))"),
        ("checkpoint 90s signal USR1", "(Checkpoint (Quantity 90 duration) USR1)"),
        ("ignore a.b, c", "(Ignore [a.b c] -)"),
        ('ignore a.b == "none"', '(Ignore [a.b] "none")'),
        ('code "a", "b"', '(Code ["a" "b"])'),
        ('tags "paper"', '(Tags ["paper"])'),
    ],
)
def test_experiment_items(line: str, tree: str) -> None:
    """Every statement of an experiment has one tree."""
    assert inside("experiment e:", line) == tree


@pytest.mark.parametrize(
    ("head", "line", "tree"),
    [
        ("resources r:", 'slurm.partition = "gpu"', '(Assign slurm.partition "gpu")'),
        ("resources r:", "slurm:\n  exclusive = true", "(KeyGroup slurm [(Assign exclusive (Constant True))])"),
        ("target t = slurm:", 'setup "module load x"', '(Setup "module load x")'),
        ("environment e:", 'setup "x"', '(Setup "x")'),
        ("environment e:", 'setup = "x"', '(Assign setup "x")'),
        ("environment e:", "secret KEY", "(Secret KEY)"),
        ("environment e:", 'A = "{cpus}"', '(Assign A "{(Name cpus)}")'),
        ("environment e:", 'container "img" with docker', '(Container "img" docker)'),
        ("environment e:", 'mount "a" at "/b"', '(Mount "a" "/b")'),
    ],
)
def test_other_blocks(head: str, line: str, tree: str) -> None:
    """Resources, targets and environments hold values and a few words."""
    assert inside(head, line) == tree


def test_long_list_is_values() -> None:
    """A long list of plain literals is one node, which finds the place of an element."""
    items = ["1", "-2.5", "'a b'", '"c"', "true", "null"] * 30
    text = f"grid g:\n    a in [ # all\n      {', '.join(items)},\n    ]"

    (grid,) = read(text).statements
    values = grid.fields()["body"][0].values

    assert type(values).__name__ == "Values"
    assert values.values == (1, -2.5, "a b", "c", True, None) * 30
    assert [values.element_span(i).text for i in (0, 1, 2, 179)] == ["1", "-2.5", "'a b'", "null"]


@pytest.mark.parametrize("odd", ["a", "4GiB", "'{x}'", r'"\n"', "[1]", "1 + 1"])
def test_long_list_of_other_things(odd: str) -> None:
    """A long list that holds something else goes through the rules and means the same."""
    (grid,) = read(f"grid g:\n    a in [{'1, ' * 150}{odd}]").statements

    values = grid.fields()["body"][0].values

    assert type(values).__name__ == "ListOf"
    assert len(values.items) == 151


def test_spans_are_exact() -> None:
    """Every node's place is the text that it was read from."""
    (grid,) = read("grid g:\n    if (a + b.c) * 2 == f(x, y = [1]):   # so\n        z in [1, 2]\n").statements
    (branch,) = grid.fields()["body"]
    condition = branch.arms[0].condition

    assert condition.span.text == "(a + b.c) * 2 == f(x, y = [1])"
    assert condition.operator_span.text == "=="
    assert condition.left.left.span.text == "(a + b.c)"
    assert condition.left.left.right.span.text == "b.c"
    assert condition.right.span.text == "f(x, y = [1])"
    assert condition.right.arguments[1].span.text == "y = [1]"
    assert branch.arms[0].body[0].span.text == "z in [1, 2]"


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("lr=0.1", "lr", "0.1"),
        ("optimizer.lr = [1, 2] ", "optimizer.lr", "[1, 2]"),
        ('a."b=c"=x=y', "a.'b=c'", "x=y"),
        (r'"q\"b=c"=6', "'q\"b=c'", "6"),
        ("name=", "name", ""),
        ("grid=run", "grid", "run"),
    ],
)
def test_settings(text: str, key: str, value: str) -> None:
    """`--set` parts at the first equals sign outside quotes; the value stays raw."""
    report = Diagnostics()

    found = parse_setting(Source("<set>", text), report)

    assert found is not None
    assert (shown(found[0]), found[1].text) == (key, value)
    assert not report.found


@pytest.mark.parametrize("text", ["lr", "=3", "a b=3", "a.=3", "+a=3", "~a", "", "x-y=1", '"a=3'])
def test_wrong_settings(text: str) -> None:
    """A setting without key or equals sign is reported once."""
    report = Diagnostics()

    assert parse_setting(Source("<set>", text), report) is None
    assert len(report.found) == 1


def test_literals() -> None:
    """A literal is any value without names, calls and operators."""
    for text in ("-0.5", '"a"', "[1, {a: null}]", "4GiB"):
        assert parse_literal(Source("<set>", text), Diagnostics()) is not None
    for text in ("a", "1 + 1", "[f()]", "-a"):
        report = Diagnostics()
        assert parse_literal(Source("<set>", text), report) is None
        assert len(report.found) == 1


@pytest.mark.parametrize("folder", ACCEPT, ids=lambda folder: folder.name)
def test_accepted_files(folder: Path) -> None:
    """Each file in tests/accept parses without a word, to the tree beside it."""
    tree = read((folder / "Experimentfile").read_text(encoding="utf-8"))
    found = "".join(f"{shown(statement)}\n" for statement in tree.statements)
    golden = folder / "tree.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(found, encoding="utf-8")

    assert found == golden.read_text(encoding="utf-8")


def test_tables_are_up_to_date() -> None:
    """The committed tables are what the grammar files give. Early Pythons 3.11 see other widths of patterns."""

    def without_widths(text: str) -> str:
        return re.sub(r'"_width":\[\d+,\d+\]', '"_width":[]', text)

    assert without_widths(generate.tables()) == without_widths(Path(tables.__file__).read_text(encoding="utf-8"))


def test_grammar_has_no_conflict(caplog: pytest.LogCaptureFixture) -> None:
    """Lark settles conflicts silently, so its log must stay silent too."""
    from lark import logger

    level = logger.level
    try:
        logger.setLevel("DEBUG")
        generate.tables()
    finally:
        logger.setLevel(level)

    assert [record.message for record in caplog.records if "onflict" in record.message] == []


def test_every_rule_is_built() -> None:
    """Each rule of the grammar has a function that builds its node."""
    import json

    from xpc.grammar import clauses, expressions, statements

    built = {*vars(expressions), *vars(statements), *vars(clauses)}
    rules = [entry for entry in json.loads(tables.TABLES)["memo"] if entry["__type__"] == "Rule"]
    named = [
        rule["alias"] or rule["origin"]["name"] for rule in rules if rule["alias"] or not rule["options"]["expand1"]
    ]

    assert {name for name in named if name[0] != "_" and name != "mistake"} - built == set()


def test_deep_nesting_is_a_diagnostic() -> None:
    """What would exhaust the stack of a later pass is refused, however it nests."""
    for text in ("[" * 5000 + "1" + "]" * 5000, "-" * 5000 + "1", "not " * 5000 + "a", "a" + " + a" * 5000):
        report = Diagnostics()
        parse(Source("Experimentfile", f"let x = {text}"), report)
        assert [d.code for d in report.found] == ["XP018"]

    report = Diagnostics()
    groups = "".join(" " * i + "a:\n" for i in range(1, 900))
    parse(Source("Experimentfile", f"config c:\n{groups}"), report)
    assert [d.code for d in report.found] == ["XP018"]
