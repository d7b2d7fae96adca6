"""How approvers get their personal links: by e-mail or by a queue, each only their own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from aws_cdk import Annotations, Names, Stack, Token
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from hitl_approval.contract import APPROVER_ATTRIBUTE
from hitl_approval.domain.delivery import Address, is_mail_address
from hitl_approval.domain.text import spelling
from hitl_approval_cdk import rules
from hitl_approval_cdk.tokens import is_token, shown

MAX_ENDPOINTS: Final = 200
"""Subscriptions with a filter that SNS allows a topic."""
MAX_SHARED: Final = 150
"""Values that SNS allows in the filter of one subscription."""


@dataclass(frozen=True, slots=True)
class EmailApprover:
    """An approver whose personal links come by e-mail: from SES with `mail`, else from SNS.

    Attributes:
        address: with SNS confirmed once, by the mail that AWS sends.
        name: as requests name this approver. Default: the address.
    """

    address: str
    name: str | None = None

    @property
    def approver(self) -> str:
        """The name by which requests mean this person."""
        return self.name or self.address

    @property
    def reached_at(self) -> Address:
        """By which channel messages come."""
        return Address("sns", self.approver)

    @property
    def endpoint(self) -> str:
        """Where messages go."""
        return self.address

    def subscribe(self, scope: Construct, topic: sns.ITopic, approvers: Sequence[str]) -> None:
        """Let only messages for these approvers go to the address."""
        sns.Subscription(
            scope,
            f"Personal-{self.approver}",
            topic=topic,
            protocol=sns.SubscriptionProtocol.EMAIL,
            endpoint=self.endpoint,
            filter_policy=_only(approvers),
        )


@dataclass(frozen=True, slots=True)
class SqsApprover:
    """An approver whose personal links are put into a queue, for a chat bot of yours, say.

    Attributes:
        name: as requests name this approver.
        queue: a standard queue of this account and region; allowed to be sent to, and its key to
            be used for that. Several approvers may share it: the message attribute `approver` says
            who is meant. One of another stack makes that stack depend on this one.
    """

    name: str
    queue: sqs.IQueue

    @property
    def approver(self) -> str:
        """The name by which requests mean this person."""
        return self.name

    @property
    def reached_at(self) -> Address:
        """By which channel messages come."""
        return Address("sns", self.approver)

    @property
    def endpoint(self) -> str:
        """Where messages go."""
        return self.queue.queue_arn

    def subscribe(self, scope: Construct, topic: sns.ITopic, approvers: Sequence[str]) -> None:
        """Let only messages for these approvers go into the queue, as CDK's own subscription does.

        Raises:
            ValueError: a queue that this topic can never deliver to.
        """
        _check_queue(self.queue, topic)
        sender = iam.ServicePrincipal("sns.amazonaws.com")
        allowed = self.queue.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[sender],
                actions=["sqs:SendMessage"],
                resources=[self.queue.queue_arn],
                conditions={"ArnEquals": {"aws:SourceArn": topic.topic_arn}},
            )
        )
        key = self.queue.encryption_master_key
        used = key is None or (
            key.add_to_resource_policy(
                iam.PolicyStatement(
                    principals=[sender],
                    actions=["kms:Decrypt", "kms:GenerateDataKey"],
                    resources=["*"],  # in a key's policy: this key
                    conditions={"ArnLike": {"aws:SourceArn": _sender_of(key, self.queue, topic)}},
                )
            ).statement_added
        )
        if not (allowed.statement_added and used):
            Annotations.of(scope).add_warning_v2(
                f"hitl-approval:queueNotOurs-{self.queue.node.path}",
                f"the policies of {self.queue.node.path} and of its key are not made in this app: "
                f"they must allow sns.amazonaws.com sqs:SendMessage, and kms:Decrypt and "
                f"kms:GenerateDataKey, or links are lost",
            )
        # Beside the queue: the other way round, two stacks would depend on each other.
        subscription = sns.Subscription(
            cast(Construct, self.queue),
            f"Personal-{Names.node_unique_id(topic.node)}",
            topic=topic,
            protocol=sns.SubscriptionProtocol.SQS,
            endpoint=self.endpoint,
            filter_policy=_only(approvers),
        )
        if allowed.policy_dependable is not None:
            subscription.node.add_dependency(allowed.policy_dependable)


def _check_queue(queue: sqs.IQueue, topic: sns.ITopic) -> None:
    path = queue.node.path
    if queue.encryption_type == sqs.QueueEncryption.KMS_MANAGED:
        msg = (
            f"deliver_to: {path} is encrypted with the key that AWS manages for SQS, which SNS can "
            f"never use: use QueueEncryption.SQS_MANAGED, or KMS with a key of yours"
        )
        raise ValueError(msg)
    if queue.fifo:
        msg = f"deliver_to: {path} is a FIFO queue, which takes no links: use a standard queue"
        raise ValueError(msg)
    for what, theirs, ours in (
        ("account", queue.env.account, topic.env.account),
        ("region", queue.env.region, topic.env.region),
    ):
        if theirs != ours and not (Token.is_unresolved(theirs) or Token.is_unresolved(ours)):
            msg = f"deliver_to: {path} is in {what} {theirs}, the page in {ours}: use a queue there"
            raise ValueError(msg)


def _sender_of(key: kms.IKey, queue: sqs.IQueue, topic: sns.ITopic) -> str:
    """Who may use a queue's key: the topic, or any of its account where naming it is a circle."""
    stack = Stack.of(topic)
    own = topic.master_key is not None and topic.master_key.key_arn == key.key_arn
    if own or Stack.of(key) not in {stack, Stack.of(queue)}:
        return stack.format_arn(service="sns", resource="*")
    return topic.topic_arn


def _only(approvers: Sequence[str]) -> dict[str, sns.SubscriptionFilter]:
    names = [spelling(approver) for approver in approvers]
    return {APPROVER_ATTRIBUTE: sns.SubscriptionFilter.string_filter(allowlist=names)}


Delivery = EmailApprover | SqsApprover
"""How one approver gets personal links."""


def deliveries(name: str, value: Any) -> tuple[Delivery, ...]:
    """Check who gets personal links and how: the rule of the option `deliver_to`.

    Raises:
        ValueError: something else, an approver twice, or a malformed name or address.
    """
    if not isinstance(value, list | tuple) or not all(isinstance(each, Delivery) for each in value):
        msg = (
            f"{name} must be a list of EmailApprover and SqsApprover, got {shown(value)}: use "
            f'[EmailApprover("ann@example.com")], say'
        )
        raise ValueError(msg)
    if any(is_token(each.approver) for each in value):
        msg = (
            f"{name} must name approvers at synth, or their links could not be kept apart, got "
            'a token: use EmailApprover(address, name="ann"), with the name that requests say'
        )
        raise ValueError(msg)
    rules.names(name, [each.approver for each in value], "each approver")
    rules.emails(name, [each.address for each in value if isinstance(each, EmailApprover)])
    return tuple(value)


def by_topic(deliver_to: Sequence[Delivery], *, mail: bool) -> Sequence[Delivery]:
    """Those whom the topic of personal messages reaches: with mail, no addresses."""
    return [each for each in deliver_to if not (mail and isinstance(each, EmailApprover))]


def check_delivery(deliver_to: Sequence[Delivery], *, mail: bool) -> None:
    """Check that whoever gets personal links can get them the way that the deployment sends them.

    Args:
        deliver_to: as `deliveries` has it.
        mail: whether SES sends mails.

    Raises:
        ValueError: more addresses and queues than a topic takes, or an address that SES does not.
    """
    for each in deliver_to:
        if mail and isinstance(each, EmailApprover):
            _check_for_ses(each.address)
    shared = Counter(each.endpoint for each in by_topic(deliver_to, mail=mail))
    if len(shared) > MAX_ENDPOINTS:
        msg = (
            f"deliver_to must name at most {MAX_ENDPOINTS} addresses and queues, got "
            f"{len(shared)}: let approvers share a queue, which SqsApprover says each"
        )
        raise ValueError(msg)
    if shared and max(shared.values()) > MAX_SHARED:
        msg = (
            f"deliver_to must name at most {MAX_SHARED} approvers for a queue, got "
            f"{max(shared.values())}: give some of them another queue"
        )
        raise ValueError(msg)


def _check_for_ses(address: str) -> None:
    if is_token(address) or not is_mail_address(address):
        msg = (
            f"deliver_to: {shown(address)} must be an address that is known at synth and in ASCII, "
            f"or SES cannot send there: write it out"
        )
        raise ValueError(msg)


def subscribe(scope: Construct, topic: sns.ITopic, deliver_to: Sequence[Delivery]) -> None:
    """Subscribe each approver to their own messages on a topic of personal links."""
    # SNS takes one subscription of an address or a queue.
    shared: dict[str, list[Delivery]] = {}
    for each in deliver_to:
        shared.setdefault(each.endpoint, []).append(each)
    for first, *more in shared.values():
        first.subscribe(scope, topic, [each.approver for each in (first, *more)])
