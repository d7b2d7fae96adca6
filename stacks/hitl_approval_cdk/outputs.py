"""The CloudFormation outputs of a deployment, by which the `hitl` command finds it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from hitl_approval.contract import DEFAULT_STACK_NAME, LIBRARY_VERSION, Env, Output
from hitl_approval.domain.command_line import reference

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


PLAIN: Final = "Approval"
"""The id of the deployment in a `PlainOutputs` whose outputs have plain names."""
_HIDDEN: Final = ("Default", "Resource")
"""Ids that CDK leaves out of the names that people read."""


class PlainOutputs:
    """A stack in which one deployment's outputs have plain names."""


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
    plain = _named_plainly(scope)
    for name, what in DESCRIPTIONS.items():
        value = values[name]
        if value is not None:
            output = CfnOutput(scope, name, value=value, description=what)
            if plain:
                output.override_logical_id(name)


def stack_variable(scope: Construct) -> dict[str, str]:
    """The variable by which messages name the deployment on the command line.

    Args:
        scope: the construct whose outputs they are.

    Returns:
        What `hitl --stack` takes: the stack, of nested ones the outermost, and the construct's name
        in its own, as CDK makes it for outputs. Nothing for what `hitl` finds without.
    """
    own = stack = Stack.of(scope)
    while (outer := stack.nested_stack_parent) is not None:
        stack = outer
    found = reference(stack.stack_name, "" if _named_plainly(scope) else _name(scope, own))
    return {} if found == DEFAULT_STACK_NAME else {Env.STACK: found}


def _named_plainly(scope: Construct) -> bool:
    node = scope.node
    return isinstance(node.scope, PlainOutputs) and node.id == PLAIN


def _name(scope: Construct, stack: Stack) -> str:
    """What CDK makes of a construct's path in its stack, in names that people read."""
    kept: list[str] = []
    for each in scope.node.path.removeprefix(stack.node.path).strip("/").split("/"):
        if each not in _HIDDEN and not (kept and kept[-1].endswith(each)):
            kept.append(each)
    return "".join(kept)
