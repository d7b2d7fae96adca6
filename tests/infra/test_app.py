"""The deployable app: context keys in, one stack out; a mistake is one line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk.aws_apigatewayv2_authorizers import HttpJwtAuthorizer

from hitl_approval_cdk import (
    ApprovalPage,
    EmailApprover,
    HitlApprovalStack,
    OnTimeout,
    Quorum,
    context,
)
from hitl_approval_cdk.option import ContextKey
from tests.infra.synth import FLAGS, ROOT, any_app, of_type, template

GIVEN: dict[str, tuple[Any, Any]] = {
    "approval_timeout_seconds": ("7200", 7200),
    "approvers": ("ann, bob", ["ann", "bob"]),
    "groups": ('{"leads": ["ann", "bob"]}', {"leads": ["ann", "bob"]}),
    "quorum": ("2", Quorum.at_least(2)),
    "rejections_needed": ("2", 2),
    "on_timeout": ("reject", OnTimeout.reject()),
    "notify_emails": ("a@example.com,b@example.com", ["a@example.com", "b@example.com"]),
    "resume": ("polling", "polling"),
    "poll_interval_seconds": ("10", 10),
    "removal_policy": ("destroy", RemovalPolicy.DESTROY),
    "deletion_protection": ("false", False),
    "allow_self_approval": ("true", True),
    "require_verified_identity": ("TRUE", True),
    "require_comment_on_rejection": (True, True),
    "execution_timeout_days": ("30", 30 * 86400),
    "execution_retention_days": ("90", 90 * 86400),
    "retention_days": ("7", 7 * 86400),
    "sweep_interval_seconds": ("600", 600),
    "log_retention_days": ("365", logs.RetentionDays.ONE_YEAR),
    "log_level": ("debug", "DEBUG"),
    "deliver_to": ("ann@example.com, bob@example.com", ["ann@example.com", "bob@example.com"]),
    "challenge": ("true", True),
    "sign_in": ("https://issuer.example.com, web, cli", "JWT"),
    "sign_in_claim": ("upn", "upn"),
    "trust_authorizer": ("true", True),
    "architecture": ("x86_64", "x86_64"),
    "memory_size": ("1024", 1024),
}


def plain(value: Any) -> Any:
    """Two of jsii's objects are never equal: compare what they say."""
    if isinstance(value, Duration):
        return value.to_seconds()
    if isinstance(value, HttpJwtAuthorizer):
        return value.authorization_type
    if isinstance(value, list):
        return [each.address if isinstance(each, EmailApprover) else each for each in value]
    return value.name if isinstance(value, lambda_.Architecture) else value


def found(options: Mapping[str, Any], name: str, key: ContextKey) -> Any:
    """The value of an option, or the field of it that the key sets."""
    return getattr(options[name], key.field) if key.field else options[name]


@pytest.mark.parametrize("key", list(GIVEN))
def test_should_read_every_key_as_the_command_line_gives_it(key: str) -> None:
    given, meant = GIVEN[key]
    assert plain(found(dict(context.options({key: given})), *context.KEYS[key])) == meant


def test_should_know_every_key() -> None:
    assert set(GIVEN) == set(context.KEYS)
    fields = {key.field for _, key in context.KEYS.values() if key.field}
    assert fields <= set(ApprovalPage.__annotations__)


@pytest.mark.parametrize("value", ["http://issuer.example.com,web", "https://issuer.example.com"])
def test_should_refuse_a_sign_in_without_encryption_or_audience(value: str) -> None:
    with pytest.raises(context.ContextError, match="must be an https issuer and its audiences"):
        context.options({"sign_in": value})


def test_should_deploy_with_all_keys_at_once() -> None:
    values = {key: given for key, (given, _) in GIVEN.items()}
    stack = HitlApprovalStack(any_app(), "All", **context.options(values))
    functions = of_type(template(stack)["Resources"], "AWS::Lambda::Function").values()
    assert {function["MemorySize"] for function in functions} == {1024}


def test_should_default_to_the_patterns_timeout_and_nothing_else() -> None:
    options = dict(context.options({}))
    assert plain(options.pop("approval_timeout")) == 300
    assert options == {}
    assert context.stack_name({}) == "hitl-approval"


def test_should_leave_keys_of_other_tools_alone() -> None:
    others = {
        "@aws-cdk/core:checkSecretUsage": True,
        "aws:cdk:bundling-stacks": [],
        "acknowledged-issue-numbers": [1],
        "availability-zones:account=123456789012:region=us-east-1": ["a"],
        "stack_name": "x",
    }
    assert set(context.options(others)) == {"approval_timeout"}


def test_should_name_stack_and_table_after_the_key() -> None:
    stack = HitlApprovalStack(any_app(), context.stack_name({"stack_name": "payments-prod"}))
    tables = of_type(template(stack)["Resources"], "AWS::DynamoDB::Table").values()
    assert "payments-prod-ApprovalRequests" in {table.get("TableName") for table in tables}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"poll_interval_seconds": "0"}, "poll_interval must be at least 1 s, got 0 s"),
        ({"quorm": "2"}, "context key quorm is unknown: did you mean quorum?"),
    ],
    ids=["a value that the construct refuses", "a key that is unknown"],
)
def test_should_end_with_one_line_and_no_stack_trace(
    values: dict[str, str], message: str, tmp_path: Path
) -> None:
    done = run_app(values, tmp_path)
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith("hitl-approval: ")
    assert message in line
    assert not (tmp_path / "hitl-approval.template.json").exists()


def test_should_end_with_one_line_when_the_bundle_cannot_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "empty"))
    monkeypatch.setenv("HITL_CACHE_DIR", str(tmp_path / "caches"))
    done = run_app({}, tmp_path)
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith("hitl-approval: uv could not install lambdas.lock: ")


def test_should_say_what_to_install_on_a_bare_python(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", str(ROOT / "app.py")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith("hitl-approval: aws_cdk is not installed")
    assert "pip install -r requirements.txt" in line


def test_should_run_as_cdk_json_says() -> None:
    settings = json.loads((ROOT / "cdk.json").read_text())
    assert settings["app"] == "python3 app.py"
    assert settings["context"]["@aws-cdk/core:validateAgainstDefaultRules"] is True


def run_app(values: dict[str, str], out: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "app.py")],
        cwd=out,
        env={
            **os.environ,
            "CDK_OUTDIR": str(out),
            "CDK_CONTEXT_JSON": json.dumps({**FLAGS, **values}),
        },
        capture_output=True,
        text=True,
        check=False,
    )
