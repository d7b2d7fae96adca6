"""Other people's rules: cdk-nag's AWS Solutions pack, and cfn-lint. No stack-wide waivers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aws_cdk import App, Validations, assertions
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from cdk_nag import AwsSolutionsChecks
from cfnlint import ManualArgs  # type: ignore[import-untyped]  # it has no stubs
from cfnlint.api import lint  # type: ignore[import-untyped]

from tests.infra.synth import CONFIGURATIONS, any_app

EXECUTIONS = "IAM5[Resource::<ApprovalWorkflowFunction44C8BE57.Arn>:*]"
SUPPRESSED = {
    "Approval/WorkflowFunction": {"AwsSolutions::AwsSolutions-L1"},
    "Approval/RequestFunction": {"AwsSolutions::AwsSolutions-L1"},
    "Approval/ApprovalFunction": {"AwsSolutions::AwsSolutions-L1"},
    "Approval/SweepFunction": {"AwsSolutions::AwsSolutions-L1"},
    "Approval/PublisherFunction": {"AwsSolutions::AwsSolutions-L1"},
    "Approval/PageFunction": {"AwsSolutions::AwsSolutions-L1"},
    "Approval/MessengerFunction": {"AwsSolutions::AwsSolutions-L1"},
    "Approval/PageRole": {f"AwsSolutions::AwsSolutions-{EXECUTIONS}"},
    **{
        f"Approval/Page/Api/{method}--a--{{token+}}": {"AwsSolutions::AwsSolutions-APIG4"}
        for method in ("GET", "HEAD", "POST")
    },
    "Approval/SweepRole": {f"AwsSolutions::AwsSolutions-{EXECUTIONS}"},
    "Approval/WorkflowOwnPolicy": {f"AwsSolutions::AwsSolutions-{EXECUTIONS}"},
    "Approval/ApprovalRole": {f"AwsSolutions::AwsSolutions-{EXECUTIONS}"},
}
"""All that is suppressed, and where. A longer list needs a reason in the construct."""


def checked_app() -> App:
    app = any_app()
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    return app


@pytest.mark.parametrize("configuration", list(CONFIGURATIONS))
def test_should_satisfy_the_aws_solutions_rules(configuration: str) -> None:
    assertions.Template.from_stack(CONFIGURATIONS[configuration](checked_app()))


def test_should_see_those_rules_fail_where_they_are_broken() -> None:
    stack = CONFIGURATIONS["default"](checked_app())
    sqs.Queue(stack, "Unencrypted")
    sns.Topic(stack, "Unencrypted topic")
    with pytest.raises(RuntimeError, match="AwsSolutions-SQS4"):
        assertions.Template.from_stack(stack)


def test_should_suppress_single_findings_of_single_constructs_only() -> None:
    stack = CONFIGURATIONS["default"](any_app())
    found: dict[str, set[str]] = {}
    for construct in stack.node.root.node.find_all():
        for entry in construct.node.metadata:
            if entry.type == Validations.ACKNOWLEDGED_RULES_METADATA_KEY:
                path = construct.node.path.removeprefix(f"{stack.node.path}/")
                found.setdefault(path, set()).update(entry.data)
                assert all(len(reason) > 40 for reason in entry.data.values())
    assert found == SUPPRESSED


SKIPPED = {"CKV_AWS_7", "CKV_AWS_18", "CKV_AWS_111", "CKV_AWS_115", "CKV_AWS_116"}
"""Of checkov's rules: with a key and a network, `make audit` shows, no other fails."""


@pytest.mark.parametrize("configuration", list(CONFIGURATIONS))
def test_should_skip_single_rules_of_checkovs_each_with_its_reason(
    templates: dict[str, Any], configuration: str
) -> None:
    for name, resource in templates[configuration]["Resources"].items():
        skipped = resource.get("Metadata", {}).get("checkov", {}).get("skip", [])
        rules = [each["id"] for each in skipped]
        assert len(set(rules)) == len(rules), name
        assert set(rules) <= SKIPPED
        assert all(len(each["comment"]) > 40 for each in skipped)
        if "DurableConfig" in resource.get("Properties", {}):
            assert "CKV_AWS_116" not in rules, "it has a dead-letter queue"


@pytest.mark.parametrize("configuration", list(CONFIGURATIONS))
def test_should_pass_cfn_lint(templates: dict[str, Any], configuration: str) -> None:
    # W3005: CDK always writes a role's policy and the role itself into DependsOn.
    args = ManualArgs(regions=["us-east-1", "eu-central-1"], ignore_checks=["W3005"])
    assert [str(m) for m in lint(json.dumps(templates[configuration]), config=args)] == []


def test_should_see_cfn_lint_fail_where_the_template_is_wrong(templates: dict[str, Any]) -> None:
    template = json.loads(json.dumps(templates["default"]))
    [workflow] = [
        r for r in template["Resources"].values() if "DurableConfig" in r.get("Properties", {})
    ]
    workflow["Properties"]["DurableConfig"]["ExecutionTimeout"] = 367 * 86400
    found = lint(json.dumps(template), config=ManualArgs(regions=["us-east-1"]))
    assert any("ExecutionTimeout" in str(match) or "maximum" in str(match) for match in found)
