"""Lines to statements: each line parsed from the rule of its block, bodies put in place, arms joined."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from . import tree
from .diagnostic import Diagnostics
from .lexer import Excerpt
from .lines import Line
from .node import Node
from .source import Source
from .statement import parse_excerpt

N = TypeVar("N", bound=Node)
_BODIES: dict[type[Node], str] = {
    tree.Config: "config_item",
    tree.Resources: "resources_item",
    tree.Environment: "environment_item",
    tree.Target: "target_item",
    tree.Experiment: "experiment_item",
    tree.Report: "clause",
    tree.Zip: "grid_item",
    tree.Arm: "grid_item",
    tree.Sample: "grid_item",
}


class Blocks:
    """The reading of one source's lines."""

    def __init__(self, source: Source, report: Diagnostics) -> None:
        self.source = source
        self.report = report
        self.broken: set[tuple[str, str]] = set()

    def read(self, lines: Sequence[Line], rule: str) -> list[Node]:
        """Parse *lines* from *rule*, each with what stands below it."""
        found: list[Node] = []
        for line in lines:
            node = self._statement(line, rule)
            if node is not None:
                found.append(node)
        return found

    def _statement(self, line: Line, rule: str) -> Node | None:
        excerpt = Excerpt(
            self.source, self.report, rule, line.start, line.end, header=line.header, placeholders=rule != "clause"
        )
        node = None if line.broken else parse_excerpt(excerpt)
        if not isinstance(node, Node):
            return None
        body_rule = self._body_rule(node, rule)
        if body_rule is None:
            return node
        body = tuple(self.read(line.body, body_rule))
        return with_body(node, join_arms(body))

    def _body_rule(self, node: Node, rule: str) -> str | None:
        match node:
            case tree.KeyGroup():
                return rule
            case tree.Grid(body=()):
                return "grid_item"
            case _:
                return _BODIES.get(type(node))


def with_body(node: N, body: tuple[Node, ...]) -> N:
    """Give *node* with its body, its span reaching to the end of it."""
    fields = {name: getattr(node, name) for name in type(node).__match_args__}  # type: ignore[attr-defined]
    fields["clauses" if isinstance(node, tree.Report) else "body"] = body
    if body:
        fields["span"] = fields["span"].to(body[-1].span)  # type: ignore[attr-defined]
    return type(node)(**fields)


def join_arms(body: tuple[Node, ...]) -> tuple[Node, ...]:
    joined: list[Node] = []
    for node in body:
        if isinstance(node, tree.Arm):
            if node.span.text.startswith("if"):
                joined.append(tree.Branch((node,), node.span))
            elif joined and isinstance(joined[-1], tree.Branch):
                last = joined[-1]
                joined[-1] = tree.Branch((*last.arms, node), last.span.to(node.span))
        else:
            joined.append(node)
    return tuple(joined)
