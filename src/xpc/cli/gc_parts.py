"""The parts of `xpc gc`, each looked at or done, and what is said of them to people and to machines."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .output import columns, count, print_diagnostics, size

if TYPE_CHECKING:
    from xpc.compiler.git_calls import Repository
    from xpc.runtime.gc import Packing
    from xpc.runtime.gc_builds import Unused
    from xpc.runtime.gc_runs import Going
    from xpc.runtime.gc_trash import Trash
    from xpc.runtime.lock import SubmitLock
    from xpc.runtime.store import Store

    from .command_gc import Wish

AGE = 86_400.0  # seconds: what was made today may be about to be used
NOTHING_TO_PACK = "Nothing to pack: no run has ended without outputs."


@dataclass(slots=True)
class Part:
    """What came of one part. *lines* are the answer; *hint* says how to do what was only looked at, if there is
    something to do; *record* has the fields of the JSON."""

    lines: list[str]
    record: dict[str, Any]
    hint: str = ""
    done: bool = False
    refused: dict[Path, OSError] = field(default_factory=dict)


# ------------------------------------------------------------------ runs


def runs(store: Store, wish: Wish, trash: Trash | None) -> Part:
    """Look for the runs that `--where` names, and remove them if there is a *trash*."""
    from xpc.runtime.gc_runs import choose, remove_runs

    named = _named(store, wish.where or "")
    done = wish.done or _asks_for_done(wish.where or "")
    choice = choose(store, named, done=done, superseded=wish.superseded, older_than=wish.age or 0.0)
    what = "earlier result" if wish.superseded else "run"
    stays = _stays(choice.stays)
    if trash is None:
        record = {"runs": _records(choice.going), "stay": dict(choice.stays)}
        if not choice.going:
            return Part([stays or "No run is named by that."], record)
        lines = [_runs_table(choice.going), *(["", stays] if stays else [])]
        return Part(lines, record, f"The same with `--yes` removes {count(len(choice.going), what)}.")
    gone = remove_runs(store, choice.going, trash)
    said = f"Removed {count(len(gone), what)}{_amount(gone)}." if gone else f"Nothing removed: no {what} may go."
    record = {"runs": _records(gone), "stay": dict(choice.stays)}
    return Part([said, *([stays] if stays else [])], record, done=True, refused=trash.refused)


def _named(store: Store, where: str) -> list[tuple[str, str]]:
    """Give the recorded runs for which the condition holds; a mistake in it ends the command."""
    from xpc.grammar.diagnostic import Diagnostics
    from xpc.grammar.parser import parse_expression
    from xpc.grammar.source import Source
    from xpc.runtime.gc_query import Recorded, recorded

    from .failure import AT_FAULT, Stop

    diagnostics = Diagnostics()
    condition = parse_expression(Source("--where", where), diagnostics)
    view = Recorded(store)
    found = None
    if condition is not None and not diagnostics.failed:
        found = recorded(condition, view, diagnostics, view.experiments(past=True))
    print_diagnostics(diagnostics)
    if found is None or diagnostics.failed:
        raise Stop(AT_FAULT)
    return found


def _asks_for_done(where: str) -> bool:
    from xpc.grammar.diagnostic import Diagnostics
    from xpc.grammar.parser import parse_expression
    from xpc.grammar.source import Source
    from xpc.runtime.gc_query import asks_for_done

    condition = parse_expression(Source("--where", where), Diagnostics())
    return condition is not None and asks_for_done(condition)


def _records(going: Iterable[Going]) -> list[dict[str, Any]]:
    return [
        {"experiment": run.experiment, "id": run.id, "state": run.state, "bytes": run.bytes, "files": run.files}
        for run in going
    ]


def _runs_table(going: Sequence[Going]) -> str:
    rows = [["experiment", "runs", "size", "files", "states"]]
    for name in dict.fromkeys(run.experiment for run in going):
        mine = [run for run in going if run.experiment == name]
        states = Counter(run.state for run in mine)
        said = ", ".join(f"{number:,} {state}" for state, number in states.most_common())
        bytes_, files = sum(run.bytes for run in mine), sum(run.files for run in mine)
        rows.append([name, f"{len(mine):,}", size(bytes_), f"{files:,}", said])
    return columns(rows, [False, True, True, True, False])


def _stays(stays: Counter[str]) -> str:
    if not stays:
        return ""
    said = "; ".join(f"{number:,}: {why}" for why, number in stays.most_common())
    return f"Named too, and left alone: {said}."


def _amount(gone: Sequence[Going] | Sequence[Unused]) -> str:
    return f": {size(sum(each.bytes for each in gone))}, {count(sum(each.files for each in gone), 'file')}"


# ------------------------------------------------------------------ packs


def packs(store: Store, lock: SubmitLock | None) -> Part:
    """Look for runs to pack, and pack them if there is a *lock*."""
    from xpc.runtime.gc import pack_all, packings, tidy_all

    if lock is None:
        found = list(packings(store))
        record = {"experiments": [packing.record() for packing in found]}
        if not found:
            return Part([NOTHING_TO_PACK], record)
        return Part([_packs_table(found)], record, "`xpc gc --pack --yes` packs them.")
    tidied = tidy_all(store)
    if tidied:
        store.refresh()
    results = []
    for each in list(packings(store)):
        packed, made = pack_all(store, each)
        results.append(each.record() | {"runs": packed, "packs": made})
        lock.touch()
    lines = [f"Finished what an earlier call had begun: {count(tidied, 'run')}."] if tidied else []
    packed, made = sum(r["runs"] for r in results), sum(r["packs"] for r in results)
    lines.append(f"Packed {count(packed, 'run')} into {count(made, 'pack')}." if results else "Nothing to pack.")
    return Part(lines, {"tidied": tidied, "experiments": results}, done=True)


def _packs_table(found: Sequence[Packing]) -> str:
    rows = [["experiment", "runs", "packs", "size", "files less"]]
    for packing in found:
        record = packing.record()
        numbers = [f"{record['runs']:,}", f"{record['packs']:,}", size(record["bytes"]), f"{packing.inodes:,}"]
        rows.append([packing.experiment, *numbers])
    return columns(rows, [False, True, True, True, True])


# ------------------------------------------------------------------ builds and snapshots


def builds(store: Store, wish: Wish, trash: Trash | None) -> Part:
    from xpc.runtime.gc_builds import unused_builds

    return _unused("build", unused_builds(store, before=_before(wish)), "builds", "--builds", trash)


def snapshots(store: Store, wish: Wish, trash: Trash | None) -> list[Part]:
    """Look for exports and for refs of snapshots."""
    from xpc.runtime.gc_builds import drop_refs, unused_exports, unused_refs

    exports = _unused("export", unused_exports(store, before=_before(wish)), "exports", "--snapshots", trash)
    repository = _repository(store)
    if repository is None:
        return [exports]
    commits = unused_refs(store, repository, before=_before(wish))
    record = {"snapshots": commits}
    if not commits:
        return [exports, Part(["No snapshot in git is without use."], record, done=trash is not None)]
    if trash is None:
        hint = f"`xpc gc --snapshots --yes` lets go of {count(len(commits), 'snapshot')}."
        return [exports, Part([f"{count(len(commits), 'snapshot')} in git that nothing refers to."], record, hint)]
    drop_refs(repository, commits)
    said = f"Let go of {count(len(commits), 'snapshot')} in git; `git gc` frees the room."
    return [exports, Part([said], record, done=True)]


def _repository(store: Store) -> Repository | None:
    from xpc.compiler.git_calls import GitError, GitMissingError, open_repository

    try:
        return open_repository(store.project)
    except (GitError, GitMissingError):
        return None


def _before(wish: Wish) -> float:
    return time.time() - (AGE if wish.age is None else wish.age)


def _unused(what: str, found: Sequence[Unused], key: str, option: str, trash: Trash | None) -> Part:
    from xpc.runtime.gc_builds import remove_unused

    if trash is not None:
        gone = remove_unused(found, trash)
        said = f"Removed {count(len(gone), what)}{_amount(gone)}." if gone else f"No {what} is without use."
        return Part([said], {key: [each.name for each in gone]}, done=True, refused=dict(trash.refused))
    record = {key: [{"name": each.name, "bytes": each.bytes, "files": each.files} for each in found]}
    if not found:
        return Part([f"No {what} is without use."], record)
    lines = [f"{count(len(found), what)} that nothing refers to{_amount(found)}."]
    return Part(lines, record, f"`xpc gc {option} --yes` removes {count(len(found), what)}.")


# ------------------------------------------------------------------ all of it


def to_text(parts: Sequence[Part]) -> str:
    """Give what there is to say; what was looked at in vain only if nothing else is said."""
    said = [part for part in parts if part.hint or part.done] or list(parts[:1] if len(parts) > 2 else parts)
    lines = [line for part in said for line in part.lines]
    hints = [part.hint for part in said if part.hint]
    return "\n".join([*lines, "", f"Nothing was written. {' '.join(hints)}"] if hints else lines)


def to_json(parts: Sequence[Part]) -> dict[str, Any]:
    found: dict[str, Any] = {"schema": "xpc.gc/1", "done": any(part.done for part in parts)}
    for part in parts:
        found |= part.record
    return found


def refusals(parts: Sequence[Part]) -> str:
    """Say what could not be removed, and why."""
    refused = {path: error for part in parts for path, error in part.refused.items()}
    if not refused:
        return ""
    path, error = next(iter(refused.items()))
    more = f" (and {len(refused) - 1:,} more)" if len(refused) > 1 else ""
    return f"error: {path} was not removed{more}: {(error.strerror or str(error)).lower()}"
