"""docs/errors: each code has a page, and each page's examples do what it says."""

import re
from pathlib import Path

import pytest

from xpc.grammar.codes import TITLES

PAGES = Path(__file__).resolve().parent.parent / "docs" / "errors"
BLOCK = re.compile(r"^```(?P<info>[^\n]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
SOURCES = ("grammar", "compiler", "runtime", "src/xpc")


def pages() -> list[Path]:
    return sorted(PAGES.glob("X*.md"))


def blocks(page: Path) -> list[tuple[str, str]]:
    return [(m["info"].strip(), m["body"]) for m in BLOCK.finditer(page.read_text())]


def codes_found(
    text: str, files: dict[str, str], folder: Path, target: str = "local", *, missing: bool = False
) -> list[str]:
    """Compile an Experimentfile with the files beside it; give the codes of its errors and warnings, those of *missing*
    files, too."""
    from xpc.cli.missing_files import warn_of_missing_files
    from xpc.cli.session import Session

    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    (folder / "Experimentfile").write_text(text)
    session = Session(folder, target=target)
    session.check()
    if missing:
        warn_of_missing_files(session)
    return [d.code for d in session.diagnostics.sorted() if d.severity != "note"]


def test_every_code_has_a_page() -> None:
    """A code that a user can meet has a page, and there is no page for a code that is gone."""
    assert {page.stem for page in pages()} == set(TITLES)


def test_every_code_in_the_sources_is_in_the_table() -> None:
    """A code is written in one place with its title, and every mention is of such a code."""
    root = PAGES.parent.parent
    mentioned = {
        code
        for room in SOURCES
        for path in (root / room).rglob("*.py")
        for code in re.findall(r"\"(X[PQSR]\d{3})\"", path.read_text())
    }

    assert mentioned == set(TITLES)


@pytest.mark.parametrize("page", pages(), ids=lambda p: p.stem)
def test_page_has_its_code_as_title(page: Path) -> None:
    """The title is the code and the table's short title."""
    assert page.read_text().splitlines()[0] == f"# {page.stem}: {TITLES[page.stem]}"


@pytest.mark.parametrize("page", pages(), ids=lambda p: p.stem)
def test_examples_on_the_page_do_what_it_says(page: Path, tmp_path: Path) -> None:
    """A failing example gives exactly the page's code; a mended one gives nothing."""
    files = {info.split()[1]: body for info, body in blocks(page) if info.startswith("file ")}
    shown = 0
    for number, (info, body) in enumerate(blocks(page)):
        info, _, target = info.partition(" target=")
        if info not in ("experimentfile", "experimentfile error"):
            continue
        folder = tmp_path / str(number)
        folder.mkdir()
        found = set(codes_found(body, files, folder, target or "local", missing=page.stem == "XP112"))
        shown += 1

        assert found == ({page.stem} if info.endswith("error") else set())
    if page.stem.startswith("XP0"):
        assert shown >= 2, "a failing and a mended example"


def manual_examples() -> list[tuple[str, str]]:
    docs = PAGES.parent
    return [
        (f"{page.stem}-{number}", body)
        for page in sorted(docs.glob("*.md"))
        for number, (info, body) in enumerate(blocks(page))
        if info == "experimentfile"
    ]


@pytest.mark.parametrize(("name", "text"), manual_examples(), ids=lambda v: v if len(v) < 40 else "")
def test_examples_of_the_manual_compile(name: str, text: str, tmp_path: Path) -> None:
    """An Experimentfile in the manual compiles without a word."""
    assert codes_found(text, {}, tmp_path) == [], name
