"""Lines to statements: each line parsed from the rule of its block, bodies put in place, arms joined."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from . import engine, tree
from .clause_order import check_clauses
from .diagnostic import Diagnostics
from .lexer import Excerpt
from .lines import Line, has_tab
from .node import Node
from .salvage import body_rule_of, broken_name, salvage
from .source import Source, Span
from .statement import parse_excerpt

N = TypeVar("N", bound=Node)
_DEEPEST = 40
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
_NAMED = (tree.Config, tree.Grid, tree.Resources, tree.Environment, tree.Target, tree.Experiment, tree.Report)


class Blocks:
    """The reading of one source's lines. *broken* are the names of what could not be read (see ``tree.Tree``)."""

    def __init__(self, source: Source, report: Diagnostics) -> None:
        self.source = source
        self.report = report
        self.broken: set[tuple[str, str]] = set()
        self._block = ("", "")  # the kind and name of the top-level block that is read

    def read(self, lines: Sequence[Line], rule: str, depth: int = 0) -> list[Node]:
        """Parse *lines* from *rule*, each with what stands below it; a broken one is missing."""
        found: list[Node] = []
        dash = False  # the items of a list in YAML's form are one fault
        for line in lines:
            if not (dash and self._begins_with_dash(line)):
                found += self._statement(line, rule, depth)
            dash = self._begins_with_dash(line)
        return found

    def _begins_with_dash(self, line: Line) -> bool:
        return self.source.text.startswith("-", line.start)

    def _statement(self, line: Line, rule: str, depth: int) -> Iterable[Node]:
        if depth > _DEEPEST:
            self.report.error("XP018", self._span(line), f"blocks are nested more than {_DEEPEST} levels deep")
            return ()
        excerpt = Excerpt(
            self.source,
            self.report,
            rule,
            line.start,
            line.end,
            header=line.header,
            has_body=bool(line.body),
            is_query=rule == "clause",
        )
        node = None if line.broken else parse_excerpt(excerpt)
        if node is None:
            return self._broken(excerpt, line, rule, depth)
        inner = _body_rule(node, rule)
        if inner is not None:
            return self._with_body(node, line, inner, depth)
        if line.body:
            self._report_stray_body(line)
            return (node, *self._stray(line.body, rule, depth + 1))
        return (node,)

    def _with_body(self, node: Node, line: Line, rule: str, depth: int) -> Iterable[Node]:
        name = getattr(node, "name", None) if isinstance(node, _NAMED) else None
        if isinstance(name, tree.Word):
            self._block = (type(node).__name__.lower(), name.text)
        if not line.body:
            if line.header:  # without its colon it has been told already what is missing
                self._report_no_body(line, rule)
            if name is not None:
                self.broken.add(self._block)
            return ()
        body = self._body(node, line.body, rule, depth + 1)
        return (with_body(node, body),)

    def _body(self, owner: Node | None, lines: Sequence[Line], rule: str, depth: int) -> tuple[Node, ...]:
        nodes = self.read(lines, rule, depth)
        match owner:
            case tree.Report():
                check_clauses(nodes, self.report, restart_at_show=True)
            case tree.Zip():
                nodes = self._axes_only(nodes)
        return self._join_arms(nodes)

    # -------------------------------------------------------------- recovery

    def _broken(self, excerpt: Excerpt, line: Line, rule: str, depth: int) -> Iterable[Node]:
        """Save of a broken line what can be saved; its body is checked if the first word tells its kind."""
        tokens = engine.lexer().tokens(excerpt)
        saved = salvage(tokens, rule, self._span(line), line.header)
        inner = body_rule_of(tokens, rule, line.header)
        block, name = self._block
        if rule == "top_item" and (top := broken_name(tokens, rule, "", "")):
            self._block = top
        if saved is None:
            entry = broken_name(tokens, rule, block, name)
            self.broken |= {entry} if entry else set()
        if inner is None:
            lost = (tree.Broken(self._span(line)),) if rule == "grid_item" else ()
            return lost if saved is None else (saved,)
        body = self._body(saved, line.body, inner, depth + 1)
        if saved is None:
            return ()
        return (with_body(saved, body) if "body" in saved.fields() else saved,)

    def _stray(self, lines: Sequence[Line], rule: str, depth: int) -> list[Node]:
        """Read lines that are indented below no block. At the top level they are what is left of a block whose head is
        lost: what they define counts, but what is wrong with those that head no block follows from that."""
        if rule != "top_item":
            return self.read(lines, rule, depth)
        found: list[Node] = []
        loud = self.report
        for line in lines:
            self.report = loud if line.header else Diagnostics()
            found += self.read((line,), rule, depth)
        self.report = loud
        return found

    # -------------------------------------------------------------- what a body may hold

    def _axes_only(self, nodes: list[Node]) -> list[Node]:
        axes: list[Node] = []
        for node in nodes:
            if isinstance(node, tree.Axis):
                axes.append(node)
            elif not isinstance(node, tree.Broken):
                self.report.error(
                    "XP011",
                    _first_line(_span_of(node)),
                    "only axes stand in a zip",
                    "not an axis",
                    help="write `key in [...]` here, or move the line out of the zip",
                )
        return axes

    def _join_arms(self, nodes: Iterable[Node]) -> tuple[Node, ...]:
        """Join each ``if`` with the ``elif``s and the ``else`` that follow it; drop what stands for a broken line."""
        joined: list[Node] = []
        for node in nodes:
            if not isinstance(node, tree.Arm):
                joined.append(node)
                continue
            word = "else" if node.condition is None else "elif" if node.span.text.startswith("elif") else "if"
            last = joined[-1] if joined else None
            if word == "if":
                joined.append(tree.Branch((node,), node.span))
            elif isinstance(last, tree.Branch) and last.arms[-1].condition is not None:
                joined[-1] = tree.Branch((*last.arms, node), last.span.to(node.span))
            elif not isinstance(last, tree.Broken):
                span = node.span.sub(0, len(word))
                self.report.error(
                    "XP019", span, f"`{word}` follows no `if`", help="an `if` with the same indentation comes first"
                )
        return tuple(node for node in joined if not isinstance(node, tree.Broken))

    def _report_no_body(self, line: Line, rule: str) -> None:
        example = {"grid_item": "key in [1, 2]", "clause": "show count()", "experiment_item": 'run "…"'}
        self.report.error(
            "XP008",
            self._span(line),
            "this block has no lines",
            "",
            help=f"indent at least one line below it, such as `{example.get(rule, 'key = value')}`",
        )

    def _report_stray_body(self, line: Line) -> None:
        stray = line.body[0]
        if has_tab(stray, self.source):
            return
        first = self.source.text[line.start : line.end].split("\n", 1)[0]
        self.report.error(
            "XP009",
            _first_line(self._span(stray)),
            "this line is indented more than the one above, which is no block",
            "",
            help=f"indent it like `{first if len(first) <= 50 else first[:48] + '…'}`",
        )

    def _span(self, line: Line) -> Span:
        return self.source.span(line.start, line.end)


def _body_rule(node: Node, rule: str) -> str | None:
    match node:
        case tree.KeyGroup():
            return rule
        case tree.Grid(body=()):
            return "grid_item"
        case _:
            return _BODIES.get(type(node))


def with_body(node: N, body: tuple[Node, ...]) -> N:
    """Give *node* with its body, its span reaching to the end of it."""
    field = "clauses" if isinstance(node, tree.Report) else "body"
    span = _span_of(node).to(_span_of(body[-1])) if body else _span_of(node)
    return node.replace(**{field: body}, span=span)


def _span_of(node: Node) -> Span:
    span: Span = node.span  # type: ignore[attr-defined]
    return span


def _first_line(span: Span) -> Span:
    return span.sub(0, len(span.text.split("\n", 1)[0]))
