"""Done runs to what has changed since they ran: whether each would come out the same today, and why not.

Runs with the same fingerprint, snapshot and build are judged once, however many they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from xpc.grammar.screen import visible

if TYPE_CHECKING:
    from xpc.compiler.plan import Plan, PlannedExperiment
    from xpc.compiler.tree_changes import Change
    from xpc.runtime.accepted import Acceptance

    from .session import Session
    from .standing import Standings

PARTS: Final = ("command", "code", "environment", "inputs")
UNKNOWN: Final = "nobody knows with what it ran"

Fingerprint = Mapping[str, str]
Ran = tuple[tuple[tuple[str, str], ...], str, str]
"""With what a run ran: its fingerprint, the tree of its snapshot, its build."""


@dataclass(frozen=True, slots=True)
class Stale:
    """*why* a run is stale, and of which *kind* that is: the same for all runs of which there is no more to tell.

    *recorded* is the fingerprint that it ran with, *lineage* tells the parents' attempts that it should have read, if
    these are others.
    """

    why: str
    kind: str
    recorded: Any = None
    lineage: str = ""


@dataclass(frozen=True, slots=True)
class Attempts:
    """The done attempts of an experiment's runs, by row: what names each (nothing where none is done), and its time."""

    experiment: str
    ids: Sequence[str]
    nonces: Sequence[str | None]
    started: Sequence[Any]


class Freshness:
    """Why runs of *plan* are stale, if they are."""

    def __init__(self, session: Session, standings: Standings, plan: Plan) -> None:
        self._session = session
        self._store = standings.store
        self._plan = plan
        self._causes: dict[tuple[str, Ran], str] = {}
        self._changes: dict[tuple[str, str], list[Change] | None] = {}
        self._why: dict[str, dict[str, Stale]] = {}
        self._parents: dict[str, Attempts] = {}
        self._lineages: dict[tuple[str, ...], str] = {}

    def why(self, experiment: str) -> Mapping[str, Stale]:
        """Give, by id, what has changed since for each done run of the experiment that is stale."""
        if experiment not in self._why:
            self._why[experiment] = dict(self._stale(experiment))
        return self._why[experiment]

    def _stale(self, experiment: str) -> Iterator[tuple[str, Stale]]:
        planned = self._plan.experiments[experiment]
        rows = [planned.row(index) for index in range(planned.runs)]
        states = self._store.states(experiment, [planned.table.id(row) for row in rows])
        rows = [row for row, state in zip(rows, states, strict=True) if state == "done"]
        if not rows:
            return
        done, now = [planned.table.id(row) for row in rows], fingerprint_fields(planned)
        columns = (self._store.field(experiment, done, name) for name in ("fingerprint", "snapshot", "build"))
        again = self._parents_again(planned, rows, done)
        for id, recorded, snapshot, build in zip(done, *columns, strict=True):
            own = "" if recorded == now else self._cause(experiment, _ran(recorded, snapshot, build))
            parent = again.get(id)
            if own or parent is not None:
                for accepted in self._store.accepted.of(experiment, id, recorded) if own else ():
                    own = self._since(experiment, accepted, now)
                    if not own:
                        break
                if parent is not None and self._is_accepted(experiment, id, recorded, parent.lineage):
                    parent = None
            if own or parent is not None:
                yield id, _together(own, parent, recorded)

    def _since(self, experiment: str, accepted: Acceptance, now: Fingerprint) -> str:
        """Give what has changed since a run was accepted."""
        if accepted.fingerprint == now:
            return ""
        return self._cause(experiment, _ran(accepted.fingerprint, accepted.snapshot, ""))

    def _is_accepted(self, experiment: str, id: str, recorded: Any, lineage: str) -> bool:
        found = self._store.accepted.of(experiment, id, recorded)
        return any(each.lineage.get(id) == lineage for each in found)

    # -------------------------------------------------------------- parents

    def _parents_again(self, planned: PlannedExperiment, rows: Sequence[int], ids: Sequence[str]) -> dict[str, Stale]:
        """Find the done runs whose parents, all of them done, are not the attempts that the runs have read."""
        above = [(parents, self._attempts(parents.experiment)) for parents in planned.table.parents]
        if not above:
            return {}
        name, found = planned.compiled.experiment.name, {}
        columns = (self._store.field(name, ids, field) for field in ("lineage", "started"))
        for row, id, read, started in zip(rows, ids, *columns, strict=True):
            parents = [(them, parent) for ours, them in above for parent in ours.of(row)]
            nonces = tuple(them.nonces[parent] for them, parent in parents)
            if None in nonces:
                continue  # it is not done just now: what it gives then will tell
            later = [(them, parent) for them, parent in parents if _after(them.started[parent], started)]
            if (read != self._lineage(nonces)) if isinstance(read, str) else later:
                found[id] = _run_again(later or parents[:1], self._lineage(nonces))
        return found

    def _attempts(self, experiment: str) -> Attempts:
        if experiment not in self._parents:
            ids = list(self._plan.tables[experiment].ids())
            states = self._store.states(experiment, ids)
            nonces, started = (self._store.field(experiment, ids, name) for name in ("nonce", "started"))
            done = [str(nonce or "") if state == "done" else None for nonce, state in zip(nonces, states, strict=True)]
            self._parents[experiment] = Attempts(experiment, ids, done, started)
        return self._parents[experiment]

    def _lineage(self, nonces: tuple[Any, ...]) -> str:
        if nonces not in self._lineages:
            from xpc.runtime.shim.guard import lineage

            self._lineages[nonces] = lineage(nonces)
        return self._lineages[nonces]

    # -------------------------------------------------------------- what changed

    def _cause(self, experiment: str, ran: Ran) -> str:
        if (experiment, ran) not in self._causes:
            causes = self._parts(self._plan.experiments[experiment], *ran) if ran[0] else [UNKNOWN]
            self._causes[experiment, ran] = "; ".join(causes)
        return self._causes[experiment, ran]

    def _parts(
        self, planned: PlannedExperiment, then: Sequence[tuple[str, str]], snapshot: str, build: str
    ) -> list[str]:
        recorded, now = dict(then), fingerprint_fields(planned)
        differing = {part for part in PARTS if recorded.get(part) != now[part]}
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
    def _study(self) -> Any:
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
        if not changes:
            return []
        first, more = changes[0], len(changes) - 1
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


def _after(parent: Any, child: Any) -> bool:
    return isinstance(parent, str) and isinstance(child, str) and parent > child


def _together(own: str, parent: Stale | None, recorded: Any) -> Stale:
    """Put what has changed for a run and for its parents into one."""
    if parent is None:
        return Stale(own, own, recorded)
    join = "; ".join
    texts, kinds = filter(None, (own, parent.why)), filter(None, (own, parent.kind))
    return Stale(join(texts), join(kinds), recorded, parent.lineage)


def _run_again(parents: Sequence[tuple[Attempts, int]], lineage: str) -> Stale:
    """Name the parents that were run again."""
    first, row = parents[0]
    more = f" and {len(parents) - 1:,} more" if len(parents) > 1 else ""
    verb = "were" if more else "was"
    experiments = " and ".join(dict.fromkeys(them.experiment for them, _ in parents))
    return Stale(
        f"its parent {first.experiment} {first.ids[row][:7]}{more} {verb} run again",
        f"a parent in {experiments} was run again",
        lineage=lineage,
    )


def _ran(recorded: Any, snapshot: Any, build: Any) -> Ran:
    """Give what a record tells in a form that can be looked up; what makes no sense there is left out."""
    whole = isinstance(recorded, Mapping) and recorded and all(isinstance(part, str) for part in recorded.values())
    return (
        tuple(sorted(recorded.items())) if whole else (),
        snapshot if isinstance(snapshot, str) else "",
        build if isinstance(build, str) else "",
    )


def _of(plan: Mapping[str, Any], planned: PlannedExperiment) -> Mapping[str, Any]:
    """Give what an earlier plan says of an experiment; nothing if it is gone."""
    found = plan.get("experiments", {}).get(planned.compiled.experiment.name)
    return found if isinstance(found, Mapping) else {}


def environment_changes(then: Any, now: Mapping[str, Any]) -> Iterator[str]:
    """Name the parts of an environment that differ between two plans, as far as they can be told apart."""
    if not isinstance(then, Mapping):
        return
    old, new = then.get("container"), now["container"]
    if old != new:
        images = [box.get("image") if isinstance(box, Mapping) else None for box in (old, new)]
        yield "container " + ("added" if old is None else "removed" if new is None else _between(*images))
    if then.get("setup") != now["setup"]:
        yield "setup changed"
    had, has = then.get("variables"), now["variables"]
    if isinstance(had, Mapping):
        for name in sorted({*had, *has}):
            if had.get(name) != has.get(name):
                verb = "added" if name not in had else "removed" if name not in has else "changed"
                yield f"variable {visible(str(name))} {verb}"
    if isinstance(then.get("secrets"), list) and sorted(map(str, then["secrets"])) != sorted(now["secrets"]):
        yield "secrets changed"


def _between(old: Any, new: Any) -> str:
    """Say from which image to which, where both are plain texts."""
    plain = [image[0] if isinstance(image, list) and len(image) == 1 else None for image in (old, new)]
    if old == new or not all(isinstance(image, str) for image in plain):
        return "changed"
    return f"changed ({visible(str(plain[0]))} → {visible(str(plain[1]))})"


def fingerprint_fields(planned: PlannedExperiment) -> dict[str, str]:
    """Give the fingerprint as records have it."""
    found = planned.fingerprint
    return {part: getattr(found, part) for part in PARTS}
