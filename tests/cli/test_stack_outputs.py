"""Which deployments a stack holds; `test_deployment.py` finds one of them."""

from __future__ import annotations

from typing import Any

import pytest

from hitl_approval_cli.errors import CliError
from hitl_approval_cli.stack_outputs import deployments_in


def stack(**outputs: str) -> dict[str, Any]:
    listed = [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()]
    return {"StackName": "Pay", "Outputs": listed}


def test_should_find_the_stacks_own_and_each_constructs() -> None:
    assert deployments_in(
        stack(
            ApprovalsTableName="own",
            PaymentsApprovalsTableName0123ABCD="one",
            PaymentsAuditTableName4567CDEF="two",
            ReleasesApprovalsTableName89ABCDEF="three",
        )
    ) == {
        "Pay": {"ApprovalsTableName": "own"},
        "Pay/Payments": {"ApprovalsTableName": "one", "AuditTableName": "two"},
        "Pay/Releases": {"ApprovalsTableName": "three"},
    }


def test_should_pass_over_what_is_somebody_elses() -> None:
    others = stack(
        Url="x",
        PaymentsApprovalsTableName="no hash",
        ApprovalsTableNameOfMine="y",
        PaymentsApprovalsTableName0123abcd="lower case",
    )
    assert deployments_in(others) == {}
    assert deployments_in({"StackName": "Pay"}) == {}


@pytest.mark.parametrize(("deployment", "alike"), [("Pay", "Pay"), ("", "the stack's own")])
def test_should_refuse_two_with_one_name(deployment: str, alike: str) -> None:
    name = f"{deployment}AuditTableName"
    with pytest.raises(CliError) as refused:
        deployments_in(stack(**{f"{name}01234567": "one", f"{name}89ABCDEF": "two"}))
    assert refused.value.code == "ALIKE"
    assert f"stack Pay holds two deployments with one name ({alike})" in str(refused.value)
