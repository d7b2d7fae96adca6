"""A deployment imported by its ARNs grants what it grants where it was made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from aws_cdk import Environment, Stack
from aws_cdk import aws_iam as iam

from hitl_approval_cdk import HitlApproval
from hitl_approval_cdk.deployment import ApprovalDeployment
from tests.infra.synth import any_app, any_stack, granted

ACCOUNT = "123456789012"


ARNS = {
    "table_arn": f"arn:aws:dynamodb:eu-central-1:{ACCOUNT}:table/approvals",
    "audit_table_arn": f"arn:aws:dynamodb:eu-central-1:{ACCOUNT}:table/audit",
    "topic_arn": f"arn:aws:sns:eu-central-1:{ACCOUNT}:approvers",
    "workflow_alias_arn": f"arn:aws:lambda:eu-central-1:{ACCOUNT}:function:workflow:live",
    "approval_function_arn": f"arn:aws:lambda:eu-central-1:{ACCOUNT}:function:approval",
}


def imported(stack: Stack, **changed: Any) -> ApprovalDeployment:
    return HitlApproval.from_attributes(stack, "Imported", **(ARNS | changed))


def test_should_grant_on_an_imported_deployment_what_it_grants_on_its_own() -> None:
    stack = any_stack()
    approvals = imported(stack)
    for name in ("request", "decide", "read", "read_audit"):
        getattr(approvals, f"grant_{name}")(iam.User(stack, name))
    assert granted(stack, "request") == {("lambda:InvokeFunction", ARNS["workflow_alias_arn"])}
    assert granted(stack, "decide") == {("lambda:InvokeFunction", ARNS["approval_function_arn"])}
    assert ("dynamodb:GetItem", ARNS["table_arn"]) in granted(stack, "read")
    assert ("dynamodb:Scan", ARNS["audit_table_arn"]) in granted(stack, "readaudit")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"table_arn": ARNS["table_arn"].replace(ACCOUNT, "999999999999")},
            (
                "table_arn belongs to account 999999999999, this stack to 123456789012: a "
                "deployment grants within its own account only; deploy HitlApproval in this one"
            ),
        ),
        (
            {"topic_arn": ARNS["topic_arn"].replace("eu-central-1", "us-east-1")},
            "topic_arn is in us-east-1, this stack in eu-central-1: import it in its region",
        ),
        ({"table_arn": "approvals"}, "table_arn must be an ARN, got 'approvals'"),
    ],
)
def test_should_refuse_to_import_what_it_cannot_grant(
    changed: Mapping[str, Any], message: str
) -> None:
    here = Environment(account=ACCOUNT, region="eu-central-1")
    stack = Stack(any_app(), "Embedding", env=here)
    with pytest.raises(ValueError, match=r"^t") as refused:
        imported(stack, **changed)
    assert str(refused.value) == message
