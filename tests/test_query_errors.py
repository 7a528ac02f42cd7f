"""What is wrong with queries is said with the caret at it, all at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from recorded import Recorded, half_finished


@pytest.fixture(name="study", scope="module")
def _study(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    return half_finished(tmp_path_factory.mktemp("study"))


ERRORS = [
    (
        "show mean(acuracy)",
        (
            "error[XQ003]: no run has a metric or key `acuracy`\n"
            "  show mean(acuracy)\n            ^^^^^^^\nhelp: did you mean `accuracy`?"
        ),
    ),
    (
        "show los.min",
        (
            "error[XQ003]: no run has a metric or key `los.min`\n"
            "  show los.min\n       ^^^^^^^\nhelp: did you mean `loss.min`?"
        ),
    ),
    (
        "show loss.mni",
        (
            "error[XQ003]: no run has a metric or key `loss.mni`\n"
            "  show loss.mni\n       ^^^^^^^^\nhelp: did you mean `loss.min`?"
        ),
    ),
    (
        "show lr",
        "error[XQ003]: no run has a metric or key `lr`\n  show lr\n       ^^\nhelp: did you mean `optimizer.lr`?",
    ),
    (
        "show optimizer",
        (
            "error[XQ003]: `optimizer` is a group of names\n  show optimizer\n       ^^^^^^^^^\n"
            "help: it has `optimizer.lr`"
        ),
    ),
    (
        "show metric.lss",
        (
            "error[XQ003]: no run has a metric `metric.lss`\n"
            "  show metric.lss\n       ^^^^^^^^^^\nhelp: did you mean `metric.loss`?"
        ),
    ),
    (
        "from evaluate show train.lss",
        (
            "error[XQ003]: no run has a metric or key `train.lss`\n"
            "  from evaluate show train.lss\n                     ^^^^^^^^^\nhelp: did you mean `train.loss`?"
        ),
    ),
    (
        "from trian",
        "error[XQ005]: there is no experiment `trian`\n  from trian\n       ^^^^^\nhelp: did you mean `train`?",
    ),
    (
        "show seed, mean(loss)",
        (
            "error[XQ006]: `seed` has a value for each run, and other columns are over all runs\n"
            "  show seed, mean(loss)\n       ^^^^\nhelp: reduce it, as `mean(seed)`, or add `group by seed`"
        ),
    ),
    (
        "group by optimizer.lr show loss",
        (
            "error[XQ006]: `loss` has a value for each run, and a row here is a group of runs\n"
            "  group by optimizer.lr show loss\n                             ^^^^\n"
            "help: reduce it, as `mean(loss)`, or add it to `group by`"
        ),
    ),
    (
        "show model.name * 2",
        "error[XQ007]: `*` can't bring together a text and a number\n  show model.name * 2\n                  ^",
    ),
    (
        "where model.name < 3",
        "error[XQ007]: a text and a number have no order\n  where model.name < 3\n                   ^",
    ),
    (
        "show mean(model.name)",
        "error[XQ007]: `mean` takes numbers, and this is a text\n  show mean(model.name)\n            ^^^^^^^^^^ text",
    ),
    (
        "show meen(loss)",
        "error[XQ008]: there is no function `meen`\n  show meen(loss)\n       ^^^^\nhelp: did you mean `mean`?",
    ),
    (
        "show loss.min()",
        (
            "error[XQ009]: `.min` is written without brackets\n  show loss.min()\n       ^^^^^^^^^^\n"
            "help: write `loss.min` for one number a run, `min(loss)` for one over runs"
        ),
    ),
    (
        "show quantile(loss)",
        (
            "error[XQ009]: `quantile` is not called like this\n  show quantile(loss)\n       ^^^^^^^^^^^^^^\n"
            "help: write `quantile(x, q)`"
        ),
    ),
    (
        "keep best seed",
        (
            "error[XQ010]: nobody knows whether less or more of `seed` is best\n  keep best seed\n            ^^^^\n"
            "help: declare `metric NAME minimize` in the experiment, or write `keep min seed` or `keep max seed`"
        ),
    ),
    (
        "where status == dne",
        (
            "error[XQ011]: `dne` is no state of a run\n  where status == dne\n                  ^^^\n"
            "help: did you mean `done`?"
        ),
    ),
    (
        'where started > "yesterday"',
        (
            'error[XQ012]: `yesterday` is no time\n  where started > "yesterday"\n                  ^^^^^^^^^^^\n'
            'help: write it as `"2026-11-21"` or `"2026-11-21T09:30"`'
        ),
    ),
    (
        'where model.name matches "("',
        (
            "error[XQ013]: this pattern can't be read: missing ), unterminated subpattern at position 0\n"
            '  where model.name matches "("\n                           ^^^'
        ),
    ),
    (
        "where seed",
        "error[XQ014]: a condition is true or false, but this is a number\n  where seed\n        ^^^^ number",
    ),
    (
        "show min(loss) as a, max(loss) as a",
        (
            "error[XQ015]: two columns are called `a`\n  show min(loss) as a, max(loss) as a\n"
            "                                    ^\nhelp: give one another name: `max(loss) as …`"
        ),
    ),
    (
        "where mean(loss) > 1",
        (
            "error[XQ016]: `mean` is taken over runs, and here is one run at a time\n"
            "  where mean(loss) > 1\n        ^^^^^^^^^^\n"
            "help: it belongs into `show`, `having`, `sort by` or `keep` of groups"
        ),
    ),
    (
        "show mean(max(loss))",
        (
            "error[XQ016]: `mean` is taken over runs, and so is this\n  show mean(max(loss))\n            ^^^^^^^^^\n"
            "help: take one of them"
        ),
    ),
    (
        "where loss == null",
        (
            "warning[XQ017]: a comparison with `null` is always false\n  where loss == null\n        ^^^^^^^^^^^^\n"
            "help: write `loss is null`"
        ),
    ),
    (
        'where model.name == "mpl"',
        (
            'warning[XQ018]: no run has `model.name` equal to `"mpl"`\n  where model.name == "mpl"\n'
            '                      ^^^^^\nhelp: did you mean `"mlp"`?'
        ),
    ),
    (
        'where seed == "0"',
        (
            'warning[XQ018]: no run has `seed` equal to `"0"`\n  where seed == "0"\n                ^^^\n'
            "help: there is `0`, `1`, `2`"
        ),
    ),
    (
        "show quantile(model.name, 0.5)",
        (
            "error[XQ007]: `quantile` takes numbers, and this is a text\n  show quantile(model.name, 0.5)\n"
            "                ^^^^^^^^^^ text"
        ),
    ),
    (
        "where model.name == mlp",
        (
            "error[XQ003]: no run has a metric or key `mlp`\n  where model.name == mlp\n"
            '                      ^^^\nhelp: a text stands in quotes: `"mlp"`'
        ),
    ),
    (
        "where model.name in [cnn, 'mlp']",
        (
            "error[XQ003]: no run has a metric or key `cnn`\n  where model.name in [cnn, 'mlp']\n"
            '                       ^^^\nhelp: a text stands in quotes: `"cnn"`'
        ),
    ),
    (
        "show config.sed",
        (
            "error[XQ003]: no run has a config key `config.sed`\n  show config.sed\n       ^^^^^^^^^^\n"
            "help: did you mean `config.seed`?"
        ),
    ),
    (
        "group by seed show mean(loss) as seed",
        (
            "error[XQ015]: two columns are called `seed`\n  group by seed show mean(loss) as seed\n"
            "                                   ^^^^\nhelp: give one another name: `mean(loss) as …`"
        ),
    ),
    (
        "show mean(loss) ± std(loss) as a, count() as a_err",
        (
            "error[XQ015]: two columns are called `a_err`\n  show mean(loss) ± std(loss) as a, count() as a_err\n"
            "                                               ^^^^^\nhelp: give one another name: `count() as …`"
        ),
    ),
    (
        "show {a: seed}",
        "error[XQ019]: this form has no meaning in a query\n  show {a: seed}\n       ^^^^^^^^^",
    ),
    (
        'from train group by "seed" show count()',
        (
            'error[XQ019]: a text is the same in all rows\n  from train group by "seed" show count()\n'
            "                      ^^^^^^\nhelp: write `config.seed`"
        ),
    ),
    (
        'from train group by seed show mean(loss) as "the loss" sort by "the loss" desc',
        (
            "error[XQ019]: a text is the same in all rows\n"
            '  from train group by seed show mean(loss) as "the loss" sort by "the loss" desc\n'
            "                                                                 ^^^^^^^^^^\n"
            "help: write what that column shows, or give it a name without quotes: `as NAME`"
        ),
    ),
    (
        'from train keep min loss by "model"',
        (
            'error[XQ019]: a text is the same in all rows\n  from train keep min loss by "model"\n'
            "                              ^^^^^^^\nhelp: a name has no quotes"
        ),
    ),
]


@pytest.mark.parametrize(("text", "expected"), ERRORS, ids=[text for text, _ in ERRORS])
def test_errors(study: Recorded, text: str, expected: str) -> None:
    """Each fault is told with its place and its cure."""
    assert study.faults(text) == expected


def test_all_faults_at_once(study: Recorded) -> None:
    """Each clause and each operand is looked at, whatever is wrong before it."""
    said = study.faults("where acuracy > 1 and status == dne show los, mean(seed, 2) sort by sed")

    assert [line for line in said.splitlines() if line.startswith("error")] == [
        "error[XQ003]: no run has a metric or key `acuracy`",
        "error[XQ011]: `dne` is no state of a run",
        "error[XQ003]: no run has a metric or key `los`",
        "error[XQ009]: `mean` is not called like this",
        "error[XQ003]: no run has a metric or key `sed`",
    ]


HYPHENS = """
grid sweep:
    "batch-size" in [8, 32]

experiment train:
    grid sweep
    run "true"
    metric "val-loss" minimize
"""


@pytest.mark.parametrize(
    ("text", "cures"),
    [
        ('where "batch-size" == 8 show count()', ['write `config."batch-size"`']),
        ('where 8 in "val-loss" show count()', ['write `metric."val-loss"`']),
        ("where batch-size == 8", ['a name with `-` stands in quotes: `config."batch-size"`'] * 2),
        ("show mean(val-loss)", ['a name with `-` stands in quotes: `metric."val-loss"`'] * 2),
    ],
)
def test_names_with_a_hyphen(tmp_path: Path, text: str, cures: list[str]) -> None:
    """Bare they are two names, and in quotes alone a text: what they are written as works."""
    study = Recorded(tmp_path, HYPHENS)
    told = [line.removeprefix("help: ") for line in study.faults(text).splitlines() if line.startswith("help")]
    assert told == cures
    assert study.ask('where config."batch-size" == 8 show count(), mean(metric."val-loss") as v').records() == [
        {"count()": 1, "v": None}
    ]


def test_a_study_without_runs(tmp_path: Path) -> None:
    """Nothing has run: keys and declared metrics are known, other metrics are not."""
    study = Recorded(tmp_path)

    assert study.ask("from train show mean(loss), count()").records() == [{"mean(loss)": None, "count()": 12}]
    assert "help: did you mean `accuracy`?" in study.faults("show accurcy")
    assert "help: metrics are `loss`, `accuracy`" in study.faults("show throughput")
