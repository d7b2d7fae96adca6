"""The wheel in clean virtual environments does what the checkout does."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from .wheel import ROOT, CleanVenv, build_wheel

SYNTH = """
from aws_cdk import App, Stack
import hitl_approval_cdk
from hitl_approval_cdk import HitlApproval
stack = Stack(App(context={"aws:cdk:bundling-stacks": []}), "Elsewhere")
HitlApproval(stack, "Approvals").runtime_layer
template = stack.node.root.synth().get_stack_by_name("Elsewhere").template
import json
print(hitl_approval_cdk.__file__)
print(json.dumps(template))
"""

FROM_OUTSIDE = '''
"""What a user writes, checked as strictly as our own code."""

from typing import Any

from aws_cdk import App, Duration, Stack
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from aws_durable_execution_sdk_python import DurableContext

from hitl_approval import ApprovalRequest, Outcome, Quorum, requires_approval, wait_for_approval
from hitl_approval_cdk import ApprovalPage, EmailApprover, HitlApproval


def infrastructure(stack: Stack, function: lambda_.Function) -> iam.Grant:
    approvals = HitlApproval(
        stack, "Approvals", approval_timeout=Duration.hours(24), quorum=Quorum.at_least(2),
        page=ApprovalPage(), deliver_to=[EmailApprover("ann@example.com")],
    )
    approvals.attach(function)
    approvals.on_decided("ToLedger", target=targets.SqsQueue(sqs.Queue(stack, "Ledger")))
    approvals.metric_time_to_decision(statistic="p95")
    return approvals.grant_decide(iam.User(stack, "Bot"))


def handler(event: dict[str, Any], context: DurableContext) -> str:
    request = ApprovalRequest(subject="Refund", requester="rita", context=event)
    outcome: Outcome = wait_for_approval(context, request)
    reveal_type(outcome.approved)
    return outcome.decided_by


@requires_approval(requester="agent")
def delete(name: str, *, force: bool = False) -> int:
    return len(name)


def tool(context: DurableContext) -> int:
    return delete(context, "orders", force=True)
'''


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def with_cdk(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> CleanVenv:
    return CleanVenv.make(tmp_path_factory.mktemp("clean") / "venv", wheel, "[cdk]")


def test_should_need_boto3_and_the_durable_sdk_and_nothing_else(
    wheel: Path, tmp_path: Path
) -> None:
    venv = CleanVenv.make(tmp_path / "venv", wheel)
    code = (
        "from importlib.metadata import distributions, requires\n"
        "from hitl_approval import ApprovalRequest, Quorum, wait_for_approval\n"
        "print(sorted(d.name for d in distributions()))"
    )
    installed = set(re.findall(r"'([^']+)'", venv.run("-c", code, cwd=tmp_path)))
    assert installed == {
        "hitl-approval",
        "aws-durable-execution-sdk-python",
        "boto3",
        "botocore",
        "jmespath",
        "python-dateutil",
        "s3transfer",
        "six",
        "urllib3",
    }


def test_should_deploy_the_same_bytes_as_the_checkout(with_cdk: CleanVenv, tmp_path: Path) -> None:
    checkout = CleanVenv(Path(sys.prefix))
    hashes = {}
    for venv in (with_cdk, checkout):
        where, template = venv.run("-c", SYNTH, cwd=tmp_path).splitlines()[-2:]
        assert Path(where).is_relative_to(ROOT) is (venv is checkout)
        hashes[venv] = set(re.findall(r'"S3Key": "([0-9a-f]{64})\.zip"', template))
        assert len(hashes[venv]) == 2  # the functions' bundle and the layer
    assert hashes[with_cdk] == hashes[checkout]


def test_should_type_its_public_names_for_others(with_cdk: CleanVenv, tmp_path: Path) -> None:
    (tmp_path / "theirs.py").write_text(FROM_OUTSIDE)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "mypy", "--strict", "--follow-untyped-imports"),
            *("--python-executable", str(with_cdk.python), "theirs.py"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Success" in done.stdout, done.stdout
    assert 'Revealed type is "bool"' in done.stdout.replace("builtins.", "")
