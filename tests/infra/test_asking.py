"""A durable function that asks, in one statement: all that it needs, and everything overridable."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from aws_cdk import Duration, Stack
from aws_cdk import aws_lambda as lambda_

from hitl_approval_cdk import HitlApproval
from hitl_approval_cdk.testing import assert_attached
from tests.infra.synth import any_app, any_stack, of_type, template, text


@pytest.fixture
def entry(tmp_path: Path) -> Path:
    (tmp_path / "refund.py").write_text("handler = None\n")
    return tmp_path


def test_should_make_and_attach_a_durable_function(entry: Path) -> None:
    stack = any_stack()
    approvals = HitlApproval(stack, "Approval", approval_timeout=Duration.days(10))
    function = approvals.function("Refund", entry=entry, handler="refund.handler")
    assert_attached(function, approvals)
    resources = template(stack)["Resources"]
    [made] = [
        properties
        for name, properties in of_type(resources, "AWS::Lambda::Function").items()
        if name.startswith("Refund")
    ]
    assert made["Handler"] == "refund.handler"
    assert made["Runtime"] == "python3.13"
    assert made["DurableConfig"] == {"ExecutionTimeout": 11 * 24 * 3600}
    assert len(made["Layers"]) == 1
    [alias] = [
        alias
        for name, alias in of_type(resources, "AWS::Lambda::Alias").items()
        if name.startswith("RefundLive")
    ]
    assert alias["Name"] == "live"
    version = resources[alias["FunctionVersion"]["Fn::GetAtt"][0]]
    assert version["DeletionPolicy"] == "RetainExceptOnCreate"
    [config] = [
        each
        for each in of_type(resources, "AWS::Lambda::EventInvokeConfig").values()
        if "Refund" in text(each["FunctionName"])
    ]
    assert config["MaximumRetryAttempts"] == 0
    assert text(stack.resolve(function.live.function_arn)) == "<RefundLive>"


def test_should_let_everything_be_said_otherwise() -> None:
    app = any_app()
    stack, theirs = Stack(app, "Embedding"), Stack(app, "Theirs")
    options: dict[str, Any] = {
        "code": lambda_.Code.from_inline("pass"),
        "runtime": lambda_.Runtime.PYTHON_3_14,
        "architecture": lambda_.Architecture.X86_64,
        "memory_size": 1024,
        "durable_config": lambda_.DurableConfig(execution_timeout=Duration.days(2)),
        "environment": {"OWN": "1"},
    }
    approvals = HitlApproval(stack, "Approval")
    approvals.function("Refund", handler="index.handler", scope=theirs, layer=False, **options)
    [made] = of_type(template(theirs)["Resources"], "AWS::Lambda::Function").values()
    assert made["Runtime"] == "python3.14"
    assert made["Architectures"] == ["x86_64"]
    assert made["MemorySize"] == 1024
    assert made["DurableConfig"]["ExecutionTimeout"] == 2 * 24 * 3600
    assert made["Environment"]["Variables"]["OWN"] == "1"
    assert "Layers" not in made


@pytest.mark.parametrize("entry", [None, "nowhere"])
def test_should_refuse_a_function_without_a_folder(entry: str | None) -> None:
    approvals = HitlApproval(any_stack(), "Approval")
    with pytest.raises(ValueError, match=r"^entry of Refund must be the folder of its code, got"):
        approvals.function("Refund", entry=entry, handler="refund.handler")
