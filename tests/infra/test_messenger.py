"""The messenger is there with a page: fed by the stream, and each minute by the clock."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from constructs import Construct

from hitl_approval.contract import Env, Handler, Messages
from hitl_approval.domain.message import LEASE
from hitl_approval.settings import Settings
from hitl_approval_cdk import ApprovalPage, HitlApproval
from hitl_approval_cdk.permissions import Resources as Deployed
from tests.infra.synth import Resources, any_stack, functions, of_type, template, text


def test_should_try_again_each_minute(default: Resources) -> None:
    [rule] = [
        rule for name, rule in of_type(default, "AWS::Events::Rule").items() if "Messenger" in name
    ]
    assert rule["ScheduleExpression"] == "rate(1 minute)"
    [target] = rule["Targets"]
    assert text(target["Arn"]) == "<ApprovalMessengerFunction.Arn>"


def test_should_end_before_anybody_else_tries_a_message(default: Resources) -> None:
    assert functions(default)[Handler.MESSENGER]["Timeout"] < LEASE.total_seconds()


def test_should_lay_out_the_messages_table_as_the_contract_says(default: Resources) -> None:
    [table] = [
        table
        for name, table in of_type(default, "AWS::DynamoDB::Table").items()
        if "MessagesTable" in name
    ]
    assert [key["AttributeName"] for key in table["KeySchema"]] == [
        Messages.PARTITION_KEY,
        Messages.SORT_KEY,
    ]
    [index] = table["GlobalSecondaryIndexes"]
    assert index["IndexName"] == Messages.DUE_INDEX
    assert [key["AttributeName"] for key in index["KeySchema"]] == [Messages.SHARD, Messages.DUE]
    assert table["TimeToLiveSpecification"]["AttributeName"] == Messages.TTL


def test_should_exist_with_a_page_only() -> None:
    approvals = HitlApproval(any_stack(), "Approval")
    assert approvals.messenger_function is None
    assert approvals.messages_table is None


def read(handler: str, **options: Any) -> Settings:
    stack = any_stack()
    HitlApproval(stack, "Approval", page=ApprovalPage(), **options)
    made = functions(template(stack)["Resources"])[handler]["Environment"]["Variables"]
    return Settings(values={name: text(value) for name, value in made.items()})


def test_should_be_read_by_the_runtime_as_it_was_meant() -> None:
    delays = [Duration.hours(4), Duration.minutes(1)]
    asking = read(Handler.WORKFLOW, reminders=delays)
    assert [d.total_seconds() for d in asking.reminders or ()] == [60, 4 * 3600]
    assert read(Handler.WORKFLOW).reminders is None
    assert read(Handler.WORKFLOW, reminders=[]).reminders == ()
    sending = read(Handler.MESSENGER, messages_off=["outcome"])
    assert sending.messages_off == {"outcome"}
    assert sending.retention.days == 30
    assert read(Handler.MESSENGER).messages_off == frozenset()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"reminders": [Duration.seconds(59)]}, "reminders must be at least 60 s each, got 59 s"),
        ({"reminders": [Duration.hours(1)] * 11}, "reminders must be at most 10, got 11"),
        ({"reminders": Duration.hours(1)}, "reminders must be a list"),
        (
            {"messages_off": ["requested"]},
            "messages_off must be a list of reminder, released, outcome",
        ),
        ({"messages_off": ["mail"]}, "messages_off must be a list of reminder, released, outcome"),
        ({"reminders": [Duration.hours(1)], "page": None}, "reminders needs a page"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_should_refuse_what_cannot_be_sent(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        HitlApproval(any_stack(), "Approval", **({"page": ApprovalPage()} | options))


def test_should_allow_nothing_without_a_topic_of_personal_messages() -> None:
    stack: Construct = any_stack()
    approvals = HitlApproval(stack, "Approval")
    bare = Deployed(table=approvals.table, audit_table=approvals.audit_table, topic=approvals.topic)
    role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    with pytest.raises(ValueError, match="the messenger needs a messages_table"):
        bare.deliver(role)


def test_should_hold_reminders_and_kinds_as_json() -> None:
    stack = any_stack()
    HitlApproval(stack, "Approval", page=ApprovalPage(), reminders=[Duration.hours(1)])
    variables = functions(template(stack)["Resources"])[Handler.WORKFLOW]["Environment"]
    assert json.loads(variables["Variables"][Env.REMINDERS]) == [3600]
