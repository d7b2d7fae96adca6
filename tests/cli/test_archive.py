"""`hitl audit verify` against an archive (moto): what who may write both tables has done."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from hitl_approval.adapters.archive import S3Archive, SqsUnarchived
from hitl_approval.adapters.dynamodb import DynamoDbStore
from hitl_approval.adapters.items import marshal
from hitl_approval.adapters.kms import KmsSigner
from hitl_approval.domain.archive import ArchivedEvent, Position, following, object_key
from hitl_approval.domain.audit import GENESIS
from hitl_approval.domain.salted import hash_of
from hitl_approval.testing import FixedClock, RecordingMeter
from hitl_approval.usecases.archive import ArchiveService
from hitl_approval_cli import clock
from tests.anything import NOW
from tests.archived import SigningKms, make_bucket

from .conftest import Hitl
from .fake_cloud import FakeCloud
from .test_audit import decided, remove
from .test_erasing import decided as salted_and_decided


class Archived:
    """Two tables, and an archive that has all of their events."""

    def __init__(self, store: DynamoDbStore, cloud: FakeCloud) -> None:
        self.store = store
        self.s3 = boto3.client("s3", region_name="us-east-1")
        self.kms = SigningKms()
        make_bucket(self.s3, "archive")
        self.key = self.kms.create()
        cloud.clients |= {"s3": self.s3, "kms": self.kms}
        cloud.outputs |= {"ArchiveBucketName": "archive", "ArchiveKeyArn": self.key}
        self.signer = KmsSigner(client=self.kms, key_arn=self.key)
        self.service = ArchiveService(
            archive=S3Archive(client=self.s3, bucket="archive", deployment="approvals"),
            unarchived=SqsUnarchived(client=None, queue_url=""),
            signer=self.signer,
            clock=FixedClock(),
            meter=RecordingMeter(),
            deployment="approvals",
        )

    def decided(self) -> str:
        approval_id = decided(self.store)
        self.archive(approval_id)
        return approval_id

    def archive(self, approval_id: str) -> None:
        self.service.accept(self.store.history(approval_id))

    def put(self, number: int, body: bytes) -> None:
        self.s3.put_object(Bucket="archive", Key=object_key("approvals", number), Body=body)


@pytest.fixture
def archived(tables: DynamoDbStore, cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch) -> Archived:
    monkeypatch.setattr(clock, "now", lambda: NOW + timedelta(days=400))
    return Archived(tables, cloud)


def expire_row(store: DynamoDbStore, approval_id: str) -> None:
    store.client.delete_item(TableName="approvals", Key={"approval_id": {"S": approval_id}})


def write_anew(store: DynamoDbStore, approval_id: str) -> None:
    """A trail that agrees with itself: somebody else decided; the row is gone by its time."""
    previous = GENESIS
    for event in store.history(approval_id):
        forged = {**event, "actor": "mallory", "previous_hash": previous}
        forged["hash"] = previous = hash_of(forged)
        store.client.put_item(TableName="audit", Item=marshal(forged))
    expire_row(store, approval_id)


def cut_tail(store: DynamoDbStore, approval_id: str) -> None:
    """Its end is gone, and the row that would say so by its time."""
    remove(store, approval_id, 2)
    expire_row(store, approval_id)


def remove_whole(store: DynamoDbStore, approval_id: str) -> None:
    for sequence in (1, 2):
        remove(store, approval_id, sequence)
    expire_row(store, approval_id)


def pinned(hitl: Hitl, folder: Path) -> str:
    """The key as an auditor has kept it."""
    file = folder / "archive.pem"
    file.write_text(hitl("audit", "key").out)
    return str(file)


def test_should_verify_what_is_archived(hitl: Hitl, archived: Archived, tmp_path: Path) -> None:
    ids = [archived.decided() for _ in range(3)]

    result = hitl("audit", "verify", "--all")
    assert (result.status, result.err) == (0, "")
    assert result.out == "ok 3 approvals, 6 events: trails, rows and archive verified\n"

    key = pinned(hitl, tmp_path)
    archived.kms.down = True  # the file alone is enough
    assert hitl("audit", "verify", *ids, "--key", key).status == 0
    summary = hitl("audit", "verify", "--all", "--key", key, "--json").json
    assert (summary["verified"], summary["archive_objects"]) == (True, 3)


def test_should_find_nothing_wrong_where_a_person_was_erased(
    hitl: Hitl, archived: Archived
) -> None:
    """The archive has hashes only: they stay, and are what the trail still has."""
    approval_id = salted_and_decided(archived.store)
    archived.archive(approval_id)
    assert hitl("audit", "erase", "ann", "--yes").status == 0

    result = hitl("audit", "verify", "--all")

    assert (result.status, result.err) == (0, "")
    assert result.out == (
        "ok 1 approval, 3 events: trails, rows and archive verified; 2 values erased\n"
    )
    page = archived.s3.list_objects_v2(Bucket="archive")
    for item in page["Contents"]:
        stored = archived.s3.get_object(Bucket="archive", Key=item["Key"])["Body"].read().decode()
        assert not {"rita", "ann", "bob"} & set(stored.split('"'))
        assert "salt" not in stored


@pytest.mark.parametrize(
    ("tamper", "shown"),
    [
        (cut_tail, ("tail_cut", "event 2: the tail was cut: event 2 is archived and gone")),
        (
            write_anew,
            ("rewritten", "events 1 to 2 is not what was archived: the trail"),
        ),
        (remove_whole, ("removed", "event 1: the whole trail was removed: 2 archived events are")),
    ],
)
def test_should_name_what_who_may_write_both_tables_has_done(
    hitl: Hitl,
    archived: Archived,
    tmp_path: Path,
    tamper: Callable[[DynamoDbStore, str], None],
    shown: tuple[str, str],
) -> None:
    kind, problem = shown
    archived.decided()
    approval_id = archived.decided()
    archived.decided()
    key = pinned(hitl, tmp_path)
    tamper(archived.store, approval_id)

    for words in (["--all"], [approval_id], ["--all", "--key", key]):
        result = hitl("audit", "verify", *words)
        assert result.status == 1
        assert f"tampered {approval_id} " in result.out
        assert problem in result.out
    *found, summary = map(
        json.loads, hitl("audit", "verify", "--all", "--key", key, "--json").out.splitlines()
    )
    of_the_archive = [each for each in found if "kind" in each]
    assert [(each["approval_id"], each["kind"]) for each in of_the_archive] == [(approval_id, kind)]
    assert summary["verified"] is False


def test_should_name_a_trail_that_was_archived_in_two_ways(hitl: Hitl, archived: Archived) -> None:
    """The forged trail came by the stream, too: the publisher archives what it is brought."""
    approval_id = archived.decided()
    write_anew(archived.store, approval_id)
    archived.archive(approval_id)

    result = hitl("audit", "verify", "--all")

    assert "archive object 1 has another event than object 2: written anew" in result.out
    assert "is not what was archived: the trail was written anew" in result.out


def test_should_name_a_removed_archive_object(
    hitl: Hitl, archived: Archived, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        monkeypatch.setattr("tests.anything.NOW", NOW + timedelta(hours=2 * number))
        archived.decided()
    for number in (2, 3):
        hide(archived, number)

    result = hitl("audit", "verify", "--all")

    assert result.status == 1
    assert "tampered archive object 2: has been deleted" in result.out
    assert "tampered archive object 3: has been deleted" in result.out


def hide(archived: Archived, number: int) -> None:
    """What S3 lets anybody do who may delete, Object Lock or not: it hides, and keeps."""
    archived.s3.delete_object(Bucket="archive", Key=object_key("approvals", number))


class Missing:
    """S3 from which an object has gone without a trace, as if nothing had locked it."""

    def __init__(self, s3: Any, number: int) -> None:
        self.s3, self.key = s3, object_key("approvals", number)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.s3, name)

    def list_object_versions(self, **wanted: Any) -> Any:
        answer = self.s3.list_object_versions(**wanted)
        answer["Versions"] = [each for each in answer["Versions"] if each["Key"] != self.key]
        return answer


def test_should_name_an_archive_object_that_is_gone_without_a_trace(
    hitl: Hitl, archived: Archived, cloud: FakeCloud
) -> None:
    for _ in range(3):
        archived.decided()
    cloud.clients["s3"] = Missing(archived.s3, 2)
    found = hitl("audit", "verify", "--all", "--json").out.splitlines()
    assert json.loads(found[0]) == {
        "archive_object": 2,
        "problem": "is missing",
        "kind": "archive_removed",
    }
    assert hitl("audit", "verify", "--all").status == 1


def test_should_miss_in_the_archive_what_is_long_in_the_table(
    hitl: Hitl, archived: Archived
) -> None:
    """So the newest object's removal is seen, which leaves no gap."""
    archived.decided()
    archived.service.archive.put(2, b"")  # nobody follows: what comes is not archived
    from tests.anything import any_opening

    late = archived.store.create(any_opening(now=NOW + timedelta(days=3))).approval_id

    result = hitl("audit", "verify", "--all")

    assert f"tampered {late} event 1: event 1 is not in the archive" in result.out


def test_should_not_miss_what_is_on_its_way(
    hitl: Hitl, archived: Archived, monkeypatch: pytest.MonkeyPatch
) -> None:
    archived.decided()
    decided(archived.store)
    monkeypatch.setattr(clock, "now", lambda: NOW + timedelta(hours=3))
    assert hitl("audit", "verify", "--all").status == 0


def test_should_name_what_was_put_into_the_archive_by_somebody_else(
    hitl: Hitl, archived: Archived
) -> None:
    approval_id = archived.decided()
    archived.decided()
    event = ArchivedEvent(approval_id, 3, "f" * 64, "2026-01-02T03:04:05.000Z")
    forged = following(Position(2, "0" * 64), [event], deployment="approvals", at=NOW)
    archived.put(3, forged.signed("MEUCIQ=="))
    archived.put(4, b"garbage")
    signed = following(Position(4, "0" * 64), [], deployment="approvals", at=NOW)
    archived.put(5, signed.signed(archived.signer.sign(signed.digest)))
    other = following(Position(9, "0" * 64), [], deployment="approvals", at=NOW)
    archived.put(6, other.signed(archived.signer.sign(other.digest)))
    archived.put(1, b"written again")

    lines = hitl("audit", "verify", "--all").out.splitlines()

    assert lines == [
        "tampered archive object 1: has been written again",
        "tampered archive object 3: is not signed by the archive's key",
        "tampered archive object 4: is no archive object",
        "tampered archive object 5: does not follow from the one before it",
        "tampered archive object 6: stands where another must",
        "failed 2 approvals, 4 events: 5 findings",
    ]


def test_should_believe_the_pinned_key_and_no_other(
    hitl: Hitl, archived: Archived, cloud: FakeCloud, tmp_path: Path
) -> None:
    """Who may change the stack points its output to a key of their own."""
    archived.decided()
    key = pinned(hitl, tmp_path)
    cloud.outputs["ArchiveKeyArn"] = archived.kms.create()
    assert "not signed by the archive's key" in hitl("audit", "verify", "--all").out
    assert hitl("audit", "verify", "--all", "--key", key).status == 0


def test_should_compare_a_range_of_time_only(hitl: Hitl, archived: Archived) -> None:
    approval_id = archived.decided()
    remove_whole(archived.store, approval_id)
    day = NOW.date().isoformat()
    later = (NOW.date() + timedelta(days=2)).isoformat()
    assert hitl("audit", "verify", "--all", "--until", day).status == 0
    assert hitl("audit", "verify", "--all", "--since", "2026-01-01", "--until", later).status == 1


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "No such file or directory"),
        (b"no key", "is no public key as PEM"),
    ],
)
def test_should_refuse_a_file_that_is_no_key(
    hitl: Hitl, archived: Archived, tmp_path: Path, content: bytes | None, problem: str
) -> None:
    file = tmp_path / "key.pem"
    if content is not None:
        file.write_bytes(content)
    result = hitl("audit", "verify", "--all", "--key", str(file))
    assert result.status == 2
    assert problem in result.err


def test_should_say_so_where_there_is_no_archive(hitl: Hitl, tables: DynamoDbStore) -> None:
    assert "the deployment has no archive" in hitl("audit", "key").err
    result = hitl("audit", "verify", "--all", "--key", "archive.pem")
    assert (result.status, result.out) == (2, "")
    assert "the deployment has no archive" in result.err


def test_should_print_the_key_as_programs_read_it(hitl: Hitl, archived: Archived) -> None:
    answer = hitl("audit", "key", "--json").json
    assert answer["key_arn"] == archived.key
    assert answer["public_key"].startswith("-----BEGIN PUBLIC KEY-----\n")
    assert hitl("audit", "key").out == answer["public_key"]
