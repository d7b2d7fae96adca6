"""What Lambda measures of a function's variables is measured at synth."""

from __future__ import annotations

from typing import Any

import pytest

from hitl_approval_cdk import HitlApproval, sizes
from tests.infra.synth import any_stack, durable, template

PEOPLE = [f"{'x' * 40}{number}@example.com" for number in range(20)]


def of_theirs(number: int) -> dict[str, Any]:
    return {"environment": {f"V{each}": "x" * 80 for each in range(number)}}


@pytest.mark.parametrize(("number", "fits"), [(0, True), (10, True), (32, False)])
def test_should_count_the_variables_of_an_attached_function(number: int, fits: bool) -> None:
    stack = any_stack()
    approvals = HitlApproval(stack, "Approval", approvers=PEOPLE)
    approvals.attach(durable(stack, **of_theirs(number)))
    if fits:
        template(stack)
        return
    message = (
        r"Embedding/Refund has about 4\d\d\d bytes of environment variables, of which approvers "
        r"take 1\d\d\d, and Lambda takes 4096: give it fewer of yours, or make approvers a group"
    )
    with pytest.raises(RuntimeError, match=message):
        template(stack)


def test_should_count_what_is_added_after_it_was_attached() -> None:
    stack = any_stack()
    function = durable(stack)
    HitlApproval(stack, "Approval").attach(function)
    function.add_environment("THEIRS", "x" * 4_000)
    with pytest.raises(RuntimeError, match="Embedding/Refund has about"):
        template(stack)


def test_should_count_the_functions_of_the_deployment() -> None:
    stack = any_stack()
    HitlApproval(stack, "Approval", approvers=PEOPLE)
    template(stack)
    stack = any_stack()
    approval = HitlApproval(stack, "Approval", approvers=PEOPLE)
    approval.workflow_function.add_environment("THEIRS", "x" * 2_500)
    with pytest.raises(RuntimeError, match="Embedding/Approval/WorkflowFunction has about"):
        template(stack)


@pytest.mark.parametrize(
    ("value", "length"),
    [
        ("text", 4),
        ({"Ref": "AWS::AccountId"}, 12),
        ({"Ref": "Table0123ABCD"}, len("Embedding-Table0123ABCD-0123456789AB")),
        ({"Fn::GetAtt": ["T" * 200, "Arn"]}, 51 + 64),
        ({"Fn::Join": ["", ["a:", {"Ref": "AWS::Partition"}, ":b"]]}, 7),
        ({"Fn::ImportValue": "X"}, 100),
    ],
)
def test_should_estimate_what_only_cloudformation_knows(value: Any, length: int) -> None:
    assert len(sizes.estimated(value, any_stack().stack_name)) == length


def test_should_estimate_within_what_it_is_in() -> None:
    found = sizes.estimated({"a": [{"Ref": "AWS::Region"}], "b": 5}, any_stack().stack_name)
    assert found == {"a": ["x" * 14], "b": 5}


def test_should_measure_json_in_json_as_lambda_does() -> None:
    assert sizes.measured({"A": '["b"]'}) == len(r'{"A":"[\"b\"]"}')
