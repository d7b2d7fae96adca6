"""Webhooks: the messenger reads each one's secret, and no other function does."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aws_cdk import aws_secretsmanager as secretsmanager

from hitl_approval.contract import Env, Handler
from hitl_approval_cdk import ApprovalPage, HitlApproval, Webhook
from tests.infra.synth import any_stack, functions, permissions, template, text

ARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:"


def made(*names: str) -> dict[str, Any]:
    stack = any_stack()
    hooks = [
        Webhook(
            name=name,
            secret=secretsmanager.Secret.from_secret_complete_arn(
                stack, name, f"{ARN}{name}-1b2c3d"
            ),
        )
        for name in names
    ]
    HitlApproval(stack, "Approval", page=ApprovalPage(), webhooks=hooks)
    return dict(template(stack)["Resources"])


def test_should_let_the_messenger_read_each_secret_and_nobody_else() -> None:
    resources = made("teams", "audit")
    readers = {
        (role, resource)
        for role, rights in permissions(resources).items()
        for action, resource in rights
        if action == "secretsmanager:GetSecretValue"
    }
    assert readers == {
        ("ApprovalMessengerRole", f"{ARN}{name}-1b2c3d") for name in ("teams", "audit")
    }
    variables = functions(resources)[Handler.MESSENGER]["Environment"]["Variables"]
    assert json.loads(text(variables[Env.WEBHOOKS])) == {
        name: f"{ARN}{name}-1b2c3d" for name in ("teams", "audit")
    }


@pytest.mark.parametrize("value", ["teams", [1], {"teams": "arn"}])
def test_should_refuse_something_else(value: Any) -> None:
    with pytest.raises(ValueError, match=r"^webhooks must be a list of Webhook, got .*: use \["):
        HitlApproval(any_stack(), "Approval", page=ApprovalPage(), webhooks=value)


def test_should_refuse_two_of_one_name() -> None:
    with pytest.raises(ValueError, match=r"^webhooks must have a name of its own each"):
        made_twice()


def made_twice() -> None:
    stack = any_stack()
    secret = secretsmanager.Secret.from_secret_complete_arn(stack, "S", f"{ARN}a-1b2c3d")
    hooks = [Webhook(name="teams", secret=secret)] * 2
    HitlApproval(stack, "Approval", page=ApprovalPage(), webhooks=hooks)


@pytest.mark.parametrize("name", ["", "a b", "x" * 33, "\u00e4", 1])
def test_should_refuse_a_name_that_is_none(name: Any) -> None:
    with pytest.raises(ValueError, match=r"^webhook\.name must be 1 to 32 letters, digits"):
        Webhook(name=name, secret=secretsmanager.Secret(any_stack(), "S"))


def test_should_refuse_what_is_no_secret() -> None:
    given: Any = "arn"
    with pytest.raises(ValueError, match=r"^secret of the webhook teams must be a secret, got"):
        Webhook(name="teams", secret=given)
