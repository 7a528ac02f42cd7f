"""YAML text to values with their places, read by the core rules of YAML 1.2, and only what configs need of it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import yaml

from ..grammar.diagnostic import Diagnostics, Label
from ..grammar.source import Source, Span
from .values import Value

MOST_NODES: Final = 1_000_000
DEEPEST: Final = 100

_NULL: Final = re.compile(r"~|null|Null|NULL|")
_BOOL: Final = re.compile(r"true|True|TRUE|false|False|FALSE")
_INT: Final = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_SPECIAL: Final = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


class Node(NamedTuple):
    """A scalar or a list, and its place."""

    value: Value
    span: Span


class Mapping(NamedTuple):
    """A mapping: its keys in order, each with its place and what it holds."""

    entries: tuple[tuple[str, Span, Node | Mapping], ...]
    span: Span


def load_yaml(source: Source, diagnostics: Diagnostics) -> Mapping | None:
    """Give the mapping that *source* holds (an empty file: an empty one); nothing if there is a fault."""
    reader = _Reader(source, diagnostics)
    try:
        found = reader.document()
    except yaml.MarkedYAMLError as fault:
        reader.ill_formed(fault)
        return None
    except yaml.reader.ReaderError as fault:
        where = source.span(fault.position, fault.position + 1)
        reader.error("XP101", where, f"`{source.name}` holds a character that YAML does not take", "this one")
        return None
    except _StopError:
        return None
    if reader.failed:
        return None
    if isinstance(found, Mapping):
        return found
    if found.value is None:
        return Mapping((), found.span)
    message = f"`{source.name}` holds no mapping of keys"
    reader.error("XP103", found.span, message, "not `key: value`")
    return None


class _StopError(Exception):
    """Reading on makes no sense; why has been reported."""


class _Anchored(NamedTuple):
    """What an alias may stand for, and how many values that is."""

    node: Node | Mapping
    total: int


class _Reader:
    """One text on its way to values, event by event, so that no nesting is deeper than the limit."""

    def __init__(self, source: Source, diagnostics: Diagnostics) -> None:
        self.source = source
        self.diagnostics = diagnostics
        self.failed = False
        self.count = 0
        self.depth = 0
        self.anchors: dict[str, _Anchored] = {}
        self.open: list[str] = []
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        self.events: Iterator[Any] = yaml.parse(source.text, Loader=loader)

    def error(
        self, code: str, span: Span, message: str, label: str, *, help: str = "", first: Span | None = None
    ) -> None:
        self.failed = True
        labels = [Label(first, "the first")] if first is not None else []
        self.diagnostics.error(code, span, message, label, labels=labels, help=help or ())

    def ill_formed(self, fault: yaml.MarkedYAMLError) -> None:
        mark = fault.problem_mark if fault.problem_mark is not None else fault.context_mark
        last = max(len(self.source.text) - 1, 0)
        at = min(mark.index, last) if mark is not None else 0
        problem = (fault.problem or "it cannot be read").rstrip(".")
        if "\t" in self.source.text[at : at + 1]:
            problem = "a tab cannot indent"
        self.error("XP101", self.source.span(at, at + 1), f"`{self.source.name}` is no YAML: {problem}", "here")

    def span(self, event: Any) -> Span:
        """Give the place of a scalar; of a list or a mapping, as far as its first line goes."""
        start, end, text = event.start_mark.index, event.end_mark.index, self.source.text
        if getattr(event, "style", None) in ("|", ">"):
            line_end = text.find("\n", start)
            end = min(end, len(text) if line_end < 0 else line_end)
        return self.source.span(start, max(end, min(start + 1, len(text))))

    # -------------------------------------------------------------- nodes

    def document(self) -> Node | Mapping:
        """Give the one document of the text."""
        found: Node | Mapping | None = None
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                if found is not None:
                    at = self.span(event).start
                    message = f"`{self.source.name}` holds several documents"
                    self.error("XP103", self.source.span(at, at + 3), message, "the second")
                    raise _StopError
                found = self.node(next(self.events))
        return Node(None, self.source.span(0, 0)) if found is None else found

    def node(self, event: Any) -> Node | Mapping:
        """Give what starts with *event*."""
        span = self.span(event)
        if isinstance(event, yaml.AliasEvent):
            return self.alias(str(event.anchor), span)
        before = self.count
        self.counted(1, span)
        if event.anchor is not None:
            self.open.append(event.anchor)
        if self.depth >= DEEPEST:
            self.error("XP105", span, f"`{self.source.name}` is nested more than {DEEPEST} deep", "too deep")
            raise _StopError
        self.depth += 1
        found = self.inside(event, span)
        self.depth -= 1
        if event.anchor is not None:
            self.open.pop()
            self.anchors[event.anchor] = _Anchored(found, self.count - before)
        return found

    def counted(self, more: int, span: Span) -> None:
        self.count += more
        if self.count > MOST_NODES:
            message = f"`{self.source.name}` grows to more than {MOST_NODES:,} values by its aliases"
            self.error("XP105", span, message, "too many")
            raise _StopError

    def alias(self, name: str, span: Span) -> Node | Mapping:
        if name in self.open:
            self.error("XP105", span, "an alias holds itself", "without end")
            return Node(None, span)
        if name not in self.anchors:
            self.error("XP101", span, f"`{self.source.name}` is no YAML: there is no anchor `{name}`", "an alias")
            return Node(None, span)
        self.counted(self.anchors[name].total, span)
        return self.anchors[name].node

    def inside(self, event: Any, span: Span) -> Node | Mapping:
        if event.tag is not None and event.tag != "!":
            self.error("XP103", span, "tags are not read", "a tag", help="write the value itself, a text in quotes")
        if isinstance(event, yaml.ScalarEvent):
            plain = event.implicit[0] and event.tag is None
            return Node(self.scalar(event.value, span) if plain else event.value, span)
        if isinstance(event, yaml.SequenceStartEvent):
            items: list[Value] = []
            while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
                items.append(_value(self.node(event)))
            return Node(items, self.closed(span, event))
        return Mapping(tuple(self.entries()), span)

    def closed(self, span: Span, end: Any) -> Span:
        """Give the place of a list: to its bracket, if that stands on the same line."""
        text = self.source.text[span.start : end.end_mark.index]
        return span if "\n" in text else self.source.span(span.start, span.start + len(text))

    def entries(self) -> Iterator[tuple[str, Span, Node | Mapping]]:
        """Give the entries of the mapping that has begun."""
        seen: dict[str, Span] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            span = self.span(event)
            name = self.key(event, span)
            value = self.node(next(self.events))
            if name is None:
                continue
            if name in seen:
                self.error("XP102", span, f"the key `{name}` stands twice in one mapping", "again", first=seen[name])
                continue
            seen[name] = span
            yield name, span, value

    def key(self, event: Any, span: Span) -> str | None:
        """Give the text of a key; one of another type is reported."""
        failed = self.failed
        if isinstance(event, yaml.ScalarEvent) and event.value == "<<" and event.implicit[0]:
            help = "write a config that inherits, or repeat the keys"
            self.error("XP103", span, "merge keys are not part of YAML 1.2", "a merge key", help=help)
            return None
        found = self.node(event)
        if isinstance(found, Node) and isinstance(found.value, str) and found.value:
            return found.value
        if failed or not self.failed:
            help = f'put it in quotes: `"{span.text}"`' if isinstance(event, yaml.ScalarEvent) else ""
            self.error("XP103", span, "a key is a text", "no text", help=help)
        return None

    def scalar(self, text: str, span: Span) -> Value:
        """Give the value of a plain scalar by the core schema."""
        old = _in_yaml_1_1(text)
        if old is not None:
            self.diagnostics.warning(
                "XP104",
                span,
                f"`{text}` is read as {_read_as(text)}; YAML 1.1 reads it as {old}",
                "two readings",
                help=_unambiguous(text),
            )
        if _NULL.fullmatch(text):
            return None
        if _BOOL.fullmatch(text):
            return text.lower() == "true"
        if _SPECIAL.fullmatch(text):
            self.error("XP106", span, f"`{text}` is not a finite number", "not finite")
            return None
        if _INT.fullmatch(text):
            return self._int(text, span)
        if _FLOAT.fullmatch(text):
            if math.isfinite(float(text)):
                return float(text)
            self.error("XP106", span, f"`{text[:40]}` is not a finite number", "too large")
            return None
        return text

    def _int(self, text: str, span: Span) -> Value:
        base = {"0o": 8, "0x": 16}.get(text[:2], 10)
        value = int(text, base) if len(text) <= 100 else 2**64
        if -(2**63) <= value < 2**63:
            return value
        self.error("XP106", span, "this number does not fit into 64 bits", "too large")
        return None


def _value(found: Node | Mapping) -> Value:
    if isinstance(found, Node):
        return found.value
    return {key: _value(inner) for key, _, inner in found.entries}


_OLD: Final = (
    (re.compile(r"(?i:yes|on)"), "true"),
    (re.compile(r"(?i:no|off)"), "false"),
    (re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][0-9]+|[-+]?[0-9]+[eE][-+][0-9]+|[-+]?\.[0-9]+[eE][0-9]+"), "a text"),
    (re.compile(r"[-+]?0[0-7]+"), "an octal number"),
    (re.compile(r"0o[0-7]+"), "a text"),
    (re.compile(r"[-+]?[1-9][0-9]*(:[0-5]?[0-9])+(\.[0-9]*)?"), "a number to the base of 60"),
    (re.compile(r"[-+]?[0-9][0-9_]*_[0-9_]*(\.[0-9_]*)?"), "a number"),
    (re.compile(r"[-+]?0b[01_]+"), "a binary number"),
    (re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"), "a date"),
    (re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt]|[ \t]+)[0-9:.Zz+ -]+"), "a time"),
)


def _in_yaml_1_1(text: str) -> str | None:
    """Give what YAML 1.1 makes of a plain scalar where that is not what 1.2 makes of it."""
    for shape, old in _OLD:
        if shape.fullmatch(text):
            return old
    return None


def _read_as(text: str) -> str:
    if _INT.fullmatch(text):
        return f"the int {int(text, {'0o': 8, '0x': 16}.get(text[:2], 10))}" if len(text) < 40 else "an int"
    return "a float" if _FLOAT.fullmatch(text) else "a text"


def _unambiguous(text: str) -> str:
    """Give the spelling that every version of YAML reads as we do."""
    if _INT.fullmatch(text):
        return f"write `{int(text, {'0o': 8}.get(text[:2], 10))}`" if len(text) < 40 else "write it without the zero"
    if _FLOAT.fullmatch(text) and math.isfinite(float(text)):
        mantissa, _, exponent = text.lower().partition("e")
        mantissa = mantissa if "." in mantissa else mantissa + ".0"
        sign = "" if exponent.startswith(("-", "+")) else "+"
        return f"write `{mantissa}e{sign}{exponent}`"
    return f'put a text in quotes: `"{text}"`'
