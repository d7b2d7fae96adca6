"""A channel that counts its failures and reminders."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hitl_approval.adapters.metered import MeteredNotifier
from hitl_approval.contract import MessageKind, Metrics
from hitl_approval.domain.errors import Unavailable
from hitl_approval.domain.notification import Notification, approval_needed
from hitl_approval.testing.memory import RecordingMeter, RecordingNotifier
from tests.anything import any_approval


def any_notification(kind: MessageKind) -> Notification:
    return replace(approval_needed(any_approval()), kind=kind)


@pytest.mark.parametrize(
    ("kind", "counted"), [("reminder", [Metrics.REMINDERS_SENT]), ("requested", [])]
)
def test_should_count_the_reminders_that_were_sent(kind: MessageKind, counted: list[str]) -> None:
    meter, notifier = RecordingMeter(), RecordingNotifier()
    metered = MeteredNotifier(notifier=notifier, channel="ses", meter=meter)
    metered.publish(any_notification(kind))
    assert len(notifier.sent) == 1
    assert meter.counted == counted


def test_should_count_a_failure_by_its_channel_and_leave_it_to_others() -> None:
    meter, notifier = RecordingMeter(), RecordingNotifier(failures=1)
    metered = MeteredNotifier(notifier=notifier, channel="ses", meter=meter)
    with pytest.raises(Unavailable):
        metered.publish(any_notification("reminder"))
    assert meter.counted == [f"{Metrics.SEND_FAILED} ses"]
