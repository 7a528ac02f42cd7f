"""What a person calls an earlier state of the code (a commit, a branch, a tag, a snapshot) to its git tree."""

from __future__ import annotations

from typing import Final

from ..grammar.node import Node
from .git_calls import GitError, Repository

FROM_BASE: Final = "..."  # `main...`: where this branch has left main


class Revision(Node):
    """*tree* is that of the whole repository if there is a *commit*; else it is a snapshot's, of the extent alone."""

    name: str
    commit: str | None
    tree: str

    @property
    def shown(self) -> str:
        """The name, with the beginning of what it stands for if that says more."""
        known = self.commit or self.tree
        return f"{self.name[:7]}" if known.startswith(self.name) else f"{self.name} ({known[:7]})"


def find_revision(repository: Repository, name: str) -> Revision | None:
    """Give what *name* stands for; nothing if the repository has no such thing."""
    if not name or name.startswith("-") or any(c in name for c in "\0\n"):
        return None
    if name.endswith(FROM_BASE):
        commit = _base(repository, name.removesuffix(FROM_BASE))
    else:
        commit = _parsed(repository, f"{name}^{{commit}}")
    if commit is not None:
        tree = _parsed(repository, f"{commit}^{{tree}}")
        return None if tree is None else Revision(name, commit, tree)
    tree = _parsed(repository, f"{name}^{{tree}}")
    return None if tree is None else Revision(name, None, tree)


def is_shallow(repository: Repository) -> bool:
    """Tell whether the repository was cloned without its history."""
    return repository.run("rev-parse", "--is-shallow-repository").strip() == b"true"


def _base(repository: Repository, name: str) -> str | None:
    commit = _parsed(repository, f"{name}^{{commit}}")
    if commit is None:
        return None
    try:
        return repository.run("merge-base", commit, "HEAD").decode().strip()
    except GitError:
        return None


def _parsed(repository: Repository, name: str) -> str | None:
    try:
        found = repository.run("rev-parse", "--verify", "--quiet", "--end-of-options", name)
    except GitError:
        return None
    return found.decode().split("\n")[-2]
