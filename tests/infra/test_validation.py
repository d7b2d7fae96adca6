"""What synth accepts, leaves to CloudFormation and warns of; tests/bad_input has the refusals."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import CfnParameter, Duration, RemovalPolicy, Stack, Token
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns

from hitl_approval import contract
from hitl_approval.domain import schedule
from hitl_approval_cdk import (
    ApprovalPage,
    EmailApprover,
    HitlApproval,
    HitlApprovalStack,
    Quorum,
    resolution,
)
from tests.infra.synth import any_app, any_stack, of_type, said, template

MAXIMUM = contract.MAX_EXECUTION_SECONDS - contract.EXECUTION_MARGIN_SECONDS


def test_should_refuse_a_name_for_a_table_that_is_brought_along() -> None:
    stack = any_stack()
    table = dynamodb.Table.from_table_name(stack, "Theirs", "theirs")
    with pytest.raises(ValueError, match="table_name 'mine' has no effect"):
        HitlApproval(stack, "Approval", table=table, table_name="mine")


@pytest.mark.parametrize(
    "options",
    [
        {"approval_timeout": Duration.seconds(60)},
        {"approval_timeout": Duration.seconds(MAXIMUM)},
        {"approval_timeout": Duration.hours(2), "execution_timeout": Duration.seconds(8100)},
        {"approval_timeout": Duration.days(364), "resume": "polling"},
        {
            "resume": "polling",
            "poll_interval": Duration.seconds(1),
            "execution_timeout": Duration.days(366),
        },
        {"poll_interval": Duration.minutes(1), "resume": "polling"},
        {"approvers": [f"approver-{n}@example.com" for n in range(20)]},
        {"approvers": ["ann", "bob"], "quorum": Quorum.everyone()},
        {"quorum": Quorum.at_least(2)},
        {"architecture": lambda_.Architecture.X86_64},
        {"removal_policy": RemovalPolicy.RETAIN, "deletion_protection": True},
        {"removal_policy": RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE},
    ],
    ids=", ".join,
)
def test_should_accept_what_lies_just_inside(options: dict[str, Any]) -> None:
    HitlApproval(any_stack(), "Approval", **options)


class TestPolling:
    @pytest.mark.parametrize("interval", [1, 5, 60])
    def test_should_stay_within_the_operations_of_an_execution_for_a_year(
        self, interval: int
    ) -> None:
        allowed = contract.MAX_OPERATIONS - resolution.OPERATIONS_RESERVE
        assert 0 < resolution.polls(interval, MAXIMUM, limit=10_000) < allowed

    def test_should_refuse_a_poll_that_would_pass_the_operations(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # With the schedule's stretch no whole second does; without it, 5 s end after 4 hours.
        monkeypatch.setattr(schedule, "POLL_STRETCH", 0.0)
        with pytest.raises(ValueError, match="poll_interval of 5 s needs 2800 polls or more"):
            HitlApproval(any_stack(), "Approval", resume="polling")
        HitlApproval(any_stack(), "Approval", resume="callback")
        HitlApproval(any_stack(), "Approval", resume="polling", execution_timeout=Duration.hours(3))


class TestTokens:
    def test_should_leave_to_cloudformation_what_only_it_knows(self) -> None:
        stack = any_stack()
        seconds = CfnParameter(stack, "Seconds", type="Number").value_as_number
        life = CfnParameter(stack, "Life", type="Number").value_as_number
        memory = CfnParameter(stack, "Memory", type="Number").value_as_number
        names = CfnParameter(stack, "Names", type="CommaDelimitedList").value_as_list
        name = CfnParameter(stack, "Name").value_as_string
        address = CfnParameter(stack, "Address").value_as_string
        HitlApproval(
            stack,
            "Approval",
            approval_timeout=Duration.seconds(seconds),
            execution_timeout=Duration.seconds(life),
            poll_interval=Duration.seconds(seconds),
            approvers=names,
            notify_emails=[address],
            log_level=name,
            memory_size=memory,  # type: ignore[arg-type]
            table_name=name,
            resume="polling",
        )
        resources = template(stack)["Resources"]
        [workflow] = [
            f
            for f in of_type(resources, "AWS::Lambda::Function").values()
            if f["Handler"] == contract.Handler.WORKFLOW
        ]
        assert workflow["DurableConfig"]["ExecutionTimeout"] == {"Ref": "Life"}
        assert workflow["MemorySize"] == {"Ref": "Memory"}
        variables = workflow["Environment"]["Variables"]
        # Nothing can be subtracted from a token: requests may then not ask for longer.
        for variable in ("APPROVAL_TIMEOUT_SECONDS", "MAX_APPROVAL_TIMEOUT_SECONDS"):
            assert variables[variable] == {"Ref": "Seconds"}
        assert variables["LOG_LEVEL"] == {"Ref": "Name"}
        [subscription] = of_type(resources, "AWS::SNS::Subscription").values()
        assert subscription["Endpoint"] == {"Ref": "Address"}

    def test_should_still_hold_a_year_when_only_the_default_is_unknown(self) -> None:
        stack = any_stack()
        seconds = CfnParameter(stack, "Seconds", type="Number").value_as_number
        approval = HitlApproval(stack, "Approval", approval_timeout=Duration.seconds(seconds))
        assert not Token.is_unresolved(approval.workflow_alias.alias_name)
        config = str(template(stack))
        assert f"'ExecutionTimeout': {contract.MAX_EXECUTION_SECONDS}" in config

    def test_should_accept_one_approver_that_is_a_token(self) -> None:
        stack = any_stack()
        name = CfnParameter(stack, "Name").value_as_string
        HitlApproval(stack, "Approval", approvers=["ann", name, name])
        assert "DEFAULT_APPROVERS" in str(template(stack))


class TestGroups:
    def test_should_count_the_people_of_groups(self) -> None:
        stack = any_stack()
        HitlApproval(
            stack,
            "Approval",
            approvers=["leads"],
            groups={"leads": ["ann", "bob"]},
            quorum=Quorum.at_least(2),
        )
        assert '{"leads":["ann","bob"]}' in str(template(stack))

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"groups": ["leads"]}, "groups must be names with a list of members each"),
            ({"groups": {"leads": []}}, "groups['leads'] has no members: name somebody"),
            ({"groups": {"leads": "ann"}}, "groups['leads']: must be a list of names"),
            ({"groups": {"leads": ["ann", "Ann"]}}, "groups['leads']: names 'Ann' twice"),
            ({"groups": {"": ["ann"]}}, "groups: must not be empty"),
            (
                {"groups": {"all": ["a", "b"]}, "approvers": ["all"], "rejections_needed": 3},
                "rejections_needed is 3 but 2 approvers are configured: ['a', 'b']",
            ),
            (
                {"groups": {f"g{n}": [f"{m:0160}" for m in range(2)] for n in range(9)}},
                "approvers and groups take 3030 bytes",
            ),
        ],
    )
    def test_should_refuse_groups_that_cannot_work(
        self, options: dict[str, Any], message: str
    ) -> None:
        with pytest.raises(ValueError, match=re.escape(message)):
            HitlApproval(any_stack(), "Approval", **options)


OTHERS: dict[str, tuple[Callable[[Stack], dict[str, Any]], str]] = {
    "a table's name": (
        lambda _: {"table": "t"},
        "table must be an object of CDK's, got 't': use dynamodb",
    ),
    "an audit table's name": (
        lambda _: {"audit_table": "t"},
        "audit_table must be an object",
    ),
    "a topic's ARN": (
        lambda _: {"topic": "arn"},
        "topic must be an object of CDK's, got 'arn'",
    ),
    "an alarm topic's ARN": (
        lambda _: {"alarm_topic": "arn"},
        "alarm_topic must be an object",
    ),
    "a bus's name": (lambda _: {"event_bus": "default"}, "event_bus must be an object"),
    "a key's ARN": (
        lambda _: {"encryption_key": "arn"},
        "encryption_key must be an object",
    ),
    "a signing key's ARN": (
        lambda _: {"signing_key": "arn"},
        "signing_key must be an object",
    ),
    "an architecture's name": (
        lambda _: {"architecture": "arm64"},
        "architecture must be an object of CDK's, got 'arm64': use lambda_.Architecture.ARM_64",
    ),
    "a number of days": (
        lambda _: {"log_retention": 90},
        "log_retention must be an object of CDK's, got 90: use logs.RetentionDays",
    ),
    "a page that is just wanted": (
        lambda _: {"page": True},
        "page must be ApprovalPage, got True: use ApprovalPage()",
    ),
    "one address to deliver to": (
        lambda _: {"page": ApprovalPage(), "deliver_to": EmailApprover("ann@example.com")},
        "deliver_to must be a list of EmailApprover and SqsApprover",
    ),
    "a page that is not encrypted": (
        lambda _: {"page": ApprovalPage(url="http://approve.example.com")},
        "page.url must be like https://approve.example.com, got 'http://approve.example.com'",
    ),
    "a slash too many": (
        lambda _: {"page": ApprovalPage(url="https://approve.example.com/")},
        "page.url must be like https://approve.example.com, got 'https://approve.example.com/'",
    ),
    "a page that takes nobody": (
        lambda _: {"page": ApprovalPage(requests_per_second=0)},
        "page.requests_per_second must be at least 1, got 0: nobody could open a link",
    ),
    "a switch in quotes": (
        lambda _: {"page": ApprovalPage(challenge="false")},  # type: ignore[arg-type]
        "page.challenge must be bool, got 'false': use True or False",
    ),
    "an issuer in place of an authorizer": (
        lambda _: {"page": ApprovalPage(sign_in="https://issuer")},  # type: ignore[arg-type]
        "page.sign_in must be an authorizer, got 'https://issuer': use HttpJwtAuthorizer, say",
    ),
    "three million days": (
        lambda _: {"retention": Duration.days(3_000_000)},
        "retention must be at most 36500 days, got 3000000: use Duration.days(3650), say",
    ),
    "an address without a domain": (
        lambda _: {"notify_emails": ["ann@example"]},
        "notify_emails must be addresses like ann@example.com, got 'ann@example': one @",
    ),
    "an address in brackets": (
        lambda _: {"notify_emails": ["<ann@example.com>"]},
        "notify_emails must be addresses like ann@example.com, got '<ann@example.com>': one @",
    ),
    "a list that only CloudFormation knows": (
        lambda stack: {
            "notify_emails": CfnParameter(stack, "L", type="CommaDelimitedList").value_as_list
        },
        "notify_emails must be a list that is known at synth, got a token: name each address",
    ),
    "a number of rejections that only CloudFormation knows": (
        lambda stack: {
            "rejections_needed": CfnParameter(stack, "N", type="Number").value_as_number
        },
        "rejections_needed must be known at synth, got a token: use a whole number",
    ),
}


@pytest.mark.parametrize("case", list(OTHERS))
def test_should_refuse_what_is_something_else_in_words_of_ours(case: str) -> None:
    stack = any_stack()
    make, message = OTHERS[case]
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        HitlApproval(stack, "Approval", **make(stack))


class TestWarnings:
    def test_should_warn_when_nobody_hears_of_requests(self) -> None:
        stack = any_stack()
        HitlApproval(stack, "Approval")
        assert "nobody is notified" in _warnings(stack)

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
        assert _warnings(stack) == ""

    def test_should_say_nothing_more_than_that(self) -> None:
        stack = any_stack()
        HitlApproval(stack, "Approval", notify_emails=["ann@example.com"])
        assert not said(stack, "info")
        assert not said(stack, "error")

    def test_should_warn_when_every_request_has_to_name_its_approvers(self) -> None:
        stack = any_stack()
        HitlApproval(stack, "Approval", quorum=Quorum.everyone(), notify_emails=["ann@example.com"])
        assert "every request must name its own" in _warnings(stack)


class TestKeywords:
    def test_should_describe_each_with_its_default(self) -> None:
        written = inspect.getdoc(HitlApproval) or ""
        arguments = written.split("Args:")[1].split("Attributes:")[0]
        for name in _keywords():
            [description] = re.findall(
                rf"^ {{4}}{name}: (.*?)(?=^ {{4}}\w|\Z)", arguments, re.M | re.S
            )
            assert "Default: " in " ".join(description.split()), name

    def test_should_all_have_a_default(self) -> None:
        for name, parameter in _keywords().items():
            assert parameter.default is not parameter.empty, name
            assert parameter.kind is parameter.KEYWORD_ONLY, name

    def test_should_be_taken_by_the_stack_as_well(self) -> None:
        taken = inspect.signature(HitlApprovalStack).parameters
        assert {name: taken[name] for name in _keywords()} == _keywords()

    def test_should_let_the_stack_name_its_table_otherwise(self) -> None:
        stack = HitlApprovalStack(any_app(), "Stack", table_name="mine", stack_name="other")
        assert stack.stack_name == "other"
        [*names] = [
            t.get("TableName")
            for t in of_type(template(stack)["Resources"], "AWS::DynamoDB::Table").values()
        ]
        assert sorted(map(str, names)) == ["None", "None", "mine"]

    def test_should_give_what_it_made_as_attributes(self) -> None:
        stack = any_stack()
        table = dynamodb.Table.from_table_name(stack, "Theirs", "theirs")
        approval = HitlApproval(stack, "Approval", table=table)
        assert approval.table is table
        for name in (
            "audit_table",
            "topic",
            "workflow_function",
            "workflow_alias",
            "approval_function",
            "dead_letter_queue",
        ):
            assert getattr(approval, name) is not None


def _keywords() -> dict[str, inspect.Parameter]:
    signature = inspect.signature(HitlApproval.__init__)
    return {
        name: parameter
        for name, parameter in signature.parameters.items()
        if name not in {"self", "scope", "construct_id"}
    }


def _warnings(stack: Any) -> str:
    return "\n".join(message for _, message in said(stack))
