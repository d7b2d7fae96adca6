"""Personal links: each approver gets only their own, by mail or by a queue that can take them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from aws_cdk import CfnParameter, Environment, Fn, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs

from hitl_approval_cdk import ApprovalPage, EmailApprover, HitlApproval, SqsApprover
from hitl_approval_cdk.delivery import check_delivery
from tests.infra.synth import any_app, any_stack, of_type, said, template, text


def test_should_send_each_approver_only_what_is_theirs() -> None:
    stack = any_stack()
    queue = sqs.Queue(stack, "Chat")
    HitlApproval(
        stack,
        "Approval",
        page=ApprovalPage(),
        deliver_to=[EmailApprover("Ann@example.com"), SqsApprover("Bob  Builder", queue)],
    )
    resources = template(stack)["Resources"]
    personal = {
        text(s["Endpoint"]): s
        for s in of_type(resources, "AWS::SNS::Subscription").values()
        if text(s["TopicArn"]) == "<ApprovalPagePersonalTopic>"
    }
    assert personal["Ann@example.com"]["FilterPolicy"] == {"approver": ["ann@example.com"]}
    assert personal["<Chat.Arn>"]["FilterPolicy"] == {"approver": ["bob builder"]}
    policies = of_type(resources, "AWS::SQS::QueuePolicy").values()
    [sending] = [p for p in policies if "sns.amazonaws.com" in str(p)]
    assert "ApprovalPagePersonalTopic" in str(sending["PolicyDocument"]["Statement"])


def delivered(
    approvers: Sequence[SqsApprover | EmailApprover], stack: Stack, **options: Any
) -> dict[str, Any]:
    HitlApproval(stack, "Approval", page=ApprovalPage(), deliver_to=approvers, **options)
    found: dict[str, Any] = template(stack)["Resources"]
    return found


def key_users(resources: Any) -> list[dict[str, Any]]:
    """Statements by which SNS may use a customer's key."""
    return [
        statement
        for key in of_type(resources, "AWS::KMS::Key").values()
        for statement in key["KeyPolicy"]["Statement"]
        if statement["Principal"] == {"Service": "sns.amazonaws.com"}
    ]


@pytest.mark.parametrize("flag", [True, False])
def test_should_let_sns_use_the_key_of_a_queue(flag: bool) -> None:
    app = any_app(**{"@aws-cdk/aws-sns-subscriptions:restrictSqsDescryption": flag})
    stack = Stack(app, "Embedding")
    queue = sqs.Queue(stack, "Chat", encryption_master_key=kms.Key(stack, "Key"))
    [statement] = key_users(delivered([SqsApprover("bob", queue)], stack))
    assert statement["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
    source = statement["Condition"]["ArnLike"]["aws:SourceArn"]
    assert text(source) == "<ApprovalPagePersonalTopic>"


@pytest.mark.parametrize("where", ["the deployment's", "another stack's"])
def test_should_make_no_circle_of_a_queues_key(where: str) -> None:
    app = any_app()
    stack = Stack(app, "Embedding")
    key = kms.Key(stack if where == "the deployment's" else Stack(app, "Keys"), "Key")
    queue = sqs.Queue(stack, "Chat", encryption_master_key=key)
    # Template.from_stack refuses a circle within a stack, CDK one between two.
    delivered([SqsApprover("bob", queue)], stack, encryption_key=key)
    [statement] = key_users(template(Stack.of(key))["Resources"])
    source = text(statement["Condition"]["ArnLike"]["aws:SourceArn"])
    assert source == "arn:<AWS::Partition>:sns:<AWS::Region>:<AWS::AccountId>:*"


def test_should_subscribe_a_queue_once_for_all_who_share_it() -> None:
    stack = any_stack()
    queue = sqs.Queue(stack, "Chat")
    resources = delivered([SqsApprover("Ann", queue), SqsApprover("bob", queue)], stack)
    [subscription] = of_type(resources, "AWS::SNS::Subscription").values()
    assert subscription["FilterPolicy"] == {"approver": ["ann", "bob"]}
    [policy] = [p for p in of_type(resources, "AWS::SQS::QueuePolicy").values() if "sns" in str(p)]
    assert len(policy["PolicyDocument"]["Statement"]) == 1


def test_should_deliver_to_a_queue_of_another_stack() -> None:
    app = any_app()
    stack, chat = Stack(app, "Embedding"), Stack(app, "Chat")
    key = kms.Key(chat, "Key")
    queue = sqs.Queue(chat, "Queue", encryption_master_key=key)
    delivered([SqsApprover("bob", queue)], stack)
    assert chat.dependencies == [stack]
    resources = template(chat)["Resources"]
    [subscription] = of_type(resources, "AWS::SNS::Subscription").values()
    assert subscription["FilterPolicy"] == {"approver": ["bob"]}
    assert len(key_users(resources)) == 1


def test_should_warn_of_an_imported_queue_whose_policies_nobody_here_makes() -> None:
    stack = any_stack()
    arn = "arn:aws:sqs:eu-central-1:123456789012:chat"
    delivered([SqsApprover("bob", sqs.Queue.from_queue_arn(stack, "Chat", arn))], stack)
    [(path, text)] = said(stack)
    assert path == "Embedding/Approval/Page"
    assert "must allow sns.amazonaws.com sqs:SendMessage" in text


def test_should_deliver_to_as_many_as_there_are() -> None:
    people = [EmailApprover(f"p{number}@example.com") for number in range(25)]
    resources = delivered(people, any_stack())
    assert len(of_type(resources, "AWS::SNS::Subscription")) == 25


def test_should_mail_an_address_that_only_cloudformation_knows() -> None:
    stack = any_stack()
    address = CfnParameter(stack, "Address").value_as_string
    resources = delivered([EmailApprover(address, name="Ann")], stack)
    [subscription] = of_type(resources, "AWS::SNS::Subscription").values()
    assert subscription["Endpoint"] == {"Ref": "Address"}
    assert subscription["FilterPolicy"] == {"approver": ["ann"]}


def test_should_refuse_more_than_sns_filters_for() -> None:
    people = [EmailApprover(f"p{number}@example.com") for number in range(201)]
    message = "^deliver_to must name at most 200 addresses and queues, got 201: let approvers share"
    with pytest.raises(ValueError, match=message):
        delivered(people, any_stack())
    stack = any_stack()
    queue = sqs.Queue(stack, "Chat")
    sharing = [SqsApprover(f"p{number}", queue) for number in range(151)]
    with pytest.raises(ValueError, match="at most 150 approvers for a queue, got 151: give some"):
        check_delivery(sharing, mail=False)
    check_delivery(sharing[1:], mail=False)


BERLIN = Environment(account="111111111111", region="eu-central-1")


QUEUES: dict[str, tuple[Callable[[Stack], sqs.IQueue], str]] = {
    "the key that AWS manages": (
        lambda stack: sqs.Queue(stack, "Chat", encryption=sqs.QueueEncryption.KMS_MANAGED),
        (
            "deliver_to: Berlin/Chat is encrypted with the key that AWS manages for SQS, which SNS "
            "can never use: use QueueEncryption.SQS_MANAGED, or KMS with a key of yours"
        ),
    ),
    "first in, first out": (
        lambda stack: sqs.Queue(stack, "Chat", fifo=True),
        "deliver_to: Berlin/Chat is a FIFO queue, which takes no links: use a standard queue",
    ),
    "another account": (
        lambda stack: sqs.Queue.from_queue_arn(
            stack, "Chat", "arn:aws:sqs:eu-central-1:222222222222:chat"
        ),
        (
            "deliver_to: Berlin/Chat is in account 222222222222, the page in 111111111111: use a "
            "queue there"
        ),
    ),
    "another region": (
        lambda stack: sqs.Queue.from_queue_arn(
            stack, "Chat", "arn:aws:sqs:us-east-1:111111111111:chat"
        ),
        (
            "deliver_to: Berlin/Chat is in region us-east-1, the page in eu-central-1: use a queue "
            "there"
        ),
    ),
}


@pytest.mark.parametrize("case", list(QUEUES))
def test_should_refuse_a_queue_that_no_link_could_reach(case: str) -> None:
    make, message = QUEUES[case]
    stack = Stack(any_app(), "Berlin", env=BERLIN)
    queue = make(stack)
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        delivered([SqsApprover("bob", queue)], stack)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"deliver_to": [EmailApprover("ann@example.com")]},
            "deliver_to needs a page that links lead to: pass page=ApprovalPage()",
        ),
        (
            {"page": ApprovalPage(), "deliver_to": [EmailApprover("ann")]},
            "deliver_to must be addresses like ann@example.com, got 'ann'",
        ),
        (
            {
                "page": ApprovalPage(),
                "deliver_to": [EmailApprover("a@example.com"), EmailApprover("A@example.com")],
            },
            "deliver_to: names 'A@example.com' twice",
        ),
        (
            {"page": ApprovalPage(), "deliver_to": ["ann@example.com"]},
            "deliver_to must be a list of EmailApprover and SqsApprover, got ['ann@example.com']",
        ),
        (
            {"page": ApprovalPage(), "deliver_to": [EmailApprover(Fn.ref("Address"))]},
            (
                "deliver_to must name approvers at synth, or their links could not be kept apart, "
                "got a token: use EmailApprover(address, name="
            ),
        ),
    ],
)
def test_should_refuse_deliveries_that_cannot_work(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=r"^deliver_to") as refused:
        HitlApproval(any_stack(), "Approval", **options)
    assert str(refused.value).startswith(message)
