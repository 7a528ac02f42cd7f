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
_PLAIN: Final = "plain"
_QUOTED: Final = "quoted"

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
        root = reader.compose()
    except yaml.MarkedYAMLError as fault:
        reader.ill_formed(fault)
        return None
    except yaml.reader.ReaderError as fault:
        where = source.span(fault.position, fault.position + 1)
        reader.error("XP101", where, f"`{source.name}` holds a character that YAML does not take", "this one")
        return None
    except RecursionError:
        reader.error("XP105", source.span(0, 1), f"`{source.name}` is nested too deeply", "too deep")
        return None
    if root is None:
        return None if reader.failed else Mapping((), source.span(0, 0))
    found = reader.convert(root)
    if reader.failed:
        return None
    if isinstance(found, Mapping):
        return found
    if found.value is None:
        return Mapping((), found.span)
    message = f"`{source.name}` holds no mapping of keys"
    reader.error("XP103", found.span, message, "not `key: value`")
    return None


def _loader() -> type[Any]:
    """Make the class that composes nodes; resolving a tag says only whether a scalar was plain."""
    parser: Any = getattr(yaml, "CParser", None)
    resolver: Any = yaml.resolver.BaseResolver

    def resolve(self: Any, kind: type, value: object, implicit: object) -> str:
        if kind is yaml.ScalarNode:
            return _PLAIN if isinstance(implicit, tuple) and implicit[0] else _QUOTED
        return str(resolver.DEFAULT_MAPPING_TAG if kind is yaml.MappingNode else resolver.DEFAULT_SEQUENCE_TAG)

    if parser is not None:

        def start(self: Any, text: str) -> None:
            parser.__init__(self, text)
            resolver.__init__(self)

        return type("Loader", (parser, resolver), {"__init__": start, "resolve": resolve})

    def begin(self: Any, text: str) -> None:
        yaml.reader.Reader.__init__(self, text)
        yaml.scanner.Scanner.__init__(self)
        yaml.parser.Parser.__init__(self)
        yaml.composer.Composer.__init__(self)
        resolver.__init__(self)

    bases = (yaml.reader.Reader, yaml.scanner.Scanner, yaml.parser.Parser, yaml.composer.Composer, resolver)
    return type("Loader", bases, {"__init__": begin, "resolve": resolve})


class _Reader:
    """One text on its way to values."""

    def __init__(self, source: Source, diagnostics: Diagnostics) -> None:
        self.source = source
        self.diagnostics = diagnostics
        self.failed = False
        self.count = 0
        self.open: list[int] = []

    def error(
        self, code: str, span: Span, message: str, label: str, *, help: str = "", first: Span | None = None
    ) -> None:
        self.failed = True
        labels = [Label(first, "the first")] if first is not None else []
        self.diagnostics.error(code, span, message, label, labels=labels, help=help or ())

    def ill_formed(self, fault: yaml.MarkedYAMLError) -> None:
        mark = fault.problem_mark or fault.context_mark
        at = 0 if mark is None else min(mark.index, max(len(self.source.text) - 1, 0))
        problem = (fault.problem or "it cannot be read").rstrip(".")
        if "\t" in self.source.text[at : at + 1]:
            problem = "a tab cannot indent"
        if "another document" in f"{fault.context} {fault.problem}" or "single document" in f"{fault.context}":
            message = f"`{self.source.name}` holds several documents"
            self.error("XP103", self.source.span(at, at + 3), message, "the second")
            return
        self.error("XP101", self.source.span(at, at + 1), f"`{self.source.name}` is no YAML: {problem}", "here")

    def compose(self) -> yaml.Node | None:
        loader = _loader()(self.source.text)
        try:
            root: yaml.Node | None = loader.get_single_node()
        finally:
            loader.dispose()
        return root

    def span(self, node: yaml.Node) -> Span:
        start, end = node.start_mark.index, node.end_mark.index
        text = self.source.text
        if isinstance(node, yaml.CollectionNode) or getattr(node, "style", None) in ("|", ">"):
            line_end = text.find("\n", start)
            end = min(end, len(text) if line_end < 0 else line_end)
        return self.source.span(start, max(end, min(start + 1, len(text))))

    # -------------------------------------------------------------- nodes

    def convert(self, node: yaml.Node) -> Node | Mapping:
        self.count += 1
        span = self.span(node)
        if id(node) in self.open:
            self.error("XP105", span, "an alias holds itself", "without end")
            return Node(None, span)
        if self.count > MOST_NODES:
            if not self.failed:
                message = f"`{self.source.name}` grows to more than {MOST_NODES:,} values by its aliases"
                self.error("XP105", span, message, "too many")
            return Node(None, span)
        self.open.append(id(node))
        try:
            return self._convert(node, span)
        finally:
            self.open.pop()

    def _convert(self, node: yaml.Node, span: Span) -> Node | Mapping:
        default = yaml.resolver.BaseResolver
        tags = (_PLAIN, _QUOTED, default.DEFAULT_MAPPING_TAG, default.DEFAULT_SEQUENCE_TAG)
        if node.tag not in tags or span.text.startswith("!"):
            self.error("XP103", span, "tags are not read", "a tag", help="write the value itself, a text in quotes")
            return Node(None, span)
        if isinstance(node, yaml.ScalarNode):
            return Node(node.value if node.tag == _QUOTED else self.scalar(node.value, span), span)
        if isinstance(node, yaml.SequenceNode):
            return Node([_value(self.convert(item)) for item in self._some(node.value)], span)
        return Mapping(tuple(self._entries(node)), span)

    def _some(self, items: list[Any]) -> Iterator[Any]:
        for item in items:
            if self.count > MOST_NODES:
                return
            yield item

    def _entries(self, node: yaml.Node) -> Iterator[tuple[str, Span, Node | Mapping]]:
        seen: dict[str, Span] = {}
        for key, value in self._some(node.value):
            span = self.span(key)
            name = self.key(key, span)
            if name is None:
                continue
            if name in seen:
                self.error("XP102", span, f"the key `{name}` stands twice in one mapping", "again", first=seen[name])
                continue
            seen[name] = span
            yield name, span, self.convert(value)

    def key(self, node: yaml.Node, span: Span) -> str | None:
        """Give the text of a key; one of another type is reported."""
        value = self.convert(node)
        if node.value == "<<" and node.tag == _PLAIN:
            help = "write a config that inherits, or repeat the keys"
            self.error("XP103", span, "merge keys are not part of YAML 1.2", "a merge key", help=help)
            return None
        if isinstance(value, Node) and isinstance(value.value, str) and value.value:
            return value.value
        if not self.failed or isinstance(value, Mapping) or not isinstance(value.value, str):
            self.error("XP103", span, "a key is a text", "no text", help=f'put it in quotes: `"{span.text}"`')
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
