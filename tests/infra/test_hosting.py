"""How a deployment is run: traces, and concurrency that is kept for it."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import CfnParameter
from aws_cdk import aws_lambda as lambda_

from hitl_approval.contract import Handler
from hitl_approval_cdk import HitlApproval
from tests.infra.synth import any_stack, functions, template


def made(**options: Any) -> dict[str, dict[str, Any]]:
    stack = any_stack()
    HitlApproval(stack, "Approval", **options)
    return functions(template(stack)["Resources"])


def test_should_trace_every_function() -> None:
    for properties in made(tracing=lambda_.Tracing.ACTIVE).values():
        assert properties["TracingConfig"] == {"Mode": "Active"}
    for properties in made().values():
        assert "TracingConfig" not in properties


def test_should_keep_concurrency_for_the_workflow_alone() -> None:
    found = made(reserved_concurrent_executions=20)
    kept = {name: f.get("ReservedConcurrentExecutions") for name, f in found.items()}
    assert kept.pop(Handler.WORKFLOW) == 20
    assert set(kept.values()) == {None}


@pytest.mark.parametrize("number", [0, -1])
def test_should_refuse_a_concurrency_with_which_nobody_could_ask(number: int) -> None:
    message = "^reserved_concurrent_executions must be at least 1, got .*: with none nobody could"
    with pytest.raises(ValueError, match=message):
        made(reserved_concurrent_executions=number)


@pytest.mark.parametrize("option", ["reserved_concurrent_executions", "memory_size"])
def test_should_take_a_number_that_only_cloudformation_knows(option: str) -> None:
    stack = any_stack()
    given: Any = {option: CfnParameter(stack, "Number", type="Number").value_as_number}
    HitlApproval(stack, "Approval", **given)
    template(stack)
