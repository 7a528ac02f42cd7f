"""What `xpc submit` and `xpc retry` do with a build for a cluster, and what they say of it."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .failure import AT_FAULT, REFUSED
from .output import columns, count, duration, print_diagnostics
from .refusal import NAMES, explain

if TYPE_CHECKING:
    from xpc.compiler.emit import Build
    from xpc.runtime.retry import Retry
    from xpc.runtime.schedulers.cluster import Sent
    from xpc.runtime.schedulers.cluster_send import SentCall
    from xpc.runtime.selection import Selection

    from .session import Session

IDS = 6  # ids that a line shows before it says how many more there are


def send_to_cluster(
    session: Session,
    build: Build,
    folder: Path,
    rows: Sequence[int],
    *,
    as_json: bool = False,
    retry: Retry | None = None,
    prepare: Callable[[], bool] = lambda: True,
    before: Callable[[Selection], None] = lambda _: None,
) -> int:
    """Submit *rows* of a build that is written, and say what became jobs; give the exit status."""
    from xpc.runtime.schedulers.cluster import submit_cluster

    began = time.monotonic()
    sent = submit_cluster(
        session.folder,
        folder,
        rows,
        session.diagnostics,
        retry=retry,
        prepare=prepare,
        before=before,
        say=lambda text: click.echo(text, err=True),
    )
    if sent is None:
        print_diagnostics(session.diagnostics)
        silent = any(found.code == "XS005" for found in session.diagnostics.found)
        return REFUSED if silent else AT_FAULT
    if sent.failure is not None:
        explain(sent, session.checked(), session.target, session.diagnostics)
        print_diagnostics(session.diagnostics)
    if as_json:
        click.echo(json.dumps(to_json(build.id, session.target_name, sent)))
    else:
        tell(sent, time.monotonic() - began)
    return sent.status


def tell(sent: Sent, seconds: float) -> None:
    """Print what became jobs, experiment by experiment; or what was taken back."""
    if sent.failure is not None:
        click.echo(_taken_back(sent), err=True)
        return
    if sent.resumed:
        them = "a submit that was cut" if len(sent.resumed) == 1 else f"{len(sent.resumed)} submits that were cut"
        click.echo(f"Completed {them}: what it had queued goes on.", err=True)
    if sent.withdrawn:
        them = "it" if sent.withdrawn == 1 else "them"
        click.echo(f"Cancelled {count(sent.withdrawn, 'queued task')} first, to send {them} again.", err=True)
    if not sent.calls:
        return
    lines = [
        (name, count(sum(of.call.rows for of in group), "run"), _ids(group, sent.kind), _order(group, sent))
        for name, group in _by_experiment(sent).items()
    ]
    click.echo(columns(lines, (False, True, False, False)))
    click.echo(f"Submitted in {_seconds(seconds)}. Nothing stays running here: `xpc status` tells how it goes.")
    sys.stdout.flush()


def _seconds(seconds: float) -> str:
    return f"{seconds:.1g} s" if seconds < 1 else duration(round(seconds, 1))


def _by_experiment(sent: Sent) -> dict[str, list[SentCall]]:
    found: dict[str, list[SentCall]] = {}
    for each in sent.calls:
        found.setdefault(each.call.experiment, []).append(each)
    return found


def _ids(group: Sequence[SentCall], kind: str) -> str:
    """Give the ids of the jobs: SLURM has one an array, OAR one a task, those that follow one another as a range."""
    from xpc.runtime.schedulers.oar_submit import runs_of

    if kind == "slurm":
        texts = [each.jobs[0][0] for each in group]
    else:
        ids = [int(first) + step for each in group for first, size in each.jobs for step in range(size)]
        texts = [id if size == 1 else f"{id}-{int(id) + size - 1}" for id, size in runs_of(sorted(ids))]
    more = len(texts) - IDS
    return ", ".join(texts[:IDS]) + (f" and {more:,} more" if more > 0 else "")


def _order(group: Sequence[SentCall], sent: Sent) -> str:
    """Say what the runs of an experiment wait for."""
    experiments = {each.call.number: each.call.experiment for each in sent.calls}
    pairs = dict.fromkeys(experiments[number] for each in group for number in each.call.waits.pairs)
    whole = dict.fromkeys(experiments[number] for each in group for number in each.call.waits.barriers)
    parts = [f"each after its {name} run" for name in pairs] + [f"after all of {name}" for name in whole]
    if any(each.call.waits.old_pairs or each.call.waits.old for each in group):
        parts.append("after runs that were queued before")
    return ", ".join(parts)


def _taken_back(sent: Sent) -> str:
    assert sent.failure is not None
    if not sent.failure.undone:
        return f"{count(len(sent.calls), 'array')} had been sent, and may be queued or held."
    if not sent.calls:
        return "Nothing was queued."
    return f"Cancelled what this submit had sent ({count(len(sent.calls), 'array')}). Nothing of it is queued."


def to_json(build: str, target: str, sent: Sent) -> dict[str, object]:
    selection, failure = sent.selection, sent.failure
    return {
        "schema": "xpc.submit/1",
        "build": build,
        "target": target,
        "scheduler": NAMES[sent.kind],
        "sent": len(selection.send) if failure is None else 0,
        "done_before": len(selection.done),
        "failed_before": len(selection.faults),
        "busy_before": len(selection.busy),
        "blocked": len(selection.blocked),
        "calls": [
            {
                "array": each.call.array,
                "experiment": each.call.experiment,
                "runs": each.call.rows,
                "tasks": len(each.call.indices),
                "jobs": each.jobs,
                "after": {
                    "pairs": [sent.calls[number - 1].jobs[0][0] for number in each.call.waits.pairs],
                    "all": [sent.calls[number - 1].jobs[0][0] for number in each.call.waits.barriers],
                    "earlier": bool(each.call.waits.old_pairs or each.call.waits.old),
                },
            }
            for each in sent.calls
        ],
        "resumed": sent.resumed,
        "withdrawn": sent.withdrawn,
        "failure": None if failure is None else {"said": failure.said, "undone": failure.undone},
    }
