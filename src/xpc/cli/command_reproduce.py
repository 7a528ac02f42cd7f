"""``xpc reproduce``: a recorded run once more, from its own code, config and command, and whether it is the same."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import options
from .failure import AT_FAULT, FINE, REFUSED, Stop, refuse
from .output import json_text, print_diagnostics
from .session import Session, find_folder

if TYPE_CHECKING:
    from xpc.compiler.git_calls import Repository
    from xpc.compiler.study import Target
    from xpc.runtime.reproduce_original import Original
    from xpc.runtime.reproduce_project import Reproduction


def _finite(_context: click.Context, _option: click.Parameter, value: float) -> float:
    """Refuse what is no distance: within `inf` all numbers are near, within `nan` none is."""
    if not math.isfinite(value):
        raise click.BadParameter(f"{value} is no number that others can be near to.")
    return value


@click.command()
@click.argument("run")
@options.target
@click.option(
    "--tolerance",
    type=click.FloatRange(min=0),
    callback=_finite,
    default=0.0,
    metavar="X",
    help="Numbers this near are the same, relatively or absolutely; without it all has to be equal.",
)
@click.option(
    "--metrics",
    multiple=True,
    metavar="PATTERN",
    help="Compare only these metrics (`acc*`), or all but these (`!seconds`). May be repeated.",
)
@click.option("--wait", is_flag=True, help="On a cluster: come back when it has ended, and compare.")
@click.option("--compare", "only", is_flag=True, help="Run nothing: compare with the last reproduction.")
@options.as_json
def command(
    run: str, target: str, tolerance: float, metrics: tuple[str, ...], wait: bool, only: bool, as_json: bool
) -> int:
    """Run a recorded run once more, from its own snapshot, config and command, and say what differs.

    How it ended, its metrics and its outputs are compared, and told is what else differs: packages, Python, processor.
    The run itself stays as it is. Exit status 0: it is the same; 1: it is not, or can't be run.

    \b
    Example:  xpc reproduce 3fa2c81
              xpc reproduce 3fa2c81 --tolerance 1e-6 --metrics 'acc*'
    """
    session = Session(find_folder(Path.cwd()), target=target)
    place = _target(session)
    original = _original(session, run)
    try:
        _stop_without_metrics(original, metrics)
        if only:
            reproduction = _last(session, original)
        else:
            reproduction = _prepare(session, original, place)
            status = _execute(session, reproduction, place, as_json=as_json)
            if status is not None:
                return status
        if (only or _is_cluster(place)) and not _has_ended(reproduction, wait=wait):
            return _tell_later(original, reproduction, as_json=as_json)
        return _compare(original, reproduction, metrics, tolerance, as_json=as_json)
    finally:
        original.build.close()


def _target(session: Session) -> Target | None:
    """Give the target that is named; nothing for this machine, for which the Experimentfile is not needed."""
    if session.target_name == "local":
        return None
    session.checked()
    return session.target


def _is_cluster(target: Target | None) -> bool:
    return target is not None and target.kind != "local"


def _original(session: Session, text: str) -> Original:
    from xpc.runtime.named_run import find_named
    from xpc.runtime.query.view import View
    from xpc.runtime.reproduce_original import find_original

    from .standing import Standings

    store = Standings(session.folder).store
    named = find_named(text, View({}, store), session.diagnostics)
    session.stop_if_failed(closing="")
    assert named is not None
    version = named.version
    folder = version.folder if version is not None else store.folder(named.experiment, named.id)
    found = find_original(session.folder, folder, session.diagnostics)
    session.stop_if_failed(closing="")
    assert found is not None
    return found


def _stop_without_metrics(original: Original, patterns: tuple[str, ...]) -> None:
    """End the command where a pattern names none of the run's metrics: a misspelt one would find nothing to differ."""
    from xpc.runtime.metrics import planned_declarations, read_metrics
    from xpc.runtime.reproduce_metrics import chosen

    wanted = [pattern for pattern in patterns if not pattern.startswith("!")]
    if not wanted:
        return
    record = original.record
    declared = planned_declarations(original.build.plan, original.run.experiment)
    names = sorted(read_metrics(original.folder, record.attempt, declared))
    for pattern in wanted:
        if not chosen(names, [pattern]):
            refuse(
                f"run `{record.experiment} {record.id[:7]}` has no metric that `{pattern}` names",
                help=f"it has {', '.join(f'`{name}`' for name in names)}" if names else "it has no metric at all",
            )


# ------------------------------------------------------------------ running


def _prepare(session: Session, original: Original, target: Target | None) -> Reproduction:
    from xpc.runtime.reproduce_build import LOCAL
    from xpc.runtime.reproduce_project import Place, prepare

    from .reproduction_script import script_for, setup_json_of, target_json

    repository = _repository(session, original)
    if target is None:
        before = original.build.plan["target"]
        place = Place(before if before["kind"] == "local" else LOCAL, (), script_for(None))
    else:
        setup = setup_json_of(session, target, original.run.experiment)
        place = Place(target_json(target), setup, script_for(target))
    found = prepare(original, place, repository, session.diagnostics)
    session.stop_if_failed(closing="")
    print_diagnostics(session.diagnostics)
    session.diagnostics.found.clear()
    assert found is not None
    return found


def _repository(session: Session, original: Original) -> Repository:
    """Give the repository that has the snapshot, or end the command."""
    from xpc.compiler.git_calls import GitError, GitMissingError, open_repository
    from xpc.compiler.snapshot_refusal import refuse

    try:
        found = open_repository(session.folder)
    except (GitError, GitMissingError) as error:
        refuse(error, session.folder, session.diagnostics)
        session.stop_if_failed(closing="")
        raise
    try:
        found.run("cat-file", "-e", f"{original.tree}^{{tree}}")
    except GitError:
        name = f"{original.record.experiment} {original.record.id[:7]}"
        fetch = "`git fetch REMOTE 'refs/xpc/*:refs/xpc/*'` brings them from a mirror"
        session.diagnostics.error(
            "XR023",
            None,
            f"run `{name}` can't be reproduced: snapshot {original.tree[:7]} is not in this repository",
            help=f"refs/xpc/snapshots keeps snapshots; {fetch}",
        )
    session.stop_if_failed(closing="")
    return found


def _execute(session: Session, reproduction: Reproduction, target: Target | None, *, as_json: bool) -> int | None:
    """Run or submit it; give an exit status if there is nothing to compare then."""
    if _is_cluster(target):
        return _submit(session, reproduction, as_json=as_json)
    from xpc.runtime.executor.reporter import reporter_for
    from xpc.runtime.reproduce_project import drop_code
    from xpc.runtime.schedulers.local import submit

    reporter = reporter_for(sys.stderr, silent=as_json, advice=False)
    done = submit(reproduction.project, reproduction.build, [0], session.diagnostics, reporter=reporter)
    if done is None:
        print_diagnostics(session.diagnostics)
        return AT_FAULT
    if done.outcome.signal is not None:
        drop_code(reproduction)
        raise Stop(done.outcome.status, "Not reproduced: it was stopped, and nothing is compared.")
    return None


def _submit(session: Session, reproduction: Reproduction, *, as_json: bool) -> int | None:
    from xpc.runtime.schedulers.cluster import submit_cluster

    from .cluster_submit import tell
    from .refusal import explain

    sent = submit_cluster(
        reproduction.project,
        reproduction.build,
        [0],
        session.diagnostics,
        say=lambda text: click.echo(text, err=True),
    )
    if sent is not None and sent.failure is not None:
        explain(sent, session.checked(), session.target, session.diagnostics)
    print_diagnostics(session.diagnostics)
    if sent is None:
        return AT_FAULT
    if sent.failure is not None:
        tell(sent, 0.0)
        return REFUSED
    if not as_json:
        jobs = ", ".join(job for call in sent.calls for job, _ in call.jobs)
        click.echo(f"Submitted as job {jobs}.", err=True)
    return None


# ------------------------------------------------------------------ comparing


def _last(session: Session, original: Original) -> Reproduction:
    from xpc.runtime.reproduce_project import read_reproductions

    name = Path(original.folder).name
    found = read_reproductions(session.folder, name)
    if not found:
        refuse(f"run {name[:7]} has no reproduction yet", help=f"`xpc reproduce {name[:7]}` makes one")
    return found[-1]


def _has_ended(reproduction: Reproduction, *, wait: bool) -> bool:
    """Tell whether there is an end to compare; with *wait* after it has ended."""
    from xpc.runtime.store import Store

    from .polling import Pace

    store = Store(reproduction.project)
    pace = Pace()
    try:
        while True:
            state = store.state(reproduction.experiment, reproduction.run)
            if state not in ("queued", "running"):
                break
            if not wait:
                return False
            pace.wait(state, asks=store.clusters.asked)
            store.refresh()
        record = store.whole_record(reproduction.experiment, reproduction.run)
        if record is None or record.end is None:
            raise Stop(AT_FAULT, f"Not reproduced: its job ended without a word of its own; it is {state}.")
        return True
    finally:
        store.close()


def _tell_later(original: Original, reproduction: Reproduction, *, as_json: bool) -> int:
    if as_json:
        said = {"schema": "xpc.reproduce/1", "run": original.record.id, "reproduction": reproduction.name}
        click.echo(json_text({**said, "target": reproduction.target, "reproduced": None}))
    else:
        again = f"xpc reproduce {original.record.id[:7]} --compare"
        click.echo(f"It has not ended. `{again}` compares when it has, `{again} --wait` waits for it.")
    return FINE


def _compare(
    original: Original, reproduction: Reproduction, patterns: Sequence[str], tolerance: float, *, as_json: bool
) -> int:
    from xpc.runtime.reproduce_compare import compare
    from xpc.runtime.reproduce_project import drop_code
    from xpc.runtime.reproduce_text import render_comparison

    found = compare(original, reproduction, patterns, tolerance)
    if found is None:
        raise Stop(AT_FAULT, "Not reproduced: it has no end to compare.")
    drop_code(reproduction)
    click.echo(json_text(found.record()) if as_json else render_comparison(found))
    return FINE if found.reproduced else AT_FAULT
