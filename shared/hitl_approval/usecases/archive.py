"""The archive of a deployment: every committed event's hash, signed, out of its own reach."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from hitl_approval.contract import Metrics
from hitl_approval.domain.archive import ArchivedEvent, Position, UnreadableArchiveError, digest_of
from hitl_approval.domain.archive import following as next_object
from hitl_approval.domain.errors import Unavailable
from hitl_approval.ports.archive import Archive, Unarchived
from hitl_approval.ports.outside import Clock, Meter, Signer

logger = logging.getLogger(__name__)

TRIES: Final = 8
"""Tries to be the next: of the shards of one audit table's stream few are busy at once."""
REMEMBERED: Final = 1_000
"""Events that a process remembers as archived, ten batches of the stream: a batch that is brought
again because something else failed is not archived a second time."""


@dataclass(slots=True, kw_only=True)
class ArchiveService:
    """Archives audit events; keeps those that it cannot archive now for later.

    Attributes:
        archive: where to.
        unarchived: where to when that fails.
        signer: signs each object; its key is the archive's own.
        clock: says when an object is written.
        meter: counts what could not be archived, at each try.
        deployment: the name of its approvals table.
    """

    archive: Archive
    unarchived: Unarchived
    signer: Signer
    clock: Clock
    meter: Meter
    deployment: str
    _last: Position | None = None
    _archived: dict[ArchivedEvent, None] = field(default_factory=dict)

    def accept(self, events: Sequence[Mapping[str, Any]]) -> None:
        """Archive audit events as they are stored, or keep them for later; what is none passes.

        Raises:
            Unavailable: neither worked.
        """
        wanted = [event for event in _readable(events) if event not in self._archived]
        if not wanted:
            return
        try:
            self._append(wanted)
        except Exception as error:  # noqa: BLE001  whatever it is: nothing else may wait for it
            self._last = None
            self.meter.count(Metrics.ARCHIVE_FAILED, len(wanted))
            logger.warning("not archived now: %s", reason_of(error))
            self.unarchived.put(wanted)
        self._remember(wanted)

    def accept_again(self, events: Sequence[Mapping[str, Any]]) -> None:
        """Archive what was kept for later.

        Raises:
            Unavailable: it cannot be archived now either.
        """
        wanted = _readable(events)
        if not wanted:
            return
        try:
            self._append(wanted)
        except Exception:  # whatever it is: counted and raised again
            self._last = None
            self.meter.count(Metrics.ARCHIVE_FAILED, len(wanted))
            raise

    def _append(self, events: Sequence[ArchivedEvent]) -> None:
        for _ in range(TRIES):
            last = self._last or self.archive.last()
            made = next_object(last, events, deployment=self.deployment, at=self.clock.now())
            stored = made.signed(self.signer.sign(made.digest))
            if self.archive.put(made.number, stored):
                self._last = Position(made.number, digest_of(stored))
                return
            self._last = None  # another process was faster
        raise Unavailable("the archive is contended: try again")

    def _remember(self, events: Sequence[ArchivedEvent]) -> None:
        self._archived.update(dict.fromkeys(events))
        while len(self._archived) > REMEMBERED:
            del self._archived[next(iter(self._archived))]


def _readable(events: Sequence[Mapping[str, Any]]) -> list[ArchivedEvent]:
    """Those that are audit events, each once; the publisher counts the others."""
    found: dict[ArchivedEvent, None] = {}
    for event in events:
        try:
            found[ArchivedEvent.of(event)] = None
        except UnreadableArchiveError as error:
            logger.warning("nothing to archive: %s", error)
    return list(found)


def reason_of(error: Exception) -> str:
    """Why, without anybody's text."""
    return str(error) if isinstance(error, Unavailable) else type(error).__name__
