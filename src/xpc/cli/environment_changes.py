"""The environments of two plans to the parts that differ, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from xpc.grammar.screen import visible


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
