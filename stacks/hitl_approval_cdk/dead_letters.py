"""The dead-letter queue: starts that failed, and where in the stream the publisher gave up."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from constructs import Construct


class DeadLetterQueue(sqs.Queue):
    """Keeps for 14 days, as long as SQS does, what failed every attempt.

    Args:
        scope: where it belongs.
        construct_id: its name there; part of its logical id.
        encryption_key: Default: a key that SQS manages.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, encryption_key: kms.IKey | None = None
    ) -> None:
        own = encryption_key is not None
        super().__init__(
            scope,
            construct_id,
            enforce_ssl=True,
            encryption=sqs.QueueEncryption.KMS if own else sqs.QueueEncryption.SQS_MANAGED,
            encryption_master_key=encryption_key,
            retention_period=Duration.days(14),
        )
