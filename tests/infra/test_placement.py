"""What another account or region holds either works from here, or is refused with the fix."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns

from hitl_approval.contract import Env
from hitl_approval_cdk import (
    ApprovalPage,
    ApprovalsTable,
    Archive,
    HitlApproval,
    SignIn,
    Slack,
    Webhook,
)
from tests.infra.synth import any_app, durable, functions, granted, template

HERE = Environment(account="111111111111", region="eu-central-1")
US = "us-east-1:111111111111"
OTHERS = "eu-central-1:222222222222"


def here(app: App | None = None, env: Environment | None = HERE) -> Stack:
    return Stack(app or any_app(), "Here", env=env)


def topic(stack: Stack, where: str) -> sns.ITopic:
    return sns.Topic.from_topic_arn(stack, "Topic", f"arn:aws:sns:{where}:theirs")


def table(stack: Stack, where: str) -> dynamodb.ITable:
    return dynamodb.Table.from_table_arn(stack, "Theirs", f"arn:aws:dynamodb:{where}:table/theirs")


def bus(stack: Stack, where: str) -> events.IEventBus:
    arn = f"arn:aws:events:{where}:event-bus/theirs"
    return events.EventBus.from_event_bus_arn(stack, "Bus", arn)


def key(stack: Stack, where: str) -> kms.IKey:
    return kms.Key.from_key_arn(stack, "Theirs", f"arn:aws:kms:{where}:key/1")


def secret(stack: Stack, where: str) -> secretsmanager.ISecret:
    arn = f"arn:aws:secretsmanager:{where}:secret:theirs-1b2c3d"
    return secretsmanager.Secret.from_secret_complete_arn(stack, "Theirs", arn)


def signed_in(stack: Stack, where: str) -> ApprovalPage:
    sign_in = SignIn.oidc(
        "https://issuer.example.com", client_id="approvals", client_secret=secret(stack, where)
    )
    return ApprovalPage(sign_in=sign_in)


def pooled(stack: Stack, where: str) -> ApprovalPage:
    arn = f"arn:aws:cognito-idp:{where}:userpool/{where.split(':', maxsplit=1)[0]}_1a2b3c4d5"
    return ApprovalPage(
        sign_in=SignIn.cognito(cognito.UserPool.from_user_pool_arn(stack, "Pool", arn))
    )


def in_slack(stack: Stack, where: str) -> Slack:
    return Slack(secret=secret(stack, where), team_id="T0123ABCD")


def called(stack: Stack, where: str) -> list[Webhook]:
    return [Webhook(name="teams", secret=secret(stack, where))]


def archived(stack: Stack, where: str) -> Archive:
    return Archive(key=key(stack, where))


FAR: dict[str, tuple[str, Callable[[Stack, str], Any], str, str]] = {
    "a topic of another region": ("topic", topic, US, "use a topic there"),
    "a topic of another account": ("topic", topic, OTHERS, "use a topic there"),
    "a table of another region": ("table", table, US, "use one there"),
    "a table of another account": ("table", table, OTHERS, "use one there"),
    "an audit table of another region": ("audit_table", table, US, "use one there"),
    "an audit table of another account": ("audit_table", table, OTHERS, "use one there"),
    "a bus of another region": ("event_bus", bus, US, "use a bus there"),
    "an alarm topic of another region": ("alarm_topic", topic, US, "use one there"),
    "a key of another region": ("encryption_key", key, US, "or a replica of it"),
    "a signing key of another region": ("signing_key", key, US, "or a replica of it"),
    "an archive's key of another region": ("archive", archived, US, "or a replica of it"),
    "Slack's secret of another region": ("slack", in_slack, US, "or a replica of it"),
    "a webhook's secret of another region": ("webhooks", called, US, "or a replica of it"),
    "a client's secret of another region": ("page", signed_in, US, "or a replica of it"),
    "a user pool of another region": ("page", pooled, US, "use a pool there"),
    "a user pool of another account": ("page", pooled, OTHERS, "use a pool there"),
}


@pytest.mark.parametrize("case", list(FAR))
def test_should_refuse_what_the_functions_cannot_reach(case: str) -> None:
    name, make, where, fix = FAR[case]
    stack = here()
    theirs, ours = ("us-east-1", HERE.region) if where == US else ("222222222222", HERE.account)
    message = rf"^{name}[a-z._]* is in (region|account) {theirs}, this stack in {ours}: .*{fix}"
    options: dict[str, Any] = {"page": ApprovalPage()} if name in {"slack", "webhooks"} else {}
    options[name] = make(stack, where)
    with pytest.raises(ValueError, match=message):
        HitlApproval(stack, "Approval", **options)


def test_should_leave_to_cloudformation_what_only_it_knows() -> None:
    stack = here(env=None)
    HitlApproval(stack, "Approval", topic=topic(stack, US), event_bus=bus(stack, US))
    template(stack)


def test_should_refuse_a_table_of_a_stack_that_names_no_region() -> None:
    app = any_app()
    theirs = ApprovalsTable(Stack(app, "Data"), "Table")
    with pytest.raises(ValueError, match=r"^table is in the stack Data, .* Data names no account"):
        HitlApproval(here(app), "Approval", table=theirs)


def test_should_publish_to_a_bus_of_another_account_by_its_arn() -> None:
    stack = here()
    theirs = bus(stack, OTHERS)
    approvals = HitlApproval(stack, "Approval", event_bus=theirs)
    publisher = functions(template(stack)["Resources"])["publisher.handler.handler"]
    assert publisher["Environment"]["Variables"][Env.EVENT_BUS_NAME] == theirs.event_bus_arn
    message = "^event_bus belongs to account 222222222222, this stack to 111111111111: .*there"
    with pytest.raises(ValueError, match=message):
        approvals.on_decided("Ledger")


def test_should_use_the_key_of_an_imported_topic_that_names_it() -> None:
    stack = here()
    arn = "arn:aws:kms:eu-central-1:111111111111:key/1"
    theirs = sns.Topic.from_topic_attributes(
        stack, "T", topic_arn="arn:aws:sns:eu-central-1:111111111111:t", key_arn=arn
    )
    HitlApproval(stack, "Approval", topic=theirs)
    allowed = granted(stack, "ApprovalWorkflowRole")
    assert {("kms:Decrypt", arn), ("kms:GenerateDataKey", arn)} <= allowed


APART: dict[str, tuple[Environment | None, Environment | None, str]] = {
    "another region": (
        HERE,
        Environment(account=HERE.account, region="us-east-1"),
        "There/{} is in region us-east-1, Here/Approval in eu-central-1: make a HitlApproval there",
    ),
    "another account": (
        HERE,
        Environment(account="222222222222", region=HERE.region),
        (
            "There/{} is in account 222222222222, Here/Approval in 111111111111: make a "
            "HitlApproval there"
        ),
    ),
    "no environment here": (
        None,
        HERE,
        (
            "There/{} is in the stack There, not in Here, and Here names no account: give it "
            "env=Environment(...) as There has it"
        ),
    ),
    "no environment there": (
        HERE,
        None,
        (
            "There/{} is in the stack There, not in Here, and There names no account: give it "
            "env=Environment(...) as Here has it"
        ),
    ),
}


@pytest.mark.parametrize("case", list(APART))
def test_should_refuse_to_attach_what_could_not_ask_here(case: str) -> None:
    ours, theirs, message = APART[case]
    app = any_app()
    approvals = HitlApproval(here(app, ours), "Approval")
    function = durable(Stack(app, "There", env=theirs))
    with pytest.raises(ValueError, match=f"^{re.escape(message.format('Refund'))}$"):
        approvals.attach(function)


@pytest.mark.parametrize("case", list(APART))
def test_should_refuse_a_state_that_could_not_ask_here(case: str) -> None:
    ours, theirs, message = APART[case]
    app = any_app()
    approvals = HitlApproval(here(app, ours), "Approval")
    there = Stack(app, "There", env=theirs)
    with pytest.raises(ValueError, match=f"^{re.escape(message.format('Ask'))}$"):
        approvals.step(there, "Ask", subject="x", requester="y")


def test_should_attach_between_stacks_of_one_environment() -> None:
    for env in (HERE, None):
        app = any_app()
        approvals = HitlApproval(here(app, env), "Approval")
        there = Stack(app, "There", env=env)
        approvals.attach(durable(there))
        template(there)
