"""AWS's errors become ours: which may go well later, and how much is said of them."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from hitl_approval.adapters.aws import TRANSIENT_CODES, error_code, is_transient, unavailable


def answered(code: str, status: int = 400) -> ClientError:
    response: Any = {
        "Error": {"Code": code, "Message": "secret"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(response, "Call")


NETWORK = EndpointConnectionError(endpoint_url="x")


@pytest.mark.parametrize(
    "error", [NETWORK, answered("Whatever", 503), *map(answered, sorted(TRANSIENT_CODES))], ids=repr
)
def test_should_try_again_what_may_go_well(error: Any) -> None:
    assert is_transient(error)


@pytest.mark.parametrize("code", ["ValidationException", "AccessDeniedException", ""])
def test_should_not_try_again_a_fault_of_ours(code: str) -> None:
    assert not is_transient(answered(code))
    assert error_code(answered(code)) == code


def test_should_say_which_service_and_why_and_no_more() -> None:
    said = unavailable("SNS", answered("Throttling")).to_dict()["error"]
    assert said["message"] == "SNS did not take the call now: try again"
    assert said["details"] == {"reason": "Throttling"}
    assert unavailable("SNS", NETWORK).details == {"reason": "EndpointConnectionError"}
