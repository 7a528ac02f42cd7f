"""A request for OAR to what the cluster lacks of it, by what `oarnodes` lists: OAR itself can't be asked."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from .ask import Answer, ask

Resource = Mapping[str, Any]

GONE: Final = ("Dead",)
_TOKEN: Final = re.compile(r"'(?:[^']|'')*'|[A-Za-z_]\w*|\d+(?:\.\d+)?|<>|!=|<=|>=|\S")
_KEYWORDS: Final = frozenset(
    ("and", "or", "not", "in", "is", "null", "like", "ilike", "between", "true", "false", "similar", "to", "any", "all")
)
_COMPARISON: Final = re.compile(
    r"\s*\(*\s*([A-Za-z_]\w*)\s*(<>|!=|<=|>=|=|<|>)\s*('(?:[^']|'')*'|-?\d+(?:\.\d+)?)\s*\)*\s*"
)
_COMPARE: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "=": lambda a, b: a == b,
    "<>": lambda a, b: a != b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
}


@dataclass(frozen=True, slots=True)
class Lack:
    """What can't be granted, in a sentence, and the names of resources or options (`oar.NAME`) that asked for it."""

    said: str
    about: tuple[str, ...]
    known: tuple[str, ...] = ()  # where a name is unknown: those that there are
    name: str = ""


def list_resources() -> tuple[tuple[Resource, ...] | None, str]:
    """Give the cluster's resources, a mapping of properties each; nothing if OAR does not answer, and why."""
    answer = ask(["oarnodes", "-J"])
    found = read_resources(answer)
    return found, "" if found is not None else answer.said


def read_resources(answer: Answer) -> tuple[Resource, ...] | None:
    """Read the output of ``oarnodes -J``: an object of objects by id (a list of them on OAR 3)."""
    if not answer.fine:
        return None
    try:
        found = json.loads(answer.out)
    except ValueError:
        return None
    listed = found.values() if isinstance(found, dict) else found
    return tuple(each for each in listed if isinstance(each, dict))


def lacks(resources: Sequence[Resource], nodes: int, cores: int, gpus: int, condition: str) -> list[Lack]:
    """Give what a job would never get: *nodes* hosts with so many cores, or GPUs, each, among the resources that meet
    *condition* (an SQL condition; empty: all)."""
    properties = tuple(sorted({name for each in resources for name in each}))
    unknown = [name for name in names_in(condition) if name not in properties]
    if unknown:
        return [Lack(f"no resource has a property `{name}`", ("oar.property",), properties, name) for name in unknown]
    usable = [each for each in resources if each.get("state") not in GONE and each.get("type", "default") == "default"]
    meeting = [each for each in usable if meets(each, condition)]
    hosts: dict[str, list[Resource]] = {}
    for each in meeting:
        hosts.setdefault(str(each.get("network_address") or each.get("host")), []).append(each)
    if not hosts:
        return [Lack(f"no resource meets `{condition}`", ("oar.property", "gpus"))]
    what, count, name = ("GPU", gpus, "gpu") if gpus else ("core", cores, "core")
    most = sorted((_distinct(host, name) for host in hosts.values()), reverse=True)
    if most[0] < count:
        about = ("gpus",) if gpus else ("cpus", "tasks")
        return [Lack(f"the largest host has {_count(most[0], what)}, and {count:,} are asked for", about)]
    fit = sum(number >= count for number in most)
    if fit < nodes:
        said = f"{_count(fit, 'host')} of {len(most):,} {'has' if fit == 1 else 'have'} {_count(count, what)}"
        return [Lack(f"{said}, and {nodes:,} hosts are asked for", ("nodes",))]
    return []


def _distinct(host: Sequence[Resource], name: str) -> int:
    """Count the cores or GPUs of a host; 0 and nothing are no GPU."""
    values = {each.get(name) for each in host}
    if name == "gpu":
        values -= {None, 0, "0", ""}
    return len(values) if any(name in each for each in host) else len(host)


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


# ------------------------------------------------------------------ conditions


def names_in(condition: str) -> tuple[str, ...]:
    """Give the properties that an SQL condition names, in order."""
    tokens = _TOKEN.findall(condition)
    names = [
        token
        for token, following in zip(tokens, [*tokens[1:], ""], strict=False)
        if re.match(r"[A-Za-z_]", token) and token.lower() not in _KEYWORDS and following != "("
    ]
    return tuple(dict.fromkeys(names))


def meets(resource: Resource, condition: str) -> bool:
    """Tell whether a resource meets a condition; one that is more than comparisons joined by AND is not looked into."""
    parts = re.split(r"\bAND\b", condition, flags=re.IGNORECASE) if condition else []
    found = [_COMPARISON.fullmatch(part) for part in parts]
    return all(match is None or _holds(resource, *match.groups()) for match in found)


def _holds(resource: Resource, name: str, operator: str, literal: str) -> bool:
    value = resource.get(name)
    if value is None:
        return False
    if literal.startswith("'"):
        return _COMPARE[operator](str(value), literal[1:-1].replace("''", "'"))
    try:
        return _COMPARE[operator](float(value), float(literal))
    except (TypeError, ValueError):
        return False
