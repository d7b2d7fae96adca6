"""The local cloud's SES takes the senders of what was deployed for verified: nobody can click."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from hitl_approval.adapters.aws import error_code
from hitl_approval.contract import Output
from hitl_approval_cli.commands.local.clients import local_client
from hitl_approval_cli.stack_outputs import deployments_in


def verify_senders(environment: Mapping[str, str], stacks: Sequence[str]) -> None:
    """Verify every address that deployments in these stacks mail from.

    Args:
        environment: of the local cloud.
        stacks: their names.
    """
    cloudformation = local_client(environment, "cloudformation")
    for stack in stacks:
        [described] = cloudformation.describe_stacks(StackName=stack)["Stacks"]
        for outputs in deployments_in(described).values():
            if Output.MAIL_SENDER in outputs:
                _verify(local_client(environment, "sesv2"), outputs[Output.MAIL_SENDER])


def _verify(ses: Any, sender: str) -> None:
    try:
        ses.create_email_identity(EmailIdentity=sender)
    except ClientError as error:
        if error_code(error) != "AlreadyExistsException":
            raise
