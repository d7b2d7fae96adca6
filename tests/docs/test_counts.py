"""The numbers in the docs are those of the code."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.counts import COUNTS, counted, places
from tests.docs.site import ROOT, pages

PAGES = pages()


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_should_be_what_make_docs_writes(page: Path) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    assert counted(text) == text, "make docs"


def test_should_have_a_place_for_each_number() -> None:
    assert {name for page in PAGES for name in places(page)} == COUNTS.keys()


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_should_have_nothing_after_a_mark_that_begins_a_line(page: Path) -> None:
    """Markdown shows such a line as it is."""
    lines = (ROOT / page).read_text(encoding="utf-8").splitlines()
    begun = [line for line in lines if line.lstrip().startswith("<!--")]
    assert [line for line in begun if not line.endswith("-->") or line.count("<!--") != 1] == []
