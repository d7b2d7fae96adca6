"""Records as rows and back; a row that holds no record says why."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hitl_approval.adapters.rows import link_rows, new_row, read_approval
from hitl_approval.domain.errors import UnreadableRecord
from hitl_approval.domain.link import PersonalLink
from tests.anything import any_approval, any_request


def row(**fields: Any) -> dict[str, Any]:
    request = any_request(approvers=["ann", "bob"], context={"amount": 7})
    return new_row(any_approval(request=request), retention=timedelta(days=1)) | fields


def test_should_come_back_as_it_was() -> None:
    approval = any_approval(request=any_request(approvers=["ann"], context={"amount": 7}))
    assert read_approval(new_row(approval, retention=timedelta(days=1))) == approval


def test_should_expire_from_the_table_after_its_retention() -> None:
    approval = any_approval()
    kept = new_row(approval, retention=timedelta(days=2))["ttl"] - approval.expires_at.timestamp()
    assert timedelta(seconds=kept) == timedelta(days=2)


def test_should_keep_links_by_the_place_of_their_owners() -> None:
    without = row()
    approval = read_approval(without)
    links = (PersonalLink("d1", "bob"), PersonalLink("d2", "ann"))
    written = link_rows(approval, links)
    assert [link["approver"] for link in written] == [1, 0]
    assert read_approval({**without, "links": written}) == replace(approval, links=links)


@pytest.mark.parametrize(
    ("broken", "problem"),
    [
        ({"status": "maybe"}, "status is none of pending"),
        ({"comments": 7}, "comments is "),
        ({"created_at": "yesterday"}, "yesterday"),
        ({"votes": [{"approver": "ann"}]}, "identity is missing"),
        ({"links": [{"digest": "d", "approver": 9}]}, "index"),
    ],
)
def test_should_say_why_a_row_holds_no_record(broken: dict[str, Any], problem: str) -> None:
    with pytest.raises(UnreadableRecord, match=problem):
        read_approval(row(**broken))
