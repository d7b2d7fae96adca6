"""What can go wrong, as answers: a code and a status each, which only grow in number."""

from __future__ import annotations

import pytest

from hitl_approval.domain import errors
from hitl_approval.domain.errors import ApprovalError, ApprovalNotFound, InvalidRequest, Unavailable

CODES = {
    "InvalidRequest": ("INVALID_REQUEST", 400),
    "CommentRequired": ("INVALID_REQUEST", 400),
    "Unauthenticated": ("UNAUTHENTICATED", 401),
    "Forbidden": ("FORBIDDEN", 403),
    "ApprovalNotFound": ("APPROVAL_NOT_FOUND", 404),
    "AlreadyDecided": ("APPROVAL_ALREADY_DECIDED", 409),
    "ApprovalExpired": ("APPROVAL_EXPIRED", 409),
    "ContentChanged": ("APPROVAL_CHANGED", 409),
    "Unavailable": ("UNAVAILABLE", 503),
    "UnreadableRecord": ("RECORD_UNREADABLE", 500),
    "RecordAltered": ("RECORD_ALTERED", 500),
}
"""Callers match on these: none changes."""


@pytest.mark.parametrize("name", CODES)
def test_should_keep_its_code(name: str) -> None:
    kind: type[ApprovalError] = getattr(errors, name)
    assert (kind.code, kind.status) == CODES[name]


def test_should_stand_in_a_body_with_its_details() -> None:
    assert Unavailable("try again", reason="Throttling").to_dict() == {
        "error": {
            "code": "UNAVAILABLE",
            "message": "try again",
            "details": {"reason": "Throttling"},
        }
    }
    assert ApprovalNotFound("a").to_dict()["error"]["details"] == {"approval_id": "a"}


def test_should_name_the_public_home_as_an_executions_error_type() -> None:
    assert InvalidRequest.__module__ == "hitl_approval"
    assert str(InvalidRequest("subject", "must not be empty")) == "subject: must not be empty"
