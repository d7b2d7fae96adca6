"""The notifier on SNS: one topic, whose subscriptions may each filter for one person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hitl_approval.adapters.aws import CALL_ERRORS, unavailable
from hitl_approval.contract import APPROVER_ATTRIBUTE
from hitl_approval.domain.notification import Notification
from hitl_approval.domain.text import spelling


@dataclass(frozen=True, slots=True, kw_only=True)
class SnsNotifier:
    """Publishes; subscribers drop repeats by the approval id and the kind.

    Attributes:
        client: an SNS client.
        topic_arn: where to.
        personal: whether its subscriptions each filter for one person. Default: everybody who
            subscribed gets each message, and so none that is for one person.
    """

    client: Any
    topic_arn: str
    personal: bool = False

    def publish(self, notification: Notification) -> str:
        """See `ports.Notifier.publish`."""
        if self.personal is (notification.recipient is None):
            msg = "a personal message must never reach the topic that everybody listens to"
            raise RuntimeError(msg)
        attributes = {"approval_id": notification.approval_id, "kind": notification.kind}
        if notification.recipient is not None:
            attributes[APPROVER_ATTRIBUTE] = spelling(notification.recipient)
        try:
            self.client.publish(
                TopicArn=self.topic_arn,
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
        return ""
