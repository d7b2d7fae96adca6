"""The notifier on SNS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError, HTTPClientError

from hitl_approval.adapters.aws import is_transient, unavailable
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
        except (ClientError, HTTPClientError) as error:
            if is_transient(error):
                raise unavailable("SNS", error) from error
            raise
