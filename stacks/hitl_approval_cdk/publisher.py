"""The publisher function and the audit table's stream that feeds it."""

from __future__ import annotations

from typing import cast

import jsii
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from hitl_approval_cdk.functions import PUBLISHER, FunctionSettings, PackagedFunction
from hitl_approval_cdk.permissions import allow, send_with


class PublisherFunction(PackagedFunction):
    """Publishes each audit event to the event bus and fills the inboxes.

    Args:
        scope: where it belongs; the mapping of the stream stands beside it.
        construct_id: its name there.
        settings: the resources and options that it works with; an audit table with a stream.
        dead_letter_queue: notes where in the stream to find events that nobody could publish.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: FunctionSettings,
        dead_letter_queue: sqs.IQueue,
    ) -> None:
        super().__init__(scope, construct_id, specification=PUBLISHER, settings=settings)
        role = cast(iam.IRole, self.role)
        allow(role, ["sqs:SendMessage"], dead_letter_queue.queue_arn)
        send_with(dead_letter_queue.encryption_master_key, role)
        lambda_.EventSourceMapping(
            scope,
            "PublisherStream",
            target=self,
            event_source_arn=settings.resources.audit_table.table_stream_arn,
            starting_position=lambda_.StartingPosition.TRIM_HORIZON,
            batch_size=100,
            filters=[lambda_.FilterCriteria.filter({"eventName": ["INSERT"]})],
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
