"""The messenger function, the stream that feeds it, and the clock by which it tries again."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from hitl_approval_cdk.functions import FunctionSettings, PackagedFunction
from hitl_approval_cdk.specifications import MESSENGER
from hitl_approval_cdk.stream import feed


class MessengerFunction(PackagedFunction):
    """Sends each person what follows from audit events, and reminders when they are due.

    Args:
        scope: where it belongs; its schedule and the mapping of the stream stand beside it.
        construct_id: its name there.
        settings: the resources and options that it works with; with a topic of personal messages.
        dead_letter_queue: notes where in the stream to find events that nobody could take.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: FunctionSettings,
        dead_letter_queue: sqs.IQueue,
    ) -> None:
        super().__init__(scope, construct_id, specification=MESSENGER, settings=settings)
        feed(
            self,
            scope,
            "MessengerStream",
            resources=settings.resources,
            dead_letter_queue=dead_letter_queue,
            # Of 20 people each, 200 messages are sent inside one invocation; others by the clock.
            batch_size=10,
            parallelization_factor=4,
        )
        events.Rule(
            scope,
            "MessengerSchedule",
            schedule=events.Schedule.rate(Duration.minutes(1)),
            targets=[targets.LambdaFunction(self)],
        )
        if settings.resources.mail is not None:
            settings.resources.mail.return_to(self)
