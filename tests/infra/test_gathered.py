"""However many functions and state machines ask, the policies stay within what IAM takes."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn

from hitl_approval_cdk import ApprovalPage, HitlApproval
from hitl_approval_cdk.permissions import COMPLETE_CALLBACK, GET_EXECUTION, Resumer
from tests.infra.synth import Resources, any_app, durable, of_type, template, text

LONGEST_ARN = len("arn:aws:lambda:ap-southeast-2:123456789012:function:") + 64 + len(":*")
INLINE, MANAGED, MANAGED_EACH = 10_240, 10, 6_144  # "IAM and AWS STS quotas", IAM user guide


def written(policy: Any) -> int:
    """Characters of a policy as IAM counts them, each ARN as long as one can be."""
    document = json.loads(json.dumps(policy["PolicyDocument"]))
    for statement in document["Statement"]:
        many = statement["Resource"]
        arns = many if isinstance(many, list) else [many]
        statement["Resource"] = ["x" * LONGEST_ARN for _ in arns]
    return len(json.dumps(document, separators=(",", ":")))


def sizes(resources: Sequence[Resources]) -> tuple[Counter[str], Counter[str]]:
    """(characters of inline policies, number of managed policies) of each role."""
    inline, managed = Counter[str](), Counter[str]()
    for template_ in resources:
        for policy in of_type(template_, "AWS::IAM::Policy").values():
            for role in policy["Roles"]:
                inline[name_of(role)] += written(policy)
        for policy in of_type(template_, "AWS::IAM::ManagedPolicy").values():
            assert written(policy) <= MANAGED_EACH
            for role in policy["Roles"]:
                managed[name_of(role)] += 1
    return inline, managed


def name_of(role: Any) -> str:
    """The same in the role's own stack and in those that import it."""
    found = re.search(r"(Workflow|Request|Approval|Sweep|Page|Publisher)Role", str(role))
    return found[0] if found else str(role)


def named(resources: Sequence[Resources], action: str) -> Counter[str]:
    """How often each resource is named for an action."""
    found: Counter[str] = Counter()
    for number, template_ in enumerate(resources):
        for kind in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
            for policy in of_type(template_, kind).values():
                for statement in policy["PolicyDocument"]["Statement"]:
                    if action in statement["Action"]:
                        many = statement["Resource"]
                        each = many if isinstance(many, list) else [many]
                        found.update(f"{number}: {text(arn)}" for arn in each)
    return found


def asking(add: Callable[[Stack, HitlApproval, int], object]) -> list[Resources]:
    """24 that ask, in two stacks."""
    app = any_app()
    stacks = [Stack(app, f"Team{number}") for number in range(2)]
    approvals = HitlApproval(stacks[0], "Approval", page=ApprovalPage())
    for number in range(24):
        add(stacks[number % 2], approvals, number)
    return [template(stack)["Resources"] for stack in stacks]


def machine(stack: Stack, approvals: HitlApproval, number: int) -> None:
    ask = approvals.step(stack, f"Ask{number}", subject="x", requester="y")
    body = sfn.DefinitionBody.from_chainable(ask)
    sfn.StateMachine(stack, f"Machine{number}", definition_body=body)


def test_should_name_each_attached_function_once_for_each_that_decides() -> None:
    resources = asking(
        lambda stack, approvals, number: approvals.attach(durable(stack, f"Refund{number}"))
    )
    inline, managed = sizes(resources)
    assert set(managed) == {"RequestRole", "ApprovalRole", "SweepRole", "PageRole"}
    assert set(managed.values()) == {2}
    assert max(inline.values()) <= INLINE
    reached = named(resources, "lambda:SendDurableExecutionCallbackSuccess")
    assert len(reached) == 25
    assert set(reached.values()) == {4}


def test_should_name_each_state_machine_once() -> None:
    resources = asking(machine)
    assert sizes(resources)[1] == {"WorkflowRole": 2}
    reached = named(resources, "states:SendTaskSuccess")
    assert len(reached) == 24
    assert set(reached.values()) == {1}


@pytest.mark.parametrize("number", [4, 10])
def test_should_hold_200_resources_of_several_stacks(number: int) -> None:
    app = any_app()
    here = Stack(app, "Approvals")
    role = iam.Role(here, "SweepRole", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    resumer = Resumer("Sweep", role, [COMPLETE_CALLBACK, GET_EXECUTION])
    stacks = [Stack(app, f"Team{each}") for each in range(number)]
    for each in range(200):
        arn = f"arn:aws:lambda:ap-southeast-2:123456789012:function:{each:064}:*"
        resumer.rights(stacks[each % number], "mark").add(arn)
    resources = [template(stack)["Resources"] for stack in stacks]
    inline, managed = sizes(resources)
    assert inline["SweepRole"] <= INLINE - 2_000  # its own policies take less
    assert managed["SweepRole"] <= MANAGED
    assert set(named(resources, COMPLETE_CALLBACK).values()) == {1}
    assert len(named(resources, COMPLETE_CALLBACK)) == 200


def stacks_that_ask(app: App, number: int) -> Stack:
    stack = Stack(app, "Approvals")
    approvals = HitlApproval(stack, "Approval")
    for each in range(number):
        approvals.attach(durable(Stack(app, f"Team{each}")))
    return stack


def test_should_hold_a_function_in_each_of_20_stacks() -> None:
    app = any_app()
    template(stacks_that_ask(app, 20))


def test_should_refuse_more_policies_than_a_role_takes() -> None:
    app = any_app()
    message = (
        r"Approvals/Approval/SweepRole would have about \d+ characters of inline policies and 0 "
        r"managed ones, and IAM takes 10240 and 10: 50 stacks ask through Approvals/Approval, so "
        r"put what asks into fewer stacks, or make a second HitlApproval for some"
    )
    with pytest.raises(RuntimeError, match=message):
        template(stacks_that_ask(app, 50))
