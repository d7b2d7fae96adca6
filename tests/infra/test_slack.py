"""A Slack workspace: one secret that two functions read, one route that Slack calls."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aws_cdk import Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager

from hitl_approval.contract import Env, Handler
from hitl_approval_cdk import ApprovalPage, HitlApproval, Slack
from tests.infra.synth import any_stack, functions, of_type, permissions, template, text

ARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:slack-1b2c3d"


def any_secret(stack: Stack) -> secretsmanager.ISecret:
    return secretsmanager.Secret.from_secret_complete_arn(stack, "SlackApp", ARN)


def made(**values: Any) -> dict[str, Any]:
    stack = any_stack()
    slack = Slack(**{"secret": any_secret(stack), "team_id": "T0123ABCD"} | values)
    HitlApproval(stack, "Approval", page=ApprovalPage(), slack=slack)
    return dict(template(stack)["Resources"])


def test_should_let_two_functions_read_the_secret_and_no_other() -> None:
    allowed = permissions(made())
    readers = {
        role
        for role, rights in allowed.items()
        for action, resource in rights
        if action == "secretsmanager:GetSecretValue" and resource == ARN
    }
    assert readers == {"ApprovalMessengerRole", "ApprovalSlackRole"}


def test_should_use_the_key_of_a_secret_of_the_customer_s() -> None:
    stack = any_stack()
    key = kms.Key(stack, "Key")
    secret = secretsmanager.Secret(stack, "SlackApp", encryption_key=key)
    slack = Slack(secret=secret, team_id="T0123ABCD")
    HitlApproval(stack, "Approval", page=ApprovalPage(), slack=slack)
    allowed = permissions(template(stack)["Resources"])
    for role in ("ApprovalMessengerRole", "ApprovalSlackRole"):
        assert "kms:Decrypt" in {action for action, _ in allowed[role]}


def test_should_say_which_workspace_to_the_functions_that_need_it() -> None:
    found = functions(made(channel="C0123ABCD", direct_messages=False))
    for handler in (Handler.MESSENGER, Handler.SLACK_API):
        said = text(found[handler]["Environment"]["Variables"][Env.SLACK])
        assert json.loads(said) == {
            "team_id": "T0123ABCD",
            "channel": "C0123ABCD",
            "direct_messages": False,
            "api": "https://slack.com/api",
            "secret_arn": ARN,
        }


def test_should_take_post_on_one_route_without_a_sign_in() -> None:
    routes = of_type(made(), "AWS::ApiGatewayV2::Route").values()
    [route] = [route for route in routes if "/slack" in route["RouteKey"]]
    assert route["RouteKey"] == "POST /slack"
    assert route["AuthorizationType"] == "NONE"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"secret": "arn"}, "slack.secret must be a secret, got 'arn': use"),
        ({"team_id": "acme"}, "slack.team_id must be like T0123ABCD, got 'acme'"),
        ({"team_id": 1}, "slack.team_id must be like T0123ABCD, got 1"),
        ({"channel": "#approvals"}, "slack.channel must be like C0123ABCD, which is its id"),
        ({"direct_messages": "no"}, "slack.direct_messages must be bool, got 'no'"),
        ({"api": "http://slack.com/api"}, "slack.api must be like https://slack.com/api, got"),
        ({"api": "https://slack.com/api/"}, "slack.api must be like https://slack.com/api, got"),
        ({"direct_messages": False}, "slack asks nobody: name a channel, or leave"),
    ],
)
def test_should_refuse_what_cannot_work(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        made(**values)


def test_should_refuse_a_secret_whose_arn_nobody_knows() -> None:
    stack = any_stack()
    secret = secretsmanager.Secret.from_secret_name_v2(stack, "SlackApp", "slack")
    with pytest.raises(ValueError, match="is known by its name only, not by its one ARN"):
        Slack(secret=secret, team_id="T0123ABCD")


def test_should_refuse_something_else() -> None:
    given: Any = {"slack": "T0123ABCD"}
    with pytest.raises(ValueError, match=r"^slack must be Slack, got 'T0123ABCD': use Slack\("):
        HitlApproval(any_stack(), "Approval", page=ApprovalPage(), **given)
