"""Done runs that a new key alone makes new: what `build` says, and that `submit` stops."""

from __future__ import annotations

from pathlib import Path

import console

STUDY = """\
config base:
    lr = 0.1
    seed = 0

grid seeds:
    seed in range(2)

experiment train:
    config base
    grid seeds
    run "true"

experiment test:
    after train
    run "true"
"""


def project(tmp_path: Path) -> Path:
    source = tmp_path / "source"
    source.mkdir()
    (source / "Experimentfile").write_text(STUDY)
    folder = console.fresh_project(source, tmp_path / "project")
    assert console.run("xpc submit", folder).returncode == 0
    return folder


def notes(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if "note: " in line or "ignore " in line]


def test_added_key_is_noticed_and_submit_stops(tmp_path: Path) -> None:
    """Nobody's results are computed again because a config has grown; parents and children alike."""
    folder = project(tmp_path)
    (folder / "Experimentfile").write_text(STUDY.replace("    seed = 0\n", '    seed = 0\n    norm = "none"\n'))

    built = console.run("xpc build", folder)
    sent = console.run("xpc submit", folder)

    assert notes(built.stdout) == [
        'note: 2 runs of `train` look new only because `norm = "none"` was added.',
        '`ignore norm == "none"` in experiment `train` keeps the done ones.',
        'note: 2 runs of `test` look new only because `norm = "none"` was added.',
        '`ignore norm == "none"` in experiment `test` keeps the done ones.',
    ]
    assert sent.returncode == 1
    assert sent.stderr.endswith("Nothing was submitted. `xpc submit --new` runs them as new ones.\n")


def test_several_added_keys_and_one_that_is_ignored_already(tmp_path: Path) -> None:
    """Only lines that are missing are offered."""
    folder = project(tmp_path)
    text = STUDY.replace("    seed = 0\n", "    seed = 0\n    depth = 2\n    norm = true\n")
    (folder / "Experimentfile").write_text(text)
    both = notes(console.run("xpc build train", folder).stdout)
    (folder / "Experimentfile").write_text(text.replace("    grid seeds\n", "    grid seeds\n    ignore depth == 2\n"))
    one = notes(console.run("xpc build train", folder).stdout)

    assert both == [
        "note: 2 runs of `train` look new only because `depth = 2` and `norm = true` were added.",
        "`ignore depth == 2` and `ignore norm == true` in experiment `train` keep the done ones.",
    ]
    assert one == [
        "note: 2 runs of `train` look new only because `norm = true` was added.",
        "`ignore norm == true` in experiment `train` keeps the done ones.",
    ]


def test_runs_that_were_not_asked_for_stop_nobody(tmp_path: Path) -> None:
    """Of an experiment that was named, and of runs that a condition chose, only those are spoken of."""
    folder = project(tmp_path)
    text = STUDY.replace("    seed = 0\n", "    seed = 0\n    depth = 2\n")
    (folder / "Experimentfile").write_text(text + 'experiment other:\n    run "true"\n')

    assert console.run("xpc submit other", folder).returncode == 0
    assert notes(console.run("xpc build train --where 'seed == 1'", folder).stdout)[0] == (
        "note: 1 run of `train` looks new only because `depth = 2` was added."
    )


def test_the_offered_line_keeps_the_runs(tmp_path: Path) -> None:
    """With the line that was offered every run is done again, children too."""
    folder = project(tmp_path)
    text = STUDY.replace("    seed = 0\n", '    seed = 0\n    norm = "none"\n')
    (folder / "Experimentfile").write_text(text.replace('    run "true"', '    ignore norm == "none"\n    run "true"'))

    assert console.run("xpc submit", folder).stderr == "Nothing to run: 4 done.\n"


def test_new_points_can_be_run_all_the_same(tmp_path: Path) -> None:
    """`--new` says that they are meant as new ones."""
    folder = project(tmp_path)
    (folder / "Experimentfile").write_text(STUDY.replace("    seed = 0\n", "    seed = 0\n    depth = 2\n"))

    assert console.run("xpc submit --new", folder).returncode == 0
    assert len(list((folder / "runs/train").iterdir())) == 4


def test_an_added_axis_offers_the_value_that_stands_for_the_old_behaviour(tmp_path: Path) -> None:
    """Of a new axis one value may be what was always done."""
    folder = project(tmp_path)
    text = STUDY.replace("    seed = 0\n", "    seed = 0\n    depth = 1\n")
    (folder / "Experimentfile").write_text(text.replace("range(2)\n", "range(2)\n    depth in [1, 2]\n"))

    assert "`ignore depth == 1` in experiment `train` keeps the done ones." in notes(
        console.run("xpc build", folder).stdout
    )


def test_more_values_of_an_old_axis_are_simply_new(tmp_path: Path) -> None:
    """Adding a seed is no reason to stop."""
    folder = project(tmp_path)
    (folder / "Experimentfile").write_text(STUDY.replace("range(2)", "range(3)"))

    assert notes(console.run("xpc build", folder).stdout) == []
    assert console.run("xpc submit", folder).returncode == 0
