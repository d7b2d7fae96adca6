"""What is something else is refused in one sentence with the fix."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import CfnParameter, Duration, Stack

from hitl_approval_cdk import (
    ApprovalPage,
    EmailApprover,
    HitlApproval,
)
from tests.infra.synth import any_stack

OTHERS: dict[str, tuple[Callable[[Stack], dict[str, Any]], str]] = {
    "a table's name": (
        lambda _: {"table": "t"},
        "table must be an object of CDK's, got 't': use dynamodb",
    ),
    "an audit table's name": (
        lambda _: {"audit_table": "t"},
        "audit_table must be an object",
    ),
    "an operator who is none": (
        lambda _: {"operators": "olga"},
        "operators must be a list of names that are known at synth, got 'olga'",
    ),
    "an operator twice": (
        lambda _: {"operators": ["olga", "OLGA"]},
        "operators: names 'OLGA' twice (got ['olga', 'OLGA']): name each operator once",
    ),
    "a topic's ARN": (
        lambda _: {"topic": "arn"},
        "topic must be an object of CDK's, got 'arn'",
    ),
    "an alarm topic's ARN": (
        lambda _: {"alarm_topic": "arn"},
        "alarm_topic must be an object",
    ),
    "a bus's name": (lambda _: {"event_bus": "default"}, "event_bus must be an object"),
    "a key's ARN": (
        lambda _: {"encryption_key": "arn"},
        "encryption_key must be an object",
    ),
    "a signing key's ARN": (
        lambda _: {"signing_key": "arn"},
        "signing_key must be an object",
    ),
    "an architecture's name": (
        lambda _: {"architecture": "arm64"},
        "architecture must be an object of CDK's, got 'arm64': use lambda_.Architecture.ARM_64",
    ),
    "a number of days": (
        lambda _: {"log_retention": 90},
        "log_retention must be an object of CDK's, got 90: use logs.RetentionDays",
    ),
    "a page that is just wanted": (
        lambda _: {"page": True},
        "page must be ApprovalPage, got True: use ApprovalPage()",
    ),
    "one address to deliver to": (
        lambda _: {"page": ApprovalPage(), "deliver_to": EmailApprover("ann@example.com")},
        "deliver_to must be a list of EmailApprover and SqsApprover",
    ),
    "a page that is not encrypted": (
        lambda _: {"page": ApprovalPage(url="http://approve.example.com")},
        "page.url must be like https://approve.example.com, got 'http://approve.example.com'",
    ),
    "a slash too many": (
        lambda _: {"page": ApprovalPage(url="https://approve.example.com/")},
        "page.url must be like https://approve.example.com, got 'https://approve.example.com/'",
    ),
    "a page that takes nobody": (
        lambda _: {"page": ApprovalPage(requests_per_second=0)},
        "page.requests_per_second must be at least 1, got 0: nobody could open a link",
    ),
    "a switch in quotes": (
        lambda _: {"page": ApprovalPage(challenge="false")},  # type: ignore[arg-type]
        "page.challenge must be bool, got 'false': use True or False",
    ),
    "an issuer in place of a sign-in": (
        lambda _: {"page": ApprovalPage(sign_in="a")},  # type: ignore[arg-type]
        "page.sign_in must be a SignIn or an authorizer, got 'a': use SignIn.cognito(), say",
    ),
    "three million days": (
        lambda _: {"retention": Duration.days(3_000_000)},
        "retention must be at most 36500 days, got 3000000: use Duration.days(3650), say",
    ),
    "an address without a domain": (
        lambda _: {"notify_emails": ["ann@example"]},
        "notify_emails must be addresses like ann@example.com, got 'ann@example': one @",
    ),
    "an address in brackets": (
        lambda _: {"notify_emails": ["<ann@example.com>"]},
        "notify_emails must be addresses like ann@example.com, got '<ann@example.com>': one @",
    ),
    "a list that only CloudFormation knows": (
        lambda stack: {
            "notify_emails": CfnParameter(stack, "L", type="CommaDelimitedList").value_as_list
        },
        "notify_emails must be a list that is known at synth, got a token: name each address",
    ),
    "a number of rejections that only CloudFormation knows": (
        lambda stack: {
            "rejections_needed": CfnParameter(stack, "N", type="Number").value_as_number
        },
        "rejections_needed must be known at synth, got a token: use a whole number",
    ),
}


@pytest.mark.parametrize("case", list(OTHERS))
def test_should_refuse_what_is_something_else_in_words_of_ours(case: str) -> None:
    stack = any_stack()
    make, message = OTHERS[case]
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        HitlApproval(stack, "Approval", **make(stack))
