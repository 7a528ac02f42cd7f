"""Frozen value classes that cost microseconds to define.

A dataclass compiles its methods when its module is imported, half a millisecond each; the tree has seventy classes and
``xpc check`` a budget of a few dozen milliseconds. A ``Node`` has the same meaning (fields from annotations, frozen,
slots, equality by value), with methods that are shared instead of compiled.
"""

from __future__ import annotations

from typing import Any, ClassVar, Self, dataclass_transform

_MISSING = object()


@dataclass_transform(frozen_default=True)
class NodeType(type):
    """Turns the annotations of a class body into slots, with the defaults kept aside."""

    def __new__(mcs, name: str, bases: tuple[type, ...], space: dict[str, Any]) -> NodeType:
        fields = tuple(name for name in space.get("__annotations__", ()) if not name.startswith("_"))
        defaults = tuple(space.pop(field, _MISSING) for field in fields)
        space["__slots__"] = fields
        cls = super().__new__(mcs, name, bases, space)
        inherited = bases[0] if bases else None
        type.__setattr__(cls, "__match_args__", (*getattr(inherited, "__match_args__", ()), *fields))
        type.__setattr__(cls, "_defaults", (*getattr(inherited, "_defaults", ()), *defaults))
        return cls


class Node(metaclass=NodeType):
    """The base of every tree class."""

    _defaults: ClassVar[tuple[Any, ...]]

    def __init__(self, *args: Any, **named: Any) -> None:
        fields = self._names()
        put = object.__setattr__
        if len(args) > len(fields):
            raise TypeError(f"{type(self).__name__} takes {len(fields)} values, not {len(args)}")
        for field, value in zip(fields, args, strict=False):
            put(self, field, value)
        if len(args) < len(fields) or named:
            for field, default in zip(fields[len(args) :], self._defaults[len(args) :], strict=True):
                value = named.pop(field, default)
                if value is _MISSING:
                    raise TypeError(f"{type(self).__name__} lacks {field}")
                put(self, field, value)
            if named:
                raise TypeError(f"{type(self).__name__} has no {', '.join(named)}")

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen")

    @classmethod
    def _names(cls) -> tuple[str, ...]:
        names: tuple[str, ...] = getattr(cls, "__match_args__", ())
        return names

    def _values(self) -> tuple[Any, ...]:
        return tuple(getattr(self, field) for field in self._names())

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self._values() == other._values()

    def __hash__(self) -> int:
        return hash((type(self), *self._values()))

    def fields(self) -> dict[str, Any]:
        """Give the fields and their values, in order."""
        return dict(zip(self._names(), self._values(), strict=True))

    def replace(self, **named: Any) -> Self:
        """Give the same node with other values in the fields of *named*."""
        return type(self)(**(self.fields() | named))

    def __repr__(self) -> str:
        inside = ", ".join(f"{f}={v!r}" for f, v in zip(self._names(), self._values(), strict=True))
        return f"{type(self).__name__}({inside})"
