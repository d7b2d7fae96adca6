"""What archiving needs from the world outside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from hitl_approval.domain.archive import ArchivedEvent, Position


class Archive(Protocol):
    """Keeps archive objects where nobody can change them."""

    def last(self) -> Position:
        """The newest object, or where an archive without objects begins.

        Raises:
            Unavailable: it cannot be read now, for whatever reason.
        """

    def put(self, number: int, stored: bytes) -> bool:
        """Write an object, unless there is one of this number.

        Returns:
            Whether it was written.

        Raises:
            Unavailable: it cannot be written now, for whatever reason.
        """


class Unarchived(Protocol):
    """Keeps events that could not be archived until they can be."""

    def put(self, events: Sequence[ArchivedEvent]) -> None:
        """Keep these.

        Raises:
            Unavailable: they cannot be kept now, for whatever reason.
        """
