"""Clients, made on first use, and the one place where AWS's errors become ours."""

from __future__ import annotations

from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionError, HTTPClientError  # noqa: A004

from hitl_approval.contract import AwsService
from hitl_approval.domain.errors import Unavailable

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


@cache
def client(service: AwsService) -> Any:
    """The one client of a service in this process."""
    return boto3.client(service, config=_CONFIG)


def error_code(error: ClientError) -> str:
    """The service's code for an error."""
    return error.response.get("Error", {}).get("Code", "")


def is_transient(error: CallError) -> bool:
    """Whether the same call may succeed later: throttled, a server's fault, or the network's."""
    if not isinstance(error, ClientError):
        return True
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status >= 500 or error_code(error) in TRANSIENT_CODES  # noqa: PLR2004  HTTP: server's fault


def unavailable(service: str, error: CallError) -> Unavailable:
    """A transient error as a caller should see it: which service, which code, no more."""
    code = error_code(error) if isinstance(error, ClientError) else type(error).__name__
    return Unavailable(f"{service} did not take the call now: try again", reason=code)
