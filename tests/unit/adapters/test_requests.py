"""What Lambda's errors mean to who asks through the request function."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from hitl_approval.adapters.requests import RequestFunctionClient
from hitl_approval.domain.errors import ApprovalError, Forbidden, Unanswered, Unavailable
from hitl_approval.domain.request_key import RequestKey
from tests.asking import ALIAS, EXECUTION
from tests.unit.adapters.failing import LATER, Failing, answered

KEY = RequestKey(EXECUTION, "refund")


class Answering:
    """A client whose every call has one answer."""

    def __init__(self, said: Any, **more: Any) -> None:
        self.said, self.more = said, more

    def invoke(self, **_: Any) -> dict[str, Any]:
        return {"Payload": io.BytesIO(json.dumps(self.said).encode()), **self.more}


def asking(client: Any, sender: Any = None) -> RequestFunctionClient:
    return RequestFunctionClient(client=client, sender=sender or client, function=ALIAS)


@pytest.mark.parametrize("error", [*LATER, answered("TooManyRequestsException", 429)], ids=repr)
def test_should_try_again_later_what_lambda_does_not_take_now(error: Exception) -> None:
    with pytest.raises(Unavailable):
        asking(Failing(error)).check_status(KEY)


def test_should_not_hide_that_it_may_not_ask() -> None:
    with pytest.raises(ClientError):
        asking(Failing(answered("AccessDeniedException", 403))).check_status(KEY)


def test_should_take_a_function_that_failed_for_one_that_did_not_answer() -> None:
    failed = {"errorType": "KeyError", "errorMessage": "secret", "stackTrace": ["secret"]}
    with pytest.raises(Unanswered, match=r"^the request function failed: KeyError$"):
        asking(Answering(failed, FunctionError="Unhandled")).check_status(KEY)


def test_should_raise_the_refusal_that_the_function_has_answered() -> None:
    with pytest.raises(Forbidden, match=r"^not yours$"):
        asking(Answering(Forbidden("not yours").to_dict())).check_status(KEY)


def test_should_take_a_refusal_of_a_newer_function_for_one() -> None:
    said = {"error": {"code": "NEWER", "message": "who knows", "details": {}}}
    with pytest.raises(ApprovalError, match=r"^who knows$"):
        asking(Answering(said)).check_status(KEY)


def test_should_never_publish_twice_by_itself() -> None:
    """botocore's own tries would send again what may have been sent."""
    once = Answering({"answer": None})
    asking(client=Failing(AssertionError("not by this one")), sender=once).notify(KEY)
