"""ARNs of durable executions."""

from __future__ import annotations

import pytest

from hitl_approval_cli.local.execution_arn import ExecutionArn

FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:pay:7"


def test_should_take_an_arn_apart() -> None:
    found = ExecutionArn.parse(f"{FUNCTION}/durable-execution/order-1/6f1f")
    assert found == ("eu-west-1", "123456789012", "pay", "7", "order-1")


@pytest.mark.parametrize("arn", ["", FUNCTION[:20], "6f1f/6f1f"])
def test_should_refuse_what_is_none(arn: str) -> None:
    with pytest.raises(ValueError, match="not enough values"):
        ExecutionArn.parse(arn)
