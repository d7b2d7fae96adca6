"""The CloudFormation outputs of a deployment, by which the `hitl` command finds it."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from aws_cdk import CfnOutput

from hitl_approval.contract import LIBRARY_VERSION, OUTPUTS, Output

if TYPE_CHECKING:
    from hitl_approval_cdk.approval import HitlApproval


def add(approval: HitlApproval) -> None:
    """Put out what the contract names, below the construct: two of them fit in one stack."""
    for name, value, what in (
        (
            Output.WORKFLOW_FUNCTION_NAME,
            approval.workflow_function.function_name,
            "Workflow function; start it through its alias or a version",
        ),
        (
            Output.WORKFLOW_FUNCTION_ARN,
            approval.workflow_alias.function_arn,
            "ARN of the alias that callers start",
        ),
        (
            Output.WORKFLOW_VERSION,
            approval.workflow_alias.version.version,
            "Version that the alias points to",
        ),
        (
            Output.APPROVAL_API_FUNCTION_NAME,
            approval.approval_function.function_name,
            "Approval function: decide, get, list, cancel",
        ),
        (
            Output.SWEEP_FUNCTION_NAME,
            approval.sweep_function.function_name,
            "Sweep function: mends what was left behind",
        ),
        (Output.APPROVALS_TABLE_NAME, approval.table.table_name, "Approvals table"),
        (Output.AUDIT_TABLE_NAME, approval.audit_table.table_name, "Append-only audit table"),
        (Output.SNS_TOPIC_ARN, approval.topic.topic_arn, "Topic that tells the approvers"),
        (Output.VERSION, LIBRARY_VERSION, "Version of hitl-approval that was deployed"),
    ):
        CfnOutput(approval, name, value=value, description=what)
    if approval.page is not None:
        what = "Where personal links lead"
        CfnOutput(approval, Output.PAGE_URL, value=approval.page.url, description=what)
    if approval.signing_key is not None:
        what, key = "Signs the audit events", approval.signing_key.key_arn
        CfnOutput(approval, Output.SIGNING_KEY_ARN, value=key, description=what)


def rename_plainly(approval: HitlApproval) -> None:
    """Give the outputs their plain names, of which a stack can hold one set."""
    for name in OUTPUTS:
        output = approval.node.try_find_child(name)
        if output is not None:  # there is no address without a page, no key without signatures
            cast(CfnOutput, output).override_logical_id(name)
