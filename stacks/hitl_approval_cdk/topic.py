"""The broadcast topic, who is subscribed to it, and a warning when nobody is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import jsii
from aws_cdk import Annotations, Aspects, IAspect, Stage, Token
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct, IConstruct


class BroadcastTopic(sns.Topic):
    """Where everybody who subscribed is notified of each request; refuses unencrypted connections.

    Args:
        scope: where it belongs.
        construct_id: its name there; part of its logical id.
        encryption_key: Default: none; SNS encrypts in transit.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, encryption_key: kms.IKey | None = None
    ) -> None:
        super().__init__(scope, construct_id, enforce_ssl=True, master_key=encryption_key)


def subscribe_emails(scope: Construct, topic: sns.ITopic, addresses: Sequence[str]) -> None:
    """Subscribe each address, which may be a token, to a topic."""
    for index, address in enumerate(addresses):
        sns.Subscription(
            scope,
            f"Email{index}" if Token.is_unresolved(address) else f"Email-{address}",
            topic=topic,
            protocol=sns.SubscriptionProtocol.EMAIL,
            endpoint=address,
        )


def warn_if_nobody_subscribes(approval: Construct, topic: sns.ITopic) -> None:
    """Warn at the construct unless somebody in the app subscribes to its topic."""
    made = cast(sns.CfnTopic, topic.node.default_child)
    # Of one leaf: an aspect of the construct would be called for each of its children.
    Aspects.of(made).add(_WarnIfNobodySubscribes(approval, topic, made))


@jsii.implements(IAspect)
class _WarnIfNobodySubscribes:
    """Checks when the whole app is there: subscriptions are often added after the construct.

    It compares names as they are written and resolves none: what stands in the app of another
    account cannot be resolved for ours. The stages of an app do not refer to each other.
    """

    def __init__(self, approval: Construct, topic: sns.ITopic, made: sns.CfnTopic) -> None:
        self.approval = approval
        self.arns = {topic.topic_arn, made.ref, made.attr_topic_arn}

    def visit(self, _: IConstruct) -> None:
        stage = Stage.of(self.approval) or self.approval.node.root
        for other in stage.node.find_all():
            if isinstance(other, sns.CfnSubscription) and other.topic_arn in self.arns:
                return
        Annotations.of(self.approval).add_warning_v2(
            "hitl-approval:nobodyIsSubscribed",
            "nobody is notified of approval requests: pass notify_emails, or page and "
            "deliver_to, or subscribe to the topic",
        )
