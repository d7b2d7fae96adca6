"""`HitlApprovalStack` takes the options of `HitlApproval`."""

from __future__ import annotations

import inspect

from hitl_approval_cdk import HitlApproval, HitlApprovalStack
from hitl_approval_cdk.declaration import DECLARED
from tests.infra.synth import any_app, of_type, template


def test_should_be_taken_by_the_stack_as_well() -> None:
    taken, own = (inspect.signature(cls).parameters for cls in (HitlApprovalStack, HitlApproval))
    assert {name: taken[name] for name in DECLARED} == {name: own[name] for name in DECLARED}


def test_should_let_the_stack_name_its_table_otherwise() -> None:
    stack = HitlApprovalStack(any_app(), "Stack", table_name="mine", stack_name="other")
    assert stack.stack_name == "other"
    [*names] = [
        t.get("TableName")
        for t in of_type(template(stack)["Resources"], "AWS::DynamoDB::Table").values()
    ]
    assert sorted(map(str, names)) == ["None", "None", "None", "mine"]
