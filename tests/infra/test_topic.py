"""The broadcast topic: encrypted connections only, subscribed to, and a warning when nobody is.

Who is subscribed is searched in the whole app, of several accounts, regions and stages. What stands
there of other accounts must neither end the synth nor be taken for the deployment's own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import (
    App,
    Environment,
    PhysicalName,
    Stack,
    Stage,
    pipelines,
)
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions

from hitl_approval_cdk import (
    ApprovalPage,
    EmailApprover,
    HitlApproval,
)
from tests.infra.synth import Resources, any_app, any_stack, of_type, said, warnings_of


def test_should_refuse_unencrypted_connections_to_topic_and_queue(default: Resources) -> None:
    for kind in ("AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy"):
        policies = of_type(default, kind).values()
        assert policies
        for policy in policies:
            [statement] = policy["PolicyDocument"]["Statement"]
            assert statement["Effect"] == "Deny"
            assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_should_subscribe_the_addresses_it_is_given(templates: dict[str, Any]) -> None:
    resources = templates["polling_with_customer_key"]["Resources"]
    [subscription] = of_type(resources, "AWS::SNS::Subscription").values()
    assert subscription["Protocol"] == "email"
    assert subscription["Endpoint"] == "ann@example.com"


class TestWarnings:
    def test_should_warn_when_nobody_is_notified_of_requests(self) -> None:
        stack = any_stack()
        HitlApproval(stack, "Approval")
        assert "nobody is notified" in warnings_of(stack)

    @pytest.mark.parametrize("way", ["addresses", "own topic", "subscribed later"])
    def test_should_be_silent_when_somebody_does(self, way: str) -> None:
        stack = any_stack()
        if way == "addresses":
            HitlApproval(stack, "Approval", notify_emails=["ann@example.com"])
        elif way == "own topic":
            HitlApproval(stack, "Approval", topic=sns.Topic(stack, "Theirs"))
        else:
            approval = HitlApproval(stack, "Approval")
            sns.Subscription(
                stack,
                "Later",
                topic=approval.topic,
                protocol=sns.SubscriptionProtocol.HTTPS,
                endpoint="https://example.com",
            )
        assert warnings_of(stack) == ""

    def test_should_say_nothing_more_than_that(self) -> None:
        stack = any_stack()
        HitlApproval(stack, "Approval", notify_emails=["ann@example.com"])
        assert not said(stack, "info")
        assert not said(stack, "error")


DEV = Environment(account="111111111111", region="eu-central-1")


PROD = Environment(account="222222222222", region="us-east-1")


def deployed(scope: App | Stage, name: str, env: Environment | None = None) -> Stack:
    """A stack with one deployment that nobody is subscribed to."""
    stack = Stack(scope, name, env=env)
    HitlApproval(stack, "Approval")
    return stack


def subscribed(scope: App | Stage, name: str, env: Environment | None = None) -> Stack:
    """The same with somebody who is subscribed later."""
    stack = deployed(scope, name, env)
    approval = stack.node.find_child("Approval")
    assert isinstance(approval, HitlApproval)
    approval.topic.add_subscription(subscriptions.EmailSubscription("ann@example.com"))
    return stack


def foreign_subscriptions(scope: App) -> None:
    """Somebody else's topics in one account, subscribed to from there and from another."""
    theirs = Stack(scope, "Theirs", env=PROD)
    sns.Topic(theirs, "Own").add_subscription(subscriptions.EmailSubscription("x@example.com"))
    sns.Subscription(
        Stack(scope, "Readers", env=DEV),
        "Subscription",
        topic=sns.Topic(theirs, "Shared", topic_name=PhysicalName.GENERATE_IF_NEEDED),
        protocol=sns.SubscriptionProtocol.EMAIL,
        endpoint="y@example.com",
    )


def two_accounts(app: App) -> dict[str, Stack]:
    return {"silent": subscribed(app, "Dev", DEV), "warned": deployed(app, "Prod", PROD)}


def agnostic_beside_specific(app: App) -> dict[str, Stack]:
    return {"silent": subscribed(app, "Somewhere"), "warned": deployed(app, "Prod", PROD)}


def two_stages_of_equal_ids(app: App) -> dict[str, Stack]:
    dev, prod = Stage(app, "Dev", env=DEV), Stage(app, "Prod", env=PROD)
    return {"silent": subscribed(dev, "Payments"), "warned": deployed(prod, "Payments")}


def a_foreign_subscription_before(app: App) -> dict[str, Stack]:
    foreign_subscriptions(app)
    return {"silent": subscribed(app, "Dev", DEV), "warned": deployed(app, "Other", DEV)}


def a_subscriber_in_another_stack(app: App) -> dict[str, Stack]:
    stack = deployed(app, "Dev", DEV)
    approval = stack.node.find_child("Approval")
    assert isinstance(approval, HitlApproval)
    sns.Subscription(
        Stack(app, "Chat", env=DEV),
        "Subscription",
        topic=approval.topic,
        protocol=sns.SubscriptionProtocol.HTTPS,
        endpoint="https://chat.example.com",
    )
    return {"silent": stack, "warned": deployed(app, "Prod", PROD)}


def a_pipeline(app: App) -> dict[str, Stack]:
    pipeline = pipelines.CodePipeline(
        Stack(app, "Pipeline", env=DEV),
        "Pipeline",
        cross_account_keys=True,
        synth=pipelines.ShellStep(
            "Synth",
            input=pipelines.CodePipelineSource.connection(
                "acme/payments", "main", connection_arn="arn:aws:codestar-connections:x"
            ),
            commands=["npx cdk synth"],
        ),
    )
    dev, prod = Stage(app, "Dev", env=DEV), Stage(app, "Prod", env=PROD)
    stacks = {"silent": subscribed(dev, "Payments"), "warned": deployed(prod, "Payments")}
    pipeline.add_stage(dev)
    pipeline.add_stage(prod)
    return stacks


APPS: dict[str, Callable[[App], dict[str, Stack]]] = {
    "two accounts": two_accounts,
    "agnostic beside specific": agnostic_beside_specific,
    "two stages of equal ids": two_stages_of_equal_ids,
    "a foreign subscription before": a_foreign_subscription_before,
    "a subscriber in another stack": a_subscriber_in_another_stack,
    "a pipeline": a_pipeline,
}


@pytest.mark.parametrize("case", list(APPS))
def test_should_synthesize_and_warn_where_nobody_is_subscribed(case: str) -> None:
    app = any_app()
    stacks = APPS[case](app)
    app.synth()
    assert nobody_is_notified(stacks["warned"])
    assert not nobody_is_notified(stacks["silent"])


def test_should_not_warn_who_names_the_people_that_are_mailed() -> None:
    for options in (
        {"page": ApprovalPage(), "deliver_to": [EmailApprover("ann@example.com")]},
        {"notify_emails": ["ann@example.com"]},
    ):
        stack = any_stack()
        HitlApproval(stack, "Approval", **options)
        assert not nobody_is_notified(stack)


def nobody_is_notified(stack: Stack) -> bool:
    return any("nobody is notified" in text for _, text in said(stack))
