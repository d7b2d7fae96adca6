"""The archive: signed lists of audit events' hashes, kept where the deployment cannot change them.

Each batch of committed events becomes one archive object. It is numbered, holds the SHA-256 of the
object before it, and is signed, so that an object that is missing or was written by somebody else
is seen by whoever has the public key alone.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from hitl_approval.contract import Audit
from hitl_approval.domain.audit import GENESIS, isoformat
from hitl_approval.domain.text import canonical_json

FORMAT: Final = 1
"""Of an archive object; raised when a field goes or changes its meaning."""

_LAST: Final = 10**12 - 1
"""The highest number of an archive object. Keys count down from it, since S3 lists keys upwards
and the newest object is the one that the next must follow."""
_NAME: Final = re.compile(r"[0-9]{12}\.json")
SIGNATURE: Final = "signature"


class UnreadableArchiveError(ValueError):
    """An object in the archive is none of ours; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivePlace:
    """Where a deployment archives.

    Attributes:
        bucket: its name.
        key_arn: the KMS key that signs archive objects.
        queue_url: the queue of what could not be archived.
    """

    bucket: str
    key_arn: str
    queue_url: str


@dataclass(frozen=True, slots=True)
class ArchivedEvent:
    """An audit event as the archive names it: not what it says, only which it is.

    Attributes:
        approval_id: of its approval.
        sequence: its number in the trail.
        hash: as it was stored when it was committed; it covers the event and all before it.
        at: when it happened, as `audit.isoformat` writes it.
    """

    approval_id: str
    sequence: int
    hash: str
    at: str

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            Audit.PARTITION_KEY: self.approval_id,
            Audit.SORT_KEY: self.sequence,
            Audit.HASH: self.hash,
            "at": self.at,
        }

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> ArchivedEvent:
        """Of an audit event as it is stored, or of what `to_dict` wrote.

        Raises:
            UnreadableArchiveError: it is neither.
        """
        try:
            found = cls(
                event[Audit.PARTITION_KEY], event[Audit.SORT_KEY], event[Audit.HASH], event["at"]
            )
        except (KeyError, TypeError) as error:
            msg = "an event has no approval_id, sequence, hash or at"
            raise UnreadableArchiveError(msg) from error
        texts = (found.approval_id, found.hash, found.at)
        whole = isinstance(found.sequence, int) and not isinstance(found.sequence, bool)
        if not whole or not all(isinstance(text, str) for text in texts):
            msg = "an event has an approval_id, sequence, hash or at that is none"
            raise UnreadableArchiveError(msg)
        return found


@dataclass(frozen=True, slots=True)
class Position:
    """Where the archive ends: the number of its newest object and that object's SHA-256."""

    number: int
    digest: str


START: Final = Position(0, GENESIS)
"""Of an archive without objects."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveObject:
    """One batch of audit events in the archive.

    Attributes:
        deployment: the name of its approvals table.
        number: 1 for the first of a deployment.
        previous: SHA-256 of the object before it, as it is stored.
        at: when it was written, as `audit.isoformat` writes it.
        events: what it holds.
    """

    deployment: str
    number: int
    previous: str
    at: str
    events: Sequence[ArchivedEvent]

    @property
    def digest(self) -> str:
        """SHA-256 of all that it says: what is signed."""
        return hashlib.sha256(canonical_json(self._said()).encode()).hexdigest()

    def signed(self, signature: str) -> bytes:
        """As it is stored.

        Args:
            signature: base64 of the ECDSA signature of `digest`.
        """
        return canonical_json({**self._said(), SIGNATURE: signature}).encode()

    def _said(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "deployment": self.deployment,
            "number": self.number,
            "previous": self.previous,
            "at": self.at,
            "events": [event.to_dict() for event in self.events],
        }


def following(
    last: Position, events: Iterable[ArchivedEvent], *, deployment: str, at: datetime
) -> ArchiveObject:
    """The object that follows the newest one."""
    return ArchiveObject(
        deployment=deployment,
        number=last.number + 1,
        previous=last.digest,
        at=isoformat(at),
        events=tuple(events),
    )


def read_object(stored: bytes) -> tuple[ArchiveObject, str]:
    """What is stored of an object, and its signature, which nobody has verified yet.

    Raises:
        UnreadableArchiveError: it is no archive object, or not spelled as `signed` spells it.
    """
    try:
        said = json.loads(stored)
        signature = said[SIGNATURE]
        found = ArchiveObject(
            deployment=said["deployment"],
            number=said["number"],
            previous=said["previous"],
            at=said["at"],
            events=tuple(map(ArchivedEvent.of, said["events"])),
        )
        same = found.signed(signature) == stored
    except UnreadableArchiveError:
        raise
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        msg = "is no archive object"
        raise UnreadableArchiveError(msg) from error
    if not same or not isinstance(signature, str) or type(found.number) is not int:
        msg = "is not written as an archive object is"
        raise UnreadableArchiveError(msg)
    return found, signature


def digest_of(stored: bytes) -> str:
    """SHA-256 of an object as it is stored, which the next one holds."""
    return hashlib.sha256(stored).hexdigest()


def prefix_of(deployment: str) -> str:
    """What the keys of a deployment's objects begin with."""
    return f"{deployment}/"


def object_key(deployment: str, number: int) -> str:
    """The key of an object: of two of one deployment, the newer one's sorts first."""
    return f"{prefix_of(deployment)}{_LAST - number:012d}.json"


def number_of(deployment: str, key: str) -> int | None:
    """The number of the object with this key; None for a key that is none of ours."""
    name = key.removeprefix(prefix_of(deployment))
    if not _NAME.fullmatch(name) or name == key:
        return None
    return _LAST - int(name.partition(".")[0])
