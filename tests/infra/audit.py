"""Every policy that a deployment makes, by parliament: a part of `make audit`.

What it finds and is no fault is accepted here, each with its reason. It needs no network.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import parliament  # type: ignore[import-untyped]  # it has no stubs

from tests.infra.synth import CONFIGURATIONS, any_app, permissions, template
from tests.supply.scan import Scan

REASONS: Mapping[str, str] = {
    r"UNKNOWN_ACTION lambda:(\w*DurableExecution\w*)": "newer than parliament 1.6.4's list of "
    "actions, which is of April 2025: Lambda's documentation has them",
    r"RESOURCE_MISMATCH dynamodb:ListStreams": "AWS's list of actions says that it is authorized "
    "on * only; Lambda's documentation asks for it, and its mappings need the other three",
}
"""Finding -> why it is none."""

UNCALLED: Mapping[str, str] = {
    "dynamodb:ConditionCheckItem": "part of TransactWriteItems",
    "dynamodb:PutItem": "part of TransactWriteItems",
    "dynamodb:DescribeStream": "Lambda reads the stream by the function's role",
    "dynamodb:GetRecords": "Lambda reads the stream by the function's role",
    "dynamodb:GetShardIterator": "Lambda reads the stream by the function's role",
    "dynamodb:ListStreams": "Lambda reads the stream by the function's role",
    "sqs:ReceiveMessage": "Lambda reads the queue by the function's role",
    "sqs:DeleteMessage": "Lambda reads the queue by the function's role",
    "sqs:GetQueueAttributes": "Lambda reads the queue by the function's role",
    "logs:CreateLogStream": "Lambda writes the log by the function's role",
    "logs:PutLogEvents": "Lambda writes the log by the function's role",
    "ses:SendRawEmail": "SES asks for it of who sends a mail as bytes by SendEmail",
    **dict.fromkeys(
        ("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"),
        "the service that stores or sends uses the key in the name of who calls it",
    ),
    **dict.fromkeys(
        ("kms:ReEncryptFrom", "kms:ReEncryptTo"),
        "DynamoDB uses the table's key in the name of who calls it",
    ),
}
"""Action that no code of ours calls by its name -> why it is granted."""

CALLED_AS: Mapping[str, str] = {
    "lambda:CheckpointDurableExecution": "checkpoint",
    "lambda:GetDurableExecution": "durable-execution",
    "lambda:GetDurableExecutionState": "state",
    "lambda:InvokeFunction": "invocations",
    "lambda:SendDurableExecutionCallbackSuccess": "succeed",
    "s3:ListBucket": "ListObjectsV2",
    "ses:SendEmail": "outbound-emails",
}
"""Action whose call `fake_aws` knows by another name."""


def unused(templates: Mapping[str, Any], called: set[str]) -> list[str]:
    """Actions that functions may take, never take, and that nobody has accepted."""
    granted = {
        action
        for made in templates.values()
        for role, rights in permissions(made["Resources"]).items()
        if role.endswith("Role")
        for action, _ in rights
    }
    names = {name.rpartition(":")[2] for name in called}
    return sorted(
        action
        for action in granted - UNCALLED.keys()
        if CALLED_AS.get(action, action.partition(":")[2]) not in names
    )


def findings(made: Mapping[str, Any]) -> Iterator[str]:
    """What parliament says of the identity policies of a template, as `ISSUE about what`."""
    for name, resource in made["Resources"].items():
        if resource["Type"] not in {"AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"}:
            continue
        document = _known(resource["Properties"]["PolicyDocument"])
        for finding in parliament.analyze_policy_string(json.dumps(document)).findings:
            yield from (f"{said} in {name}" for said in _named(finding))


def reason_of(finding: str) -> str | None:
    """Why it is no fault; None for one that is."""
    said = finding.partition(" in ")[0]
    return next((why for known, why in REASONS.items() if re.fullmatch(known, said)), None)


def accepted(finding: str) -> bool:
    """Whether it is no fault."""
    return reason_of(finding) is not None


def _named(finding: Any) -> list[str]:
    """The issue and what it is about; of several actions one each."""
    detail, location = finding.detail, finding.location
    if finding.issue == "RESOURCE_MISMATCH":
        return [f"{finding.issue} {each['action']}" for each in detail]
    return [f"{finding.issue} {location.get('string') or location.get('actions') or detail}"]


def _known(value: Any) -> Any:
    """A policy whose references have become ARNs and names as they would be."""
    match value:
        case {"Ref": "AWS::Partition"}:
            return "aws"
        case {"Ref": "AWS::Region"}:
            return "eu-central-1"
        case {"Ref": "AWS::AccountId"}:
            return "123456789012"
        case {"Ref": name} if "Topic" in name:
            return f"arn:aws:sns:eu-central-1:123456789012:{name}"
        case {"Ref": name} if "LiveAlias" in name:
            return f"arn:aws:lambda:eu-central-1:123456789012:function:{name}:live"
        case {"Ref": name}:
            return name
        case {"Fn::GetAtt": [name, attribute]}:
            return _arn(name, attribute)
        case {"Fn::Join": [between, parts]}:
            return between.join(map(_known, parts))
        case {**fields}:
            return {name: _known(inner) for name, inner in fields.items()}
        case [*items]:
            return [_known(item) for item in items]
        case _:
            return value


def _arn(name: str, attribute: str) -> str:
    """The ARN of what this package makes, by what its logical id says."""
    place = "eu-central-1:123456789012"
    for word, arn in (
        ("Bucket", f"arn:aws:s3:::{name.lower()}"),
        ("Queue", f"arn:aws:sqs:{place}:{name}"),
        ("Function", f"arn:aws:lambda:{place}:function:{name}"),
        ("Logs", f"arn:aws:logs:{place}:log-group:/aws/lambda/{name}:*"),
        ("Key", f"arn:aws:kms:{place}:key/11111111-2222-3333-4444-555555555555"),
        ("Secret", f"arn:aws:secretsmanager:{place}:secret:{name}-1b2c3d"),
    ):
        if word in name:
            return arn
    # Of a stream's label parliament takes no colon.
    stream = "/stream/2026-01-02" if attribute == "StreamArn" else ""
    return f"arn:aws:dynamodb:{place}:table/{name}{stream}"


def scan() -> Scan:
    """Every policy of every configuration; needs no network."""
    found = [
        f"{finding} ({configuration})"
        for configuration, make in CONFIGURATIONS.items()
        for finding in findings(template(make(any_app())))
    ]
    accepted = {each: reason for each in found if (reason := reason_of(each)) is not None}
    opened = [each for each in found if each not in accepted]
    return Scan("parliament", f"policies of {len(CONFIGURATIONS)} templates", opened, accepted)
