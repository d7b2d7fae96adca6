"""A channel whose failures and reminders are counted, where the deployment is monitored."""

from __future__ import annotations

from dataclasses import dataclass

from hitl_approval.contract import Channel, Metrics
from hitl_approval.domain.notification import Notification
from hitl_approval.ports.messages import Notifier
from hitl_approval.ports.outside import Meter


@dataclass(frozen=True, slots=True, kw_only=True)
class MeteredNotifier:
    """Sends by another notifier and counts what became of it.

    Attributes:
        notifier: sends.
        channel: by which it does.
        meter: counts.
    """

    notifier: Notifier
    channel: Channel
    meter: Meter

    def publish(self, notification: Notification) -> str:
        """See `ports.Notifier.publish`."""
        try:
            receipt = self.notifier.publish(notification)
        except Exception:  # whatever it is, it is counted and goes on to the caller
            self.meter.count(Metrics.SEND_FAILED, channel=self.channel)
            raise
        if notification.kind == "reminder":
            self.meter.count(Metrics.REMINDERS_SENT)
        return receipt
