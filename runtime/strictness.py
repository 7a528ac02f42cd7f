"""A result to what is wrong with its cells as numbers of a paper: too few runs, failed ones, several code versions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Final

from ..grammar.diagnostic import Diagnostics
from . import quantities
from .cell_text import prefix_length
from .explain import row_names
from .query.provenance import CellSource, RowSource, RunSource
from .query.result import Result
from .states import STATES

FEW: Final = 4  # ids that are named
AGAIN: Final = "`xpc submit --rerun stale` runs those with other code again, `xpc accept` keeps them"
ONCE_MORE: Final = "`xpc submit --force --where …` runs them once more"
DOUBTFUL: Final = {"mixed": "loaded modules of the live project", "altered": "had its code altered"}


def check_strictly(result: Result, name: str, diagnostics: Diagnostics) -> None:
    """Report each cell of the table *name* that lacks runs, holds undone ones, or is of several code versions."""
    sources = [result.provenance(row) for row in range(result.size)]
    for heading, source in zip(row_names(result), sources, strict=True):
        _check_row(f"{name}, {heading}", source, diagnostics)
    _check_unshown(name, result, sources, diagnostics)


def _check_row(place: str, source: RowSource, diagnostics: Diagnostics) -> None:
    """Report what is wrong with all cells at once, then what is wrong with single ones."""
    short = prefix_length([run.id for run in (*source.runs, *source.absent)])
    done = {run.name for run in source.runs if run.state == "done"}
    lacking = list({run.name: run for run in (*source.runs, *source.absent) if run.name not in done}.values())
    if lacking:
        planned = len(done) + len(lacking)
        message = f"{place}: {len(done):,} of {quantities.runs(planned)} done; {_by_state(lacking, short)}"
        diagnostics.error("XQ021", None, message, help="submit or retry them, or leave the row out with `where`")
    attempts = [run for run in source.runs if run.state != "done" and run.name in done]
    if attempts:
        message = f"{place}: earlier attempts are counted; {_by_state(attempts, short)}"
        diagnostics.error("XQ021", None, message, help="leave out `with all attempts`, or ask for `status == done`")
    _check_code(place, source.runs, short, diagnostics)
    for column, cell in source.cells.items():
        _check_cell(f"{place}, {column}", cell, lacking, short, diagnostics)


def _check_cell(
    place: str, cell: CellSource, lacking: Sequence[RunSource], short: int, diagnostics: Diagnostics
) -> None:
    known = {run.name for run in lacking}
    missing = [run for run in cell.missing if run.name not in known]
    if missing:
        message = f"{place}: {quantities.runs(len(missing))} done without a value, {_named(missing, short)}"
        diagnostics.error("XQ021", None, message, help="`xpc show` tells what such a run has logged")
    alone = [run for run in cell.unpaired if run.name not in known]
    if alone:
        message = f"{place}: {quantities.runs(len(alone))} without a partner in the baseline, {_named(alone, short)}"
        diagnostics.error("XQ021", None, message, help="the baseline has to have a done run for each")
    undone = [run for run in cell.baseline if run.state != "done"]
    if undone:
        message = f"{place}: the baseline has {_by_state(undone, short)}"
        diagnostics.error(
            "XQ021", None, message, help="write `where status == done`, which holds for the baseline, too"
        )
    unfit = [run for run in cell.above if run.state != "done"]
    if unfit:
        message = f"{place}: it reads runs above that are not done; {_by_state(unfit, short)}"
        diagnostics.error("XQ021", None, message, help="submit or retry them, and then what comes after them")
    if cell.baseline:
        _check_code(place, (*cell.used, *cell.baseline), short, diagnostics)
    _check_code(place, cell.above, short, diagnostics)


def _check_code(place: str, runs: Sequence[RunSource], short: int, diagnostics: Diagnostics) -> None:
    """Report runs of one experiment that had different code, and runs whose code nobody vouches for."""
    for experiment in dict.fromkeys(run.experiment for run in runs):
        versions: dict[str | None, list[RunSource]] = {}
        for run in runs:
            if run.experiment == experiment and run.attempt is not None:
                versions.setdefault(run.code, []).append(run)
        if len(versions) > 1:
            listed = "; ".join(f"{_version(own)}: {_named(own, short)}" for own in versions.values())
            message = f"{place}: {len(versions)} code versions of `{experiment}`; {listed}"
            diagnostics.error("XQ022", None, message, help=AGAIN)
    for witness, what in DOUBTFUL.items():
        found = [run for run in runs if run.witness == witness]
        if found:
            message = f"{place}: {quantities.runs(len(found))} {what}, {_named(found, short)}"
            diagnostics.error("XQ022", None, message, help=ONCE_MORE)


def _version(runs: Sequence[RunSource]) -> str:
    code = runs[0].code
    snapshots = dict.fromkeys(run.snapshot[:7] for run in runs if run.snapshot)
    named = f" (snapshot {', '.join(snapshots)})" if snapshots else ""
    return f"{code[:7] if code else 'unknown'}{named}"


def _check_unshown(name: str, result: Result, sources: Iterable[RowSource], diagnostics: Diagnostics) -> None:
    """Report undone runs behind rows that the table does not show: none of theirs is done, or they were not kept."""
    counted = Counter(result.left_out) + Counter(result.waiting)
    counted.pop("done", None)
    counted.subtract(Counter(run.state for source in sources for run in source.undone))
    left: dict[str, int] = {state: counted[state] for state in STATES if counted[state] > 0}
    if left:
        message = f"{name}: {quantities.states(left)} among the runs of rows that it does not show"
        diagnostics.error("XQ021", None, message, help="they could make further rows, or change which ones are kept")


def _by_state(runs: Sequence[RunSource], short: int) -> str:
    """Give `1 running (3fa2c81), 2 failed (91bc07e, 77d0e1a)`."""
    states = [state for state in STATES if any(run.state == state for run in runs)]
    return ", ".join(_of_state(state, [run for run in runs if run.state == state], short) for state in states)


def _of_state(state: str, runs: Sequence[RunSource], short: int) -> str:
    return f"{len(runs):,} {state} ({_named(runs, short)})"


def _named(runs: Collection[RunSource], short: int) -> str:
    ids = list(dict.fromkeys(run.shown(short) for run in runs))
    return ", ".join(ids[:FEW]) + (", …" if len(ids) > FEW else "")
