"""Reads values of context keys, as the command line gives them (text) or cdk.json (any JSON).

Each raises ValueError, TypeError or KeyError for a value that does not fit; `context` says which
key that was and what it takes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final, get_args

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk.aws_apigatewayv2_authorizers import HttpJwtAuthorizer

from hitl_approval.contract import ResumeMode
from hitl_approval.domain.organization import Organization
from hitl_approval.domain.policy import OnTimeout
from hitl_approval.domain.quorum import Quorum
from hitl_approval_cdk.delivery import EmailApprover
from hitl_approval_cdk.sign_in import SignIn

LOG_RETENTIONS: Final[Mapping[int, logs.RetentionDays]] = {
    1: logs.RetentionDays.ONE_DAY,
    3: logs.RetentionDays.THREE_DAYS,
    7: logs.RetentionDays.ONE_WEEK,
    14: logs.RetentionDays.TWO_WEEKS,
    30: logs.RetentionDays.ONE_MONTH,
    90: logs.RetentionDays.THREE_MONTHS,
    180: logs.RetentionDays.SIX_MONTHS,
    365: logs.RetentionDays.ONE_YEAR,
    731: logs.RetentionDays.TWO_YEARS,
    1827: logs.RetentionDays.FIVE_YEARS,
    3653: logs.RetentionDays.TEN_YEARS,
}
"""Days -> what CloudWatch Logs offers."""
_REMOVAL: Final = {
    "retain": RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    "destroy": RemovalPolicy.DESTROY,
}
_ARCHITECTURES: Final = {
    "arm64": lambda_.Architecture.ARM_64,
    "x86_64": lambda_.Architecture.X86_64,
}


def number(value: Any) -> int:
    """A whole number, also as the CLI passes it: text."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,12}", value.strip()):
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise ValueError


def seconds(value: Any) -> Duration:
    """A whole number of seconds."""
    return Duration.seconds(number(value))


def days(value: Any) -> Duration:
    """A whole number of days."""
    return Duration.days(number(value))


def each_in_seconds(value: Any) -> list[Duration]:
    """`3600,7200` from the command line, or a JSON list of whole numbers."""
    return [seconds(each) for each in _listed(value)]


def switch(value: Any) -> bool:
    """`true` or `false`."""
    return {"true": True, "false": False}[str(value).strip().lower()]


def text(value: Any) -> str:
    """Text."""
    if not isinstance(value, str):
        raise TypeError
    return value


def upper(value: Any) -> str:
    """Text, in capital letters."""
    return text(value).upper()


def names(value: Any) -> list[str]:
    """`ann,bob` from the command line, or a JSON list from there or from cdk.json."""
    found = _listed(value)
    if not all(isinstance(name, str) for name in found):
        raise ValueError
    return found


def _listed(value: Any) -> list[Any]:
    """Texts with commas between them, a JSON list, or such a list as text."""
    if isinstance(value, str) and not value.lstrip().startswith("["):
        return [each.strip() for each in value.split(",")] if value.strip() else []
    return json_list(value)


def groups(value: Any) -> dict[str, list[str]]:
    """An object of lists in cdk.json, or the same as JSON text from the command line."""
    found = json.loads(value) if isinstance(value, str) else value
    if not isinstance(found, dict):
        raise TypeError
    return {name: names(members) for name, members in found.items()}


def json_list(value: Any) -> list[Any]:
    """A list in cdk.json, or the same as JSON text from the command line."""
    found = json.loads(value) if isinstance(value, str) else value
    if not isinstance(found, list):
        raise TypeError
    return found


def switch_or_object(value: Any) -> dict[str, Any] | None:
    """An object in cdk.json, or the same as JSON text; true for an empty one, false for none."""
    found = json.loads(value) if isinstance(value, str) else value
    if isinstance(found, bool):
        return {} if found else None
    if not isinstance(found, dict):
        raise TypeError
    return found


def approvers_by_mail(value: Any) -> list[EmailApprover]:
    """Addresses of approvers."""
    return [EmailApprover(address) for address in names(value)]


def sign_in(value: Any) -> SignIn | HttpJwtAuthorizer:
    """A sign-in with a browser, or an OpenID Connect issuer and at least one audience."""
    issuer, *audiences = names(value)
    if (issuer, audiences) == ("cognito", []):
        return SignIn.cognito()
    if issuer == "oidc":
        issuer, client_id = audiences
        return SignIn.oidc(issuer, client_id=client_id)
    if not issuer.startswith("https://") or not audiences:
        raise ValueError
    return HttpJwtAuthorizer("SignIn", issuer, jwt_audience=audiences)


def organization(value: Any) -> Organization:
    """A name, or an object of name and color: in cdk.json, or as JSON from the command line."""
    is_json = isinstance(value, str) and value.lstrip().startswith("{")
    found = json.loads(value) if is_json else value
    return Organization(**found) if isinstance(found, dict) else Organization(text(found))


def quorum(value: Any) -> Quorum:
    """`any_one`, `everyone` or a number."""
    if value == "any_one":
        return Quorum.any_one()
    if value == "everyone":
        return Quorum.everyone()
    return Quorum.at_least(number(value))


def on_timeout(value: Any) -> OnTimeout:
    """`timeout` or `reject`."""
    return {"timeout": OnTimeout.timeout(), "reject": OnTimeout.reject()}[value]


def resume(value: Any) -> str:
    """`callback` or `polling`."""
    if value not in get_args(ResumeMode):
        raise ValueError
    return str(value)


def removal_policy(value: Any) -> RemovalPolicy:
    """`retain` or `destroy`."""
    return _REMOVAL[value]


def log_retention(value: Any) -> logs.RetentionDays:
    """A number of days that CloudWatch Logs offers."""
    return LOG_RETENTIONS[number(value)]


def architecture(value: Any) -> lambda_.Architecture:
    """`arm64` or `x86_64`."""
    return _ARCHITECTURES[value]
