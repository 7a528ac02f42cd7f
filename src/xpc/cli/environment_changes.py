"""The environments of two plans to the parts that differ, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from xpc.grammar.screen import visible


def environment_changes(then: Any, now: Mapping[str, Any]) -> Iterator[str]:
    """Name the parts of an environment that differ between two plans, as far as they can be told apart.

    What belongs to the place alone is none: the `setup` of a target, and the program that runs a container.
    """
    if not isinstance(then, Mapping):
        return
    old, new = then.get("container"), now["container"]
    if _inside(old) != _inside(new):
        images = [box.get("image") if isinstance(box, Mapping) else None for box in (old, new)]
        yield "container " + ("added" if old is None else "removed" if new is None else _between(*images))
    if _own_lines(then.get("setup")) != _own_lines(now["setup"]):
        yield "setup changed"
    had, has = then.get("variables"), now["variables"]
    if isinstance(had, Mapping):
        for name in sorted({*had, *has}):
            if had.get(name) != has.get(name):
                verb = "added" if name not in had else "removed" if name not in has else "changed"
                yield f"variable {visible(str(name))} {verb}"
    if isinstance(then.get("secrets"), list) and sorted(map(str, then["secrets"])) != sorted(now["secrets"]):
        yield "secrets changed"


def _own_lines(setup: Any) -> Any:
    """Give the `setup` lines without those of a target."""
    if not isinstance(setup, list):
        return setup
    return [line for line in setup if not (isinstance(line, Mapping) and line.get("target"))]


def _inside(container: Any) -> Any:
    """Give what of a container the program sees: image and mounts."""
    if not isinstance(container, Mapping):
        return container
    return {name: value for name, value in container.items() if name != "runtime"}


def _between(old: Any, new: Any) -> str:
    """Say from which image to which, where both are plain texts."""
    plain = [image[0] if isinstance(image, list) and len(image) == 1 else None for image in (old, new)]
    if old == new or not all(isinstance(image, str) for image in plain):
        return "changed"
    return f"changed ({visible(str(plain[0]))} → {visible(str(plain[1]))})"
