"""The docs' tables of a request's fields are what the declaration says."""

from __future__ import annotations

from hitl_approval.domain.request import FIELDS
from tests.docs.request_reference import DOCS, embedding, events, request_table


def test_should_be_what_make_docs_writes() -> None:
    assert embedding() == (DOCS / "embedding.md").read_text(encoding="utf-8"), "make docs"
    assert events() == (DOCS / "events.md").read_text(encoding="utf-8"), "make docs"


def test_should_have_a_row_for_every_field() -> None:
    for name in FIELDS:
        assert request_table().count(f"\n| `{name}` |") == 1
