"""Two runs side by side: what of their config, code, metrics and course differs, as data and as a text."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ..grammar.screen import visible
from . import quantities
from .cell_text import plain
from .diff_code import FileChange
from .environments import Change, change_rows, changes
from .query.values import frozen, shown

Found = Mapping[str, Any]  # what `show.run_record` gives
MISSING: Final = "—"
COURSE: Final = ("status", "reason", "attempt", "exit", "signal", "duration", "cpu_time", "peak_memory", "host")
HEAD: Final = 10  # columns of a section's name
OTHERS: Final = {"command": "the command", "environment": "the environment", "inputs": "the inputs"}


@dataclass(frozen=True, slots=True)
class Pair:
    """What two runs have under one name; *missing* says which of them, 0 or 1, has nothing of that name."""

    name: str
    values: tuple[Any, Any]
    missing: tuple[bool, bool] = (False, False)

    @property
    def same(self) -> bool:
        return self.missing[0] == self.missing[1] and frozen(self.values[0]) == frozen(self.values[1])

    def record(self) -> dict[str, Any]:
        """Give the JSON form: a run that has nothing of that name is left out."""
        return {side: value for side, value, gone in zip("ab", self.values, self.missing, strict=True) if not gone}


@dataclass(frozen=True, slots=True)
class Difference:
    """*code* are the files that differ, or why nobody can tell; *others* the parts of a fingerprint that differ; of
    *environment*, what the runs ran in, nothing is known if one of them did not record it."""

    runs: tuple[Found, Found]
    config: tuple[Pair, ...]
    metrics: tuple[Pair, ...]
    course: tuple[Pair, ...]
    code: tuple[FileChange, ...] | str
    others: tuple[str, ...]
    environment: tuple[Change, ...] | None = None

    def record(self) -> dict[str, Any]:
        """Give the JSON form, `xpc.diff/1`."""
        said: dict[str, Any] = {"schema": "xpc.diff/1"}
        for side, run in zip("ab", self.runs, strict=True):
            said[side] = {name: run.get(name) for name in ("id", "experiment", "status", "snapshot")}
        said["config"] = {pair.name: pair.record() for pair in self.config if not pair.same}
        files = [] if isinstance(self.code, str) else self.code
        said["code"] = [{"path": f.path, "added": f.added, "deleted": f.deleted} for f in files]
        said["code_unknown"] = self.code if isinstance(self.code, str) else None
        said["others"] = list(self.others)
        said["environment"] = None if self.environment is None else [change.record() for change in self.environment]
        said["metrics"] = {pair.name: pair.record() for pair in self.metrics}
        said["course"] = {pair.name: pair.record() for pair in self.course}
        return said


def difference(one: Found, other: Found, code: Sequence[FileChange] | str) -> Difference:
    """Compare two runs; *code* says how their snapshots differ, or why nobody can tell."""
    return Difference(
        runs=(one, other),
        config=_pairs(one["config"], other["config"]),
        metrics=_pairs(one.get("metrics", {}), other.get("metrics", {})),
        course=_pairs(*({name: run[name] for name in COURSE if run.get(name) is not None} for run in (one, other))),
        code=code if isinstance(code, str) else tuple(code),
        others=_other_parts(one.get("fingerprint"), other.get("fingerprint")),
        environment=_environment(one.get("environment"), other.get("environment")),
    )


def _other_parts(one: object, other: object) -> tuple[str, ...]:
    if not isinstance(one, dict) or not isinstance(other, dict):
        return ()
    return tuple(name for name in OTHERS if one.get(name) != other.get(name))


def _environment(one: object, other: object) -> tuple[Change, ...] | None:
    return tuple(changes(one, other)) if isinstance(one, dict) and isinstance(other, dict) else None


def _pairs(one: Mapping[str, Any], other: Mapping[str, Any]) -> tuple[Pair, ...]:
    names = dict.fromkeys((*one, *other))
    return tuple(Pair(name, (one.get(name), other.get(name)), (name not in one, name not in other)) for name in names)


# ------------------------------------------------------------------ for people


def render_difference(found: Difference) -> str:
    """Give sections of aligned lines, `old → new`; what is the same is left out, but for the metrics."""
    config = {visible(pair.name): _change(pair) for pair in found.config if not pair.same}
    lines = [
        *_experiments(found),
        *_section("config", config or {"the same": ""}),
        *_section("code", _code(found)),
        *_section("ran in", dict(change_rows(found.environment or ()))),
        *_section("metrics", {visible(pair.name): _change(pair) for pair in found.metrics}),
        *_section("", {visible(pair.name): _change(pair) for pair in found.course if not pair.same}),
    ]
    return "\n".join(lines)


def _experiments(found: Difference) -> list[str]:
    names = [run["experiment"] for run in found.runs]
    return _section("run", {"experiment": " → ".join(names)}) if names[0] != names[1] else []


def _section(title: str, lines: Mapping[str, str]) -> list[str]:
    width = max(map(len, lines), default=0)
    heads = [title, *[""] * (len(lines) - 1)]
    shown = zip(heads, lines.items(), strict=False)
    return [f"{head.ljust(HEAD)}{name.ljust(width)}   {text}".rstrip() for head, (name, text) in shown]


def _code(found: Difference) -> dict[str, str]:
    lines = {OTHERS[name]: "differs" if name in ("command", "environment") else "differ" for name in found.others}
    if isinstance(found.code, str):
        return {found.code: "", **lines}
    files = {visible(file.path): _counts(file) for file in found.code}
    if files:
        first = next(iter(files))
        files[first] += "        (`--code` shows it)"
    return {**(files or {"the same": ""}), **lines}


def _counts(file: FileChange) -> str:
    return "differs" if file.added is None or file.deleted is None else f"+{file.added} −{file.deleted}"


def _change(pair: Pair) -> str:
    sides = list(zip(pair.values, pair.missing, strict=True))
    texts = [MISSING if gone else _text(pair.name, value) for value, gone in sides]
    if not pair.same and texts[0] == texts[1]:  # what differs is in digits that nobody reads otherwise
        texts = [MISSING if gone else _exact(pair.name, value) for value, gone in sides]
    return texts[0] if pair.same else " → ".join(texts)


def _exact(name: str, value: Any) -> str:
    unit = " s" if name in ("duration", "cpu_time") else " B" if name == "peak_memory" else ""
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, str) else shown(value)
    return f"{visible(text)}{unit}"


def _text(name: str, value: Any) -> str:
    if name in ("duration", "cpu_time") and isinstance(value, (int, float)):
        return quantities.duration(value)
    if name == "peak_memory" and isinstance(value, (int, float)):
        return quantities.size(value)
    return f"{value:.6g}" if isinstance(value, float) else plain(value)
