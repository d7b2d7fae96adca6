"""Values of context keys, as the command line gives them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk.aws_apigatewayv2_authorizers import HttpJwtAuthorizer

from hitl_approval.domain.organization import Organization
from hitl_approval_cdk import (
    EmailApprover,
    OnTimeout,
    Quorum,
    SignIn,
    context,
    readers,
)
from hitl_approval_cdk.archive import Archive
from hitl_approval_cdk.mail import SesMail
from hitl_approval_cdk.option import ContextKey

GIVEN: dict[str, tuple[Any, Any]] = {
    "approval_timeout_seconds": ("7200", 7200),
    "archive_retention_days": ("3650", 3650 * 86400),
    "approvers": ("ann, bob", ["ann", "bob"]),
    "groups": ('{"leads": ["ann", "bob"]}', {"leads": ["ann", "bob"]}),
    "operators": ("olga, otto", ["olga", "otto"]),
    "requests_name_approvers": ("true", True),
    "rules": (
        '[{"id": "big", "approvers": ["cfo", "coo"]}]',
        [{"id": "big", "approvers": ["cfo", "coo"]}],
    ),
    "quorum": ("2", Quorum.at_least(2)),
    "escalation": (
        '[{"after_seconds": 60, "to": ["leads"]}]',
        [{"after_seconds": 60, "to": ["leads"]}],
    ),
    "rejections_needed": ("2", 2),
    "on_timeout": ("reject", OnTimeout.reject()),
    "notify_emails": ("a@example.com,b@example.com", ["a@example.com", "b@example.com"]),
    "resume": ("polling", "polling"),
    "poll_interval_seconds": ("10", 10),
    "removal_policy": ("destroy", RemovalPolicy.DESTROY),
    "deletion_protection": ("false", False),
    "allow_self_approval": ("true", True),
    "require_verified_identity": ("TRUE", True),
    "require_comment_on_rejection": (True, True),
    "execution_timeout_days": ("30", 30 * 86400),
    "execution_retention_days": ("90", 90 * 86400),
    "retention_days": ("7", 7 * 86400),
    "sweep_interval_seconds": ("600", 600),
    "log_retention_days": ("365", logs.RetentionDays.ONE_YEAR),
    "log_level": ("debug", "DEBUG"),
    "mail_sender": ("approvals@example.com", "approvals@example.com"),
    "deliver_to": ("ann@example.com, bob@example.com", ["ann@example.com", "bob@example.com"]),
    "challenge": ("true", True),
    "organization": ("Nordwind", Organization("Nordwind")),
    "sign_in": ("https://issuer.example.com, web, cli", "JWT"),
    "sign_in_claim": ("upn", "upn"),
    "sign_in_max_age_seconds": ("900", 900),
    "mcp": ("true", True),
    "trust_authorizer": ("true", True),
    "architecture": ("x86_64", "x86_64"),
    "memory_size": ("1024", 1024),
    "monitoring": ('{"pending_age_seconds": 86400}', {"pending_age_seconds": 86400}),
    "reminder_seconds": ("3600, 7200", [3600, 7200]),
    "messages_off": ("outcome,expired", ["outcome", "expired"]),
}


def plain(value: Any) -> Any:
    """Two of jsii's objects are never equal: compare what they say."""
    if isinstance(value, Duration):
        return value.to_seconds()
    if isinstance(value, HttpJwtAuthorizer):
        return value.authorization_type
    if isinstance(value, list):
        return [each.address if isinstance(each, EmailApprover) else plain(each) for each in value]
    if isinstance(value, SesMail):
        return value.sender
    if isinstance(value, Archive):
        return plain(value.retention)
    return value.name if isinstance(value, lambda_.Architecture) else value


def found(options: Mapping[str, Any], name: str, key: ContextKey) -> Any:
    """The value of an option, or the field of it that the key sets."""
    return getattr(options[name], key.field) if key.field else options[name]


@pytest.mark.parametrize("key", [key for key, (_, meant) in GIVEN.items() if type(meant) is list])
def test_should_read_a_json_list_on_the_command_line_too(key: str) -> None:
    given, meant = GIVEN[key]
    as_json = given if given.startswith("[") else json.dumps([*map(str.strip, given.split(","))])
    assert plain(found(dict(context.options({key: as_json})), *context.KEYS[key])) == meant


@pytest.mark.parametrize("key", list(GIVEN))
def test_should_read_every_key_as_the_command_line_gives_it(key: str) -> None:
    given, meant = GIVEN[key]
    assert plain(found(dict(context.options({key: given})), *context.KEYS[key])) == meant


def test_should_read_how_a_browser_signs_in() -> None:
    for value, meant in (
        ("cognito", SignIn.cognito()),
        ("oidc,https://a.example,web", SignIn.oidc("https://a.example", client_id="web")),
    ):
        page = context.options({"sign_in": value})["page"]
        assert page is not None
        assert page.sign_in == meant


@pytest.mark.parametrize(
    "value",
    [
        "http://issuer.example.com,web",
        "https://issuer.example.com",
        "oidc",
        "oidc,https://issuer.example.com",
        "oidc,http://issuer.example.com,web",
        "cognito,pool",
    ],
)
def test_should_refuse_a_sign_in_without_encryption_or_audience(value: str) -> None:
    with pytest.raises(context.ContextError, match="must be `cognito`, `oidc` with"):
        context.options({"sign_in": value})


@pytest.mark.parametrize(
    "value",
    ['{"name": "Nordwind", "color": "#a8201a"}', {"name": "Nordwind", "color": "#a8201a"}],
)
def test_should_read_an_organization_with_its_color(value: Any) -> None:
    assert readers.organization(value) == Organization("Nordwind", "#a8201a")


@pytest.mark.parametrize("value", ["", 7, [], {"nam": "Nordwind"}, "{", {"name": "x", "color": 1}])
def test_should_refuse_an_organization_that_is_none(value: Any) -> None:
    with pytest.raises((ValueError, TypeError, KeyError)):
        readers.organization(value)
