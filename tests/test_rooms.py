"""The rooms: what may import what, and what the import package is made of."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("grammar", "compiler", "runtime")
MAY_IMPORT = {"grammar": set(), "compiler": {"grammar"}, "runtime": {"grammar", "compiler.planfile"}}


def python_files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*.py") if "__pycache__" not in p.parts)


def imported_modules(path: Path) -> set[str]:
    """Give the absolute names of all that a file imports; its own room's are `xpc.ROOM…`."""
    package = ["xpc", *path.relative_to(ROOT).with_suffix("").parts[:-1]]
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            found.add(".".join([*base, *((node.module or "").split(".") if node.module else [])]))
            if not node.module:
                found.update(".".join([*base, alias.name]) for alias in node.names)
    return found


def test_links_are_the_rooms() -> None:
    """The import package holds each room as a link, so that there is one copy of each file."""
    for room in ROOMS:
        link = ROOT / "src" / "xpc" / room
        assert link.is_symlink()
        assert link.resolve() == ROOT / room


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_import_downwards_only(room: str) -> None:
    """grammar imports nothing of ours, compiler grammar, runtime grammar and the plan's format."""
    wrong = []
    for path in python_files(ROOT / room):
        for module in imported_modules(path):
            if not module.startswith("xpc.") or module.startswith(f"xpc.{room}"):
                continue
            inside = module.removeprefix("xpc.")
            if not any(inside == allowed or inside.startswith(allowed + ".") for allowed in MAY_IMPORT[room]):
                wrong.append(f"{path.relative_to(ROOT)} imports {module}")

    assert wrong == []


def test_shim_is_standard_library_and_old_python() -> None:
    """A node has Python 3.8 and nothing installed."""
    files = [*python_files(ROOT / "runtime" / "shim"), ROOT / "src/xpc/__init__.py", ROOT / "src/xpc/_run.py"]
    for path in files:
        ast.parse(path.read_text(), feature_version=(3, 8))
        foreign = {m.split(".")[0] for m in imported_modules(path)} - set(sys.stdlib_module_names) - {"xpc"}

        assert foreign == set(), path


def test_import_xpc_loads_no_library() -> None:
    """A training script that says `import xpc` waits for the standard library alone."""
    code = "import sys, xpc; print(sorted(m for m in ('pandas','lark','pydantic','git','click') if m in sys.modules))"

    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_every_file_says_what_it_is() -> None:
    """The first line of a file says what it makes of what."""
    silent = [
        str(path.relative_to(ROOT))
        for room in (*ROOMS, "src/xpc/cli")
        for path in python_files(ROOT / room)
        if path.read_text().strip() and not ast.get_docstring(ast.parse(path.read_text()))
    ]

    assert silent == []
