"""Apps of more than one account, region and stage: they synthesize, and each is warned of its own.

Who is subscribed is looked for in the whole app. What stands there of other accounts must neither
end the synth nor be taken for ours.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from aws_cdk import App, Environment, PhysicalName, Stack, Stage, pipelines
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions

from hitl_approval_cdk import ApprovalPage, EmailApprover, HitlApproval
from tests.infra.synth import any_app, any_stack, said

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
    assert nobody_hears(stacks["warned"])
    assert not nobody_hears(stacks["silent"])


def test_should_not_warn_who_names_the_people_that_are_mailed() -> None:
    for options in (
        {"page": ApprovalPage(), "deliver_to": [EmailApprover("ann@example.com")]},
        {"notify_emails": ["ann@example.com"]},
    ):
        stack = any_stack()
        HitlApproval(stack, "Approval", **options)
        assert not nobody_hears(stack)


def nobody_hears(stack: Stack) -> bool:
    return any("nobody is notified" in text for _, text in said(stack))
