"""Senders of what is deployed locally are verified there; nothing else is."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from moto import mock_aws

from hitl_approval_cli.commands.local.senders import verify_senders

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_REGION": "us-east-1",
    "AWS_ENDPOINT_URL": "",
}


class Formation:
    """CloudFormation with a stack that mails, and one that does not."""

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803
        outputs = {"PageUrl": "https://example.com"}
        if StackName == "Mailing":
            outputs["ApprovalMailSender0A1B2C3D"] = "approvals@example.com"
        described = [{"OutputKey": k, "OutputValue": v} for k, v in outputs.items()]
        return {"Stacks": [{"StackName": StackName, "Outputs": described}]}


def test_should_verify_the_senders_of_each_stack_however_often(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with mock_aws():
        ses = boto3.client(
            "sesv2",
            region_name="us-east-1",
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )

        class Session:
            def __init__(self, access_key_id: str, *_: str, **__: Any) -> None:
                assert access_key_id == "testing"

            def client(self, service: str, endpoint_url: str) -> Any:
                assert endpoint_url == ENVIRONMENT["AWS_ENDPOINT_URL"]
                return {"cloudformation": Formation(), "sesv2": ses}[service]

        monkeypatch.setattr(boto3, "Session", Session)
        for _ in range(2):
            verify_senders(ENVIRONMENT, ["Mailing", "Quiet"])
        identities = ses.list_email_identities()["EmailIdentities"]
        assert [each["IdentityName"] for each in identities] == ["approvals@example.com"]
