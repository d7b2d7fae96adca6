"""Records as rows and back; a row that holds no record says why."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hitl_approval.adapters.rows import new_row, read_approval
from hitl_approval.domain.errors import UnreadableRecord
from tests.anything import any_approval, any_request


def row(**fields: Any) -> dict[str, Any]:
    request = any_request(approvers=["ann", "bob"], context={"amount": 7})
    return new_row(any_approval(request=request), retention=timedelta(days=1)) | fields


def test_should_come_back_as_it_was() -> None:
    request = any_request(approvers=["ann"], context={"amount": 7})
    reminders = (timedelta(minutes=5),)
    approval = any_approval(request=request, challenge="AAAA-AAAA", reminders=reminders)
    assert read_approval(new_row(approval, retention=timedelta(days=1))) == approval


def test_should_expire_from_the_table_after_its_retention() -> None:
    approval = any_approval()
    kept = new_row(approval, retention=timedelta(days=2))["ttl"] - approval.expires_at.timestamp()
    assert timedelta(seconds=kept) == timedelta(days=2)


@pytest.mark.parametrize(
    ("broken", "problem"),
    [
        ({"status": "maybe"}, "status is none of pending"),
        ({"comments": 7}, "comments is "),
        ({"created_at": "yesterday"}, "yesterday"),
        ({"votes": [{"approver": "ann"}]}, "identity is missing"),
        ({"reminders": ["soon"]}, "str"),
    ],
)
def test_should_say_why_a_row_holds_no_record(broken: dict[str, Any], problem: str) -> None:
    with pytest.raises(UnreadableRecord, match=problem):
        read_approval(row(**broken))
