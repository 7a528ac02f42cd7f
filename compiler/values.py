"""The values that keys can have, and their types."""

from __future__ import annotations

from json.encoder import encode_basestring
from typing import Final, Literal, final

Value = None | bool | int | float | str | list["Value"] | dict[str, "Value"]
Path = tuple[str, ...]

Type = Literal["bool", "int", "float", "text", "list", "map", "size", "duration", "any"]


class Size(int):
    """A number of bytes that was written with a unit. Prints, hashes and serialises as the integer that it is."""

    __slots__ = ()


class Duration(float):
    """A number of seconds that was written with a unit."""

    __slots__ = ()


@final
class Absent:
    """The value of a key that a point does not have. It is not null: it is not part of the point at all."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "absent"


ABSENT: Final = Absent()


def type_of(value: Value) -> Type:
    """Give the type that a key gets from *value* (a null default: ``any``)."""
    match value:
        case None:
            return "any"
        case bool():
            return "bool"
        case Size():
            return "size"
        case Duration():
            return "duration"
        case int():
            return "int"
        case float():
            return "float"
        case str():
            return "text"
        case list():
            return "list"
        case dict():
            return "map"


def dotted(path: Path) -> str:
    """Give the name of a key, the same on every machine: what is no ASCII identifier is quoted, as in JSON."""
    return ".".join([s if s.isascii() and s.isidentifier() else encode_basestring(s) for s in path])
