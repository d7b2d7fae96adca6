"""Where personal links go: what the stack names beside what SNS has; `hitl doctor` shows it."""

from __future__ import annotations

from typing import Any

import pytest

from hitl_approval_cli.deployment import Deployment
from hitl_approval_cli.personal_addresses import PersonalAddress, read_addresses

from .subscriptions import page_of

TOPIC = "arn:aws:sns:us-east-1:123456789012:personal"
QUEUE = "arn:aws:sqs:us-east-1:123456789012:bot"


class Aws:
    """A stack with two addresses, and a topic whose subscriptions come one on a page."""

    def __init__(self) -> None:
        self.subscribed: list[tuple[str, str]] = []
        self.physical = {"Topic": TOPIC, "Bot": "https://sqs.example/123456789012/bot"}

    def list_subscriptions_by_topic(self, TopicArn: str, NextToken: str = "0") -> dict[str, Any]:  # noqa: N803
        assert TopicArn == TOPIC
        return page_of(self.subscribed, NextToken)

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803
        assert StackName == "Pay"
        outputs = [{"OutputKey": "OnePersonalTopicArn0123ABCD", "OutputValue": TOPIC}]
        return {"Stacks": [{"StackName": StackName, "Outputs": outputs}]}

    def list_stack_resources(self, StackName: str) -> dict[str, Any]:  # noqa: N803
        assert StackName == "Pay"
        return {
            "StackResourceSummaries": [
                {"LogicalResourceId": name, "PhysicalResourceId": physical_id}
                for name, physical_id in self.physical.items()
            ]
        }

    def get_template(self, StackName: str) -> dict[str, Any]:  # noqa: N803
        assert StackName == "Pay"

        def subscription(topic: str, endpoint: Any, *people: str) -> dict[str, Any]:
            properties = {
                "TopicArn": {"Ref": topic},
                "Endpoint": endpoint,
                "FilterPolicy": {"approver": list(people)},
            }
            return {"Type": "AWS::SNS::Subscription", "Properties": properties}

        return {
            "TemplateBody": {
                "Resources": {
                    "Topic": {"Type": "AWS::SNS::Topic", "Properties": {}},
                    "ToAnn": subscription("Topic", "ann@example.com", "ann@example.com"),
                    "ToBot": subscription("Topic", {"Fn::GetAtt": ["Bot", "Arn"]}, "dan", "eve"),
                    "Other": subscription("Another", "eve@example.com", "eve"),
                }
            }
        }


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    fake = Aws()
    monkeypatch.setattr(Deployment, "client", lambda *_: fake)
    return fake


def read() -> list[PersonalAddress]:
    return list(read_addresses(Deployment("Pay/One"), TOPIC))


def test_should_name_each_address_with_its_people_and_its_state(aws: Aws) -> None:
    aws.subscribed = [("arn:1", "ann@example.com"), ("PendingConfirmation", QUEUE)]
    assert read() == [
        PersonalAddress("ann@example.com", ("ann@example.com",), "confirmed"),
        PersonalAddress(QUEUE, ("dan", "eve"), "waiting for confirmation"),
    ]


def test_should_say_what_sns_has_no_more_and_what_somebody_else_subscribed(aws: Aws) -> None:
    aws.subscribed = [("Deleted", "ann@example.com"), ("arn:2", "fay@example.com")]
    assert read() == [
        PersonalAddress("ann@example.com", ("ann@example.com",), "gone"),
        PersonalAddress("bot", ("dan", "eve"), "gone"),
        PersonalAddress("fay@example.com", (), "confirmed"),
    ]


def test_should_prefer_the_confirmed_one_of_two(aws: Aws) -> None:
    aws.subscribed = [("PendingConfirmation", "ann@example.com"), ("arn:1", "ann@example.com")]
    [ann, _] = read()
    assert ann.state == "confirmed"


@pytest.mark.parametrize(
    ("endpoint", "names", "label"),
    [
        ("ann@example.com", ("ann@example.com",), "ann@example.com"),
        ("Ann@Example.com", ("ann@example.com",), "Ann@Example.com"),
        ("bob@example.com", ("bob",), "bob@example.com (for bob)"),
        (QUEUE, ("dan", "eve"), "bot (for dan, eve)"),
        ("fay@example.com", (), "fay@example.com"),
    ],
)
def test_should_say_for_whom_where_that_says_more(
    endpoint: str, names: tuple[str, ...], label: str
) -> None:
    assert PersonalAddress(endpoint, names, "confirmed").label == label
