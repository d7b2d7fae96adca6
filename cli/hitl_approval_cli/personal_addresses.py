"""Where personal links go: what the stack subscribes, and what of it SNS still has."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from hitl_approval.contract import APPROVER_ATTRIBUTE
from hitl_approval.domain.text import spelling
from hitl_approval_cli.deployment import Deployment

AddressState = Literal["confirmed", "waiting for confirmation", "gone"]

_SUBSCRIPTION = "AWS::SNS::Subscription"
_PENDING, _DELETED = "PendingConfirmation", "Deleted"
"""What SNS lists in place of the ARN of a subscription that is not, or no longer, confirmed."""


@dataclass(frozen=True, slots=True)
class PersonalAddress:
    """One subscription of the topic of personal links.

    Attributes:
        endpoint: an e-mail address, or the ARN of a queue.
        names: whose links go there, as the deployment names them; empty where it does not know.
        state: `gone` where the deployment names it and SNS has no such subscription any more.
    """

    endpoint: str
    names: tuple[str, ...]
    state: AddressState

    @property
    def label(self) -> str:
        """In words: the address or the queue, and for whom where that says more."""
        shown = _short(self.endpoint)
        people = [name for name in self.names if name != spelling(shown)]
        return f"{shown} (for {', '.join(people)})" if people else shown


def read_addresses(deployment: Deployment, topic_arn: str) -> Sequence[PersonalAddress]:
    """The addresses that the stack names, then those that somebody else subscribed.

    Args:
        deployment: whose stack is read.
        topic_arn: its topic of personal links.
    """
    topics = deployment.client("sns").list_subscriptions_by_topic
    listed = [
        each
        for each in _all(topics, "Subscriptions", TopicArn=topic_arn)
        if each["SubscriptionArn"] != _DELETED
    ]
    addresses = []
    for physical_id, endpoint, names in _named(deployment, topic_arn):
        found = [
            each
            for each in listed
            if each["SubscriptionArn"] == physical_id or _short(each["Endpoint"]) == endpoint
        ]
        listed = [each for each in listed if each not in found]
        # A confirmed one first: a mail asked for twice leaves another that waits.
        best = min(found, key=_waits, default=None)
        if best is None:
            addresses.append(PersonalAddress(endpoint, names, "gone"))
        else:
            addresses.append(PersonalAddress(best["Endpoint"], names, _state(best)))
    others = [PersonalAddress(each["Endpoint"], (), _state(each)) for each in listed]
    return [*addresses, *others]


def _state(subscription: Mapping[str, Any]) -> AddressState:
    return "waiting for confirmation" if _waits(subscription) else "confirmed"


def _waits(subscription: Mapping[str, Any]) -> bool:
    return bool(subscription["SubscriptionArn"] == _PENDING)


def _named(deployment: Deployment, topic_arn: str) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Physical id, endpoint and people of each subscription that the stack makes to the topic."""
    client = deployment.client("cloudformation")
    stack = deployment.stack_name
    physical = {
        each["LogicalResourceId"]: each.get("PhysicalResourceId", "")
        for each in _all(client.list_stack_resources, "StackResourceSummaries", StackName=stack)
    }
    template = client.get_template(StackName=stack)["TemplateBody"]
    for logical_id, resource in template["Resources"].items():  # the CDK writes JSON
        if resource["Type"] != _SUBSCRIPTION:
            continue
        properties = resource["Properties"]
        if _resolved(properties["TopicArn"], physical) == topic_arn:
            people = properties.get("FilterPolicy", {}).get(APPROVER_ATTRIBUTE, [])
            endpoint = _resolved(properties["Endpoint"], physical)
            yield physical.get(logical_id, ""), endpoint or logical_id, tuple(people)


def _short(endpoint: str) -> str:
    """An address as it is, of a queue's ARN its name."""
    return endpoint.rpartition(":")[2] if endpoint.startswith("arn:") else endpoint


def _resolved(value: Any, physical: Mapping[str, str]) -> str:
    """A text of the template, or what a reference in it leads to; else the reference's name."""
    if isinstance(value, str):
        return value
    [[_, target]] = value.items()
    name = str(target if isinstance(target, str) else target[0])
    # The physical id of a queue is its URL, whose last part is the queue's name.
    return physical.get(name, name).rpartition("/")[2]


def _all(call: Callable[..., Any], items: str, **asked: Any) -> Iterator[Mapping[str, Any]]:
    while True:
        answer = call(**asked)
        yield from answer[items]
        if not answer.get("NextToken"):
            return
        asked["NextToken"] = answer["NextToken"]
