"""What was found out about a scheduler: a list of facts, and what to write into a target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

Verdict = Literal["ok", "note", "bad"]
MARKS: Final[dict[Verdict, str]] = {"ok": "✓ ok", "note": "· note", "bad": "✗ bad"}


@dataclass(frozen=True, slots=True)
class Finding:
    """*what* was looked at, *found* in a few words; *help*: what follows of it. `bad` makes xpc unusable there."""

    verdict: Verdict
    what: str
    found: str
    help: str = ""

    def record(self) -> dict[str, str]:
        return {"verdict": self.verdict, "what": self.what, "found": self.found, "help": self.help}


@dataclass(slots=True)
class Site:
    """A scheduler that is here. *target*: keys for a target block, with the text of their values."""

    kind: str
    version: str
    findings: list[Finding] = field(default_factory=list)
    target: dict[str, str] = field(default_factory=dict)

    @property
    def usable(self) -> bool:
        return all(finding.verdict != "bad" for finding in self.findings)

    def ok(self, what: str, found: str, help: str = "") -> None:
        self.findings.append(Finding("ok", what, found, help))

    def note(self, what: str, found: str, help: str = "") -> None:
        self.findings.append(Finding("note", what, found, help))

    def bad(self, what: str, found: str, help: str = "") -> None:
        self.findings.append(Finding("bad", what, found, help))

    def record(self) -> dict[str, Any]:
        findings = [finding.record() for finding in self.findings]
        return {
            "kind": self.kind,
            "version": self.version,
            "usable": self.usable,
            "findings": findings,
            "target": dict(self.target),
        }


def render_sites(sites: Sequence[Site]) -> str:
    """Give a table of each scheduler's findings, and the lines for a target."""
    parts: list[str] = []
    for site in sites:
        width = max((len(finding.what) for finding in site.findings), default=0)
        lines = [f"{site.kind} {site.version}".strip()]
        for finding in site.findings:
            lines.append(f"  {MARKS[finding.verdict]:6}  {finding.what:{width}}  {finding.found}".rstrip())
            if finding.help:
                lines.append(f"  {'':6}  {'':{width}}  {finding.help}")
        if site.usable:
            lines += ["", *_target(site)]
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def _target(site: Site) -> list[str]:
    if not site.target:
        return [f"No target block is needed: `xpc submit --target {site.kind}`"]
    return [f"target mycluster = {site.kind}:", *(f"    {key} = {text}" for key, text in site.target.items())]
