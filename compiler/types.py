"""Which values a key takes: a value and the type of its key to the value as the key holds it (rule 4)."""

from __future__ import annotations

from typing import Final, final

from .values import Type, Value, type_of

NAMED: Final[dict[Type, str]] = {
    "any": "null",
    "bool": "a bool",
    "duration": "a duration",
    "float": "a float",
    "int": "an int",
    "list": "a list",
    "map": "a map",
    "size": "a size",
    "text": "a text",
}
"""Each type with its article, as messages say it."""


@final
class Mismatch:
    """What ``convert`` gives for a value that its key cannot hold."""

    __slots__ = ()


MISMATCH: Final = Mismatch()


def convert(value: Value, wanted: Type) -> Value | Mismatch:
    """Give *value* as a key of type *wanted* holds it: an int becomes a float, null fits everywhere."""
    if value is None or wanted == "any":
        return value
    got = type_of(value)
    if got == wanted:
        return value
    if got == "int" and wanted == "float":
        return float(value)  # type: ignore[arg-type]  # an int, as `got` says
    return MISMATCH


def named(value: Value) -> str:
    """Give the type of *value* with its article."""
    return NAMED[type_of(value)]


def label(value: Value) -> str:
    """Give the type of *value* in one word, as it stands at a caret."""
    return "null" if value is None else type_of(value)


def common(values: list[Value]) -> list[Value]:
    """Give the values of an axis without a config: ints beside floats are floats, other mixtures stay as they are."""
    kinds = {type(value) for value in values}
    if int in kinds and float in kinds and kinds <= {int, float, type(None)}:
        return [float(value) if type(value) is int else value for value in values]
    return values
