"""Dotted names and their segments, as records and queries write them."""

from __future__ import annotations


def split_key(name: str) -> tuple[str, ...]:
    """Part ``optimizer."learning-rate"`` into its segments; quotes are removed."""
    if '"' not in name:
        return tuple(name.split("."))
    parts: list[str] = [""]
    quoted = False
    for char in name:
        if char == '"':
            quoted = not quoted
        elif char == "." and not quoted:
            parts.append("")
        else:
            parts[-1] += char
    return tuple(parts)


def plain_key(name: str) -> str:
    """Give a dotted name without quotes, which is how data formats name a column."""
    return name.replace('"', "")


def written(path: tuple[str, ...]) -> str:
    """Give a name as it is written in a query; a segment that is no identifier is quoted."""
    return ".".join(segment if segment.isidentifier() else f'"{segment}"' for segment in path)
