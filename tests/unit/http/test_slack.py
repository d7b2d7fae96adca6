"""Slack: a click opens a dialog, the dialog decides, and only for whom Slack vouches."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import pytest

from hitl_approval.domain.policy import Policy
from hitl_approval.domain.quorum import Quorum
from hitl_approval.domain.slack import OPEN_PAGE, Subject
from hitl_approval.testing import World
from tests.anything import any_opening, any_request
from tests.unit.http.by_slack import (
    APPROVERS,
    SECRET,
    FakeWorkspace,
    Person,
    call,
    signed,
)


def asked(world: World, policy: Policy | None = None, **fields: Any) -> str:
    request = any_request(**{"approvers": APPROVERS, "requester": "rita@example.com"} | fields)
    opening = any_opening(now=world.clock.now(), request=request, policy=policy)
    return world.store.create(opening).approval_id


def somebody(world: World, user: str = "U1") -> Person:
    return Person(world, FakeWorkspace(), user)


def said(view: Any) -> str:
    return json.dumps(view)


def test_should_decide_by_a_click_and_a_comment(world: World) -> None:
    approval_id, ann = asked(world), somebody(world)
    answer = ann.submit(ann.open(approval_id), "fine by me")
    assert answer["response_action"] == "update"
    assert "Approved by ann@example.com" in said(answer)
    approval = world.store.approvals[approval_id]
    assert (approval.status, approval.decided_by) == ("approved", "ann@example.com")
    [vote] = approval.votes
    assert (vote.identity, vote.comments) == ("slack", "fine by me")
    assert world.callbacks.completed == ["callback-1"]
    [_, *_, decided] = world.store.history(approval_id)
    assert decided["identity"] == "slack"
    assert decided["details"]["issuer"] == "slack/T0123ABCD/U1"


def test_should_decide_nothing_by_a_click(world: World) -> None:
    approval_id, ann = asked(world), somebody(world)
    for _ in range(20):
        ann.open(approval_id)
    assert world.store.approvals[approval_id].pending
    assert len(world.store.history(approval_id)) == 1


def test_should_take_a_rejection_only_with_the_reason_that_the_policy_demands(
    world: World,
) -> None:
    approval_id = asked(world, policy=Policy(require_comment_on_rejection=True))
    ann = somebody(world)
    view = ann.open(approval_id, "rejected")
    answer = ann.submit(view, None)
    assert answer == {
        "response_action": "errors",
        "errors": {"comment": "Please say why: a rejection needs a reason."},
    }
    assert world.store.approvals[approval_id].pending
    ann.submit(view, "too much")
    assert world.store.approvals[approval_id].status == "rejected"


def test_should_say_that_more_answers_are_awaited(world: World) -> None:
    approval_id = asked(world, policy=Policy(quorum=Quorum.everyone()))
    ann = somebody(world)
    assert "waits for more answers" in said(ann.submit(ann.open(approval_id)))
    assert "You have answered this already: approved." in said(ann.open(approval_id))
    bob = somebody(world, "U2")
    assert "Approved by" in said(bob.submit(bob.open(approval_id)))


def test_should_count_one_answer_however_often_a_dialog_is_sent(world: World) -> None:
    approval_id, ann = asked(world), somebody(world)
    view = ann.open(approval_id)
    answers = [said(ann.submit(view)) for _ in range(3)]
    assert len(set(answers)) == 1
    assert (
        len(world.store.history(approval_id)) == 2
        or len([e for e in world.store.history(approval_id) if e["event"] == "voted"]) == 1
    )


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("eve@example.com", "who is not asked to decide this"),
        ("rita@example.com", "who is not asked to decide this"),
        (None, "Slack does not vouch for an address of yours"),
        ("", "Slack does not vouch for an address of yours"),
    ],
)
def test_should_tell_others_that_it_is_not_theirs(
    world: World, address: str | None, words: str
) -> None:
    approval_id, eve = asked(world), somebody(world, "U9")
    eve.workspace.addresses["U9"] = address
    assert words in said(eve.open(approval_id))
    approval = world.store.approvals[approval_id]
    metadata = Subject(approval_id, approval.content_digest, "approved").to_json()
    answer = eve.submit({"private_metadata": metadata})
    assert "Not accepted" in said(answer)
    assert approval == world.store.approvals[approval_id]
    assert len(world.store.history(approval_id)) == 1


def test_should_let_nobody_decide_what_names_nobody(world: World) -> None:
    approval_id, ann = asked(world, approvers=()), somebody(world)
    assert "Not yours to decide" in said(ann.open(approval_id))
    digest = world.store.approvals[approval_id].content_digest
    ann.submit({"private_metadata": Subject(approval_id, digest, "approved").to_json()})
    assert world.store.approvals[approval_id].pending


def test_should_not_take_approve_on_a_message_that_showed_something_else(world: World) -> None:
    approval_id, ann = asked(world), somebody(world)
    value = Subject(approval_id, "0" * 64, "approved").to_json()
    ann.click(value)
    assert "shows another request" in said(ann.workspace.views[-1])
    answer = ann.submit({"private_metadata": value})
    assert "Not accepted" in said(answer)
    assert world.store.approvals[approval_id].pending


def test_should_say_how_it_ended_to_who_comes_late(world: World) -> None:
    approval_id, ann, bob = asked(world), somebody(world), somebody(world, "U2")
    view = bob.open(approval_id, "rejected")
    ann.submit(ann.open(approval_id))
    assert "Approved by ann@example.com: no answer is needed from you." in said(
        bob.open(approval_id)
    )
    assert "Not accepted" in said(bob.submit(view, "no"))
    late = asked(world)
    world.clock.advance(timedelta(hours=2))
    assert "The time to decide this has passed." in said(ann.open(late))


def test_should_say_what_is_gone(world: World) -> None:
    ann = somebody(world)
    ann.click(Subject("nothing", "0" * 64, "approved").to_json())
    assert "not on record any more" in said(ann.workspace.views[-1])


def test_should_ask_again_later_when_slack_does_not_say_who_it_was(world: World) -> None:
    approval_id, ann = asked(world), somebody(world)
    view = ann.open(approval_id)
    ann.workspace.refuses = True
    assert ann.submit(view)["errors"] == {"comment": "Not now: please try again in a moment."}
    assert world.store.approvals[approval_id].pending
    digest = world.store.approvals[approval_id].content_digest
    clicked = ann.click(Subject(approval_id, digest, "approved").to_json())
    assert clicked["statusCode"] == 503


def test_should_do_nothing_about_what_it_does_not_know(world: World) -> None:
    ann = somebody(world)
    for payload in (
        {"type": "shortcut"},
        {"type": "block_actions", "trigger_id": "t", "actions": [{"action_id": OPEN_PAGE}]},
        {"type": "view_submission", "view": {"callback_id": "other"}},
        {"type": "view_closed", "view": {}},
    ):
        answer = ann.send(payload)
        assert (answer["statusCode"], answer["body"]) == (200, "")


def _forged(world: World, approval_id: str) -> dict[str, dict[str, Any]]:
    """Requests that Slack has not made, not now, or not for this workspace."""
    digest = world.store.approvals[approval_id].content_digest
    payload: dict[str, Any] = {
        "type": "view_submission",
        "team": {"id": "T0123ABCD"},
        "user": {"id": "U1"},
        "view": {
            "callback_id": "hitl_decide",
            "private_metadata": Subject(approval_id, digest, "approved").to_json(),
            "state": {"values": {"comment": {"comment": {"value": "x"}}}},
        },
    }
    good = json.dumps(payload)
    altered = signed(world, good)
    altered["body"] += "&payload=x"
    unsigned = signed(world, good)
    unsigned["headers"] = {}
    empty = signed(world, good)
    empty["headers"]["x-slack-signature"] = ""
    when = signed(world, good)
    when["headers"]["x-slack-request-timestamp"] = "now"
    foreign = signed(world, json.dumps({**payload, "team": {"id": "T9"}}))
    return {
        "another secret": signed(world, good, secret="b"),
        "old": signed(world, good, age=301),
        "of the future": signed(world, good, age=-301),
        "altered": altered,
        "unsigned": unsigned,
        "no signature": empty,
        "no time": when,
        "another workspace": foreign,
        "long": signed(world, good + " " * 70_000),
    }


def test_should_refuse_in_one_word_what_slack_has_not_signed_for_this_workspace(
    world: World,
) -> None:
    approval_id = asked(world)
    for kind, event in _forged(world, approval_id).items():
        answer = call(world, FakeWorkspace(), event)
        assert answer["statusCode"] == 401, kind
        assert "not a request of this Slack workspace" in answer["body"]
        assert world.store.approvals[approval_id].pending, kind


def test_should_read_a_body_that_api_gateway_has_encoded(world: World) -> None:
    approval_id = asked(world)
    ann = somebody(world)
    view = ann.open(approval_id)
    values = {"comment": {"comment": {"value": None}}}
    event = signed(
        world,
        json.dumps(
            {
                "type": "view_submission",
                "team": {"id": "T0123ABCD"},
                "user": {"id": "U1"},
                "view": {**view, "state": {"values": values}},
            }
        ),
    )
    event |= {
        "body": base64.b64encode(event["body"].encode()).decode(),
        "isBase64Encoded": True,
    }
    assert call(world, FakeWorkspace(), event)["statusCode"] == 200
    assert world.store.approvals[approval_id].status == "approved"


def test_should_log_no_value_when_it_cannot_go_on(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    event = signed(world, json.dumps({"team": {"id": "T0123ABCD"}, "secret": "s3cret"}))
    assert call(world, FakeWorkspace(), event)["statusCode"] == 500
    assert "s3cret" not in caplog.text
    assert SECRET not in caplog.text
    assert "KeyError" in caplog.text


FORM = {
    "type": "object",
    "properties": {"reason": {"type": "string", "minLength": 3}},
    "required": ["reason"],
}


def test_should_approve_with_what_the_dialog_was_filled_in_with(world: World) -> None:
    approval_id = asked(world, form=FORM, editable=["amount"], context={"amount": 100})
    ann = somebody(world)
    view = ann.open(approval_id)
    refused = ann.submit(view, "fine", reason={"value": "no"}, amount={"value": "1.5"})
    assert refused == {
        "response_action": "errors",
        "errors": {
            "input-0": "Must be at least 3 characters, got 2.",
            "changes-0": "Must be a whole number, got 1.5.",
        },
    }
    assert world.store.approvals[approval_id].pending
    for _ in range(2):  # Slack sends again what it got no answer to
        answer = ann.submit(view, "fine", reason={"value": "lunch"}, amount={"value": "90"})
        assert "On record" in said(answer)
    approval = world.store.approvals[approval_id]
    assert (approval.status, approval.votes[0].input) == ("approved", {"reason": "lunch"})
    assert json.loads(approval.context) == {"amount": 90}
    assert len(world.store.history(approval_id)) == 2


def test_should_ask_for_no_values_to_reject(world: World) -> None:
    approval_id, ann = asked(world, form=FORM), somebody(world)
    ann.submit(ann.open(approval_id, "rejected"), "no")
    assert world.store.approvals[approval_id].status == "rejected"


def test_should_take_no_approval_of_a_message_from_before_a_change(world: World) -> None:
    fields = {"editable": ["amount"], "context": {"amount": 100}}
    approval_id = asked(world, policy=Policy(quorum=Quorum.everyone()), **fields)
    ann, bob = somebody(world), somebody(world, "U2")
    opened_before = bob.open(approval_id)
    subject = Subject(approval_id, world.store.approvals[approval_id].content_digest, "approved")
    ann.submit(ann.open(approval_id), amount={"value": "90"})
    assert "not the one that was shown" in said(bob.submit(opened_before))
    bob.click(subject.to_json(), "hitl_approve")
    assert "This message shows another request" in said(bob.workspace.views[-1])
    assert world.store.approvals[approval_id].pending
    bob.submit(bob.open(approval_id))
    assert world.store.approvals[approval_id].status == "approved"


def test_should_ask_the_requester_by_a_dialog_and_decide_nothing(world: World) -> None:
    approval_id, ann = asked(world), somebody(world)
    view = ann.open(approval_id, "question")
    assert view["callback_id"] == "hitl_question"
    answer = ann.submit(view, "Which cost centre?")
    assert "Your question is on record" in said(answer)
    assert "still expires at 2026-01-02 04:04 UTC" in said(answer)
    approval = world.store.approvals[approval_id]
    assert (approval.status, approval.votes, approval.thread_length) == ("pending", (), 1)
    event = world.store.history(approval_id)[-1]
    assert (event["event"], event["identity"]) == ("commented", "slack")
    assert event["details"]["question"] is True
    assert event["details"]["issuer"] == "slack/T0123ABCD/U1"


@pytest.mark.parametrize("given", [None, "", " ", "\u200b"])
def test_should_ask_nothing_without_a_question(world: World, given: str | None) -> None:
    approval_id, ann = asked(world), somebody(world)
    answer = ann.submit(ann.open(approval_id, "question"), given)
    assert answer["response_action"] == "errors"
    assert world.store.approvals[approval_id].thread_length == 0


def test_should_let_a_question_s_dialog_decide_nothing_and_a_decision_s_ask_nothing(
    world: World,
) -> None:
    approval_id, ann = asked(world), somebody(world)
    before = repr((world.store.approvals, world.store.audit))
    asks, decides = ann.open(approval_id, "question"), ann.open(approval_id, "approved")
    values = {"comment": {"comment": {"value": "hm"}}}
    for view in (
        {**asks, "callback_id": decides["callback_id"]},
        {**asks, "callback_id": "hitl_other"},
    ):
        payload = {"type": "view_submission", "view": {**view, "state": {"values": values}}}
        ann.send(payload)
        assert repr((world.store.approvals, world.store.audit)) == before
    assert world.store.approvals[approval_id].pending


def test_should_let_others_ask_nothing(world: World) -> None:
    approval_id, eve = asked(world), somebody(world, "U9")
    eve.workspace.addresses["U9"] = "eve@example.com"
    view = eve.open(approval_id, "question")
    assert "Not yours to decide" in said(view)
    forged = somebody(world).open(approval_id, "question")
    answer = eve.submit(forged, "Which cost centre?")
    assert "This was not accepted" in said(answer)
    assert world.store.approvals[approval_id].thread_length == 0
