"""The local cloud's SES takes the senders of what was deployed for verified: nobody can click."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import boto3
from botocore.exceptions import ClientError

from hitl_approval.adapters.aws import error_code
from hitl_approval.contract import Output
from hitl_approval_cli.stack_outputs import deployments_in


def verify_senders(environment: Mapping[str, str], stacks: Sequence[str]) -> None:
    """Verify every address that deployments in these stacks mail from.

    Args:
        environment: of the local cloud.
        stacks: their names.
    """
    session = boto3.Session(
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        region_name=environment["AWS_REGION"],
    )
    endpoint = environment["AWS_ENDPOINT_URL"]
    cloudformation = session.client("cloudformation", endpoint_url=endpoint)
    for stack in stacks:
        [described] = cloudformation.describe_stacks(StackName=stack)["Stacks"]
        for outputs in deployments_in(described).values():
            if Output.MAIL_SENDER in outputs:
                _verify(session.client("sesv2", endpoint_url=endpoint), outputs[Output.MAIL_SENDER])


def _verify(ses: Any, sender: str) -> None:
    try:
        ses.create_email_identity(EmailIdentity=sender)
    except ClientError as error:
        if error_code(error) != "AlreadyExistsException":
            raise
