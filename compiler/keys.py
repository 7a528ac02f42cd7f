"""Values as they are written, one after another, to a table of keys: merging (rule 1), and types that hold (rule 4)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, final

from ..grammar import tree
from ..grammar.diagnostic import Diagnostics, Label
from ..grammar.node import Node
from ..grammar.source import Span
from .nearest import did_you_mean, line_meant
from .types import MISMATCH, NAMED, convert, label, named
from .values import Path, Type, Value, dotted, type_of


@final
class Unknown:
    """The value of a key whose expression could not be read; it has been reported."""

    __slots__ = ()


UNKNOWN: Final = Unknown()


class Late(Node):
    """An expression that names other keys: it is compiled once it is known which keys there are."""

    expr: tree.Expr


Given = Value | Late | Unknown


class Set(Node):
    """One value as it was written: *key_span* is where the key stands, *span* where the value does."""

    path: Path
    key_span: Span
    value: Given
    span: Span


class Draft(Node):
    """A key and what it has so far."""

    type: Type
    value: Given
    given: Span
    first: Span


class KeyTable:
    """Keys in the order in which they were first given."""

    __slots__ = ("drafts", "groups")

    def __init__(self, other: KeyTable | None = None) -> None:
        self.drafts: dict[Path, Draft] = dict(other.drafts) if other else {}
        self.groups: dict[Path, Path] = dict(other.groups) if other else {}  # each with one key below it

    def put(self, given: Set, diagnostics: Diagnostics) -> None:
        """Set a key; what does not fit there is reported and left out."""
        path, value = given.path, given.value
        if path in self.groups:
            if value != {} and not isinstance(value, Unknown):
                self._group_takes_no_value(given, diagnostics)
            return
        draft = self.drafts.get(path)
        if draft is None:
            if self._may_hold(given, diagnostics):
                kind = "any" if isinstance(value, Late | Unknown) else type_of(value)
                self._add(path, Draft(kind, value, given.span, given.span))
            return
        converted = fitted(given, draft.type, draft.first, diagnostics)
        if not isinstance(converted, Unknown):
            self.drafts[path] = Draft(draft.type, converted, given.span, draft.first)

    def _add(self, path: Path, draft: Draft) -> None:
        self.drafts[path] = draft
        for n in range(1, len(path)):
            self.groups.setdefault(path[:n], path)

    def _may_hold(self, given: Set, diagnostics: Diagnostics) -> bool:
        """A key below a value: an empty map or a null makes room, anything else is a mistake."""
        for n in range(1, len(given.path)):
            above = given.path[:n]
            draft = self.drafts.get(above)
            if draft is None:
                continue
            if draft.value is None or draft.value == {}:
                del self.drafts[above]
                continue
            if not isinstance(draft.value, Unknown):
                name, inner = dotted(above), dotted(given.path)
                diagnostics.error(
                    "XP050",
                    given.key_span,
                    f"`{inner}` cannot be set: `{name}` is a value, not a group of keys",
                    "below a value",
                    labels=[Label(draft.given, "it was given here")],
                )
            return False
        return True

    def _group_takes_no_value(self, given: Set, diagnostics: Diagnostics) -> None:
        name, below = dotted(given.path), self.groups[given.path]
        what = "value" if isinstance(given.value, Late | Unknown) else label(given.value)
        diagnostics.error(
            "XP050",
            given.span,
            f"`{name}` is a group of keys and takes no value",
            what,
            labels=[Label(self.drafts[below].first, f"`{dotted(below)}` was given here")],
            help=f"set its keys, such as `{dotted(below)} = …`",
        )

    def knows(self, path: Path) -> bool:
        """Tell whether a key, a group of keys, or a map's inside is called so."""
        if path in self.drafts or path in self.groups:
            return True
        return any(path[:n] in self.drafts and self.drafts[path[:n]].value == {} for n in range(1, len(path)))

    def names(self) -> list[str]:
        return [dotted(path) for path in (*self.drafts, *self.groups)]


def fitted(given: Set, wanted: Type, first: Span, diagnostics: Diagnostics) -> Given:
    """Give a value as a key of type *wanted* holds it; ``UNKNOWN`` if it does not fit, which is reported."""
    value = given.value
    if isinstance(value, Late | Unknown):
        return value
    converted = convert(value, wanted)
    if converted is not MISMATCH:
        return converted  # type: ignore[return-value]  # the only other thing it can be
    diagnostics.error(
        "XP034",
        given.span,
        f"`{dotted(given.path)}` is {NAMED[wanted]}, but this is {named(value)}",
        label(value),
        labels=[Label(first, "it was first given here")],
        help=cure(value, wanted, first),
    )
    return UNKNOWN


def cure(value: Value, wanted: Type, first: Span) -> tuple[str, ...]:
    """Give the line that says how a value of another type is written right."""
    match wanted, value:
        case _, list():
            return ("for an axis, write `in` instead of `=` in a grid",)
        case "int", float() if first.text.lstrip("+-").isdigit():
            return (f"write `{first.text}.0` there, if the key is a float",)
        case (("int" | "float"), str()) if _is_number(value):
            return (f"write `{value}` without quotes",)
        case "bool", str() if value.lower() in ("true", "false"):
            return (f"write `{value.lower()}` without quotes",)
        case "bool", int() if value in (0, 1):
            return (f"write `{'true' if value else 'false'}`",)
        case "text", bool() | int() | float():
            return ("put it in quotes",)
        case "size", int():
            return ("give it a unit, such as `4GiB`",)
        case "duration", int() | float():
            return ("give it a unit, such as `30min`",)
    return ()


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def unknown_key(
    path: Path,
    span: Span,
    owner: str,
    names: Iterable[str],
    diagnostics: Diagnostics,
    *,
    declare: str = "",
) -> None:
    """Report a key that *owner* (``config `base` ``) lacks; *declare* is the line that would make it a new one."""
    name = dotted(path)
    meant = line_meant(name, span, "in the experiment" if declare else "here")
    near = did_you_mean(name, names) if declare or not meant else ()
    new = f"to declare a new key write `{declare}`" if declare else ""
    if near and new:
        help: tuple[str, ...] = (*meant, f"{near[0]} T{new[1:]}")
    else:
        help = (*meant, *near, new) if new else (*meant, *near)
    diagnostics.error("XP021", span, f"unknown config key `{name}`", f"{owner} has no such key", help=help)


def has_names(node: object) -> bool:
    """Tell whether an expression names anything, or might: a text's ``${…}`` is compared with the keys there are."""
    if isinstance(node, tree.Name) or (isinstance(node, tree.Text) and node.shell):
        return True
    if isinstance(node, tuple):
        return any(map(has_names, node))
    if isinstance(node, tree.Number | tree.Constant | tree.Quantity | tree.Values | tree.Word | tree.Key | tree.Piece):
        return False
    return isinstance(node, Node) and any(has_names(getattr(node, name)) for name in type(node)._names())
