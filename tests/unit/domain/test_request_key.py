"""An approval's id follows from who asks, and from what it calls it."""

from __future__ import annotations

from hitl_approval.domain.approval import derive_approval_id
from hitl_approval.domain.request_key import RequestKey


def test_should_derive_the_id() -> None:
    assert RequestKey("arn", "name").approval_id == derive_approval_id("arn", "name")
    assert RequestKey("arn", "name").approval_id != RequestKey("arn", "other").approval_id
