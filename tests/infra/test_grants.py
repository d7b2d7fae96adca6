"""Grants to whom no policy can be attached: by the function's own policy, or refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import Environment, Stack
from aws_cdk import aws_iam as iam

from hitl_approval_cdk import HitlApproval
from tests.infra.synth import any_app, durable, of_type, template, text

HERE = Environment(account="111111111111", region="eu-central-1")
OTHER = "222222222222"

WITHOUT_A_POLICY: dict[str, tuple[Callable[[Stack], iam.IGrantable], dict[str, str]]] = {
    "a service": (
        lambda _: iam.ServicePrincipal("events.amazonaws.com"),
        {"Principal": "events.amazonaws.com"},
    ),
    "an account": (lambda _: iam.AccountPrincipal(OTHER), {"Principal": OTHER}),
    "an organization": (
        lambda _: iam.OrganizationPrincipal("o-1234567890"),
        {"Principal": "*", "PrincipalOrgID": "o-1234567890"},
    ),
    "a role of another account": (
        lambda stack: iam.Role.from_role_arn(stack, "Theirs", f"arn:aws:iam::{OTHER}:role/theirs"),
        {"Principal": f"arn:aws:iam::{OTHER}:role/theirs"},
    ),
    "a role by its ARN alone": (
        lambda _: iam.ArnPrincipal("arn:aws:iam::111111111111:role/theirs"),
        {"Principal": "arn:aws:iam::111111111111:role/theirs"},
    ),
}


@pytest.mark.parametrize("case", list(WITHOUT_A_POLICY))
def test_should_allow_whom_no_policy_can_be_attached_to_by_the_functions_own(case: str) -> None:
    make, wanted = WITHOUT_A_POLICY[case]
    stack = Stack(any_app(), "Embedding", env=HERE)
    approvals = HitlApproval(stack, "Approval")
    grantee = make(stack)
    assert approvals.grant_request(grantee).success
    assert approvals.grant_decide(grantee).success
    found = of_type(template(stack)["Resources"], "AWS::Lambda::Permission").values()
    added = {
        text(each["FunctionName"]): each
        for each in found
        if "SourceArn" not in each  # the sweep's schedule and the page's routes have one
    }
    assert set(added) == {"<ApprovalLiveAlias>", "<ApprovalApprovalFunction.Arn>"}
    for permission in added.values():
        assert {"FunctionName", "Action", *wanted} == set(permission)
        assert permission["Action"] == "lambda:InvokeFunction"
        assert wanted.items() <= permission.items()


@pytest.mark.parametrize("grant", ["grant_read", "grant_read_audit"])
@pytest.mark.parametrize("case", list(WITHOUT_A_POLICY))
def test_should_refuse_to_let_them_read_a_table(case: str, grant: str) -> None:
    make, _ = WITHOUT_A_POLICY[case]
    stack = Stack(any_app(), "Embedding", env=HERE)
    approvals: Any = HitlApproval(stack, "Approval")
    message = r"^Embedding/Approval/(Audit)?Table can be read by roles and users of its own account"
    with pytest.raises(ValueError, match=message) as refused:
        getattr(approvals, grant)(make(stack))
    assert str(refused.value).endswith(": grant it to a role here that they may assume")
    assert "object" not in str(refused.value)


@pytest.mark.parametrize("mutable", [True, False])
def test_should_refuse_to_attach_a_function_whose_role_takes_no_rights(mutable: bool) -> None:
    stack = Stack(any_app(), "Embedding", env=HERE)
    role = iam.Role.from_role_arn(
        stack, "Theirs", "arn:aws:iam::111111111111:role/theirs", mutable=mutable
    )
    approvals, function = HitlApproval(stack, "Approval"), durable(stack, role=role)
    if mutable:
        approvals.attach(function)
        return
    message = (
        "^Embedding/Theirs is the role of Embedding/Refund and takes no rights, because of "
        "mutable=False: import it without, or let the function make a role of its own$"
    )
    with pytest.raises(ValueError, match=message):
        approvals.attach(function)


def test_should_attach_where_somebody_else_makes_all_roles() -> None:
    stack = Stack(any_app(), "Embedding", env=HERE)
    iam.Role.customize_roles(
        stack,
        prevent_synthesis=False,
        use_precreated_roles={
            f"Embedding/{path}": f"made-{number}"
            for number, path in enumerate(
                [
                    "RefundRole",
                    *(
                        f"Approval/{name}Role"
                        for name in ("Workflow", "Request", "Approval", "Sweep", "Publisher")
                    ),
                ]
            )
        },
    )
    HitlApproval(stack, "Approval").attach(durable(stack))
