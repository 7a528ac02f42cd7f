"""``xpc plot``: what it draws, where to, and what it says of what it can't draw."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from console import xpc
from plotting import STUDY, log
from recorded import Recorded

REPORTS = """
report curves:
    from train
    title "Curves"
    plot line x = step, y = loss by optimizer.lr

report both:
    from train
    group by model.name
    show mean(loss) as loss
    title "Bars"
    plot bar x = model.name, y = loss
    title "Boxes"
    plot box x = model.name, y = loss

report table:
    show count()
"""


@pytest.fixture(name="folder", scope="module")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    study = Recorded(folder, STUDY + REPORTS)
    for row in range(6):
        log(study, row, steps=[0, 1, 2], loss=[1.0, 0.5, 0.25 + row / 100])
    return folder


def test_a_pipe_gets_ascii(folder: Path) -> None:
    """Without names all plots of all reports are drawn, in order."""
    found = xpc(folder, "plot", PYTHONUTF8="1")

    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout.isascii()
    places = [found.stdout.index(word) for word in ("Curves", "Bars", "Boxes")]
    assert places == sorted(places)


def test_a_terminal_gets_braille_and_colour(folder: Path) -> None:
    """If it knows UTF-8, and nobody has said NO_COLOR."""
    main, side = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    process = subprocess.Popen(
        [sys.executable, "-m", "xpc", "plot", "curves"],
        cwd=folder,
        env={**environment, "PYTHONUTF8": "1", "TERM": "xterm", "COLUMNS": "80"},
        stdout=side,
    )
    os.close(side)
    written = b""
    while True:
        try:
            block = os.read(main, 65536)
        except OSError:  # Linux says so when the other side is closed
            break
        if not block:
            break
        written += block
    os.close(main)

    assert process.wait() == 0
    assert "⠉" in written.decode()
    assert "\x1b[34m" in written.decode()


@pytest.mark.parametrize("ending", ["svg", "png", "pdf", "SVG"])
def test_a_file_by_its_ending(folder: Path, tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"fig.{ending}"

    found = xpc(folder, "plot", "curves", "-o", str(file))

    assert (found.returncode, found.stdout, found.stderr) == (
        0,
        f"{file}  line: loss over step by optimizer.lr. Errors: standard deviation. Not done: 18 planned.\n",
        "",
    )
    assert file.read_bytes().startswith({"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF"}[ending.lower()])


def test_several_plots_are_several_files(folder: Path, tmp_path: Path) -> None:
    """They are numbered in the order of the report."""
    found = xpc(folder, "plot", "both", "-o", str(tmp_path / "fig.svg"))

    assert found.returncode == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fig-1.svg", "fig-2.svg"]
    assert "Bars" in (tmp_path / "fig-1.svg").read_text()
    assert "Boxes" in (tmp_path / "fig-2.svg").read_text()


def test_a_plot_on_the_command_line(folder: Path) -> None:
    """With its clauses before or behind, with the word `plot` or without."""
    plain = xpc(folder, "plot", "line x = step, y = loss by optimizer.lr")
    texts = ("plot line x = step, y = loss by optimizer.lr", "from train plot line x = step, y = loss by optimizer.lr")
    behind = xpc(folder, "plot", "line x = step, y = loss by optimizer.lr where loss is not null with past")

    assert plain.returncode == 0
    assert "ends at 0.275" in plain.stdout
    assert [xpc(folder, "plot", text).stdout for text in texts] == [plain.stdout] * 2
    assert "ends at 0.275" in behind.stdout


def test_both_places(folder: Path, tmp_path: Path) -> None:
    """`--terminal` draws there too."""
    found = xpc(folder, "plot", "curves", "--terminal", "-o", str(tmp_path / "fig.svg"))

    assert found.stdout.startswith("Curves\n")
    assert (tmp_path / "fig.svg").exists()


def test_a_report_says_where_its_plots_are(folder: Path) -> None:
    """Under its tables; one without tables says nothing else."""
    assert xpc(folder, "report", "both").stdout.splitlines()[-1] == "2 plots: `xpc plot both`"
    assert xpc(folder, "report", "curves").stdout == "1 plot: `xpc plot curves`\n"
    assert "plot" not in xpc(folder, "report", "both", "--format", "csv").stdout


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["curve"], 1, "error: no report is called `curve`\nhelp: did you mean `curves`?\n"),
        (
            ["table"],
            1,
            "error: report `table` has no plot\nhelp: add a line to it, such as `plot line x = step, y = loss`\n",
        ),
        (
            ["from train"],
            1,
            'error: this is a query without a plot\nhelp: add one, as in `xpc plot "line x = step, y = loss"`\n',
        ),
        (
            ["line x = step, y = los"],
            1,
            (
                "error[XQ003]: no run has a metric or key `los`\n"
                "  plot line x = step, y = los\n"
                "                          ^^^\n"
                "help: did you mean `loss`?\n"
            ),
        ),
        (
            ["lien x = step, y = loss"],
            1,
            (
                "error[XQ030]: there is no plot `lien`\n"
                "  plot lien x = step, y = loss\n"
                "       ^^^^\n"
                "help: did you mean `line`?\n"
            ),
        ),
    ],
)
def test_what_cannot_be_drawn(folder: Path, arguments: list[str], status: int, said: str) -> None:
    found = xpc(folder, "plot", *arguments)

    assert (found.returncode, found.stdout, found.stderr) == (status, "", said)


def test_other_endings(folder: Path) -> None:
    """That is a wrong call, told before anything is read."""
    found = xpc(folder, "plot", "curves", "-o", "fig.gif")

    assert found.returncode == 2
    assert "Error: FILE ends in .svg, .png or .pdf, and `fig.gif` does not." in found.stderr


def test_a_folder_that_is_not_there(folder: Path, tmp_path: Path) -> None:
    found = xpc(folder, "plot", "curves", "-o", str(tmp_path / "no" / "fig.svg"))

    assert found.returncode == 3
    assert "No such file or directory" in found.stderr
    assert "Traceback" not in found.stderr


def test_without_matplotlib(folder: Path, tmp_path: Path) -> None:
    """A file needs it, and the line that installs it is said; the terminal does not."""
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.util as util\n"
        "found = util.find_spec\n"
        "util.find_spec = lambda name, package=None: None if name == 'matplotlib' else found(name, package)\n"
    )
    environment = {"PYTHONPATH": str(tmp_path)}

    file = xpc(folder, "plot", "curves", "-o", "fig.svg", **environment)
    terminal = xpc(folder, "plot", "curves", **environment)

    assert (file.returncode, file.stderr) == (
        3,
        (
            "error: drawing into a file needs matplotlib, which is not installed\n"
            'help: pip install "xpc[plot]"\n'
            "      or leave `-o` out: then the plot is drawn on the terminal\n"
        ),
    )
    assert terminal.returncode == 0
    assert not (folder / "fig.svg").exists()
