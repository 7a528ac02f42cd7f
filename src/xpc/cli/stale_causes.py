"""A fingerprint that is another one now to what has changed: the file, the part of the environment, the input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from xpc.grammar.screen import visible

from .environment_changes import environment_changes

if TYPE_CHECKING:
    from xpc.compiler.plan import Plan, PlannedExperiment
    from xpc.compiler.study import Study
    from xpc.compiler.tree_changes import Change
    from xpc.runtime.store import Store

    from .session import Session

PARTS: Final = ("command", "code", "environment", "inputs")


class Causes:
    """Compares what an experiment is now with what a record, its snapshot and its build say."""

    def __init__(self, session: Session, store: Store, plan: Plan) -> None:
        self._session = session
        self._store = store
        self._plan = plan

    def of(self, planned: PlannedExperiment, then: Mapping[str, str], snapshot: str, build: str) -> list[str]:
        """Name what has changed since the fingerprint was *then*, with that snapshot, in that build; the code first."""
        now = fingerprint_fields(planned)
        differing = {part for part in PARTS if then.get(part) != now[part]}
        before = self._store.plan(build)
        causes: list[str] = []
        if "code" in differing:
            causes += self._code(planned, snapshot, before)
        if "command" in differing:
            causes.append("command changed")
        if "environment" in differing:
            causes += self._environment(planned, before)
        if "inputs" in differing:
            causes += self._inputs(planned, snapshot, before)
        return causes

    # -------------------------------------------------------------- code

    def _code(self, planned: PlannedExperiment, snapshot: str, before: Mapping[str, Any]) -> list[str]:
        """Compare what counts as code now, in the snapshot that the run had and in the present one.

        So whoever says by `code` that less counts gets back what is stale for the rest alone.
        """
        experiment = planned.compiled.experiment
        changes = self._changed(snapshot, before, experiment.code, self._study.sources)
        return ["code changed"] if changes is None else self._told(changes)

    @cached_property
    def _study(self) -> Study:
        return self._session.checked()

    def _changed(
        self, tree: str, before: Mapping[str, Any], patterns: Sequence[str], exclude: Sequence[str]
    ) -> list[Change] | None:
        """Give the files that changed since *tree*; nothing if nobody can tell."""
        from xpc.compiler.git_calls import GitError
        from xpc.runtime.diff_code import is_tree

        now = self._session.snapshot
        if not is_tree(tree) or (before and before["snapshot"]["prefix"] != now.prefix):
            return None
        try:
            return now.changes_since(tree, patterns, exclude)
        except GitError:
            return None

    def _told(self, changes: Sequence[Change], what: str = "") -> list[str]:
        """Name one file; a new one only where all are new: it may be a figure that nothing reads."""
        if not changes:
            return []
        first, more = min(changes, key=lambda change: change.verb == "added"), len(changes) - 1
        text = f"{what}{visible(self._session.snapshot.shown(first.path))} {first.verb} ({first.ids})"
        return [text + (f" and {more:,} more" if more else "")]

    # -------------------------------------------------------------- environment and inputs

    def _environment(self, planned: PlannedExperiment, before: Mapping[str, Any]) -> list[str]:
        from xpc.compiler.plan_json import environment_json

        now = environment_json(planned.compiled.environment)
        then = _of(before, planned).get("environment")
        return list(environment_changes(then, now)) or ["environment changed"]

    def _inputs(self, planned: PlannedExperiment, snapshot: str, before: Mapping[str, Any]) -> list[str]:
        """Name the inputs that differ: by the contents that the build knew, else by the files of its snapshot."""
        then, known = _of(before, planned), _of(before, planned).get("input_contents")
        now, paths = planned.contents, self._paths(planned)
        causes: list[str] = []
        if isinstance(known, Mapping) and isinstance(then.get("inputs"), Mapping):
            for name in sorted({*then["inputs"], *now}, key=str):
                if name not in now or name not in then["inputs"]:
                    causes.append(f"input {visible(str(name))} {'added' if name in now else 'removed'}")
                elif known.get(name) != now[name]:
                    causes.append(f"input {paths[name]} changed")
        else:
            plain = [path for name, path in paths.items() if now[name] is not None]
            changes = self._changed(snapshot, before, plain, ()) if plain else []
            causes += self._told(changes or [], "input ")
        if before and before.get("links") != [{"name": link.name, "path": link.path} for link in self._plan.links]:
            causes.append("linked folders changed")
        return causes or ["inputs changed"]

    def _paths(self, planned: PlannedExperiment) -> dict[str, str]:
        """Give the paths of inputs as they are written."""
        inputs = planned.compiled.experiment.inputs
        return {file.name: visible(file.path.span.text.strip("\"'")) for file in inputs}


def _of(plan: Mapping[str, Any], planned: PlannedExperiment) -> Mapping[str, Any]:
    """Give what an earlier plan says of an experiment; nothing if it is gone."""
    found = plan.get("experiments", {}).get(planned.compiled.experiment.name)
    return found if isinstance(found, Mapping) else {}


def fingerprint_fields(planned: PlannedExperiment) -> dict[str, str]:
    """Give the fingerprint as records have it."""
    found = planned.fingerprint
    return {part: getattr(found, part) for part in PARTS}
