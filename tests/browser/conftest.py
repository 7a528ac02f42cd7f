"""A browser for tests: Chromium without a window, one for the session, and a page that must not complain."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Request, ViewportSize

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

VIEWPORT: ViewportSize = {"width": 1280, "height": 900}

Open = Callable[..., "Page"]
Listeners = dict[str, Callable[[Any], None]]


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


@pytest.fixture(scope="session")
def usual_page(browser: Browser) -> Iterator[Page]:
    """A page that tests take over from each other: to start the process of one takes longer than most tests."""
    page = browser.new_page(viewport=VIEWPORT)
    yield page
    page.close()


@pytest.fixture
def open_page(browser: Browser, usual_page: Page, complaints: list[str], tmp_path: Path) -> Iterator[Open]:
    """Open a page's text as a file; at the end nothing may have been loaded, said on the console, or gone wrong."""
    usual: list[Page] = [usual_page]
    pages: list[tuple[Page, Listeners]] = []

    def open_text(text: str, address: str = "", **options: Any) -> Page:
        file = tmp_path / "page.html"
        file.write_text(text)
        page = usual.pop() if usual and not options else browser.new_page(**{"viewport": VIEWPORT, **options})
        pages.append((page, listeners := listening(complaints, file.as_uri())))
        for event, listener in listeners.items():
            page.on(event, listener)  # type: ignore[call-overload]
        page.goto(file.as_uri() + address)
        return page

    yield open_text
    for page, listeners in pages:
        if page is not usual_page:
            page.close()
            continue
        page.evaluate("window.localStorage.clear()")
        page.mouse.move(0, 0)
        for event, listener in listeners.items():
            page.remove_listener(event, listener)
    assert complaints == []


def listening(complaints: list[str], address: str) -> Listeners:
    """Give what takes down all that a page at *address* should not do."""

    def requested(request: Request) -> None:
        if not request.url.startswith((address, "data:")):
            complaints.append(f"request: {request.url}")

    return {
        "console": lambda message: complaints.append(f"console: {message.text}"),
        "pageerror": lambda error: complaints.append(f"error: {error}"),
        "dialog": lambda dialog: complaints.append(f"dialog: {dialog.message}"),
        "request": requested,
    }
