"""The publisher function and the audit table's stream that feeds it."""

from __future__ import annotations

from aws_cdk import aws_sqs as sqs
from constructs import Construct

from hitl_approval_cdk.functions import FunctionSettings, PackagedFunction
from hitl_approval_cdk.specifications import PUBLISHER
from hitl_approval_cdk.stream import feed


class PublisherFunction(PackagedFunction):
    """Publishes each audit event to the event bus and fills the inboxes; counts what was altered.

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
        feed(
            self,
            scope,
            "PublisherStream",
            resources=settings.resources,
            dead_letter_queue=dead_letter_queue,
            batch_size=100,
            every_change=True,
        )
        if settings.resources.archive is not None:
            settings.resources.archive.feed(self, scope)
