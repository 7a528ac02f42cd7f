"""What a comparison says to machines: the shape `xpc.against/1`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xpc.compiler.values import dotted

from .build_summary import asked

if TYPE_CHECKING:
    from xpc.compiler.against import Change, Rows
    from xpc.compiler.cost import Cost
    from xpc.compiler.plan_resources import Requests

    from .against import Told


def to_json(told: Told) -> dict[str, Any]:
    """Give everything, ids of runs included."""
    changes = told.comparison.changes
    before, now = told.comparison.costs
    return {
        "schema": "xpc.against/1",
        "against": {
            "revision": told.revision.name,
            "commit": told.revision.commit,
            "tree": told.revision.tree,
            "experimentfile": not told.new_study,
        },
        "snapshot": told.session.snapshot.tree,
        "runs": {
            "before": sum(change.runs[0] for change in changes),
            "now": sum(change.runs[1] for change in changes),
            **{name: sum(len(getattr(change, name)) for change in changes) for name in ("added", "dropped", "altered")},
        },
        "experiments": [_change(told, change) for change in changes],
        "kin": [
            {"experiment": kin.experiment, "lines": list(kin.lines), "runs": [list(pair) for pair in kin.runs]}
            for kin in told.comparison.kin
        ],
        "cost": {"before": _cost(before), "now": _cost(now), "difference": _difference(before, now)},
        "diagnostics": [
            {"code": d.code, "severity": d.severity, "message": d.message} for d in told.session.diagnostics.sorted()
        ],
    }


def _change(told: Told, change: Change) -> dict[str, Any]:
    standing = told.standings[change.name]
    before, now = change.shares
    return {
        "name": change.name,
        "status": change.status,
        "runs": {"before": change.runs[0], "now": change.runs[1]},
        "added": list(change.added),
        "added_done": list(standing.added),
        "dropped": list(change.dropped),
        "dropped_done": list(standing.dropped),
        "altered": list(change.altered),
        "altered_by": [*change.parts, *(["request"] if change.requests else [])],
        "stale": list(standing.stale),
        "values": [
            {"key": dotted(value.key), "before": _values(value.before), "now": _values(value.now)}
            for value in change.values
        ],
        "command": None if change.texts is None else {"before": change.texts[0], "now": change.texts[1]},
        "inputs": list(change.inputs),
        "code": {
            "differs": change.is_code_other,
            "added": list(change.code.added),
            "changed": list(change.code.changed),
            "dropped": list(change.code.dropped),
        },
        "requests": [
            {"runs": of.runs, "before": _requests(of.before), "now": _requests(of.now)} for of in change.requests
        ],
        "arrays": {"before": before.arrays, "now": now.arrays},
        "throttle": {"before": list(before.throttles), "now": list(now.throttles)},
        "fingerprint": {"before": _fingerprint(change.before), "now": _fingerprint(change.now)},
        "cost": {
            "before": _cost(before.cost),
            "now": _cost(now.cost),
            "difference": _difference(before.cost, now.cost),
        },
    }


def _values(values: tuple[Any, ...] | None) -> list[Any] | None:
    return None if values is None else list(values)


def _requests(requests: Requests) -> list[dict[str, Any]]:
    return [{**request.json(), "text": asked(request)} for request in requests]


def _fingerprint(side: Rows | None) -> dict[str, str] | None:
    return None if side is None else side.planned.fingerprint.fields()


def _cost(cost: Cost) -> dict[str, float | int | None]:
    return {"core_hours": cost.core_hours, "gpu_hours": cost.gpu_hours, "inodes": cost.inodes}


def _difference(before: Cost, now: Cost) -> dict[str, float | int | None]:
    def less(a: float | None, b: float | None) -> float | None:
        return None if a is None or b is None else round(b - a, 3)

    return {
        "core_hours": less(before.core_hours, now.core_hours),
        "gpu_hours": less(before.gpu_hours, now.gpu_hours),
        "inodes": now.inodes - before.inodes,
    }
