"""The CloudFormation outputs of a deployment, by which the `hitl` command finds it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, cast

from aws_cdk import CfnOutput
from constructs import Construct

from hitl_approval.contract import LIBRARY_VERSION, Output

if TYPE_CHECKING:
    from hitl_approval_cdk.approval import HitlApproval

DESCRIPTIONS: Final[Mapping[str, str]] = {
    Output.WORKFLOW_FUNCTION_NAME: "Workflow function; start it through its alias or a version",
    Output.WORKFLOW_FUNCTION_ARN: "ARN of the alias that callers start",
    Output.WORKFLOW_VERSION: "Version that the alias points to",
    Output.APPROVAL_API_FUNCTION_NAME: "Approval function: decide, get, list, cancel",
    Output.SWEEP_FUNCTION_NAME: "Sweep function: repairs what was left behind",
    Output.APPROVALS_TABLE_NAME: "Approvals table",
    Output.AUDIT_TABLE_NAME: "Append-only audit table",
    Output.INBOX_TABLE_NAME: "Inbox table: what awaits whom",
    Output.MESSAGES_TABLE_NAME: "Messages table: who was sent what",
    Output.SNS_TOPIC_ARN: "Topic that notifies everybody who subscribed",
    Output.VERSION: "Version of hitl-approval that was deployed",
    Output.PAGE_URL: "Where personal links lead",
    Output.PERSONAL_TOPIC_ARN: "Topic that sends each approver links of their own",
    Output.SIGN_IN_ISSUER: "By whom people sign in",
    Output.SIGN_IN_CLIENT_ID: "Client of that issuer",
    Output.SIGNING_KEY_ARN: "Signs the audit events",
    Output.ARCHIVE_BUCKET_NAME: "Bucket of the audit's archive",
    Output.ARCHIVE_KEY_ARN: "Signs the audit's archive",
    Output.MAIL_SENDER: "Address that SES sends mails from",
}
"""What each output is, in the order of the template."""


def of(approval: HitlApproval) -> dict[str, str | None]:
    """The outputs' values of a deployment; None for what it does not have."""
    key, page, mail = approval.signing_key, approval.page, approval.mail
    sign_in = page.sign_in if page else None
    archive = approval.archive
    inbox, messages = approval.inbox_table, approval.messages_table
    return {
        Output.WORKFLOW_FUNCTION_NAME: approval.workflow_function.function_name,
        Output.WORKFLOW_FUNCTION_ARN: approval.workflow_alias.function_arn,
        Output.WORKFLOW_VERSION: approval.workflow_alias.version.version,
        Output.APPROVAL_API_FUNCTION_NAME: approval.approval_function.function_name,
        Output.SWEEP_FUNCTION_NAME: approval.sweep_function.function_name,
        Output.APPROVALS_TABLE_NAME: approval.table.table_name,
        Output.AUDIT_TABLE_NAME: approval.audit_table.table_name,
        Output.INBOX_TABLE_NAME: inbox.table_name if inbox else None,
        Output.MESSAGES_TABLE_NAME: messages.table_name if messages else None,
        Output.SNS_TOPIC_ARN: approval.topic.topic_arn,
        Output.VERSION: LIBRARY_VERSION,
        Output.PAGE_URL: page.url if page else None,
        Output.PERSONAL_TOPIC_ARN: page.topic.topic_arn if page else None,
        Output.SIGN_IN_ISSUER: sign_in.issuer if sign_in else None,
        Output.SIGN_IN_CLIENT_ID: sign_in.client_id if sign_in else None,
        Output.SIGNING_KEY_ARN: key.key_arn if key else None,
        Output.ARCHIVE_BUCKET_NAME: archive.bucket.bucket_name if archive else None,
        Output.ARCHIVE_KEY_ARN: archive.key.key_arn if archive else None,
        Output.MAIL_SENDER: mail.mail.sender if mail else None,
    }


def add(scope: Construct, values: Mapping[str, str | None]) -> None:
    """Add the outputs below the construct, so that two of them fit in one stack.

    Args:
        scope: the construct.
        values: name -> value; None for what this deployment does not have.
    """
    for name, what in DESCRIPTIONS.items():
        value = values[name]
        if value is not None:
            CfnOutput(scope, name, value=value, description=what)


def rename_plainly(scope: Construct) -> None:
    """Give the outputs their plain names, of which a stack can hold one set."""
    for name in DESCRIPTIONS:
        output = scope.node.try_find_child(name)
        if output is not None:  # there is no address without a page, no key without signatures
            cast(CfnOutput, output).override_logical_id(name)
