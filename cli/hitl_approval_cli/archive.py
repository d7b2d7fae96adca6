"""The archive as an auditor reads it: every version of every object, against the audit table."""

from __future__ import annotations

import base64
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, Protocol

from hitl_approval.contract import Audit
from hitl_approval.domain.archive import (
    ArchiveObject,
    UnreadableArchiveError,
    digest_of,
    number_of,
    object_key,
    prefix_of,
    read_object,
)
from hitl_approval.domain.audit import isoformat
from hitl_approval.domain.text import shown
from hitl_approval_cli import clock
from hitl_approval_cli.deployment import Deployment
from hitl_approval_cli.errors import usage

UNSETTLED: Final = timedelta(days=1)
"""Until an event must be archived: so long what fails is tried again by itself."""
BEGINNING: Final = timedelta(hours=1)
"""After the archive's first object: until then a publisher without an archive may have worked."""

_TABLES: Final = """
CREATE TABLE object (number INTEGER PRIMARY KEY, version TEXT, modified TEXT);
CREATE TABLE event (approval TEXT, sequence INTEGER, hash TEXT, at TEXT, number INTEGER,
                    found TEXT DEFAULT 'gone', PRIMARY KEY (approval, sequence)) WITHOUT ROWID;
"""


class Verifies(Protocol):
    """Tells whether the archive's key has signed something."""

    def verify(self, event_hash: str, signature: str) -> bool:
        """See `ports.Signer.verify`."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that the archive shows.

    Attributes:
        kind: for programs: `tail_cut`, `rewritten`, `removed`, `not_archived`, `archive_removed`
            or `archive_altered`.
        problem: in words.
        approval_id: whose trail it is; None for the archive itself.
        sequence: the event that shows it; of the archive itself, the object's number.
    """

    kind: str
    problem: str
    approval_id: str | None
    sequence: int


class PinnedKey:
    """A public key in a file that an auditor keeps: nobody in the account can replace it.

    Args:
        file: a PEM, as `hitl audit key` prints it.

    Raises:
        CliError: the file holds no such key, or the library that verifies is not installed.
    """

    def __init__(self, file: Path) -> None:
        try:
            from cryptography.hazmat.primitives.asymmetric import ec
            from cryptography.hazmat.primitives.serialization import load_pem_public_key
        except ImportError:
            raise usage("--key: needs pip install 'hitl-approval[audit]'") from None
        try:
            key = load_pem_public_key(file.read_bytes())
        except OSError as error:
            raise usage(f"--key: {shown(str(file))}: {error.strerror}") from None
        except ValueError:
            raise usage(f"--key: {shown(str(file))}: is no public key as PEM") from None
        if not isinstance(key, ec.EllipticCurvePublicKey):
            raise usage(f"--key: {shown(str(file))}: is no key of ECDSA")
        self._key: Any = key

    def verify(self, event_hash: str, signature: str) -> bool:
        """See `ports.Signer.verify`."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec, utils

        try:
            raw = base64.b64decode(signature, validate=True)
            algorithm = ec.ECDSA(utils.Prehashed(hashes.SHA256()))
            self._key.verify(raw, bytes.fromhex(event_hash), algorithm)
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(slots=True, kw_only=True)
class ArchiveReader:
    """The archive of one deployment, read once into a file beside the work.

    Attributes:
        deployment: whose.
        bucket: the bucket's name.
        name: the name of the deployment's approvals table.
        signer: verifies the objects' signatures.
        since: events from then on count. Default: all.
        until: events before then count. Default: all.
        objects: how many were read.
    """

    deployment: Deployment
    bucket: str
    name: str
    signer: Verifies
    since: datetime | None = None
    until: datetime | None = None
    objects: int = 0
    _began: str = ""
    _db: sqlite3.Connection = field(init=False)

    def __post_init__(self) -> None:
        # A temporary file of SQLite's own: an archive of years does not fit into memory.
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.executescript(_TABLES)

    def read(self) -> Iterator[Problem]:
        """Read it, and say what is wrong with the archive itself."""
        self._db.execute("BEGIN")
        yield from self._list()
        previous: str | None = None
        expected = 1
        listed = self._db.execute("SELECT number, version, modified FROM object ORDER BY number")
        for number, version, modified in listed.fetchall():
            if number > expected:
                yield _of_archive(expected, _gone(expected, number - 1), kind="archive_removed")
                previous = None
            expected = number + 1
            if self.since is not None and modified < isoformat(self.since):
                previous = None
                continue
            stored = self._get(number, version)
            self.objects += 1
            yield from self._take(number, stored, previous)
            previous = digest_of(stored)
        self._db.execute("COMMIT")

    def check(self, event: Mapping[str, Any]) -> None:
        """Compare an audit event as it is stored."""
        if not self._counts(str(event.get("at"))):
            return
        approval, sequence = event.get(Audit.PARTITION_KEY), event.get(Audit.SORT_KEY)
        hash_ = str(event.get(Audit.HASH))
        changed = self._db.execute(
            "UPDATE event SET found = CASE hash WHEN ? THEN 'same' ELSE 'other' END"
            " WHERE approval = ? AND sequence = ?",
            (hash_, approval, sequence),
        )
        if changed.rowcount == 0 and self._settled(str(event.get("at"))):
            self._db.execute(
                "INSERT INTO event VALUES (?, ?, ?, ?, 0, 'unarchived')",
                (approval, sequence, hash_, str(event.get("at"))),
            )

    def problems(self, approval_id: str | None = None) -> Iterator[Problem]:
        """What the archive shows of the events that were checked: of one approval, or of all."""
        rows = self._db.execute(
            "SELECT approval, found, MIN(sequence), MAX(sequence), COUNT(*) FROM event"
            " WHERE ? IS NULL OR approval = ? GROUP BY approval, found ORDER BY approval, found",
            (approval_id, approval_id),
        ).fetchall()
        by_approval: dict[str, dict[str, tuple[int, int, int]]] = {}
        for approval, found, first, last, count in rows:
            by_approval.setdefault(approval, {})[found] = (first, last, count)
        for approval, found in by_approval.items():
            yield from _compared(approval, found)

    def knows(self, approval_id: str) -> bool:
        """Whether anything of this approval was archived."""
        found = self._db.execute("SELECT 1 FROM event WHERE approval = ? LIMIT 1", (approval_id,))
        return found.fetchone() is not None

    def _list(self) -> Iterator[Problem]:
        """Every object's first version; what was written later or hides it is a problem."""
        wanted: dict[str, Any] = {"Bucket": self.bucket, "Prefix": prefix_of(self.name)}
        while True:
            with self.deployment.errors():
                page = self.deployment.client("s3").list_object_versions(**wanted)
            for marker in page.get("DeleteMarkers", []):
                number = number_of(self.name, marker["Key"])
                if number is not None:
                    yield _of_archive(number, "has been deleted", kind="archive_removed")
            # Of one key the newest version is listed first.
            for version in page.get("Versions", []):
                number = number_of(self.name, version["Key"])
                if number is None:
                    continue
                row = (version["VersionId"], isoformat(version["LastModified"]), number)
                try:
                    self._db.execute(
                        "INSERT INTO object (version, modified, number) VALUES (?, ?, ?)", row
                    )
                except sqlite3.IntegrityError:
                    yield _of_archive(number, "has been written again", kind="archive_altered")
                    update = "UPDATE object SET version = ?, modified = ? WHERE number = ?"
                    self._db.execute(update, row)
            if not page.get("IsTruncated"):
                return
            wanted["KeyMarker"] = page["NextKeyMarker"]
            wanted["VersionIdMarker"] = page["NextVersionIdMarker"]

    def _get(self, number: int, version: str) -> bytes:
        with self.deployment.errors():
            answer = self.deployment.client("s3").get_object(
                Bucket=self.bucket, Key=object_key(self.name, number), VersionId=version
            )
            return bytes(answer["Body"].read())

    def _take(self, number: int, stored: bytes, previous: str | None) -> Iterator[Problem]:
        altered = "archive_altered"
        try:
            found, signature = read_object(stored)
        except UnreadableArchiveError as error:
            yield _of_archive(number, str(error), kind=altered)
            return
        with self.deployment.errors():
            signed = self.signer.verify(found.digest, signature)
        if not signed:
            yield _of_archive(number, "is not signed by the archive's key", kind=altered)
            return
        if (found.number, found.deployment) != (number, self.name):
            yield _of_archive(number, "stands where another must", kind=altered)
            return
        if previous is not None and found.previous != previous:
            yield _of_archive(number, "does not follow from the one before it", kind=altered)
        yield from self._keep(found)

    def _keep(self, found: ArchiveObject) -> Iterator[Problem]:
        self._began = self._began or found.at
        for event in found.events:
            if not self._counts(event.at):
                continue
            row = (event.approval_id, event.sequence, event.hash, event.at, found.number)
            try:
                self._db.execute("INSERT INTO event VALUES (?, ?, ?, ?, ?, 'gone')", row)
            except sqlite3.IntegrityError:
                before, number = self._db.execute(
                    "SELECT hash, number FROM event WHERE approval = ? AND sequence = ?", row[:2]
                ).fetchone()
                if before != event.hash:
                    text = f"archive object {number} has another event than object {found.number}"
                    yield Problem(
                        "rewritten", f"{text}: written anew", event.approval_id, event.sequence
                    )

    def _counts(self, at: str) -> bool:
        """Whether an event of this time is in the range that was asked for."""
        after = self.since is None or at >= isoformat(self.since)
        return after and (self.until is None or at < isoformat(self.until))

    def _settled(self, at: str) -> bool:
        """Whether an event of this time must be archived."""
        if not self._began:
            return False
        try:
            began = datetime.fromisoformat(self._began) + BEGINNING
            return began <= datetime.fromisoformat(at) <= clock.now() - UNSETTLED
        except (ValueError, TypeError):
            return True


def _compared(approval: str, found: Mapping[str, tuple[int, int, int]]) -> Iterator[Problem]:
    if "other" in found:
        first, last, _ = found["other"]
        text = "is not what was archived: the trail was written anew"
        yield Problem("rewritten", f"{_numbers(first, last)} {text}", approval, first)
    if "gone" in found:
        first, last, count = found["gone"]
        rest = [found[name][1] for name in ("same", "other") if name in found]
        if not rest:
            text = f"the whole trail was removed: {count} archived events are gone"
            yield Problem("removed", text, approval, first)
        elif first > max(rest):
            text = f"the tail was cut: {_numbers(first, last)} is archived and gone"
            yield Problem("tail_cut", text, approval, first)
        else:
            yield Problem("removed", f"{count} archived events are gone", approval, first)
    if "unarchived" in found:
        first, last, _ = found["unarchived"]
        text = "is not in the archive: inserted around it, or its archive object is gone"
        yield Problem("not_archived", f"{_numbers(first, last)} {text}", approval, first)


def _numbers(first: int, last: int) -> str:
    return f"event {first}" if first == last else f"each of the events {first} to {last}"


def _of_archive(number: int, text: str, *, kind: str) -> Problem:
    return Problem(kind, text, None, number)


def _gone(first: int, last: int) -> str:
    return "is missing" if first == last else f"is missing, and all to {last}"
