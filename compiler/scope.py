"""What a name means where it stands: a key, a group of keys, a ``let``, or one of the names that the place adds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final

from ..grammar import tree
from ..grammar.node import Node
from .files import Files, MemoryFiles
from .values import Path, Value, dotted


class World(Node):
    """What functions may read: files inside *roots* (relative to the Experimentfile's folder), and the environment."""

    files: Files = MemoryFiles()
    env: Mapping[str, str] = MappingProxyType({})
    roots: tuple[str, ...] = (".",)


class Key(Node):
    """A key, or a group of keys, whose value is a map; *rest* are names to look up inside the value."""

    path: Path
    rest: Path


class Inline(Node):
    """A ``let``, or a resource's own field: *expr* stands for the name; *rest* are names inside its value."""

    name: str
    expr: tree.Expr
    rest: Path


Meaning = Key | Inline

ELSEWHERE: Final[Mapping[str, str]] = {
    "attempt": "resources and run texts",
    "after": "run texts",
    "input": "run texts",
    "output": "run texts",
    "project": "run texts",
    "run": "run texts",
}
"""Names that mean something in other places only, and in which."""


class Scope:
    """The names that an expression may use.

    *keys* are known keys in order; *lets* are inlined where they are named and never hide a key; *fields* are a
    resource's own values, inlined too; *extra* are further names that stay names of the ``Code`` (``attempt``).
    An *open* scope takes every name for a key. *owner* says in messages who lacks a key: ``config `base` ``.
    A *silent* scope knows that keys are missing from it through another mistake and reports none.
    """

    __slots__ = ("_groups", "constants", "extra", "fields", "keys", "lets", "open", "owner", "silent", "world")

    def __init__(
        self,
        keys: Iterable[Path] = (),
        *,
        lets: Mapping[str, tree.Expr] | None = None,
        fields: Mapping[str, tree.Expr] | None = None,
        extra: Iterable[str] = (),
        open: bool = False,
        owner: str = "",
        silent: bool = False,
        world: World | None = None,
        constants: dict[str, Value] | None = None,
    ) -> None:
        self.keys: dict[Path, None] = dict.fromkeys(keys)
        self.lets: Mapping[str, tree.Expr] = lets or {}
        self.fields: Mapping[str, tree.Expr] = fields or {}
        self.extra = frozenset(extra)
        self.open = open
        self.owner = owner
        self.silent = silent
        self.world = world or World()
        self.constants: dict[str, Value] = {} if constants is None else constants
        self._groups: dict[Path, None] | None = None

    @property
    def groups(self) -> dict[Path, None]:
        """Every proper prefix of a known key, in order."""
        if self._groups is None:
            self._groups = {path[:n]: None for path in self.keys for n in range(1, len(path))}
        return self._groups

    def is_key(self, path: Path) -> bool:
        return path in self.keys

    def is_group(self, path: Path) -> bool:
        return path in self.groups

    def below(self, path: Path) -> tuple[Path, ...]:
        """Give the keys of a group, in config order."""
        return tuple(key for key in self.keys if len(key) > len(path) and key[: len(path)] == path)

    def find(self, path: Path, *, quoted: bool = False) -> tuple[Meaning, ...]:
        """Give what *path* means: nothing (unknown), one meaning, or several (the use is ambiguous)."""
        if not quoted and path[0] == "config" and len(path) > 1:
            exact = self._key(path[1:])
            return (exact,) if exact else self._found(self._key(path))
        if not quoted and path[0] == "run" and len(path) > 1 and self.known_field(path[1]):
            return self._found(self._local(path[1:]))
        key = self._key(path)
        local = None if quoted else self._local(path)
        if local is not None or key is not None:
            return self._found(local, key)
        if not quoted and path[0] in self.lets:
            return (Inline(path[0], self.lets[path[0]], path[1:]),)
        return (Key(path, ()),) if self.open and path[0] not in ELSEWHERE else ()

    def known_field(self, name: str) -> bool:
        return name in self.fields or name in self.extra

    @staticmethod
    def _found(*meanings: Meaning | None) -> tuple[Meaning, ...]:
        return tuple(meaning for meaning in meanings if meaning is not None)

    def _local(self, path: Path) -> Meaning | None:
        if path[0] in self.fields:
            return Inline(path[0], self.fields[path[0]], path[1:])
        return Key(path[:1], path[1:]) if path[0] in self.extra else None

    def _key(self, path: Path) -> Key | None:
        if path in self.keys or path in self.groups:
            return Key(path, ())
        for n in range(len(path) - 1, 0, -1):
            if path[:n] in self.keys and path[:n] not in self.groups:
                return Key(path[:n], path[n:])
        return None

    def names(self) -> list[str]:
        """Give every name that could have been meant, for suggestions."""
        every: list[Callable[[], Iterable[str]]] = [
            lambda: map(dotted, self.keys),
            lambda: map(dotted, self.groups),
            lambda: self.lets,
            lambda: self.fields,
            lambda: self.extra,
        ]
        return [name for names in every for name in names()]
