"""`Archive`: signed hashes of all audit events, out of the deployment's reach."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from aws_cdk import CfnResource, Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from hitl_approval.contract import Env
from hitl_approval.domain.archive import prefix_of
from hitl_approval_cdk import nag, readers
from hitl_approval_cdk.option import ContextKey
from hitl_approval_cdk.rules import MAX_RETENTION_DAYS, resource, whole_days
from hitl_approval_cdk.rules import signing_key as check_signing_key

if TYPE_CHECKING:
    from hitl_approval_cdk.options import ResolvedOptions

_TEN_YEARS: Final = Duration.days(3_653)
"""The longest that common laws on accounting records ask for (Germany's HGB, section 257)."""
_AGAIN: Final = Duration.minutes(15)
"""Until what could not be archived is tried again."""
_TRIES: Final = 96
"""Tries in a day; then the dead-letter queue has it, as what cannot be published for a day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """Signed hashes of all audit events, in a bucket where nobody can change or delete them.

    Raises:
        ValueError: a value that cannot work.

    Attributes:
        retention: how long nobody, the account's root included, can delete an archive object;
            whole days. Default: 10 years; with a `bucket`, what that bucket's own rule says.
        bucket: a bucket with Object Lock and a default retention to write to, of another account
            if possible; its policy must allow it. Default: a new one.
        key: an asymmetric key (`ECC_NIST_P256`, `SIGN_VERIFY`) that signs archive objects and
            nothing else. Default: a new one.
    """

    retention: Duration | None = None
    bucket: s3.IBucket | None = None
    key: kms.IKey | None = None

    def __post_init__(self) -> None:
        if self.retention is not None:
            if self.bucket is not None:
                msg = (
                    "archive.retention has no effect on a bucket that is brought along: set its "
                    "own default retention, and leave retention out"
                )
                raise ValueError(msg)
            rule = whole_days(maximum=MAX_RETENTION_DAYS, why="S3 keeps no longer")
            rule("archive.retention", self.retention)
        if self.bucket is not None:
            resource("bucket_arn", "s3.Bucket.from_bucket_name()")("archive.bucket", self.bucket)
            _check_locked(self.bucket)
        if self.key is not None:
            check_signing_key("archive.key", self.key)


CONTEXT_KEYS: Final = (
    ContextKey(
        "archive_retention_days",
        lambda value: Archive(retention=readers.days(value)),
        "a whole number of days",
        meaning="Makes an archive of all audit events' signed hashes in a bucket of its own, where "
        "nobody can delete them for so long.",
    ),
)
"""Of the deployable app."""


class DeployedArchive(Construct):
    """What a deployment archives with.

    Args:
        scope: where it belongs.
        construct_id: its name there.
        archive: what it is like.
        encryption_key: of the bucket and the queue. Default: keys that AWS manages.
        dead_letter_queue: gets what could not be archived for a day.

    Attributes:
        bucket: holds the archive objects.
        key: signs them; only the publisher function may use it for that.
        queue: brings the publisher again what could not be archived.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        archive: Archive,
        encryption_key: kms.IKey | None,
        dead_letter_queue: sqs.IQueue,
    ) -> None:
        super().__init__(scope, construct_id)
        self.bucket: s3.IBucket = archive.bucket or self._bucket(
            archive.retention or _TEN_YEARS, encryption_key
        )
        self.key: kms.IKey = archive.key or kms.Key(
            self,
            "Key",
            description="Signs the archive of a deployment's audit events",
            key_spec=kms.KeySpec.ECC_NIST_P256,
            key_usage=kms.KeyUsage.SIGN_VERIFY,
            # Whoever has not exported its public half could verify nothing any more.
            removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        )
        own = encryption_key is not None
        self.queue: sqs.Queue = sqs.Queue(
            self,
            "Queue",
            enforce_ssl=True,
            encryption=sqs.QueueEncryption.KMS if own else sqs.QueueEncryption.SQS_MANAGED,
            encryption_master_key=encryption_key,
            visibility_timeout=_AGAIN,
            retention_period=Duration.days(14),
            dead_letter_queue=sqs.DeadLetterQueue(
                queue=dead_letter_queue, max_receive_count=_TRIES
            ),
        )

    def _bucket(self, retention: Duration, encryption_key: kms.IKey | None) -> s3.Bucket:
        own = encryption_key is not None
        bucket = s3.Bucket(
            self,
            "Bucket",
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            encryption=s3.BucketEncryption.KMS if own else s3.BucketEncryption.S3_MANAGED,
            encryption_key=encryption_key,
            bucket_key_enabled=own or None,
            enforce_ssl=True,
            versioned=True,
            object_lock_enabled=True,
            object_lock_default_retention=s3.ObjectLockRetention.compliance(retention),
            # It could not be deleted before its objects can.
            removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        )
        nag.archive(bucket)
        return bucket

    @property
    def variables(self) -> Mapping[str, str]:
        """What the publisher must know of it."""
        place = {
            "bucket": self.bucket.bucket_name,
            "key_arn": self.key.key_arn,
            "queue_url": self.queue.queue_url,
        }
        return {Env.ARCHIVE: Stack.of(self).to_json_string(place)}

    def write(self, grantee: iam.IGrantable, deployment: str) -> None:
        """Allow archiving, and keeping for later what cannot be archived.

        Args:
            grantee: who archives.
            deployment: the name of its approvals table.
        """
        self._list(grantee, "s3:ListBucket", deployment)
        self._objects(grantee, ["s3:GetObject", "s3:PutObject"], deployment)
        for key in (self.bucket.encryption_key, self.queue.encryption_master_key):
            if key is not None:
                key.grant(grantee, "kms:Decrypt", "kms:GenerateDataKey")
        self.key.grant(grantee, "kms:Sign")
        actions = ("DeleteMessage", "GetQueueAttributes", "ReceiveMessage", "SendMessage")
        iam.Grant.add_to_principal(
            grantee=grantee,
            actions=[f"sqs:{action}" for action in actions],
            resource_arns=[self.queue.queue_arn],
        )

    def read(self, grantee: iam.IGrantable, deployment: str) -> None:
        """Allow verifying: every version of every object, and the public key.

        Args:
            grantee: who verifies.
            deployment: the name of its approvals table.
        """
        self._list(grantee, "s3:ListBucketVersions", deployment)
        self._objects(grantee, ["s3:GetObjectVersion"], deployment)
        if self.bucket.encryption_key is not None:
            self.bucket.encryption_key.grant(grantee, "kms:Decrypt")
        self.key.grant(grantee, "kms:GetPublicKey", "kms:Verify")

    def feed(self, function: lambda_.IFunction, scope: Construct) -> None:
        """Bring to a function what could not be archived."""
        lambda_.EventSourceMapping(
            scope,
            "ArchiveAgain",
            target=function,
            event_source_arn=self.queue.queue_arn,
            batch_size=10,
            report_batch_item_failures=True,
        )

    def _list(self, grantee: iam.IGrantable, action: str, deployment: str) -> None:
        iam.Grant.add_to_principal(
            grantee=grantee,
            actions=[action],
            resource_arns=[self.bucket.bucket_arn],
            conditions={"StringEquals": {"s3:prefix": prefix_of(deployment)}},
        )

    def _objects(self, grantee: iam.IGrantable, actions: list[str], deployment: str) -> None:
        arn = self.bucket.arn_for_objects(f"{prefix_of(deployment)}*")
        iam.Grant.add_to_principal(grantee=grantee, actions=actions, resource_arns=[arn])
        if isinstance(grantee, Construct):
            nag.archive_objects(grantee, arn)


def deployed_archive(
    scope: Construct, options: ResolvedOptions, dead_letter_queue: sqs.IQueue
) -> DeployedArchive | None:
    """What a deployment archives with; None where it does not."""
    archive = options["archive"]
    if archive is None:
        return None
    return DeployedArchive(
        scope,
        "Archive",
        archive=archive,
        encryption_key=options["encryption_key"],
        dead_letter_queue=dead_letter_queue,
    )


def _check_locked(bucket: s3.IBucket) -> None:
    """Check a bucket of this app; one that is imported shows nothing and passes.

    Raises:
        ValueError: without Object Lock its owner could delete what it holds.
    """
    made = bucket.node.default_child
    if not isinstance(made, CfnResource):
        return
    found: dict[str, Any] = Stack.of(bucket).resolve(cast(Any, made)._cfn_properties)
    rule = (found.get("objectLockConfiguration") or {}).get("rule")
    if not found.get("objectLockEnabled") or rule is None:
        msg = (
            f"archive.bucket {bucket.node.path} has no Object Lock with a default retention: give "
            f"it object_lock_default_retention=s3.ObjectLockRetention.compliance(Duration.days(n))"
        )
        raise ValueError(msg)
