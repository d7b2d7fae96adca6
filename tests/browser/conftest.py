"""The deployed page in the system's Chromium, driven by Playwright."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Dialog, Page, sync_playwright

from tests.deployed import no_call_refused

HERE = Path(__file__).parent
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
WANTED = "chromium is not installed (apt-get install chromium, or HITL_BROWSER=its path)"
REQUIRED = os.environ.get("HITL_REQUIRE_BROWSER", "") not in {"", "0"}


def chromium() -> str | None:
    """Where the system's browser is; nothing is ever downloaded."""
    return os.environ.get("HITL_BROWSER") or next(filter(None, map(shutil.which, NAMES)), None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if chromium() is None and not REQUIRED:
        for item in items:
            if HERE in item.path.parents:
                item.add_marker(pytest.mark.skip(reason=WANTED))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if chromium() is None and not REQUIRED:
        terminalreporter.write_line(f"Browser tests were skipped: {WANTED}")


@pytest.fixture(scope="session", autouse=True)
def executable() -> str:
    return chromium() or pytest.fail(WANTED)


@pytest.fixture(autouse=True)
def _allowed(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every call of a function that a test causes is held to what its role may do."""
    if "cloud" not in request.fixturenames:
        yield
        return
    with no_call_refused(request.getfixturevalue("cloud")):
        yield


@pytest.fixture(scope="package")
def browser(executable: str) -> Iterator[Browser]:
    """Not of the session: Playwright's event loop must not run while other tests start theirs."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=executable)
        yield running
        running.close()


class Watch:
    """What a page must never do, noted: scripts that run, requests elsewhere, policy violations."""

    def __init__(self, context: BrowserContext) -> None:
        self.context = context
        self.faults: list[str] = []
        context.on("console", lambda message: self.faults.append(f"console: {message.text}"))
        context.on("dialog", self._asked)
        context.on("weberror", lambda error: self.faults.append(f"error: {error.error}"))
        context.on("requestfailed", lambda request: self._failed(request.url, request.failure))

    def _asked(self, dialog: Dialog) -> None:
        self.faults.append(dialog.message)
        dialog.dismiss()

    def _failed(self, url: str, failure: str | None) -> None:
        if failure != "net::ERR_ABORTED":  # a second click aborts the first one's request
            self.faults.append(f"{failure}: {url}")

    def check(self) -> None:
        # Chromium writes a line for each answer that is an error, which is no fault of the page.
        assert [f for f in self.faults if "the server responded with a status" not in f] == []
        assert self.context.cookies() == []


NewPage = Callable[..., Page]


@pytest.fixture
def new_page(browser: Browser) -> Iterator[NewPage]:
    """A page in a context of its own, as on another person's device."""
    watched: list[Watch] = []

    def make(**options: Any) -> Page:
        context = browser.new_context(**options)
        context.set_default_timeout(20_000)
        watched.append(Watch(context))
        return context.new_page()

    yield make
    for each in watched:
        try:
            each.check()
        finally:
            each.context.close()


@pytest.fixture
def evil(browser: Browser) -> Iterator[Page]:
    """For a page of another site. Unwatched: there the browser is meant to complain."""
    page = browser.new_page()
    yield page
    page.close()


@pytest.fixture
def page(new_page: NewPage) -> Page:
    """A phone."""
    return new_page(viewport={"width": 390, "height": 844}, has_touch=True)
