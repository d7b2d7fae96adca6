"""Every policy by a validator that needs no network, and no finding that nobody has explained."""

from __future__ import annotations

from typing import Any

import pytest

from tests.infra.audit import REASONS, UNCALLED, accepted, findings, unused
from tests.infra.synth import CONFIGURATIONS


@pytest.mark.parametrize("configuration", list(CONFIGURATIONS))
def test_should_have_no_open_finding(templates: dict[str, Any], configuration: str) -> None:
    assert not [each for each in findings(templates[configuration]) if not accepted(each)]


def policy(action: str, resource: str) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    return {
        "Resources": {"P": {"Type": "AWS::IAM::Policy", "Properties": {"PolicyDocument": document}}}
    }


@pytest.mark.parametrize(
    ("action", "resource", "issue"),
    [
        ("sqs:Sned", "*", "UNKNOWN_ACTION sqs:Sned"),
        ("s3:ListBucket", "arn:aws:s3:::b/*", "RESOURCE_MISMATCH s3:ListBucket"),
    ],
)
def test_should_find_what_is_wrong(action: str, resource: str, issue: str) -> None:
    found = list(findings(policy(action, resource)))
    assert f"{issue} in P" in found
    assert not accepted(f"{issue} in P")


def test_should_explain_each_acknowledgement() -> None:
    for reason in (*REASONS.values(), *UNCALLED.values()):
        assert len(reason) > 20


def test_should_find_a_grant_that_nobody_uses(templates: dict[str, Any]) -> None:
    """What is called is recorded in `test_bundling`, which finds none unused."""
    left = unused({"default": templates["default"]}, {"GetItem", "Query", "UpdateItem", "Publish"})
    assert "events:PutEvents" in left
    assert "dynamodb:GetItem" not in left
