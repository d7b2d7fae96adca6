"""The docs hold together: every link leads somewhere, every page is found, the site builds."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.docs import site
from tests.docs.site import ROOT, links, pages

INDEX = Path("docs/index.md")
PAGES = pages()


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub writes them."""
    seen: Counter[str] = Counter()
    found = set()
    fenced = False
    for line in (ROOT / page).read_text(encoding="utf-8").splitlines():
        fenced ^= bool(site.FENCE.match(line))
        heading = None if fenced else re.match(r"#{1,6}\s+(.*?)\s*#*$", line)
        if heading:
            words = re.sub(r"\]\([^)]*\)", "", heading[1]).lower()
            name = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
            found.add(f"{name}-{seen[name]}" if seen[name] else name)
            seen[name] += 1
    return found


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_should_link_to_what_exists(page: Path) -> None:
    for target, anchor in links(page):
        assert (ROOT / target).exists(), f"{page}: {target}"
        if anchor and target.suffix == ".md":
            assert anchor in anchors(target), f"{page}: {target}#{anchor}"


@pytest.mark.parametrize("start", [INDEX, Path("README.md")], ids=str)
def test_should_reach_every_page_in_two_clicks(start: Path) -> None:
    first = {target for target, _ in links(start)}
    second = {target for page in first if page in PAGES for target, _ in links(page)}
    assert set(PAGES) <= {start} | first | second


def test_should_have_every_page_of_the_docs_in_the_index_itself() -> None:
    """Only decision records have an index of their own."""
    first = {target for target, _ in links(INDEX)}
    own = {page for page in PAGES if page.parent.name != "adr" or page.name == "README.md"}
    assert own <= {INDEX} | first


def test_should_have_every_page_in_the_site_s_navigation() -> None:
    def leaves(entries: list[dict[str, Any]]) -> Iterator[str]:
        for entry in entries:
            for value in entry.values():
                yield from [value] if isinstance(value, str) else leaves(value)

    nav = tomllib.loads(site.CONFIG.read_text(encoding="utf-8"))["project"]["nav"]
    own = [page for page in PAGES if page.parent.name != "adr" or page.name == "README.md"]
    assert sorted(leaves(nav)) == sorted(map(str, own))


@pytest.mark.parametrize(
    ("github", "python_markdown"),
    [
        ("Steps:\n- one\n- two\n", "Steps:\n\n- one\n- two\n"),
        ("1. one\n   - below\n   more\n", "1. one\n    - below\n    more\n"),
        (
            "- one\n\n  ```py\n  if x:\n      y\n  ```\n",
            "- one\n\n    ```py\n    if x:\n        y\n    ```\n",
        ),
        ("- one\n\ntext\n  text\n", "- one\n\ntext\n  text\n"),
        ("- one\n\n```py\nif x:\n  - y\n```\n", "- one\n\n```py\nif x:\n  - y\n```\n"),
    ],
)
def test_should_mean_the_same_by_lists_on_the_site(github: str, python_markdown: str) -> None:
    assert site.as_the_site_reads_it(github) == python_markdown


@pytest.fixture(scope="module")
def html(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return site.build(tmp_path_factory.mktemp("site"))


@pytest.mark.skipif(find_spec("zensical") is None, reason="the dependency group `docs` is not here")
class TestSite:
    """What `make site` builds, by the rules of `--strict`."""

    def test_should_have_a_page_for_each_page(self, html: Path) -> None:
        for page in PAGES:
            name = "index" if page.stem == "README" else page.stem
            assert (html / page.with_name(f"{name}.html")).is_file(), page

    def test_should_fetch_nothing_from_the_network(self, html: Path) -> None:
        for page in html.rglob("*.html"):
            text = page.read_text(encoding="utf-8")
            fetched = re.findall(
                r"<(?:script|img|iframe|source)\b[^>]*?src=\"?(https?:[^\" >]*)", text
            )
            fetched += re.findall(r"<link\b(?![^>]*canonical)[^>]*?href=\"?(https?:[^\" >]*)", text)
            assert not fetched, page
            assert 'class="mermaid"' not in text, f"{page}: drawn by a script from a CDN"

    def test_should_find_pages_by_their_words(self, html: Path) -> None:
        index = (html / "search.js").read_text(encoding="utf-8")
        assert "docs/troubleshooting.html" in index
        assert "NonDeterministicExecutionError" in index

    def test_should_lead_to_files_and_anchors_that_the_site_has(self, html: Path) -> None:
        ids = {}
        for page in html.rglob("*.html"):
            ids[page.resolve()] = set(
                re.findall(r'\bid="([^"]+)"', page.read_text(encoding="utf-8"))
            )
        for page in ids:
            if page.name == "404.html":
                continue
            for target in re.findall(r'<a\b[^>]*?href="([^"]+)"', page.read_text(encoding="utf-8")):
                if re.match(r"[a-z]+:", target):
                    continue
                path, _, anchor = target.partition("#")
                linked = (page.parent / path).resolve() if path else page
                assert linked.exists(), f"{page.name}: {target}"
                if anchor and linked in ids:
                    assert anchor in ids[linked], f"{page.name}: {target}"

    @pytest.mark.parametrize(
        ("link", "fault"),
        [("nowhere.md", "page does not exist"), ("#nothing", "anchor does not exist")],
    )
    def test_should_refuse_a_link_that_leads_nowhere(
        self, link: str, fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        read = site.as_the_site_reads_it
        monkeypatch.setattr(site, "as_the_site_reads_it", lambda t: f"{read(t)}\n[x]({link})\n")
        with pytest.raises(RuntimeError, match=fault):
            site.build(tmp_path)
