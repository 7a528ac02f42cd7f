"""The exports of a project to findings: each file of each compared with git, in full."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xpc.compiler.git_calls import Repository
    from xpc.runtime.schedulers.findings import Finding


def verified_exports(project: Path) -> list[Finding]:
    """Give a finding for each export below *project*; none where nothing was exported."""
    from xpc.compiler.git_calls import GitError, GitMissingError, open_repository
    from xpc.runtime.schedulers.findings import Finding

    stamps = sorted((project / ".xpc" / "snapshots").glob("[0-9a-f]*.json"))
    if not stamps:
        return []
    try:
        repository = open_repository(project)
    except (GitError, GitMissingError):
        return [Finding("note", "exports", "there is no git repository here to compare them with")]
    return [_verified(repository, stamp) for stamp in stamps]


def _verified(repository: Repository, stamp: Path) -> Finding:
    from xpc.runtime.export_verify import verify
    from xpc.runtime.schedulers.findings import Finding

    tree = stamp.stem
    try:
        prefix = str(json.loads(stamp.read_bytes())["prefix"])
        found = verify(repository, tree, prefix, stamp.with_suffix(""))
    except subprocess.CalledProcessError:
        return Finding("note", tree[:7], "git does not have it any more: nobody can say what it held")
    except (OSError, ValueError, KeyError, TypeError) as error:
        return Finding("bad", tree[:7], f"can't be read: {error}", _help(stamp))
    if found.equal:
        return Finding("ok", tree[:7], found.text())
    return Finding("bad", tree[:7], found.text(), _help(stamp))


def _help(stamp: Path) -> str:
    return f"remove .xpc/snapshots/{stamp.name}, and the next `xpc build` makes it anew"


def render_exports(found: Sequence[Finding]) -> str:
    """Give a table of the findings."""
    from xpc.runtime.schedulers.findings import MARKS

    width = max(len(finding.what) for finding in found)
    lines = ["exports, verified against git"]
    for finding in found:
        lines.append(f"  {MARKS[finding.verdict]:6}  {finding.what:{width}}  {finding.found}")
        if finding.help:
            lines.append(f"  {'':6}  {'':{width}}  {finding.help}")
    return "\n".join(lines)
