"""The notifier on SNS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hitl_approval.adapters.aws import CALL_ERRORS, unavailable
from hitl_approval.domain.notification import Notification


@dataclass(frozen=True, slots=True, kw_only=True)
class SnsNotifier:
    """Publishes to the approvers' topic; subscribers drop repeats by the approval id."""

    client: Any
    topic_arn: str

    def publish(self, notification: Notification) -> None:
        """See `ports.Notifier.publish`."""
        try:
            self.client.publish(
                TopicArn=self.topic_arn,
                Subject=notification.subject,
                Message=notification.body,
                MessageAttributes={
                    "approval_id": {
                        "DataType": "String",
                        "StringValue": notification.approval_id,
                    }
                },
            )
        except CALL_ERRORS as error:
            # A refusal too, of a topic deleted say, may be gone at the next look.
            raise unavailable("SNS", error) from error
