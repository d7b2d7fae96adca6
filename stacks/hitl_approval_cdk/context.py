"""The deployable app's context keys (`cdk deploy -c approval_timeout_seconds=7200`), read strictly.

A key that is not known and a value that does not fit are refused with one line: a misspelt rule
that silently does nothing would be a weaker policy than the one that was asked for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any, Final, cast, get_args

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk.aws_apigatewayv2_authorizers import HttpJwtAuthorizer

from hitl_approval.contract import DEFAULT_STACK_NAME, ResumeMode
from hitl_approval.domain.policy import OnTimeout, Quorum
from hitl_approval.domain.text import cut, shown
from hitl_approval_cdk.page import ApprovalPage, EmailApprover
from hitl_approval_cdk.stack import HitlApprovalOptions

DEFAULT_APPROVAL_TIMEOUT_SECONDS: Final = 300
"""The pattern's default, short enough to watch a timeout; the construct's own is 1 hour."""

_STACK_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,127}")
# The CDK's own keys and other tools' have a colon, an @, a slash or a hyphen.
_OURS = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


class ContextError(ValueError):
    """A context key or value that cannot be meant; the message is one line for a person."""


def stack_name(context: Mapping[str, Any]) -> str:
    """Name of the stack: the key `stack_name`.

    Raises:
        ContextError: not a name that CloudFormation takes.
    """
    name = context.get("stack_name", DEFAULT_STACK_NAME)
    if not isinstance(name, str) or not _STACK_NAME.fullmatch(name):
        rule = "must be a letter, then letters, digits and hyphens"
        msg = f"context stack_name {rule}, got {shown(name)}"
        raise ContextError(msg)
    return name


def options(context: Mapping[str, Any]) -> HitlApprovalOptions:
    """Keywords of `HitlApproval` from the app's context.

    Raises:
        ContextError: an unknown key, or a value that does not fit its key.
    """
    unknown = [k for k in context if _OURS.fullmatch(k) and k not in KEYS and k != "stack_name"]
    if unknown:
        near = get_close_matches(unknown[0], KEYS, n=1)
        hint = f"did you mean {near[0]}?" if near else f"known are stack_name, {', '.join(KEYS)}"
        msg = f"context key {cut(unknown[0])} is unknown: {hint}"
        raise ContextError(msg)
    values: dict[str, Any] = {
        "approval_timeout": Duration.seconds(DEFAULT_APPROVAL_TIMEOUT_SECONDS)
    }
    for key, (keyword, parse, what) in KEYS.items():
        if key not in context:
            continue
        try:
            values[keyword] = parse(context[key])
        except (ValueError, TypeError, KeyError):
            msg = f"context {key} must be {what}, got {shown(context[key])}"
            raise ContextError(msg) from None
    page = {name: values.pop(f"page.{name}") for name in PAGE if f"page.{name}" in values}
    return cast(HitlApprovalOptions, {**values, **({"page": ApprovalPage(**page)} if page else {})})


def _number(value: Any) -> int:
    """A whole number, also as the CLI passes it: text."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,12}", value.strip()):
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise ValueError


def _seconds(value: Any) -> Duration:
    return Duration.seconds(_number(value))


def _days(value: Any) -> Duration:
    return Duration.days(_number(value))


def _switch(value: Any) -> bool:
    return {"true": True, "false": False}[str(value).strip().lower()]


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _names(value: Any) -> list[str]:
    """`ann,bob` from the command line, or a JSON list from cdk.json."""
    if isinstance(value, str):
        return [name.strip() for name in value.split(",")] if value.strip() else []
    if isinstance(value, list) and all(isinstance(name, str) for name in value):
        return value
    raise ValueError


def _groups(value: Any) -> dict[str, list[str]]:
    """An object of lists in cdk.json, or the same as JSON text from the command line."""
    groups = json.loads(value) if isinstance(value, str) else value
    if not isinstance(groups, dict):
        raise TypeError
    return {name: _names(members) for name, members in groups.items()}


def _approvers_by_mail(value: Any) -> list[EmailApprover]:
    return [EmailApprover(address) for address in _names(value)]


def _sign_in(value: Any) -> HttpJwtAuthorizer:
    issuer, *audiences = _names(value)
    if not issuer.startswith("https://") or not audiences:
        raise ValueError
    return HttpJwtAuthorizer("SignIn", issuer, jwt_audience=audiences)


def _quorum(value: Any) -> Quorum:
    if value == "any_one":
        return Quorum.any_one()
    if value == "everyone":
        return Quorum.everyone()
    return Quorum.at_least(_number(value))


def _on_timeout(value: Any) -> OnTimeout:
    return {"timeout": OnTimeout.timeout(), "reject": OnTimeout.reject()}[value]


def _resume(value: Any) -> str:
    if value not in get_args(ResumeMode):
        raise ValueError
    return str(value)


def _log_retention(value: Any) -> logs.RetentionDays:
    return LOG_RETENTIONS[_number(value)]


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
PAGE: Final = ("challenge", "sign_in", "sign_in_claim")
"""Keywords of `ApprovalPage` that have a context key."""
_REMOVAL: Final = {
    "retain": RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    "destroy": RemovalPolicy.DESTROY,
}
_ARCHITECTURES: Final = {
    "arm64": lambda_.Architecture.ARM_64,
    "x86_64": lambda_.Architecture.X86_64,
}
_TRUE_OR_FALSE: Final = "true or false"

KEYS: Final[Mapping[str, tuple[str, Callable[[Any], Any], str]]] = {
    "approval_timeout_seconds": ("approval_timeout", _seconds, "a whole number of seconds"),
    "approvers": ("approvers", _names, "names with commas between them"),
    "groups": ("groups", _groups, 'like {"leads": ["ann", "bob"]}'),
    "quorum": ("quorum", _quorum, "any_one, everyone or a number of at least 1"),
    "rejections_needed": ("rejections_needed", _number, "a whole number"),
    "on_timeout": ("on_timeout", _on_timeout, "timeout or reject: silence never approves"),
    "notify_emails": ("notify_emails", _names, "addresses with commas between them"),
    "deliver_to": ("deliver_to", _approvers_by_mail, "addresses with commas between them"),
    "challenge": ("page.challenge", _switch, _TRUE_OR_FALSE),
    "sign_in": ("page.sign_in", _sign_in, "an https issuer and its audiences, commas between them"),
    "sign_in_claim": ("page.sign_in_claim", _text, "the name of a claim"),
    "resume": ("resume", _resume, "callback or polling"),
    "poll_interval_seconds": ("poll_interval", _seconds, "a whole number of seconds"),
    "removal_policy": ("removal_policy", _REMOVAL.__getitem__, "retain or destroy"),
    "deletion_protection": ("deletion_protection", _switch, _TRUE_OR_FALSE),
    "allow_self_approval": ("allow_self_approval", _switch, _TRUE_OR_FALSE),
    "require_verified_identity": ("require_verified_identity", _switch, _TRUE_OR_FALSE),
    "require_comment_on_rejection": ("require_comment_on_rejection", _switch, _TRUE_OR_FALSE),
    "execution_timeout_days": ("execution_timeout", _days, "a whole number of days"),
    "execution_retention_days": ("execution_retention", _days, "a whole number of days"),
    "sweep_interval_seconds": ("sweep_interval", _seconds, "a whole number of seconds"),
    "retention_days": ("retention", _days, "a whole number of days"),
    "log_retention_days": (
        "log_retention",
        _log_retention,
        f"one of {', '.join(map(str, LOG_RETENTIONS))}",
    ),
    "log_level": ("log_level", str.upper, "a level like INFO"),
    "trust_authorizer": ("trust_authorizer", _switch, _TRUE_OR_FALSE),
    "architecture": ("architecture", _ARCHITECTURES.__getitem__, "arm64 or x86_64"),
    "memory_size": ("memory_size", _number, "a whole number of MB"),
}
"""Context key -> the keyword of `HitlApproval`, how its value is read, and what it must be."""
