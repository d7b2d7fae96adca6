"""Clients, made on first use, and the one place where AWS's errors become ours."""

from __future__ import annotations

from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionError, HTTPClientError  # noqa: A004

from hitl_approval.contract import AwsService
from hitl_approval.domain.errors import Unanswered, Unavailable

TRANSIENT_CODES = frozenset(
    {
        "InternalFailure",
        "InternalServerError",
        "InternalErrorException",
        "ServiceException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "KMSThrottling",
        "KMSThrottlingException",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestTimeout",
        "RequestTimeoutException",
        "Throttled",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)
"""Codes after which the same call may succeed (each service's API reference)."""

NETWORK_ERRORS = (HTTPClientError, ConnectionError)
"""What botocore raises when no answer came: connection refused, closed, timed out."""

CALL_ERRORS = (ClientError, *NETWORK_ERRORS)
"""What a call can raise: an error that the service answered, or none at all."""

CallError = ClientError | HTTPClientError | ConnectionError

_CONFIG = Config(
    connect_timeout=3,
    read_timeout=10,
    retries={"mode": "standard", "total_max_attempts": 3},
)


_ONE_TRY = Config(connect_timeout=2, read_timeout=6, retries={"total_max_attempts": 1})


@cache
def client(service: AwsService) -> Any:
    """The one client of a service in this process."""
    return boto3.client(service, config=_CONFIG)


@cache
def sender(service: AwsService) -> Any:
    """The same for calls that send something to people, and that no token makes idempotent.

    It never tries again by itself: that would send twice without our knowing that it may have.
    """
    return boto3.client(service, config=_ONE_TRY)


def error_code(error: ClientError) -> str:
    """The service's code for an error."""
    return error.response.get("Error", {}).get("Code", "")


def is_transient(error: CallError) -> bool:
    """Whether the same call may succeed later: throttled, a server's fault, or the network's."""
    if not isinstance(error, ClientError):
        return True
    return _is_servers_fault(error) or error_code(error) in TRANSIENT_CODES


def _is_servers_fault(error: ClientError) -> bool:
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return bool(status >= 500)  # noqa: PLR2004  HTTP


def unavailable(service: str, error: CallError) -> Unavailable:
    """A transient error as a caller should see it: which service, which code, no more."""
    if not isinstance(error, ClientError):
        return Unanswered(f"{service} did not answer: try again", reason=type(error).__name__)
    kind = Unanswered if _is_servers_fault(error) else Unavailable
    return kind(f"{service} did not take the call now: try again", reason=error_code(error))
