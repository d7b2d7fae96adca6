"""A webhook's call: signed as Standard Webhooks has it, and without the request's context."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from hitl_approval.domain.approval import Approval
from hitl_approval.domain.values import Values
from hitl_approval.domain.voting import cast_vote
from hitl_approval.domain.webhook import Delivery, delivery, key_of
from tests.anything import NOW, any_approval, any_request, declared

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()


def now() -> datetime:
    """The oracle compares with the machine's clock."""
    return datetime.now(UTC)


def call() -> Delivery:
    request = any_request(context={"card": "4111"}, subject="Утвердить", approvers=("ann",))
    return sent(any_approval(request=request))


def sent(approval: Approval) -> Delivery:
    return delivery(
        approval,
        kind="requested",
        message_id="msg_1",
        at=now(),
        page="https://approvals.example.com/approvals/1",
    )


def test_should_be_believed_by_the_standard_s_own_library() -> None:
    made = call()
    said = Webhook(SECRET).verify(made.body, made.headers(SECRET, now()))
    assert said["type"] == "approval.requested"
    assert said["data"]["subject"] == "Утвердить"
    assert said["data"]["status"] == "pending"
    assert said["data"]["page"] == "https://approvals.example.com/approvals/1"


def test_should_be_refused_once_it_is_altered() -> None:
    made = call()
    headers = made.headers(SECRET, now())
    other = "whsec_" + base64.b64encode(bytes(32)).decode()
    for body, sent, secret in (
        (made.body + b" ", headers, SECRET),
        (made.body, {**headers, "webhook-id": "msg_2"}, SECRET),
        (made.body, headers, other),
    ):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(body, sent)


def test_should_sign_the_specification_s_example() -> None:
    """Of the specification's repository: its own tests in each language have it."""
    example = Delivery("msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}')
    headers = example.headers(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", datetime.fromtimestamp(1614265330, UTC)
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_should_not_bring_the_context() -> None:
    assert b"4111" not in call().body
    assert "context" not in json.loads(call().body)["data"]


def test_should_bring_what_was_changed_but_what_is_sensitive() -> None:
    approval = any_approval(
        request=any_request(
            context={"amount": 900, "iban": "DE11", "card": "4111"},
            editable=["amount", "iban"],
            sensitive=["iban"],
        )
    )
    assert "changes" not in json.loads(sent(approval).body)["data"]
    voted = cast_vote(
        approval,
        declared("ann"),
        "approved",
        "",
        now=NOW,
        content_digest=approval.content_digest,
        values=Values(None, {"amount": 250, "iban": "DE22"}),
    )
    assert voted is not None
    body = sent(voted.after).body
    assert json.loads(body)["data"]["changes"] == {
        "amount": {"before": 900, "after": 250},
        "iban": "(shown on the page)",
    }
    assert not any(secret in body for secret in (b"DE11", b"DE22", b"4111"))


@pytest.mark.parametrize(
    "secret",
    ["", "whsec_", "whsec_AAAA", "whsec_***", base64.b64encode(bytes(32)).decode(), "secret"],
)
def test_should_sign_with_no_secret_that_is_none(secret: str) -> None:
    with pytest.raises(ValueError, match="signing_secret must be whsec_ and base64 of 24 bytes"):
        key_of(secret)
