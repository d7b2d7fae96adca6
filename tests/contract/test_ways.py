"""One request, answered each way there is: the same history, the same words to the others."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from hitl_approval.domain.delivery import Directory
from hitl_approval.domain.link import make_token
from hitl_approval.routes import Route
from hitl_approval.testing import World, in_memory
from hitl_approval.testing.memory import RecordingNotifier
from hitl_approval.testing.messages import CountingSecrets
from tests.anything import any_opening, any_request
from tests.unit.http import by_function, by_link, by_sign_in
from tests.unit.http.by_sign_in import ANN, BOB, RITA
from tests.unit.http.by_slack import FakeWorkspace, Person

COMMENT = "fine by me"


def by_mail_link(world: World, approval_id: str) -> None:
    token = make_token(approval_id, CountingSecrets().draw())  # Ann's, the first that was drawn
    message = world.decisions.message_of(approval_id, token)
    assert message is not None
    assert message.recipient == ANN
    status, _ = by_link.send(world, token, "approved", COMMENT)
    assert status == 200


def by_inbox(world: World, approval_id: str) -> None:
    route = f"POST {Route.APPROVAL}"
    shown = by_sign_in.call(world, f"GET {Route.APPROVAL}", approval_id=approval_id)
    form = {
        "nonce": by_link.nonce_of(shown["body"]),
        "decision": "approved",
        "comments": COMMENT,
    }
    answer = by_sign_in.call(
        world,
        route,
        approval_id=approval_id,
        body="&".join(f"{name}={value.replace(' ', '+')}" for name, value in form.items()),
        content_type="application/x-www-form-urlencoded",
        sec_fetch_site="same-origin",
    )
    assert answer["statusCode"] == 200, answer["body"]


def by_api(world: World, approval_id: str) -> None:
    status, _ = by_sign_in.post_json(
        world,
        f"POST {Route.V1_DECISION}",
        {"decision": "approved", "comments": COMMENT},
        approval_id=approval_id,
    )
    assert status == 200


def by_slack(world: World, approval_id: str) -> None:
    ann = Person(world, FakeWorkspace(), "U1")
    assert "On record" in json.dumps(ann.submit(ann.open(approval_id), COMMENT))


def by_command(world: World, approval_id: str) -> None:
    said = by_function.decide(approval_id, approver=ANN, comments=COMMENT)
    status, _ = by_function.call(world, said)
    assert status == 200


WAYS: dict[str, Callable[[World, str], None]] = {
    "link": by_mail_link,
    "jwt": by_inbox,
    "slack": by_slack,
    "declared": by_command,
}
"""The identity that is recorded -> how one answers."""


def said_after(way: Callable[[World, str], None]) -> tuple[list[Any], set[Any], list[str]]:
    """The history, the messages of the end, and the identities, when Ann answers this way."""
    made = in_memory()
    sent = {channel: RecordingNotifier() for channel in ("sns", "ses", "slack")}
    world = replace(
        made,
        delivery=replace(
            made.delivery,
            notifiers=sent,  # type: ignore[arg-type]  # channels
            directory=Directory(mail=True, slack=True),
        ),
    )
    request = any_request(approvers=(ANN, BOB), requester=RITA, context={"amount": 240})
    opening = any_opening(now=world.clock.now(), request=request, approval_id="a" * 32)
    approval_id = world.store.create(opening).approval_id
    by_link.deliver(world, approval_id)
    way(world, approval_id)
    by_link.deliver(world, approval_id)
    history = world.store.history(approval_id)
    changing = {"identity", "hash", "previous_hash", "details", "salts"}
    events = [{k: v for k, v in event.items() if k not in changing} for event in history]
    details = [
        {k: v for k, v in event["details"].items() if k not in {"issuer", "session"}}
        for event in history
    ]
    ends = {
        (channel, m.recipient, m.kind, m.subject, m.body)
        for channel, notifier in sent.items()
        for m in notifier.sent
        if m.kind == "outcome"
    }
    return [events, details], ends, [event["identity"] for event in history]


@pytest.mark.parametrize(("identity", "way"), WAYS.items(), ids=WAYS)
def test_should_tell_the_same_whichever_way_was_answered(
    identity: str, way: Callable[[World, str], None]
) -> None:
    expected, ends, _ = said_after(by_api)
    history, same, identities = said_after(way)
    assert history == expected
    assert same == ends
    assert identities == ["declared", identity]


def test_should_tell_everybody_but_who_has_answered_and_rewrite_for_all() -> None:
    _, ends, _ = said_after(by_api)
    assert {(channel, recipient) for channel, recipient, *_ in ends} == {
        ("ses", BOB),
        ("ses", RITA),
        ("slack", ANN),
        ("slack", BOB),
        ("slack", RITA),
    }


def test_should_have_tried_every_identity_that_a_person_can_have() -> None:
    from typing import get_args

    from hitl_approval.domain.audit import Identity

    # Of an IAM user the inbox and the API differ from a JWT in the name alone.
    assert set(WAYS) | {"iam", "rule", "system"} == set(get_args(Identity))
