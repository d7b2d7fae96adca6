"""Signed audit events: only who may use the key can have written them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from hitl_approval.adapters.kms import KmsMac, KmsSigner
from hitl_approval.contract import Metrics
from hitl_approval.domain.audit import AuditEvent
from hitl_approval.domain.errors import RecordAltered, Unavailable
from hitl_approval.testing import World, in_memory
from hitl_approval.usecases.decide import DecisionService
from tests.anything import any_opening, declared
from tests.unit.adapters.failing import Failing, answered


@pytest.fixture
def kms() -> Iterator[Any]:
    with mock_aws():
        yield boto3.client("kms")


def a_key(kms: Any) -> str:
    made = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    return str(made["KeyMetadata"]["Arn"])


@pytest.fixture
def signer(kms: Any) -> KmsSigner:
    return KmsSigner(client=kms, key_arn=a_key(kms))


def signing(world: World, signer: Any) -> DecisionService:
    return dataclasses.replace(world.decisions, signer=signer)


def decided(world: World, service: DecisionService, signer: KmsSigner) -> str:
    opening = any_opening(now=world.clock.now())
    signed = dataclasses.replace(opening, signature=signer.sign(opening.event.hash))
    approval_id = world.store.create(signed).approval_id
    service.decide(approval_id, declared("bob"), "approved")
    return approval_id


def test_should_let_no_workflow_act_on_an_end_that_was_not_signed(signer: KmsSigner) -> None:
    """Who may write both tables makes a trail that agrees with its row, and signs neither."""
    world = in_memory()
    honest = decided(world, signing(world, signer), signer)
    forged = decided(world, world.decisions, signer)
    waiting = dataclasses.replace(world.requests, signer=signer)

    assert waiting.check_status(honest).status == "approved"
    assert world.requests.check_status(forged).status == "approved"
    for check in (waiting.check_status, lambda one: waiting.register_callback(one, "next")):
        with pytest.raises(RecordAltered, match=r"is not what its audit trail says: signature$"):
            check(forged)
    assert world.meter.counted.count(Metrics.ALTERED_RECORD) == 2


def test_should_sign_each_event_and_find_nothing_wrong(signer: KmsSigner) -> None:
    world = in_memory()
    service = signing(world, signer)
    trail = service.history(decided(world, service, signer))
    assert len({event["signature"] for event in trail.events}) == 2
    assert trail.findings == []


def test_should_find_a_trail_that_was_forged_whole(signer: KmsSigner) -> None:
    """Who may write the table can compute every hash anew, and the record."""
    world = in_memory()
    service = signing(world, signer)
    approval_id = decided(world, service, signer)
    true = world.store.audit[approval_id][1]
    forged = AuditEvent(
        approval_id=approval_id,
        sequence=2,
        event="approved",
        at=world.clock.now(),
        actor=declared("mallory"),
        content_digest=true["content_digest"],
        details={},
        previous_hash=true["previous_hash"],
    )
    world.store.audit[approval_id][1] = {**forged.to_dict(), "signature": true["signature"]}
    world.store.approvals[approval_id] = dataclasses.replace(
        world.store.approvals[approval_id],
        audit_hash=forged.hash,
        votes=(),
        comments="",
        decided_by="mallory",
        decided_at=world.clock.now(),
    )
    [finding] = service.history(approval_id).findings
    assert (finding.sequence, finding.problem) == (2, "is not signed by the deployment's key")


@pytest.mark.parametrize("signature", ["", "not base64!", "bm90IGEgc2lnbmF0dXJl"])
def test_should_not_take_anything_else_for_a_signature(signer: KmsSigner, signature: str) -> None:
    assert not signer.verify("00" * 32, signature)


def test_should_not_take_another_keys_signature(kms: Any, signer: KmsSigner) -> None:
    other = KmsSigner(client=kms, key_arn=a_key(kms))
    assert signer.verify("00" * 32, signer.sign("00" * 32))
    assert not signer.verify("00" * 32, other.sign("00" * 32))


def test_should_write_nothing_that_could_not_be_signed() -> None:
    class Down:
        def sign(self, **_: Any) -> Any:
            raise ClientError({"Error": {"Code": "ThrottlingException"}}, "Sign")

    world = in_memory()
    opening = any_opening(now=world.clock.now())
    approval_id = world.store.create(opening).approval_id
    service = signing(world, KmsSigner(client=Down(), key_arn="key"))
    with pytest.raises(Unavailable, match="KMS did not take the call"):
        service.decide(approval_id, declared("bob"), "approved")
    assert world.store.approvals[approval_id] == opening.after


def a_mac(kms: Any) -> KmsMac:
    made = kms.create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")
    return KmsMac(client=kms, key_arn=str(made["KeyMetadata"]["Arn"]))


def test_should_know_the_codes_that_its_own_key_has_made(kms: Any) -> None:
    mac, other = a_mac(kms), a_mac(kms)
    code = mac.make(b"cookie")
    assert mac.verify(b"cookie", code)
    assert not mac.verify(b"another", code)
    assert not mac.verify(b"cookie", code[:-1] + b"\0")
    assert not mac.verify(b"cookie", b"\0")
    assert not other.verify(b"cookie", code)


def test_should_be_unavailable_when_kms_does_not_take_the_call() -> None:
    mac = KmsMac(client=Failing(answered("ThrottlingException")), key_arn="key")
    for call in (lambda: mac.make(b"cookie"), lambda: mac.verify(b"cookie", b"code")):
        with pytest.raises(Unavailable):
            call()
