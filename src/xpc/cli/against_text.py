"""What a comparison says to people at a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from xpc.compiler.describe import id_length
from xpc.grammar.screen import visible

from .against_words import amount, facts, kin_words, run_lines
from .build_summary import origin
from .output import columns, count

if TYPE_CHECKING:
    from xpc.compiler.against import Change

    from .against import Told


def to_text(told: Told, *, verbose: bool) -> str:
    """Give the page: a table of what changed, the facts of each experiment, the cost."""
    lines = [headline(told), ""]
    if told.changed:
        rows = table_rows(told)
        lines += [columns(rows, [False, *[True] * (len(rows[0]) - 1)]), ""]
        for change in told.changed:
            lines += _facts(told, change, verbose=verbose)
    for kin in told.comparison.kin:
        lines.append(
            "note: " + "".join(f"`{visible(text)}`" if quoted else text for text, quoted in kin_words(kin)) + "."
        )
    lines += closing(told)
    return "\n".join(lines)


def headline(told: Told) -> str:
    """Say what is compared, and in one sentence what came of it."""
    session = told.session
    lacks = ", which has no Experimentfile," if told.new_study else ""
    what = f"From {visible(told.revision.shown)}{lacks} to {origin(session.snapshot)}"
    return f"{what}: {verdict(told)}."


def verdict(told: Told) -> str:
    changes = told.comparison.changes
    runs = [
        (sum(len(change.added) for change in changes), "added"),
        (sum(len(change.dropped) for change in changes), "dropped"),
        (sum(len(change.altered) for change in changes), "altered"),
    ]
    said = [f"{count(number, 'run')} {word}" for number, word in runs if number]
    if said:
        return ", ".join(said)
    return "the runs are the same" if told.changed else "nothing differs"


def table_rows(told: Told) -> list[list[str]]:
    """Give the runs of each experiment that changed, and what all of its runs may cost; first the header."""
    rows = [["experiment", "runs", "added", "dropped", "altered", "same", "core-hours", "GPU-hours"]]
    for change in told.changed:
        before, now = change.runs
        runs = f"{now:,}" if before == now else f"{before:,} → {now:,}"
        numbers = (len(change.added), len(change.dropped), len(change.altered))
        same = len(change.kept) - len(change.altered)
        cost = [
            amount(*(getattr(share.cost, field) for share in change.shares)) for field in ("core_hours", "gpu_hours")
        ]
        rows.append([visible(change.name), runs, *(f"{n:,}" for n in (*numbers, same)), *cost])
    # Where nobody limits the time there is nothing to say of hours, and of those of GPUs only if any are asked for.
    width = 6 if all(row[6] == "no limit" for row in rows[1:]) else 7 if all(row[7] == "0" for row in rows[1:]) else 8
    return [row[:width] for row in rows]


def _facts(told: Told, change: Change, *, verbose: bool) -> Iterator[str]:
    said = [(visible(about), visible(words)) for about, words, _ in facts(told, change)]
    if not said and not verbose:
        return
    yield f"{visible(change.name)}:"
    width = max((len(about) for about, _ in said), default=0)
    yield from (f"  {about:{width}}  {words}" for about, words in said)
    if verbose:
        shown, left = run_lines(change, length_of_ids(told))
        yield from (f"  {sign} {id}  {visible(values)}".rstrip() for sign, id, values in shown)
        if left:
            yield f"  … and {left:,} more"
    yield ""


def length_of_ids(told: Told) -> int:
    sides = [side for change in told.comparison.changes for side in (change.before, change.now) if side is not None]
    return max((id_length([side.planned.table]) for side in sides), default=0)


def closing(told: Told) -> list[str]:
    """Give the cost of all runs on both sides."""
    before, now = told.comparison.costs
    fields = [("gpu_hours", "GPU-hours"), ("core_hours", "core-hours"), ("inodes", "files")]
    sides = [(getattr(before, field), getattr(now, field), unit) for field, unit in fields]
    known = [(was, is_, unit) for was, is_, unit in sides if (was, is_) != (None, None)]
    if before.gpu_hours == 0 == now.gpu_hours:
        del known[0]
    unlimited = "" if len(known) > 1 else "; some have no time limit"
    return [f"All runs together, at most: {', '.join(f'{amount(a, b)} {unit}' for a, b, unit in known)}{unlimited}."]
