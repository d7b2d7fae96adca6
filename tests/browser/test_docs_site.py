"""The docs' site as somebody opens it: from a folder, in a browser, without a network."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.docs import site

pytestmark = pytest.mark.skipif(
    find_spec("zensical") is None, reason="the dependency group `docs` is not here"
)


@pytest.fixture(scope="module")
def html(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return site.build(tmp_path_factory.mktemp("site"))


@pytest.fixture(params=[1280, 390])
def page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    """A page on a desk and on a phone; it must ask for nothing that is not in the folder."""
    context = browser.new_context(viewport={"width": request.param, "height": 800})
    asked: list[str] = []
    context.on("request", lambda sent: asked.append(sent.url))
    yield context.new_page()
    context.close()
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []


def test_should_find_a_page_by_its_words(page: Page, html: Path) -> None:
    page.goto((html / "docs" / "index.html").as_uri())
    page.keyboard.press("Control+k")
    page.keyboard.type("NonDeterministicExecutionError")
    page.get_by_text("An execution fails with").first.click()
    expect(page).to_have_url(re.compile(r"/docs/troubleshooting\.html"))


@pytest.mark.parametrize("name", ["index", "architecture", "deploy", "troubleshooting", "cli"])
def test_should_fit_the_screen_and_show_its_pictures(page: Page, html: Path, name: str) -> None:
    page.goto((html / "docs" / f"{name}.html").as_uri())
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("[...document.images].every((image) => image.naturalWidth > 0)")
