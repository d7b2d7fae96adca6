"""The audit table's stream, which feeds two functions: as many as may read one at once."""

from __future__ import annotations

from typing import cast

import jsii
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from hitl_approval_cdk.functions import PackagedFunction
from hitl_approval_cdk.permissions import Resources, allow, send_with


def feed(
    function: PackagedFunction,
    scope: Construct,
    construct_id: str,
    *,
    resources: Resources,
    dead_letter_queue: sqs.IQueue,
    batch_size: int,
    parallelization_factor: int = 1,
    every_change: bool = False,
) -> None:
    """Bring each new audit event to a function, in order for each approval.

    Args:
        function: takes them; it may read the stream by its own rights.
        scope: where the mapping belongs.
        construct_id: its name there.
        resources: the audit table is one of them.
        dead_letter_queue: notes where in the stream to find what the function could never take.
        batch_size: events that it gets at once, at most.
        parallelization_factor: batches at once of one shard. Default: one.
        every_change: whether it also gets what somebody has changed or removed. Default: only new
            audit events.
    """
    role = cast(iam.IRole, function.role)
    allow(role, ["sqs:SendMessage"], dead_letter_queue.queue_arn)
    send_with(dead_letter_queue.encryption_master_key, role)
    lambda_.EventSourceMapping(
        scope,
        construct_id,
        target=function,
        event_source_arn=resources.audit_table.table_stream_arn,
        starting_position=lambda_.StartingPosition.TRIM_HORIZON,
        batch_size=batch_size,
        parallelization_factor=parallelization_factor,
        filters=None
        if every_change
        else [lambda_.FilterCriteria.filter({"eventName": ["INSERT"]})],
        report_batch_item_failures=True,
        bisect_batch_on_error=True,
        # Tried again until the stream forgets, a day later; then noted in the queue.
        on_failure=_FailedBatches(dead_letter_queue),
    )


@jsii.implements(lambda_.IEventSourceDlq)
class _FailedBatches:
    """A queue as a stream's dead-letter queue; CDK's own grants wildcards on its key."""

    def __init__(self, queue: sqs.IQueue) -> None:
        self.queue = queue

    def bind(self, _: object, __: object) -> lambda_.DlqDestinationConfig:
        """Where to; the rights are granted where the role is."""
        return lambda_.DlqDestinationConfig(destination=self.queue.queue_arn)
