"""The archive: what it is made of, who may write and read it, and what cannot work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import Duration, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import IConstruct

from hitl_approval.contract import Env
from hitl_approval_cdk import Archive, HitlApproval, context
from hitl_approval_cdk.context import ContextError
from tests.infra.synth import (
    any_stack,
    functions,
    granted,
    of_type,
    permissions,
    template,
    text,
)

BUCKET = "<ApprovalArchiveBucket.Arn>"
OBJECTS = f"{BUCKET}/<ApprovalTable>/*"
KEY = "<ApprovalArchiveKey.Arn>"
QUEUE = "<ApprovalArchiveQueue.Arn>"


def resources(**options: Any) -> dict[str, dict[str, Any]]:
    stack = any_stack()
    HitlApproval(stack, "Approval", **options)
    found: dict[str, dict[str, Any]] = template(stack)["Resources"]
    return found


def test_should_make_nothing_where_nothing_is_archived() -> None:
    made = resources()
    assert not of_type(made, "AWS::S3::Bucket")
    assert not of_type(made, "AWS::KMS::Key")
    for properties in functions(made).values():
        assert Env.ARCHIVE not in properties["Environment"]["Variables"]


def test_should_make_a_bucket_that_nobody_can_empty() -> None:
    made = resources(archive=Archive(retention=Duration.days(30)))
    [(name, bucket)] = of_type(made, "AWS::S3::Bucket").items()
    assert bucket["ObjectLockEnabled"] is True
    rule = bucket["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]
    assert rule == {"Mode": "COMPLIANCE", "Days": 30}
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert made[name]["DeletionPolicy"] == "RetainExceptOnCreate"
    [policy] = of_type(made, "AWS::S3::BucketPolicy").values()
    [statement] = policy["PolicyDocument"]["Statement"]
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    [key] = of_type(made, "AWS::KMS::Key").values()
    assert (key["KeySpec"], key["KeyUsage"]) == ("ECC_NIST_P256", "SIGN_VERIFY")


def test_should_keep_for_ten_years_where_nothing_else_is_said() -> None:
    [bucket] = of_type(resources(archive=Archive()), "AWS::S3::Bucket").values()
    assert bucket["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]["Days"] == 3_653


def test_should_let_the_publisher_alone_write_and_sign() -> None:
    made = resources(archive=Archive())
    may = permissions(made)
    assert {
        ("s3:ListBucket", BUCKET),
        ("s3:GetObject", OBJECTS),
        ("s3:PutObject", OBJECTS),
        ("kms:Sign", KEY),
        ("sqs:SendMessage", QUEUE),
        ("sqs:ReceiveMessage", QUEUE),
        ("sqs:DeleteMessage", QUEUE),
        ("sqs:GetQueueAttributes", QUEUE),
    } == {each for each in may["ApprovalPublisherRole"] if each[1] in {BUCKET, OBJECTS, KEY, QUEUE}}
    for role, rights in may.items():
        if role != "ApprovalPublisherRole":
            assert not {each for each in rights if each[1] in {BUCKET, OBJECTS, KEY, QUEUE}}
    variables = functions(made)["publisher.handler.handler"]["Environment"]["Variables"]
    assert text(variables[Env.ARCHIVE]) == (
        '{"bucket":"<ApprovalArchiveBucket>","key_arn":"<ApprovalArchiveKey.Arn>",'
        '"queue_url":"<ApprovalArchiveQueue>"}'
    )


def test_should_bring_what_failed_again_for_a_day_and_then_to_the_dead_letter_queue() -> None:
    made = resources(archive=Archive())
    [queue] = [
        each for each in of_type(made, "AWS::SQS::Queue").values() if "RedrivePolicy" in each
    ]
    tries = queue["RedrivePolicy"]["maxReceiveCount"]
    assert queue["VisibilityTimeout"] * tries == 24 * 3600
    assert text(queue["RedrivePolicy"]["deadLetterTargetArn"]) == "<ApprovalDeadLetterQueue.Arn>"
    [mapping] = [
        each
        for each in of_type(made, "AWS::Lambda::EventSourceMapping").values()
        if text(each["EventSourceArn"]) == QUEUE
    ]
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_should_let_an_auditor_read_and_write_nothing() -> None:
    stack = any_stack()
    approval = HitlApproval(stack, "Approval", archive=Archive())
    approval.grant_read_audit(iam.User(stack, "Auditor"))
    assert {
        ("s3:ListBucketVersions", BUCKET),
        ("s3:GetObjectVersion", OBJECTS),
        ("kms:GetPublicKey", KEY),
        ("kms:Verify", KEY),
    } == {each for each in granted(stack, "Auditor") if not each[0].startswith("dynamodb:")}


def test_should_use_the_deployment_s_key_for_what_it_stores() -> None:
    stack = any_stack()
    key = kms.Key(stack, "Ours")
    HitlApproval(stack, "Approval", archive=Archive(), encryption_key=key)
    made = template(stack)["Resources"]
    [bucket] = of_type(made, "AWS::S3::Bucket").values()
    [rule] = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert text(rule["ServerSideEncryptionByDefault"]["KMSMasterKeyID"]) == "<Ours.Arn>"
    assert ("kms:GenerateDataKey", "<Ours.Arn>") in granted(stack, "ApprovalPublisherRole")


def test_should_write_to_a_bucket_of_another_account() -> None:
    stack = any_stack()
    bucket = s3.Bucket.from_bucket_name(stack, "Theirs", "audit-of-all")
    key = kms.Key.from_key_arn(stack, "Key", "arn:aws:kms:eu-central-1:999999999999:key/1")
    approval = HitlApproval(stack, "Approval", archive=Archive(bucket=bucket, key=key))
    assert approval.archive is not None
    assert approval.archive.bucket is bucket
    arn = "arn:<AWS::Partition>:s3:::audit-of-all"
    may = granted(stack, "ApprovalPublisherRole")
    assert ("s3:PutObject", f"{arn}/<ApprovalTable>/*") in may
    assert ("kms:Sign", "arn:aws:kms:eu-central-1:999999999999:key/1") in may
    assert not of_type(template(stack)["Resources"], "AWS::S3::Bucket")


def _unlocked(stack: Stack) -> dict[str, Any]:
    return {"bucket": s3.Bucket(stack, "Bucket", versioned=True)}


def _no_rule(stack: Stack) -> dict[str, Any]:
    return {"bucket": s3.Bucket(stack, "Bucket", object_lock_enabled=True)}


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        (lambda _: {"retention": Duration.hours(36)}, "archive.retention must be whole days"),
        (lambda _: {"retention": Duration.days(36_501)}, "archive.retention must be at most 36500"),
        (lambda _: {"retention": 30}, "archive.retention must be Duration, got 30"),
        (lambda _: {"bucket": "audit"}, "archive.bucket must be an object of CDK's"),
        (_unlocked, "archive.bucket Embedding/Bucket has no Object Lock with a default retention"),
        (_no_rule, "archive.bucket Embedding/Bucket has no Object Lock with a default retention"),
        (lambda stack: {"key": kms.Key(stack, "Key")}, "archive.key must be a key that signs"),
        (
            lambda stack: {
                "bucket": s3.Bucket.from_bucket_name(stack, "B", "audit"),
                "retention": Duration.days(30),
            },
            "archive.retention has no effect on a bucket that is brought along",
        ),
    ],
)
def test_should_refuse_what_cannot_work(
    values: Callable[[IConstruct], dict[str, Any]], problem: str
) -> None:
    with pytest.raises(ValueError, match=problem):
        Archive(**values(any_stack()))


def test_should_take_a_locked_bucket_of_this_app() -> None:
    locked = s3.Bucket(
        any_stack(),
        "Bucket",
        object_lock_default_retention=s3.ObjectLockRetention.governance(Duration.days(1)),
    )
    assert Archive(bucket=locked).bucket is locked


def test_should_refuse_an_audit_table_that_brings_it_nothing() -> None:
    stack = any_stack()
    audit = dynamodb.Table.from_table_arn(
        stack, "Audit", "arn:aws:dynamodb:us-east-1:123456789012:table/audit"
    )
    with pytest.raises(ValueError, match="archive needs an audit_table with a stream"):
        HitlApproval(stack, "Approval", audit_table=audit, archive=Archive())


def test_should_be_made_by_a_context_key() -> None:
    archive = context.options({"archive_retention_days": "400"})["archive"]
    assert archive is not None
    assert archive.retention is not None
    assert archive.retention.to_days() == 400
    with pytest.raises(ContextError, match="archive_retention_days must be a whole number of days"):
        context.options({"archive_retention_days": "ten years"})
