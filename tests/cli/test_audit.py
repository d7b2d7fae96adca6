"""`hitl audit` against tables as DynamoDB (moto) keeps them: every change is named."""

from __future__ import annotations

import csv
import io
import json
import os
import stat
import sys
import tracemalloc
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from rich.console import Console

from hitl_approval.adapters.dynamodb import DynamoDbStore
from hitl_approval.adapters.items import marshal
from hitl_approval.domain.voting import cast_vote
from hitl_approval_cli import clock, main, output
from hitl_approval_cli.commands.audit import export
from tests.anything import NOW, any_opening, any_request, declared

from .conftest import Hitl
from .fake_cloud import FakeCloud


def decided(store: DynamoDbStore, comments: str = "fine", **fields: Any) -> str:
    """An approval with two audit events."""
    approval = store.create(any_opening(**fields))
    vote = cast_vote(approval, declared("bob"), "approved", comments, now=approval.created_at)
    assert vote is not None
    store.commit(vote)
    return approval.approval_id


def change(store: DynamoDbStore, approval_id: str, sequence: int, **fields: str) -> None:
    """Change an event, as who may write the table can."""
    for name, value in fields.items():
        store.client.update_item(
            TableName="audit",
            Key={"approval_id": {"S": approval_id}, "sequence": {"N": str(sequence)}},
            UpdateExpression="SET #name = :value",
            ExpressionAttributeNames={"#name": name},
            ExpressionAttributeValues={":value": {"S": value}},
        )


def remove(store: DynamoDbStore, approval_id: str, sequence: int) -> None:
    key = {"approval_id": {"S": approval_id}, "sequence": {"N": str(sequence)}}
    store.client.delete_item(TableName="audit", Key=key)


def test_should_verify_every_trail(hitl: Hitl, tables: DynamoDbStore, cloud: FakeCloud) -> None:
    for _ in range(3):
        decided(tables)

    result = hitl("audit", "verify", "--all")

    assert (result.status, result.err) == (0, "")
    assert result.out == "ok 3 approvals, 6 events: trails and rows verified\n"
    assert hitl("audit", "verify", "--all", "--json").json == {
        "verified": True,
        "approvals": 3,
        "events": 6,
        "erased": 0,
        "findings": 0,
        "signatures": "not checked",
        "archive_objects": None,
    }
    assert cloud.asked == []  # the function that wrote it is not believed


def test_should_verify_what_is_named_and_say_what_there_is_not(
    hitl: Hitl, tables: DynamoDbStore
) -> None:
    approval_id = decided(tables)
    assert hitl("audit", "verify", approval_id).status == 0

    result = hitl("audit", "verify", "nobody-asked", approval_id)

    assert result.status == 1
    assert "no approval has the id nobody-asked" in result.err
    assert result.out == "failed 1 approval, 2 events: 0 findings\n"


@pytest.mark.parametrize(
    ("tamper", "problem"),
    [
        (lambda s, i: change(s, i, 2, actor="mallory"), "event 2: has been changed since"),
        (lambda s, i: remove(s, i, 1), "event 1: event 2 stands where 1 must"),
        (lambda s, i: remove(s, i, 2), "event 2: 1 events are missing at the end"),
    ],
    ids=["changed", "first removed", "last removed"],
)
def test_should_name_what_has_been_tampered_with(
    hitl: Hitl, tables: DynamoDbStore, tamper: Any, problem: str
) -> None:
    decided(tables)
    approval_id = decided(tables)
    decided(tables)
    tamper(tables, approval_id)

    for words in (["--all"], [approval_id]):
        result = hitl("audit", "verify", *words)
        assert result.status == 1
        assert f"tampered {approval_id} {problem}" in result.out
        assert "failed" in result.out.splitlines()[-1]
    *found, summary = map(json.loads, hitl("audit", "verify", "--all", "--json").out.splitlines())
    assert {finding["approval_id"] for finding in found} == {approval_id}
    assert (summary["verified"], summary["findings"]) == (False, len(found))


def test_should_miss_a_trail_that_is_gone(hitl: Hitl, tables: DynamoDbStore) -> None:
    approval_id = decided(tables)
    remove(tables, approval_id, 1)
    remove(tables, approval_id, 2)

    result = hitl("audit", "verify", "--all")

    assert result.status == 1
    assert f"{approval_id} event 1: the whole trail is missing" in result.out


def test_should_believe_a_trail_whose_row_has_expired(hitl: Hitl, tables: DynamoDbStore) -> None:
    approval_id = decided(tables)
    tables.client.delete_item(TableName="approvals", Key={"approval_id": {"S": approval_id}})
    assert hitl("audit", "verify", "--all").status == 0


def test_should_read_a_trail_again_that_comes_in_pieces_or_grows(
    hitl: Hitl, tables: DynamoDbStore, cloud: FakeCloud
) -> None:
    first, second = decided(tables), decided(tables)

    class Shuffled:
        """A Scan that does not keep trails together, and that came before the last event."""

        def __getattr__(self, name: str) -> Any:
            return getattr(tables.client, name)

        def scan(self, **wanted: Any) -> Any:
            answer = tables.client.scan(**wanted)
            items = answer["Items"]
            answer["Items"] = [items[0], items[2], items[1]]
            return answer

    cloud.clients["dynamodb"] = Shuffled()
    result = hitl("audit", "verify", "--all")
    assert (result.status, result.err) == (0, "")
    assert first != second


class FakeKms:
    """Signs by reversing the hash."""

    def verify(self, KeyId: str, Message: bytes, Signature: bytes, **_: Any) -> dict[str, bool]:  # noqa: N803
        if KeyId == "denied":
            raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "Verify")
        if Signature != Message[::-1]:
            raise ClientError({"Error": {"Code": "KMSInvalidSignatureException"}}, "Verify")
        return {"SignatureValid": True}


def test_should_verify_signatures_where_there_is_a_key(
    hitl: Hitl, tables: DynamoDbStore, cloud: FakeCloud
) -> None:
    import base64

    approval_id = decided(tables)
    cloud.clients["kms"] = FakeKms()
    for event in tables.history(approval_id):
        signature = base64.b64encode(bytes.fromhex(event["hash"])[::-1]).decode()
        change(tables, approval_id, event["sequence"], signature=signature)

    assert "and signatures verified" in hitl("audit", "verify", "--all", "--signing-key", "k").out
    cloud.outputs["SigningKeyArn"] = "k"
    assert hitl("audit", "verify", "--all", "--json").json["signatures"] == "verified"

    change(tables, approval_id, 2, signature="AAAA")
    result = hitl("audit", "verify", "--all")
    assert result.status == 1
    assert "event 2: is not signed by the deployment's key" in result.out

    denied = hitl("audit", "verify", approval_id, "--signing-key", "denied")
    assert denied.status == 1
    assert denied.err == (
        "hitl: AWS refused Verify: check the credentials' permissions (AccessDeniedException)\n"
    )


def test_should_export_every_event_exactly(hitl: Hitl, tables: DynamoDbStore) -> None:
    approval_id = decided(tables)

    lines = hitl("audit", "export").out.splitlines()

    assert [json.loads(line) for line in lines] == list(tables.history(approval_id))


def test_should_export_what_happened_since(
    hitl: Hitl, tables: DynamoDbStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    decided(tables, now=NOW - timedelta(days=9))
    recent = decided(tables)
    monkeypatch.setattr(clock, "now", lambda: NOW + timedelta(hours=1))
    for since in ("7d", "2026-01-01", "2026-01-02T02:04:05Z"):
        lines = hitl("audit", "export", "--since", since).out.splitlines()
        assert {json.loads(line)["approval_id"] for line in lines} == {recent}


def test_should_export_csv_that_no_spreadsheet_runs(
    hitl: Hitl, tables: DynamoDbStore, tmp_path: Path
) -> None:
    store = tables
    approval_id = decided(store, request=any_request(requester="=cmd|calc"))
    file = tmp_path / "audit.csv"

    result = hitl("audit", "export", "--format", "csv", "-o", str(file))

    assert (result.status, result.out) == (0, f"2 events in {file}\n")
    rows = list(csv.DictReader(io.StringIO(file.read_text())))
    assert [row["actor"] for row in rows] == ["'=cmd|calc", "bob"]
    assert json.loads(rows[1]["details"])["comments"] == "fine"
    assert [row["hash"] for row in rows] == [e["hash"] for e in store.history(approval_id)]
    assert list(tmp_path.iterdir()) == [file]
    answer = hitl("audit", "export", "-o", str(file), "--json").json
    assert answer == {"events": 2, "file": str(file)}


def test_should_write_through_nobody_s_link(
    hitl: Hitl, tables: DynamoDbStore, tmp_path: Path
) -> None:
    """Where others may write into the folder, they could plant a link before the command runs."""
    decided(tables)
    file, mine = tmp_path / "audit.jsonl", tmp_path / "mine"
    mine.write_text("precious")
    for planted in (file, tmp_path / "audit.jsonl.part"):
        planted.symlink_to(mine)

    assert hitl("audit", "export", "-o", str(file)).status == 0

    assert mine.read_text() == "precious"
    assert not file.is_symlink()
    assert len(file.read_text().splitlines()) == 2
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_should_leave_no_half_file(hitl: Hitl, cloud: FakeCloud, tmp_path: Path) -> None:
    class Refuses:
        def scan(self, **_: Any) -> Any:
            raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "Scan")

    cloud.clients["dynamodb"] = Refuses()
    result = hitl("audit", "export", "-o", str(tmp_path / "a.jsonl"))
    assert result.status == 1
    assert result.err.startswith("hitl: AWS refused Scan: check the credentials' permissions")
    assert list(tmp_path.iterdir()) == []


class Endless:
    """A large table of which no page is kept; its rows have expired."""

    def __init__(self, events: list[Any], pages: int) -> None:
        self.events = events
        self.pages = pages

    def scan(self, **_: Any) -> dict[str, Any]:
        self.pages -= 1
        more = {"LastEvaluatedKey": {"n": {"N": "1"}}} if self.pages else {}
        return {"Items": self.events, **more}

    def batch_get_item(self, **_: Any) -> dict[str, Any]:
        return {"Responses": {}}

    def query(self, **_: Any) -> dict[str, Any]:
        return {"Items": []}


@pytest.mark.parametrize("words", [["verify", "--all"], ["export", "-o", "FILE"]], ids=str)
def test_should_read_a_large_table_in_constant_memory(
    hitl: Hitl, tables: DynamoDbStore, cloud: FakeCloud, tmp_path: Path, words: list[str]
) -> None:
    file = tmp_path / "audit.jsonl"
    words = ["audit", *(str(file) if word == "FILE" else word for word in words)]
    for _ in range(25):
        decided(tables, comments="x" * 8_000)
    events = tables.client.scan(TableName="audit")["Items"]
    peaks = []
    for pages in (1, 15):  # 50 and 750 events
        cloud.clients["dynamodb"] = Endless(events, pages)
        tracemalloc.start()
        try:
            assert hitl(*words).status == 0
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    assert peaks[1] < 1.3 * peaks[0]
    if file.exists():
        assert len(file.read_text().splitlines()) == 15 * 50


@pytest.mark.parametrize("words", [["verify", "--all", "--json"], ["export"]], ids=" ".join)
def test_should_show_a_bar_in_a_terminal_and_keep_it_out_of_what_is_piped(
    hitl: Hitl,
    tables: DynamoDbStore,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
) -> None:
    decided(tables)
    piped = hitl("audit", *words)
    assert piped.err == ""

    terminal = Console(file=io.StringIO(), force_terminal=True, width=80)
    monkeypatch.setattr(output, "err", terminal)
    monkeypatch.setattr(export, "_is_file", lambda _: True)
    assert main.run(["audit", *words]) == 0
    assert capsys.readouterr().out == piped.out
    bar = terminal.file.getvalue()  # type: ignore[attr-defined]
    assert {"verify": "Verifying", "export": "Exporting"}[words[0]] in bar
    assert "approval_id" not in bar


def test_should_show_no_bar_beside_what_a_pipe_may_bring_to_the_screen(
    tables: DynamoDbStore, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    approval_id = decided(tables)
    terminal = Console(file=io.StringIO(), force_terminal=True, width=80)
    monkeypatch.setattr(output, "err", terminal)
    reading, writing = os.pipe()
    with os.fdopen(reading) as reader:
        with os.fdopen(writing, "w") as writer:
            monkeypatch.setattr(sys, "stdout", writer)
            assert main.run(["audit", "export"]) == 0
        assert approval_id in reader.read()
    assert terminal.file.getvalue() == ""  # type: ignore[attr-defined]


def alter(store: DynamoDbStore, approval_id: str, **fields: Any) -> None:
    """Change a row, as who may write the table can."""
    for name, value in fields.items():
        store.client.update_item(
            TableName="approvals",
            Key={"approval_id": {"S": approval_id}},
            UpdateExpression="SET #name = :value",
            ExpressionAttributeNames={"#name": name},
            ExpressionAttributeValues=marshal({":value": value}),
        )


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"status": "rejected"}, "the row's status is 'rejected', the trail says 'approved'"),
        ({"decided_by": "mallory"}, "the row's decided_by is 'mallory', the trail says 'bob'"),
        ({"comments": "no"}, "the row's comments is 'no', the trail says 'fine'"),
        ({"subject": "Pay mallory"}, "the row's content is "),
        ({"context": "{}"}, "the row's content is "),
        ({"expires_at": "2036-01-01T00:00:00.000Z"}, "the row's expires_at is "),
        ({"votes": []}, "the row's votes is [], the trail says "),
        ({"policy": {"quorum": "weighted"}}, "the row cannot be read: quorum_count is missing"),
        ({"context": b"\x00"}, "the row cannot be read: context is an object"),
    ],
    ids=str,
)
def test_should_name_what_a_row_says_otherwise_than_its_trail(
    hitl: Hitl, tables: DynamoDbStore, fields: dict[str, Any], problem: str
) -> None:
    approval_id = decided(tables, request=any_request(context={"eur": 10}))
    decided(tables)
    alter(tables, approval_id, **fields)

    for words in (["--all"], [approval_id]):
        result = hitl("audit", "verify", *words)
        assert result.status == 1
        assert f"tampered {approval_id} event 2: {problem}" in result.out
    history = hitl("history", approval_id)
    assert history.status == 1
    assert problem in history.out.replace("\n", " ")


def test_should_name_an_event_that_cannot_be_read_and_verify_what_comes_after_it(
    hitl: Hitl, tables: DynamoDbStore
) -> None:
    bad, worse = (decided(tables) for _ in range(2))
    for _ in range(3):
        decided(tables)
    key = {"approval_id": {"S": bad}, "sequence": {"N": "2"}}
    tables.client.put_item(TableName="audit", Item={**key, "details": {"B": b"\x00\xff"}})
    remove(tables, worse, 2)

    result = hitl("audit", "verify", "--all")

    assert result.status == 1
    assert f"tampered {bad} event 2: has been changed since it was written" in result.out
    assert f"tampered {worse} event 2: 1 events are missing at the end" in result.out
    assert result.out.splitlines()[-1].startswith("failed 5 approvals, 9 events")
    assert hitl("audit", "export").status == 0
    assert hitl("history", bad).status == 1


def test_should_name_an_end_that_is_gone_with_its_row(hitl: Hitl, tables: DynamoDbStore) -> None:
    approval_id = decided(tables)
    remove(tables, approval_id, 2)
    tables.client.delete_item(TableName="approvals", Key={"approval_id": {"S": approval_id}})
    result = hitl("audit", "verify", "--all")
    assert result.status == 1
    assert "event 1: the row is gone, and no event says how it ended" in result.out
