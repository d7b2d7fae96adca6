"""What can go wrong, as answers: a code and a status each, which only grow in number."""

from __future__ import annotations

from pathlib import Path

import pytest

from hitl_approval.domain import errors
from hitl_approval.domain.errors import ApprovalError, ApprovalNotFound, InvalidRequest, Unavailable

ERROR_CODES = Path(__file__).parents[3] / "docs" / "deploy.md"
CODES = {
    "InvalidRequest": ("INVALID_REQUEST", 400),
    "CommentRequired": ("INVALID_REQUEST", 400),
    "Unauthenticated": ("UNAUTHENTICATED", 401),
    "Forbidden": ("FORBIDDEN", 403),
    "ApprovalNotFound": ("APPROVAL_NOT_FOUND", 404),
    "AlreadyDecided": ("APPROVAL_ALREADY_DECIDED", 409),
    "ApprovalExpired": ("APPROVAL_EXPIRED", 409),
    "ContentChanged": ("APPROVAL_CHANGED", 409),
    "RemindedAlready": ("REMINDED_ALREADY", 429),
    "RecordFull": ("RECORD_FULL", 409),
    "ThreadFull": ("THREAD_FULL", 409),
    "Unavailable": ("UNAVAILABLE", 503),
    "UnreadableRecord": ("RECORD_UNREADABLE", 500),
    "RecordAltered": ("RECORD_ALTERED", 500),
}
"""Callers match on these: none changes."""


@pytest.mark.parametrize("name", CODES)
def test_should_keep_its_code(name: str) -> None:
    kind: type[ApprovalError] = getattr(errors, name)
    assert (kind.code, kind.status) == CODES[name]


def test_should_have_a_code_of_its_own_which_the_docs_explain() -> None:
    own: dict[str, type[ApprovalError]] = {
        name: kind
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, ApprovalError) and "code" in vars(kind)
    }
    assert own.keys() <= CODES.keys()
    listed = ERROR_CODES.read_text(encoding="utf-8")
    for kind in own.values():
        assert f"| `{kind.code}` | {kind.status} |" in listed


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
