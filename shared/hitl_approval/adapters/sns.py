"""The notifier on SNS: one topic for everybody, one for messages that are for one person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hitl_approval.adapters.aws import CALL_ERRORS, unavailable
from hitl_approval.contract import APPROVER_ATTRIBUTE
from hitl_approval.domain.message import Notification
from hitl_approval.domain.text import person_key


@dataclass(frozen=True, slots=True, kw_only=True)
class SnsNotifier:
    """Publishes; subscribers drop repeats by the approval id.

    Attributes:
        client: an SNS client.
        topic_arn: the topic that everybody may listen to.
        personal_topic_arn: the topic whose subscriptions each filter for one approver.
    """

    client: Any
    topic_arn: str
    personal_topic_arn: str | None = None

    def publish(self, notification: Notification) -> None:
        """See `ports.Notifier.publish`."""
        attributes = {"approval_id": notification.approval_id}
        topic = self.topic_arn
        if notification.recipient is not None:
            if self.personal_topic_arn is None:
                msg = "a personal message must never reach the topic that everybody listens to"
                raise RuntimeError(msg)
            topic = self.personal_topic_arn
            attributes[APPROVER_ATTRIBUTE] = person_key(notification.recipient)
        try:
            self.client.publish(
                TopicArn=topic,
                Subject=notification.subject,
                Message=notification.body,
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": value}
                    for name, value in attributes.items()
                },
            )
        except CALL_ERRORS as error:
            # A refusal too, of a topic deleted say, may be gone at the next try.
            raise unavailable("SNS", error) from error
