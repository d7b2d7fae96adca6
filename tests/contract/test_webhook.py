"""The webhook notifier: what is sent where, once for each message, with the secret's own words."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from hitl_approval.adapters import webhook
from hitl_approval.adapters.secrets_manager import SecretsManagerSecret
from hitl_approval.adapters.webhook import WebhookNotifier
from hitl_approval.domain.audit import Actor
from hitl_approval.domain.delivery import Address, Directory
from hitl_approval.domain.errors import Unavailable
from hitl_approval.testing import World, in_memory
from tests.anything import any_opening, any_request

SIGNING_SECRET = "whsec_" + base64.b64encode(bytes(32)).decode()
FIELDS = {"url": "https://hooks.example.com/a?sig=secret", "signing_secret": SIGNING_SECRET}


class Receiver:
    """Your end, in memory."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any], dict[str, str]]] = []
        self.refuses = 0

    def __call__(self, service: str, url: str, body: bytes, headers: dict[str, str]) -> bytes:
        assert service == "the webhook"
        self.calls.append((url, json.loads(body), headers))
        if self.refuses:
            self.refuses -= 1
            raise Unavailable("no", reason="the webhook answered 410")
        return b""


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Receiver:
    made = Receiver()
    monkeypatch.setattr(webhook, "post", made)
    return made


@pytest.fixture
def world() -> Iterator[World]:
    with mock_aws():
        client = boto3.client("secretsmanager")
        arn = client.create_secret(Name="teams", SecretString=json.dumps(FIELDS))["ARN"]
        made = in_memory()
        secret = SecretsManagerSecret(client=client, arn=arn, clock=made.clock)
        notifier = WebhookNotifier(secrets={"teams": secret}, clock=made.clock)
        delivery = replace(
            made.delivery,
            notifiers={"sns": made.notifier, "webhook": notifier},
            directory=Directory(audiences={"webhook teams": Address("webhook", "teams")}),
        )
        yield replace(made, delivery=delivery)


def ask(world: World) -> str:
    request = any_request(approvers=("ann",))
    return world.store.create(any_opening(now=world.clock.now(), request=request)).approval_id


def deliver(world: World, approval_id: str) -> None:
    events = world.store.history(approval_id)
    assert world.delivery.take(events) == len(events)


def test_should_call_once_for_a_request_and_once_for_its_end(
    world: World, receiver: Receiver
) -> None:
    approval_id = ask(world)
    for _ in range(3):
        deliver(world, approval_id)
    world.decisions.decide(approval_id, Actor("ann", "link"), "rejected", "too much")
    for _ in range(3):
        deliver(world, approval_id)
    assert [body["type"] for _, body, _ in receiver.calls] == [
        "approval.requested",
        "approval.outcome",
    ]
    assert {url for url, _, _ in receiver.calls} == {FIELDS["url"]}
    assert receiver.calls[1][1]["data"]["decided_by"] == "ann"
    assert len({headers["webhook-id"] for _, _, headers in receiver.calls}) == 2


def test_should_bring_the_same_id_at_each_try(world: World, receiver: Receiver) -> None:
    receiver.refuses = 2
    approval_id = ask(world)
    deliver(world, approval_id)
    for _ in range(4):
        world.clock.advance(timedelta(minutes=2))
        world.delivery.deliver_due()
    assert len(receiver.calls) == 3
    assert len({headers["webhook-id"] for _, _, headers in receiver.calls}) == 1
    assert len(world.notifier.sent) == 1


def test_should_bring_no_personal_link(world: World, receiver: Receiver) -> None:
    deliver(world, ask(world))
    [(_, body, _)] = receiver.calls
    assert "approvals.example.com" not in json.dumps(body)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"url": "http://hooks.example.com"}, "the webhook's url must begin with https://"),
        ({"signing_secret": "secret"}, "signing_secret must be whsec_"),
        ({"url": None}, "the secret has no field url"),
    ],
)
def test_should_say_what_is_wrong_with_its_secret(
    world: World, receiver: Receiver, fields: dict[str, Any], words: str
) -> None:
    notifier = world.delivery.notifiers["webhook"]
    assert isinstance(notifier, WebhookNotifier)
    secret = notifier.secrets["teams"]
    secret.client.put_secret_value(
        SecretId=secret.arn, SecretString=json.dumps({**FIELDS, **fields})
    )
    approval_id = ask(world)
    deliver(world, approval_id)
    assert not receiver.calls
    [message] = [m for m in world.messages.about(approval_id) if m.channel == "webhook"]
    assert message.state == "open"
    assert words in message.reason
    assert "sig=secret" not in message.reason


def test_should_bring_what_was_asked_and_answered(world: World, receiver: Receiver) -> None:
    approval_id = ask(world)
    deliver(world, approval_id)
    world.decisions.comment(approval_id, Actor("ann", "link"), "which month?", question=True)
    deliver(world, approval_id)
    world.decisions.comment(approval_id, Actor("rita", "jwt"), "May", answers=2)
    deliver(world, approval_id)
    assert "comment" not in receiver.calls[0][1]["data"]
    said = [(body["type"], body["data"]["comment"]) for _, body, _ in receiver.calls[1:]]
    assert [kind for kind, _ in said] == ["approval.question", "approval.answer"]
    assert [(c["author"], c["comments"], c["answers"]) for _, c in said] == [
        ("ann", "which month?", None), ("rita", "May", 2),
    ]  # fmt: skip
    assert "approvals.example.com" not in json.dumps([body for _, body, _ in receiver.calls])
