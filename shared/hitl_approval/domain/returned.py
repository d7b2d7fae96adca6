"""What a channel says of a message after it has taken it: that it did not reach its reader."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """A message that came back.

    Attributes:
        approval_id: what it is about, as it says itself: only the record knows.
        receipt: what the channel gave back when it took the message.
        reason: in words of ours.
        arrived: whether the reader may have it all the same.
    """

    approval_id: str
    receipt: str
    reason: str
    arrived: bool
