"""What synth accepts and leaves to CloudFormation; tests/bad_input has the refusals."""

from __future__ import annotations

import re
from typing import Any

import pytest
from aws_cdk import Aws, CfnParameter, Duration, RemovalPolicy, Token
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_

from hitl_approval import contract
from hitl_approval.domain import schedule
from hitl_approval_cdk import (
    HitlApproval,
    Quorum,
    resolution,
)
from tests.infra.synth import any_stack, of_type, template

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
        assert "APPROVER_GROUPS" in str(template(stack))

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
                {"groups": {"leads": [Aws.ACCOUNT_ID]}},
                "groups must be known at synth, got a token in 'leads': they are written to a file",
            ),
            ({"groups": {Aws.ACCOUNT_ID: ["ann"]}}, "groups must be known at synth, got a token"),
        ],
    )
    def test_should_refuse_groups_that_cannot_work(
        self, options: dict[str, Any], message: str
    ) -> None:
        with pytest.raises(ValueError, match=re.escape(message)):
            HitlApproval(any_stack(), "Approval", **options)
