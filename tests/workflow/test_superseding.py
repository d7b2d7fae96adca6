"""Two executions, of which the second replaces what the first has asked."""

from __future__ import annotations

from typing import Any

import pytest
from aws_durable_execution_sdk_python import durable_execution

from hitl_approval import ApprovalRequest, wait_for_approval
from hitl_approval.testing import Approvals, RunFailed


@durable_execution
def release(event: dict[str, Any], context: Any) -> list[str]:
    request = ApprovalRequest(
        subject=event["subject"], requester="rita", supersedes=event.get("supersedes")
    )
    outcome = wait_for_approval(context, request)
    return [outcome.status, outcome.comments]


def test_should_resume_who_was_replaced_and_ask_again() -> None:
    with Approvals() as approvals:
        first = approvals.start(release, {"subject": "Release 1"})
        (old,) = approvals.pending()
        second = approvals.start(release, {"subject": "Release 2", "supersedes": old.approval_id})
        (new,) = approvals.pending()
        assert new.supersedes == old.approval_id
        assert first.result() == ["cancelled", f"replaced by {new.approval_id}"]
        approvals.approve(by="ann")
        assert second.result() == ["approved", ""]


def test_should_ask_nobody_where_the_first_was_decided() -> None:
    with Approvals() as approvals:
        first = approvals.start(release, {"subject": "Release 1"})
        (old,) = approvals.pending()
        approvals.approve(by="ann")
        assert first.result() == ["approved", ""]
        second = approvals.start(release, {"subject": "Release 2", "supersedes": old.approval_id})
        with pytest.raises(RunFailed, match=r"supersedes: names a request that has ended"):
            second.result()
        assert len(approvals.store.approvals) == 1


def test_should_tell_those_who_were_asked() -> None:
    with Approvals() as approvals:
        approvals.start(release, {"subject": "Release 1"})
        (old,) = approvals.pending()
        approvals.start(release, {"subject": "Release 2", "supersedes": old.approval_id})
        said = [m for m in approvals.messages(to="rita") if m.kind == "withdrawn"]
        assert [message.subject for message in said] == ["Replaced: Release 1"]
        (new,) = approvals.pending()
        assert f"replaced by {new.approval_id}" in said[0].body
