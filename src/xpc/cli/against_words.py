"""What a comparison says in words: values of keys, files, requests, costs; the same for every format."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from xpc.compiler.describe import varying
from xpc.compiler.findings import value_text
from xpc.compiler.format import format_value
from xpc.compiler.values import Absent, dotted

from .build_summary import asked
from .output import count

if TYPE_CHECKING:
    from xpc.compiler.against import Change, CodeChange, RequestChange, Rows
    from xpc.compiler.against_values import ValueChange
    from xpc.compiler.kinship import Kinship
    from xpc.compiler.plan_resources import Requests
    from xpc.compiler.values import Value

    from .against import Standing, Told

MOST_VALUES: Final = 8
MOST_FILES: Final = 6
MOST_RUNS: Final = 20
MOST_REQUESTS: Final = 3


class Fact(NamedTuple):
    """Something to say of an experiment; *quoted*: the words hold what users wrote."""

    about: str
    words: str
    quoted: bool = False


def facts(told: Told, change: Change) -> Iterator[Fact]:
    """Give what is to be said of an experiment."""
    standing = told.standings[change.name]
    for value in change.values:
        yield Fact(dotted(value.key), value_words(value), quoted=True)
    if change.before is None or change.now is None:
        yield from _whole(change, standing)
        return
    if standing.added:
        yield Fact("added", f"{_of(len(standing.added), len(change.added))} done already")
    if standing.dropped:
        yield Fact("dropped", _dropped(standing, change))
    for part in change.parts:
        yield Fact(part, part_words(change, part), quoted=True)
    if change.is_code_other:
        yield Fact("code", code_words(change.code), quoted=True)
    if standing.stale:
        runs = count(len(standing.stale), "done run")
        yield Fact("stale", f"{runs} will be stale: {_and(reasons(change))} changed")
    yield from _asked(change)


def _asked(change: Change) -> Iterator[Fact]:
    for request in change.requests[:MOST_REQUESTS]:
        yield Fact("request", request_words(request))
    if len(change.requests) > MOST_REQUESTS:
        yield Fact("request", f"and {len(change.requests) - MOST_REQUESTS} more such changes")
    was, is_ = change.shares
    if was.arrays != is_.arrays:
        yield Fact("arrays", f"{was.arrays} → {is_.arrays}")
    if was.throttles != is_.throttles:
        yield Fact("throttle", f"{_throttle(was.throttles)} → {_throttle(is_.throttles)}")


def reasons(change: Change) -> list[str]:
    """Give what makes done runs stale."""
    return [*change.parts, *(["code"] if change.is_code_other else [])]


def _of(some: int, all: int) -> str:
    if some == all:
        return "it is" if all == 1 else f"all {all:,} are"
    return f"{some:,} of {all:,} {'is' if some == 1 else 'are'}"


def _whole(change: Change, standing: Standing) -> Iterator[Fact]:
    """Tell of an experiment that is new, or gone."""
    if change.now is not None:
        done = f", {_of(len(standing.added), len(change.added))} done already" if standing.added else ""
        yield Fact("new", f"{count(len(change.added), 'run')}{done}")
        return
    done = f", {_dropped(standing, change)}" if standing.dropped else ""
    yield Fact("gone", f"{count(len(change.dropped), 'run')}{done}")


def _dropped(standing: Standing, change: Change) -> str:
    done = len(standing.dropped)
    return f"{_of(done, len(change.dropped))} done; {'its record stays' if done == 1 else 'their records stay'}"


def kin_words(kin: Kinship) -> list[tuple[str, bool]]:
    """Say which added runs are dropped ones with a key more, and which lines keep them; quoted parts are marked."""
    added = [(line.removeprefix("ignore ").replace(" == ", " = ", 1), True) for line in kin.lines]
    verb = "is" if len(kin.runs) == 1 else "are"
    keeps = "keeps" if len(kin.lines) == 1 else "keep"
    return [
        (f"{count(len(kin.runs), 'run')} of ", False),
        (kin.experiment, True),
        (f" {verb} new only because ", False),
        *_joined(added),
        (" was added: " if len(kin.lines) == 1 else " were added: ", False),
        *_joined([(line, True) for line in kin.lines]),
        (f" in the experiment {keeps} {'it' if len(kin.runs) == 1 else 'them'}", False),
    ]


def _joined(parts: Sequence[tuple[str, bool]]) -> Iterator[tuple[str, bool]]:
    for number, part in enumerate(parts):
        if number:
            yield " and ", False
        yield part


def value_words(change: ValueChange) -> str:
    """Give `+ 0.001`, `0.1 → 0.2`, `a new key, "none"`."""
    if change.before is None:
        return f"a new key, {values_text(change.now or ())}"
    if change.now is None:
        return f"gone, was {values_text(change.before)}"
    if len(change.before) == 1 == len(change.now):
        return f"{value_text(change.before[0])} → {value_text(change.now[0])}"
    parts = []
    if change.added:
        parts.append(f"+ {values_text(change.added)}")
    if change.dropped:
        parts.append(f"− {values_text(change.dropped)}")
    return "   ".join(parts)


def values_text(values: Sequence[Value]) -> str:
    return _listed([value_text(value) for value in values], MOST_VALUES)


def _listed(texts: Sequence[str], most: int) -> str:
    more = f" and {len(texts) - most:,} more" if len(texts) > most + 1 else ""
    return ", ".join(texts[:most] if more else texts) + more


def _and(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def part_words(change: Change, part: str) -> str:
    if part == "command" and change.texts is not None and "\n" not in "".join(change.texts):
        return " → ".join(change.texts)
    if part == "inputs" and change.inputs:
        return f"{_listed(change.inputs, MOST_FILES)} changed"
    return "changed" if part != "command" else "what its names stand for changed"


def code_words(code: CodeChange) -> str:
    said = [(code.changed, "changed"), (code.added, "added"), (code.dropped, "removed")]
    return "; ".join(f"{_listed(files, MOST_FILES)} {word}" for files, word in said if files) or "other files count"


def request_words(change: RequestChange) -> str:
    was, is_ = requests_text(change.before), requests_text(change.now)
    text = f"{was} → {is_}" if was != is_ else f"{was} → other options"
    return f"{text} ({count(change.runs, 'run')})" if change.runs else text


def requests_text(requests: Requests) -> str:
    """Give what the first attempt asks for; that later ones ask for more is said with `…`."""
    return asked(requests[0]) + (" …" if len(requests) > 1 else "")


def _throttle(of: Sequence[int | None]) -> str:
    return ", ".join("none" if one is None else f"{one:,} at once" for one in of) or "none"


# ------------------------------------------------------------------ runs


def run_lines(change: Change, length: int, most: int = MOST_RUNS) -> tuple[list[tuple[str, str, str]], int]:
    """Give sign, short id and differing values of the runs that are not the same, and how many are left out."""
    found: list[tuple[str, str, str]] = []
    total = 0
    for sign, ids, side in (
        ("+", change.added, change.now),
        ("−", change.dropped, change.before),
        ("~", change.altered, change.now),
    ):
        total += len(ids)
        if side is not None and ids and len(found) < most:
            keys = varying([(side.planned.table, list(side.by_id.values()))])
            found += [(sign, id[:length], _values(side, id, keys)) for id in ids[: most - len(found)]]
    return found, total - len(found)


def _values(side: Rows, id: str, keys: Sequence[tuple[str, ...]]) -> str:
    row = side.by_id[id]
    pairs = [(key, side.planned.table.value(key, row)) for key in keys]
    return " ".join(f"{dotted(key)}={format_value(value)}" for key, value in pairs if not isinstance(value, Absent))


# ------------------------------------------------------------------ cost


def hours(amount: float | None) -> str:
    return "no limit" if amount is None else _number(amount)


def _number(amount: float) -> str:
    return f"{amount:,.0f}" if amount >= 1000 else f"{amount:.4g}"


def difference(before: float | None, now: float | None) -> str:
    """Give `+79`, `−3`; nothing where it can't be said."""
    if before is None or now is None or now == before:
        return ""
    return f"{'+' if now > before else '−'}{_number(abs(now - before))}"


def amount(before: float | None, now: float | None) -> str:
    """Give `401 → 480 (+79)`, or one number if it is the same."""
    if before == now:
        return hours(now)
    said = difference(before, now)
    return f"{hours(before)} → {hours(now)}" + (f" ({said})" if said else "")
