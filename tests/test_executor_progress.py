"""What people are told while runs go on."""

import io
import re
from pathlib import Path

import pytest

from xpc.runtime.executor.bar import Bar, notes
from xpc.runtime.executor.last_words import last_words, plain
from xpc.runtime.executor.lines import Lines, failure_line
from xpc.runtime.executor.outcome import Failure, Outcome
from xpc.runtime.executor.progress import Progress, about
from xpc.runtime.executor.reporter import Reporter, Silent, reporter_for

BROKEN = Failure(
    run="91bc07e4b1e4f700",
    experiment="train",
    attempt=1,
    state="failed",
    reason="exit 1",
    said="RuntimeError: shapes (64,3) and (5,64) not aligned",
    log="runs/train/91bc07e4b1e4f700/stderr.log",
)


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def tell(reporter: Reporter) -> None:
    """Let two runs of three end, one of them badly."""
    reporter.begin({"train": 3}, 2)
    reporter.started("train")
    reporter.started("train")
    reporter.ended("train", "done", None, False)
    reporter.ended("train", "failed", BROKEN, False)
    reporter.set_aside("train", "skipped")
    outcome = Outcome()
    outcome.count("train", "done")
    outcome.count("train", "failed")
    outcome.count("train", "skipped")
    reporter.finish(outcome, 75.0)


def test_lines_for_a_pipe() -> None:
    """A pipe gets whole plain lines: the start, each failure, the end."""
    stream = io.StringIO()
    tell(reporter_for(stream))

    assert stream.getvalue() == (
        "3 runs to do (train 3), 2 at a time.\n"
        "failed 91bc07e  RuntimeError: shapes (64,3) and (5,64) not aligned"
        "   runs/train/91bc07e4b1e4f700/stderr.log\n"
        "1 done, 1 failed, 1 skipped in 1 min.\n"
        "`xpc status` groups the failures; `xpc retry` runs it again.\n"
    )


def test_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal gets a bar an experiment and the failure above it."""
    monkeypatch.setenv("COLUMNS", "120")
    stream = Terminal()
    reporter = reporter_for(stream)
    tell(reporter)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", stream.getvalue())

    assert isinstance(reporter, Bar)
    assert "       failed 91bc07e  RuntimeError: shapes (64,3) and (5,64) not aligned   runs/train/91bc07e4b" in text
    assert re.search(r"train  ━+  3/3  1 failed   1 skipped", text)


def test_silence() -> None:
    """For `--json` nothing is said, not even on a terminal."""
    stream = Terminal()
    tell(reporter_for(stream, silent=True))

    assert stream.getvalue() == ""
    assert isinstance(reporter_for(stream, silent=True), Silent)
    assert isinstance(reporter_for(io.StringIO()), Lines)


def test_interrupted_work_says_how_to_go_on() -> None:
    """After Ctrl-C the words say what was and was not done, and what goes on."""
    stream = io.StringIO()
    outcome = Outcome(signal=2)
    outcome.count("train", "done", 412)
    outcome.count("train", "cancelled", 8)
    outcome.count("train", "planned", 1180)
    Lines(stream).finish(outcome, 7300)

    assert stream.getvalue() == (
        "Stopped: 412 done, 8 cancelled, 1,180 planned in 2 h 2 min.\n`xpc submit` goes on from here.\n"
    )
    assert outcome.status == 130


def test_time_left_only_after_three_ends() -> None:
    """Two runs say nothing about the rest; skipped ones are no measure of time."""
    progress = Progress({"train": 10})
    share = progress.shares["train"]
    for _ in range(3):
        progress.started("train", 0.0)
    progress.ended("train", "done", False)
    progress.ended("train", "failed", False)
    progress.set_aside("train", "skipped")
    assert share.left(60.0) is None
    assert notes(share, 60.0) == "1 running   1 failed   1 skipped"

    progress.ended("train", "done", False)
    assert share.left(60.0) == 120.0
    assert notes(share, 60.0) == "1 failed   1 skipped   about 2 min"


def test_run_that_is_tried_again_has_not_ended() -> None:
    """A retried attempt frees its place and counts for nothing else."""
    progress = Progress({"train": 1})
    progress.started("train", 0.0)
    progress.ended("train", "failed", again=True)

    assert (progress.shares["train"].running, progress.shares["train"].over) == (0, 0)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "1 s"), (59, "59 s"), (60, "1 min"), (3599, "1 h"), (7800, "2 h 10 min"), (90000, "1 d 1 h"), (172800, "2 d")],
)
def test_durations(seconds: float, words: str) -> None:
    """As one would say it."""
    assert about(seconds) == words


def test_failure_line_keeps_the_log_whole() -> None:
    """Only the middle is cut to the width."""
    line = failure_line(BROKEN, 90)

    assert line == "failed 91bc07e  RuntimeError: shapes (64,3) and…   runs/train/91bc07e4b1e4f700/stderr.log"


def test_last_words(tmp_path: Path) -> None:
    """The last line with something in it, also behind a progress bar's carriage returns, and of a big file."""
    log = tmp_path / "stderr.log"
    log.write_bytes(b"x" * 100_000 + b"\nValueError: no\r 10%\r100%|####|\n  \n\n")
    assert last_words(log) == "100%|####|"

    log.write_bytes(b"\xff\xfeValueError: no\n")
    assert last_words(log) == "\ufffd\ufffdValueError: no"

    assert last_words(tmp_path / "none.log") == ""


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]52;c;ZXZpbA==\x07after", "after"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("a\x08\x08b\x9b31m", "ab31m"),
        ("\u202eevil\u2066", "evil"),
        ("a\tb", "a b"),
        ("naïve 東京 ±", "naïve 東京 ±"),
    ],
)
def test_nothing_that_a_terminal_obeys_gets_through(raw: str, shown: str) -> None:
    """Colours, the clipboard, links, backspaces and turned reading order are stripped from a log's words."""
    assert plain(raw) == shown
