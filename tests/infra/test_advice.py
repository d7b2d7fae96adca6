"""What synth warns of; that nobody is subscribed is tested with the topic."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import Duration, Token
from aws_cdk.aws_apigatewayv2_authorizers import HttpIamAuthorizer

from hitl_approval_cdk import ApprovalPage, EmailApprover, HitlApproval, Quorum, Rule, field
from tests.infra.synth import any_stack, warnings_of

TOKEN = Token.as_number({"Ref": "AWS::AccountId"})


def test_should_warn_when_every_request_has_to_name_its_approvers() -> None:
    stack = any_stack()
    HitlApproval(stack, "Approval", quorum=Quorum.everyone(), notify_emails=["ann@example.com"])
    assert "every request must name its own" in warnings_of(stack)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"resume": "polling", "approval_timeout": Duration.days(1)}, "has room for 2 approvals"),
        ({"resume": "polling", "approval_timeout": Duration.minutes(5)}, None),
        ({"resume": "callback", "approval_timeout": Duration.days(90)}, None),
        ({"resume": "polling", "approval_timeout": Duration.seconds(TOKEN)}, None),
    ],
    ids=["a day", "five minutes", "by callback", "a token"],
)
def test_should_warn_when_an_execution_has_room_for_few(
    options: dict[str, Any], said: str | None
) -> None:
    stack = any_stack()
    HitlApproval(stack, "Approval", notify_emails=["ann@example.com"], **options)
    warnings = "".join(warnings_of(stack))
    assert (said or "") in warnings
    assert ("has room for" in warnings) is (said is not None)


TWO = {"quorum": Quorum.at_least(2)}
SIGN_IN = ApprovalPage(sign_in=HttpIamAuthorizer())
LINKS = {"page": ApprovalPage(), "deliver_to": [EmailApprover("ann@example.com")]}


@pytest.mark.parametrize(
    ("options", "warns"),
    [
        (TWO, True),
        ({"quorum": Quorum.everyone(), "approvers": ["ann", "bob"]}, True),
        (TWO | {"page": ApprovalPage()}, True),
        ({"rules": [Rule("big", when=field("amount") > 9, quorum=Quorum.at_least(2))]}, True),
        ({"rules": [Rule("big", when=field("amount") > 9, quorum=Quorum.at_least(1))]}, False),
        ({}, False),
        ({"quorum": Quorum.at_least(1)}, False),
        (TWO | {"require_verified_identity": True}, False),
        (TWO | {"trust_authorizer": True}, False),
        (TWO | {"page": SIGN_IN}, False),
        (TWO | LINKS, False),
    ],
)
def test_should_warn_when_one_person_could_type_the_names_of_several(
    options: dict[str, Any], warns: bool
) -> None:
    stack = any_stack()
    HitlApproval(stack, "Approval", notify_emails=["ann@example.com"], **options)
    assert ("nobody vouches for their names" in warnings_of(stack)) is warns
