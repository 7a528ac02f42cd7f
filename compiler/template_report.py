"""What can be wrong with a placeholder, as diagnostics."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from ..grammar import tree
from ..grammar.diagnostic import Diagnostics
from ..grammar.nearest import nearest
from ..grammar.node import Node
from .nearest import did_you_mean
from .scope import Scope
from .template_names import KeyName, LetName, Meaning, Names, is_quoted
from .values import Path, dotted

_RUNTIME: Final = ("run", "after", "output", "input", "project")
_SNAKEMAKE: Final = {"wildcards": "{{{0}}}", "params": "{{{0}}}", "config": "{{{0}}}"}
_SNAKEMAKE_BARE: Final = {
    "threads": "`{cpus}` is the number of processors",
    "log": "the program's output is recorded: there is no log file to name",
    "rule": "`run.id` names the run, and the experiment has its own name",
}
_LISTED: Final = {"args": "a flag for each key", "overrides": "what was given, as Hydra's overrides"}


def shown(expr: tree.Expr) -> str:
    """Give an expression as it was written, on one line."""
    return " ".join(expr.span.text.split())


class Reporter:
    """Reports to *diagnostics*; each method that gives nothing says that the placeholder is wrong."""

    def __init__(self, names: Names, scope: Scope, diagnostics: Diagnostics) -> None:
        self.names = names
        self.scope = scope
        self.diagnostics = diagnostics

    def ambiguous(self, name: tree.Name, meanings: Sequence[Meaning]) -> None:
        lines = []
        for meaning in meanings:
            if isinstance(meaning, LetName):
                continue
            what = "the key" if isinstance(meaning, KeyName) else _described(meaning)
            lines.append(f"write `{{{meaning.exact}}}` for {what}")
        message = f"`{dotted(name.path)}` has {len(meanings)} meanings here"
        self.diagnostics.error("XP056", name.span, message, "which one?", help=lines)

    def spec(self, placeholder: tree.Placeholder, message: str, help: str = "") -> None:
        span = placeholder.spec_span or placeholder.span
        cure = help or f"write `{{{shown(placeholder.expr)}}}`"
        self.diagnostics.error("XP087", span, message, "not here", help=cure)

    def group(self, placeholder: tree.Placeholder, path: Path, keys: Sequence[Path]) -> None:
        name = dotted(path)
        help = [f"`{{{name}:flag}}` gives a flag for each of its keys, `{{{name}:json}}` all of them as JSON"]
        if keys:
            help.insert(0, f"name one of its keys, such as `{{{dotted(keys[0])}}}`")
        self.diagnostics.error("XP050", placeholder.expr.span, f"`{name}` is a group of keys", "no value", help=help)

    def runtime_inside(self, expr: tree.Expr) -> bool:
        """Report what is known only when a run starts, inside a larger expression."""
        bad = False
        for name in names_in(expr):
            meanings = self.names.meanings(name)
            if not meanings or isinstance(meanings[0], KeyName | LetName) or name is expr:
                continue
            written = dotted(name.path)
            message = f"`{written}` is known only when the run starts"
            self.diagnostics.error(
                "XP088", name.span, message, "not in an expression", help=f"write `{{{written}}}` alone"
            )
            bad = True
        return bad

    # -------------------------------------------------------------- unknown names

    def unknown(self, name: tree.Name) -> bool:
        """Report an unknown name; tell whether that was done (an open scope takes any name for a key)."""
        path = name.path
        if self.scope.silent:
            return True
        if not is_quoted(name) and (self._habit(name) or self._missing(name)):
            return True
        if self.scope.open and path[0] not in _RUNTIME and path[0] not in self.names.ancestors:
            return False
        wanted = dotted(path[1:] if path[0] == "config" and len(path) > 1 else path)
        help = did_you_mean(wanted, [*self.scope.names(), *self.names.specials()])
        owner = self.scope.owner
        label = f"{owner} has no such key" if owner else "no key of that name"
        self.diagnostics.error("XP021", name.span, f"unknown key `{wanted}`", label, help=help)
        return True

    def _missing(self, name: tree.Name) -> bool:
        """Report an output, input or ancestor that is not there."""
        path = name.path
        if path[0] in ("output", "input"):
            return self._no_file(name, path[0], self.names.outputs if path[0] == "output" else self.names.inputs)
        of = path[1:] if path[0] == "after" and len(path) > 1 else path
        if of[0] in self.names.ancestors:
            return self._no_output(name, of)
        if path[0] in ("run", "after", "project"):
            return self._no_special(name)
        return False

    def _no_file(self, name: tree.Name, kind: str, known: Sequence[str]) -> bool:
        path = name.path
        wanted = ".".join(path[1:])
        if not wanted:
            help = _offer(f"{kind}.", known) or (f'declare one: `{kind} model = "model.pt"`, then `{{{kind}.model}}`',)
            self.diagnostics.error("XP085", name.span, f"`{kind}` needs the name of one {kind}", "which?", help=help)
            return True
        found = nearest(wanted, known)
        help = (f"did you mean `{kind}.{found}`?",) if found else _offer(f"{kind}.", known)
        help = help or (f'declare it: `{kind} {wanted} = "path"`',)
        message = f"experiment `{self.names.experiment.name}` has no {kind} `{wanted}`"
        self.diagnostics.error("XP085", name.span, message, f"no such {kind}", help=help)
        return True

    def _no_output(self, name: tree.Name, path: Path) -> bool:
        experiment, known = path[0], (*self.names.ancestors[path[0]].outputs, "runs")
        wanted = ".".join(path[1:])
        found = nearest(wanted, known) if wanted else None
        help = (f"did you mean `{experiment}.{found}`?",) if found else _offer(f"{experiment}.", known)
        message = f"experiment `{experiment}` has no output `{wanted}`"
        if not wanted:
            message = f"`{experiment}` needs the name of one of its outputs"
        elif (wanted_path := path[1:]) in self.scope.keys:
            help = (f"the keys of `{experiment}` hold here too: write `{{{dotted(wanted_path)}}}`",)
        self.diagnostics.error("XP085", name.span, message, "no such output", help=help)
        return True

    def _no_special(self, name: tree.Name) -> bool:
        written = dotted(name.path)
        help = did_you_mean(written, self.names.specials())
        if name.path[0] == "after":
            help = help or ("`after.E.NAME` is an output of experiment `E`, which this one comes after",)
        help = help or ("there are `run.id`, `run.dir`, `run.config`, `project.root`",)
        self.diagnostics.error("XP085", name.span, f"`{written}` is not known here", "unknown", help=help)
        return True

    def _habit(self, name: tree.Name) -> bool:
        """Answer what users of Snakemake write."""
        path = name.path
        if path[0] in ("wildcards", "params") and len(path) > 1:
            key = dotted(path[1:])
            help = f"write `{{{key}}}`: values are named by their keys alone"
            self.diagnostics.error("XP089", name.span, f"`{dotted(path)}` is Snakemake's way", "not here", help=help)
            return True
        if len(path) == 1 and path[0] in _SNAKEMAKE_BARE:
            message = f"`{path[0]}` is not known here"
            self.diagnostics.error("XP089", name.span, message, "Snakemake's name", help=_SNAKEMAKE_BARE[path[0]])
            return True
        return False


def _offer(prefix: str, known: Sequence[str]) -> tuple[str, ...]:
    if not known:
        return ()
    return (f"there {'is' if len(known) == 1 else 'are'} {', '.join(f'`{prefix}{name}`' for name in known)}",)


def _described(meaning: Meaning) -> str:
    exact = getattr(meaning, "exact", "")
    first, _, rest = exact.partition(".")
    if rest in _LISTED:
        return _LISTED[rest]
    if first == "after":
        experiment, _, output = rest.partition(".")
        return f"the output of `{experiment}`" if output != "runs" else f"the list of runs of `{experiment}`"
    if rest.startswith(("output.", "input.")):
        return f"the {rest.partition('.')[0]}"
    return "what the run has"


def names_in(expr: object) -> Iterator[tree.Name]:
    """Give all names inside an expression."""
    if isinstance(expr, tree.Name):
        yield expr
    elif isinstance(expr, tree.Placeholder):
        yield from names_in(expr.expr)
    elif isinstance(expr, Node) and not isinstance(expr, tree.Key | tree.Word | tree.Piece):
        for inside in expr.fields().values():
            for one in inside if isinstance(inside, tuple) else (inside,):
                if isinstance(one, tuple):
                    for part in one:
                        yield from names_in(part)
                elif isinstance(one, Node):
                    yield from names_in(one)
