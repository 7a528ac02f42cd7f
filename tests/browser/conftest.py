"""A browser for tests: Chromium without a window, one for the session, and a page that must not complain."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

Open = Callable[..., "Page"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium here (`apt-get install chromium`)")
    playwright = pytest.importorskip("playwright.sync_api", reason="no Playwright here (`pip install playwright`)")
    with playwright.sync_playwright() as started:
        # Chromium's own sandbox does not work for root.
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        found = started.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield found
        found.close()


@pytest.fixture
def complaints() -> list[str]:
    """What a page said on the console, loaded from elsewhere, or did wrong. A test that wants some empties it."""
    return []


@pytest.fixture
def open_page(browser: Browser, complaints: list[str], tmp_path: Path) -> Iterator[Open]:
    """Open a page's text as a file; at the end nothing may have been loaded, said on the console, or gone wrong."""
    pages: list[Page] = []

    def open_text(text: str, address: str = "", **options: Any) -> Page:
        file = tmp_path / "page.html"
        file.write_text(text)
        page = browser.new_page(**{"viewport": {"width": 1280, "height": 900}, **options})
        pages.append(page)
        page.on("console", lambda message: complaints.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on("dialog", lambda dialog: complaints.append(f"dialog: {dialog.message}"))
        page.on(
            "request",
            lambda request: (
                None
                if request.url.startswith((file.as_uri(), "data:"))
                else complaints.append(f"request: {request.url}")
            ),
        )
        page.goto(file.as_uri() + address)
        return page

    yield open_text
    for page in pages:
        page.close()
    assert complaints == []
