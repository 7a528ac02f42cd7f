"""A comparison of a run and its reproduction to a text for people."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final

from ..grammar.screen import visible
from .environments import change_rows
from .reproduce_compare import Comparison
from .reproduce_metrics import MetricPair
from .reproduce_outputs import OutputPair

HEAD: Final = 12  # columns of a section's name
SHORT: Final = 7
DIGEST: Final = 12  # digits of a hash that are shown
WORDS: Final = {
    "equal": "the same",
    "paths": "the same, but for the project's path in it",
    "close": "the same within the tolerance",
    "differs": "differs",
    "missing": "the reproduction has none",
    "new": "only the reproduction has it",
    "gone": "the original's is not there any more",
}
Row = tuple[str, ...]


def render_comparison(found: Comparison) -> str:
    """Give the verdict, and below it what was compared, line by line."""
    original, reproduction = found.original, found.reproduction
    attempt = f", attempt {original.record.attempt}" if original.record.attempt > 1 else ""
    head = [
        *_rows("run", [(f"{original.record.id} of {original.record.experiment}{attempt}",)]),
        *_rows("code", [(f"snapshot {original.tree[:SHORT]}, exported anew: {reproduction.code.get('export')}",)]),
        *_rows("", _old_export(found)),
        *_rows("folder", [(os.path.relpath(reproduction.folder, original.project),)]),
        *_rows("note", [(visible(note),) for note in reproduction.notes]),
    ]
    body = [
        *_rows("state", _state(found)),
        *_rows("metrics", [_metric(metric, found.tolerance) for metric in found.metrics]),
        *_rows("outputs", [_output(output) for output in found.outputs]),
        *_rows("environment", _environment(found)),
    ]
    return "\n".join([verdict(found), "", *head, "", *body])


def verdict(found: Comparison) -> str:
    """Give one line that says whether the run was reproduced, and by what."""
    name = f"{found.original.record.experiment} {found.original.record.id[:SHORT]}"
    if found.state[1] != found.state[0]:
        return f"Not reproduced: {name} was {found.state[0]}, and now it is {found.state[1]}."
    wrong = [metric.name for metric in found.metrics if not metric.equal]
    wrong += [output.name for output in found.outputs if not output.equal]
    if found.exit[0] != found.exit[1]:
        wrong.insert(0, "the exit status")
    if wrong:
        named = ", ".join(map(visible, wrong[:3])) + (f" and {len(wrong) - 3:,} more" if len(wrong) > 3 else "")
        return f"Not reproduced: of {name} {'differs' if len(wrong) == 1 else 'differ'} {named}."
    parts = [
        text
        for many, noun in ((len(found.metrics), "metric"), (len(found.outputs), "output"))
        if (text := _count(many, noun))
    ]
    what = " and ".join(parts) or "its end; no metric and no output was compared"
    within = f" within {found.tolerance:g}" if found.tolerance else ""
    return f"Reproduced: {name} is the same{within} in {what}."


def _count(number: int, noun: str) -> str:
    return "" if not number else f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _old_export(found: Comparison) -> list[Row]:
    said = found.reproduction.code.get("before")
    return [] if said in (None, "gone") else [(f"the export that it ran from: {said}",)]


def _state(found: Comparison) -> list[Row]:
    before, after = found.state
    lines: list[Row] = [(before, "the same") if before == after else (f"{before} → {after}", _reason(found))]
    if found.exit[0] != found.exit[1]:
        lines.append((f"exit {' → '.join('—' if code is None else str(code) for code in found.exit)}", ""))
    return lines


def _reason(found: Comparison) -> str:
    reason = (found.after.end or {}).get("reason")
    return visible(str(reason)) if reason else ""


def _metric(metric: MetricPair, tolerance: float) -> Row:
    name = visible(metric.name)
    lengths = metric.lengths
    if not lengths[0] or not lengths[1]:
        return name, _change(metric), "only the original has it" if lengths[0] else "only the reproduction has it"
    if lengths[0] != lengths[1]:
        more = f", {_differing(metric)}" if metric.differing else ""
        return name, _change(metric), f"{lengths[0]:,} values → {lengths[1]:,}{more}"
    many = _count(lengths[0], "value")
    if metric.equal:
        same = "the same" if metric.same_bits or not tolerance else f"the same within {tolerance:g}"
        far = "" if metric.same_bits or not metric.most else f", at most {metric.most:.2g} apart"
        return name, _change(metric), f"{same}, {many}{far}"
    return name, _change(metric), f"{_differing(metric)}, of {many}"


def _differing(metric: MetricPair) -> str:
    apart = "" if metric.most is None else f", at most {metric.most:.2g} apart"
    step = "" if metric.step is None else f" from step {metric.step:g} on"
    verb = "differs" if metric.differing == 1 else "differ"
    return f"{metric.differing:,} {verb}{step}{apart}"


def _change(metric: MetricPair) -> str:
    texts = ["—" if value is None else repr(value) for value in (metric.before, metric.after)]
    return texts[0] if texts[0] == texts[1] else " → ".join(texts)


def _output(output: OutputPair) -> Row:
    one, other = ((hash or "")[:DIGEST] for hash in output.hashes)
    hashes = one if one == other else f"{one or '—'} → {other or '—'}"
    detail = f": {visible(output.detail)}" if output.detail else ""
    return visible(output.name), hashes, WORDS[output.verdict] + detail


# ------------------------------------------------------------------ environments


def _environment(found: Comparison) -> list[Row]:
    if found.environment is None:
        return [
            (f"{found.unknown} recorded what it ran in",)
            if found.unknown == "neither run"
            else (f"{found.unknown} did not record what it ran in",)
        ]
    return [*change_rows(found.environment)] or [("the same",)]


def _rows(title: str, rows: Sequence[Row]) -> list[str]:
    """Give aligned lines, the section's name before the first one."""
    columns = max(map(len, rows), default=0)
    widths = [max((len(row[at]) for row in rows if at < len(row)), default=0) for at in range(columns)]
    lines = []
    for number, row in enumerate(rows):
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        lines.append(((title if not number else "").ljust(HEAD) + "   ".join(cells)).rstrip())
    return lines
