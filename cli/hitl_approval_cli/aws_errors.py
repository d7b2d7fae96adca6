"""What AWS raises, as one line that says what to do; sorted by class and code."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    HTTPClientError,
    LoginError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)
from botocore.exceptions import (
    ConnectionError as BotoConnectionError,
)
from botocore.parsers import ResponseParserError

from hitl_approval.adapters.aws import error_code, is_transient
from hitl_approval_cli.errors import CliError, NotPermittedError, TransientError

AWS_ERRORS = (
    BotoCoreError, ClientError, BotoConnectionError, HTTPClientError, ResponseParserError,
    json.JSONDecodeError, KeyError,
)  # fmt: skip
"""What a call raises; the last two where the answer is not one of AWS."""

_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
_REFUSED = frozenset({"AccessDenied", "AccessDeniedException", "AuthorizationError"})
_KEY = {
    "KMSAccessDenied": "may not be used: let the functions' roles, or these credentials, use it "
    "(kms:Decrypt, kms:GenerateDataKey), and check its policy",
    "KMSDisabled": "is disabled: enable it",
    "KMSInvalidState": "is pending deletion or import: cancel that, or wait",
    "KMSNotFound": "does not exist: deploy with another encryption_key",
}
"""What is wrong with a customer's key, by the code that Lambda and SNS answer; Lambda adds
`Exception` to it."""
_UNKNOWN = frozenset({
    "InvalidClientTokenId", "InvalidSignatureException", "SignatureDoesNotMatch",
    "UnrecognizedClientException",
})  # fmt: skip
_RIGHT = re.compile(r"not authorized to perform: ([\w-]+:\w+)")


def as_cli_error(
    error: Exception, *, endpoint_url: str | None, stack: str, region: Callable[[], str | None]
) -> CliError:
    """One of `AWS_ERRORS` as the command says it.

    Args:
        error: what was raised.
        endpoint_url: which endpoint was called; None for AWS's own.
        stack: the name of the stack that was asked for.
        region: where; called only where there is a session.
    """
    match error:
        case ClientError():
            return _client_error(error, stack, region)
        case NoCredentialsError() | PartialCredentialsError():
            msg = "no AWS credentials: run `aws configure` or set AWS_PROFILE"
            return CliError(msg, code="NO_CREDENTIALS")
        case NoRegionError():
            return CliError("no AWS region: pass --region or set AWS_REGION", code="NO_REGION")
        case ProfileNotFound():
            return CliError(f"{error}: pass another --profile", code="NO_PROFILE")
        case EndpointConnectionError() | BotoConnectionError() | HTTPClientError():
            where = endpoint_url or "AWS"
            msg = f"{where} cannot be reached: check the network, --region and --endpoint-url"
            return TransientError(msg, code="NOT_REACHED")
        case SSOError() | TokenRetrievalError():
            msg = "the AWS credentials have expired: run `aws sso login`"
            return CliError(msg, code="EXPIRED")
        case LoginError():
            msg = "the AWS credentials have expired: run `aws login`"
            return CliError(msg, code="EXPIRED")
        case ResponseParserError() | json.JSONDecodeError() | KeyError():
            where = endpoint_url or "what is between here and AWS"
            msg = f"{where} does not answer as AWS does: check the network and --endpoint-url"
            return CliError(msg, code="NOT_AWS")
    return CliError(str(error), code=type(error).__name__)


def _client_error(error: ClientError, stack: str, region: Callable[[], str | None]) -> CliError:
    code = error_code(error)
    if code == "ValidationError" and error.operation_name == "DescribeStacks":
        where = region() or "this region"
        msg = f"no stack {stack} in {where}: pass --stack or set HITL_STACK, check --region"
        return CliError(msg, code="NO_STACK")
    if code in _EXPIRED:
        return CliError("the AWS credentials have expired: sign in again", code="EXPIRED")
    if (broken := _KEY.get(code.removesuffix("Exception"))) is not None:
        msg = f"{error.operation_name}: the KMS key that encrypts what is asked for {broken}"
        return CliError(msg, code=code)
    if code in _REFUSED:
        right = _RIGHT.search(error.response["Error"].get("Message", ""))
        fix = (
            f"the credentials lack the right {right[1]}"
            if right
            else "check the credentials' permissions"
        )
        return NotPermittedError(f"AWS refused {error.operation_name}: {fix}", code=code)
    if code in _UNKNOWN:
        msg = "AWS does not know these credentials: sign in again or run `aws configure`"
        return CliError(msg, code=code)
    if is_transient(error):
        msg = f"AWS does not take {error.operation_name} now: try again in a moment"
        return TransientError(msg, code=code)
    message = error.response.get("Error", {}).get("Message", code)
    return CliError(f"{error.operation_name}: {message}", code=code)
