"""Messages that come back: noted where they belong, if the record knows that they were sent."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from hitl_approval.contract import Metrics
from hitl_approval.domain.approval import Approval, Transition
from hitl_approval.domain.errors import ApprovalNotFound, Unavailable, UnreadableRecord
from hitl_approval.domain.notification import note_notification_failed
from hitl_approval.domain.returned import Returned
from hitl_approval.ports.messages import MessageStore
from hitl_approval.usecases.records import Records

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnedService(Records):
    """Notes what did not reach its reader.

    Attributes:
        messages: the record of each message.
    """

    messages: MessageStore

    def note(self, returned: Returned) -> bool:
        """Put on record that a message came back; once, however often that is said.

        Nothing is believed but what the message's own record confirms by its receipt.

        Returns:
            Whether it is noted by now.

        Raises:
            Unavailable: not now; may be tried again.
        """
        about = self.messages.about(returned.approval_id)
        found = next((m for m in about if m.receipt == returned.receipt), None)
        if found is None:
            if any(m.state == "open" and m.attempts for m in about):
                msg = "a message is still at work, which may be the one"
                raise Unavailable(msg)
            logger.warning("came back, but was not sent: approval_id=%s", returned.approval_id)
            return False
        if found.noted:
            return True

        def failed(approval: Approval) -> Transition | None:
            return note_notification_failed(
                approval, returned.reason, now=self.clock.now(), recipient=found.recipient
            )

        try:
            self._change(returned.approval_id, failed)
        except (ApprovalNotFound, UnreadableRecord):  # nobody can write there any more
            logger.warning("came back, not on the trail: approval_id=%s", returned.approval_id)
        self.meter.count(Metrics.NOTIFICATION_FAILED)
        self.messages.mark_returned(found, returned.reason, arrived=returned.arrived)
        return True
