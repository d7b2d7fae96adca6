"""What only the HTTP side refuses: a code and a status each, on which callers match."""

from __future__ import annotations

import pytest

from hitl_approval.domain.errors import ApprovalError
from hitl_approval.http.errors import (
    ChoiceMissing,
    InternalError,
    MethodNotAllowed,
    UnknownLink,
    UnsupportedMediaType,
    WrongChallenge,
)


@pytest.mark.parametrize(
    ("error", "code", "status", "message"),
    [
        (MethodNotAllowed("POST only"), "METHOD_NOT_ALLOWED", 405, "POST only"),
        (InternalError("see the log"), "INTERNAL", 500, "see the log"),
        (UnsupportedMediaType("send JSON"), "UNSUPPORTED_MEDIA_TYPE", 415, "send JSON"),
        (UnknownLink(), "LINK_UNKNOWN", 404, "this link does not open anything"),
        (ChoiceMissing(), "INVALID_REQUEST", 400, "decision: choose one of the two"),
        (WrongChallenge(), "INVALID_REQUEST", 400, "challenge: is not the code of this request"),
    ],
    ids=lambda value: getattr(value, "code", None),
)
def test_should_keep_its_code(error: ApprovalError, code: str, status: int, message: str) -> None:
    assert (error.code, error.status, str(error)) == (code, status, message)
