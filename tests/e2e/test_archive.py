"""The archive on the local cloud: what was done to trails is named, by the key in a file alone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from hitl_approval.contract import Output
from hitl_approval.domain.archive import object_key
from hitl_approval.domain.audit import GENESIS
from hitl_approval.domain.salted import hash_of

from .conftest import Deploy, Live, eventually
from .erased import erase

GONE = "gone@example.com"
"""Who is erased afterwards."""


@pytest.fixture(scope="module")
def archived(deploy: Deploy) -> Live:
    """A deployment whose bucket is locked: the emulator's S3 does that, its CloudFormation not."""
    live = deploy("archived", archive_retention_days="1")
    s3, bucket = live.deployment.client("s3"), _bucket(live)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    rule = {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 1}}
    s3.put_object_lock_configuration(
        Bucket=bucket, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": rule}
    )
    return live


@pytest.fixture(scope="module")
def ended(archived: Live) -> list[str]:
    """Four decided requests, all in the archive, the last one by somebody else."""
    ids = []
    for number in range(4):
        started = archived.submit()
        by = {"approver": GONE} if number == 3 else {}
        archived.decide(started["approval_id"], "approved", **by)
        archived.result(started["execution_arn"])
        ids.append(started["approval_id"])

    def in_archive() -> bool:
        return {name for name, event in _heads(archived) if event == 2} >= set(ids)

    eventually(in_archive, "the archive has every decision")
    return ids


def _bucket(live: Live) -> str:
    return str(live.deployment.output(Output.ARCHIVE_BUCKET_NAME))


def _heads(live: Live) -> set[tuple[str, int]]:
    s3 = live.deployment.client("s3")
    listed = s3.list_objects_v2(Bucket=_bucket(live)).get("Contents", [])
    bodies = [s3.get_object(Bucket=_bucket(live), Key=each["Key"])["Body"] for each in listed]
    return {
        (event["approval_id"], event["sequence"])
        for body in bodies
        for event in json.loads(body.read())["events"]
    }


def _hitl(live: Live, environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).with_name("hitl"), *words, "--stack", live.stack],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def _remove(live: Live, approval_id: str, *sequences: int) -> None:
    """As who has stolen all rights on both tables: the row goes as if its time were over."""
    dynamodb = live.deployment.client("dynamodb")
    for sequence in sequences:
        dynamodb.delete_item(
            TableName=live.deployment.output(Output.AUDIT_TABLE_NAME),
            Key={"approval_id": {"S": approval_id}, "sequence": {"N": str(sequence)}},
        )
    dynamodb.delete_item(
        TableName=live.deployment.output(Output.APPROVALS_TABLE_NAME),
        Key={"approval_id": {"S": approval_id}},
    )


def _write_anew(live: Live, approval_id: str) -> None:
    from hitl_approval.adapters.dynamodb import DynamoDbStore
    from hitl_approval.adapters.items import marshal

    store = DynamoDbStore(
        client=live.deployment.client("dynamodb"),
        approvals_table=live.deployment.output(Output.APPROVALS_TABLE_NAME),
        audit_table=live.deployment.output(Output.AUDIT_TABLE_NAME),
    )
    previous = GENESIS
    for event in store.history(approval_id):
        forged = {**event, "actor": "mallory", "previous_hash": previous}
        forged["hash"] = previous = hash_of(forged)
        store.client.put_item(TableName=store.audit_table, Item=marshal(forged))
    _remove(live, approval_id)


def test_should_name_each_trail_that_was_cut_written_anew_or_removed(
    archived: Live, ended: list[str], environment: dict[str, str], tmp_path: Path
) -> None:
    key = tmp_path / "archive.pem"
    key.write_text(_hitl(archived, environment, "audit", "key").stdout)
    before = _hitl(archived, environment, "audit", "verify", "--all", "--key", str(key))
    assert before.returncode == 0, before.stdout + before.stderr
    assert "trails, rows and archive verified" in before.stdout

    cut, rewritten, removed, erased = ended
    assert erase(archived, GONE) == [erased]
    after = _hitl(archived, environment, "audit", "verify", "--all", "--key", str(key))
    assert after.returncode == 0, after.stdout + after.stderr
    assert "trails, rows and archive verified; 2 values erased" in after.stdout
    assert GONE not in _hitl(archived, environment, "audit", "export").stdout
    _remove(archived, cut, 2)
    _write_anew(archived, rewritten)
    _remove(archived, removed, 1, 2)

    done = _hitl(archived, environment, "audit", "verify", "--all", "--key", str(key), "--json")
    assert done.returncode == 1, done.stderr
    found: list[Any] = [json.loads(line) for line in done.stdout.splitlines()]
    kinds = {each["approval_id"]: each["kind"] for each in found if "kind" in each}
    assert kinds == {cut: "tail_cut", rewritten: "rewritten", removed: "removed"}


def test_should_let_nobody_delete_what_is_archived(archived: Live, ended: list[str]) -> None:
    s3, bucket = archived.deployment.client("s3"), _bucket(archived)
    key = object_key(str(archived.deployment.output(Output.APPROVALS_TABLE_NAME)), 1)
    [version] = s3.list_object_versions(Bucket=bucket, Prefix=key)["Versions"]
    with pytest.raises(ClientError) as refused:
        s3.delete_object(Bucket=bucket, Key=key, VersionId=version["VersionId"])
    assert refused.value.response["Error"]["Code"] == "AccessDenied"
