"""Values come with an approval; a change makes another content, which no earlier vote covers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hitl_approval.domain.agreement import altered_end, examine
from hitl_approval.domain.approval import Approval, Decision, Transition, digest_content
from hitl_approval.domain.audit import Actor
from hitl_approval.domain.bus_event import bus_event
from hitl_approval.domain.edit import Change
from hitl_approval.domain.errors import (
    AlreadyDecided,
    ApprovalError,
    ContentChanged,
    InvalidRequest,
    ValuesRefused,
)
from hitl_approval.domain.masking import MASK
from hitl_approval.domain.outcome import Outcome, snapshot_of
from hitl_approval.domain.policy import Policy
from hitl_approval.domain.quorum import Quorum
from hitl_approval.domain.stage import Stage
from hitl_approval.domain.values import NOTHING, Values, fields_to_change, of_texts
from hitl_approval.domain.view import event_view, summary, view
from hitl_approval.domain.voting import cast_vote
from tests.anything import NOW, any_opening, any_request, declared

SOON = NOW + timedelta(minutes=1)
TWO = Policy(quorum=Quorum.at_least(2))
REASON: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "reason": {"type": "string", "title": "Why", "minLength": 3},
        "urgent": {"type": "boolean", "default": False},
    },
    "required": ["reason"],
}
WHY = Values(input={"reason": "lunch"})


def opening(policy: Policy = TWO, **fields: Any) -> Transition:
    asked = {"approvers": ["ann", "bob", "cid"], "context": {"amount": 100, "to": "Ann"}}
    return any_opening(request=any_request(**(asked | fields)), policy=policy)


def asks(**fields: Any) -> Approval:
    return opening(**fields).after


def voted(
    approval: Approval,
    name: str,
    values: Values = NOTHING,
    *,
    decision: Decision = "approved",
    digest: str | None = "shown",
) -> Transition | None:
    shown = approval.content_digest if digest == "shown" else digest
    return cast_vote(
        approval, declared(name), decision, "", now=SOON, content_digest=shown, values=values
    )


def after(approval: Approval, name: str, values: Values = NOTHING, **more: Any) -> Approval:
    transition = voted(approval, name, values, **more)
    assert transition is not None
    return transition.after


def amount(value: Any) -> Values:
    return Values(changes={"amount": value})


# A form


def test_should_keep_what_was_filled_in_on_the_vote_and_in_the_event() -> None:
    transition = voted(asks(form=REASON), "ann", WHY)
    assert transition is not None
    filled = {"reason": "lunch", "urgent": False}
    assert transition.after.votes[0].input == filled
    assert transition.event.details["input"] == filled
    assert view(transition.after)["votes"][0]["input"] == filled


@pytest.mark.parametrize(
    "values", [NOTHING, Values(input={"reason": "no"}), Values(input={"x": 1})]
)
def test_should_write_nothing_where_a_value_does_not_fit(values: Values) -> None:
    with pytest.raises(ValuesRefused, match=r"^input\."):
        voted(asks(form=REASON), "ann", values)


def test_should_take_a_rejection_without_values_and_with_none() -> None:
    approval = asks(form=REASON, editable=["amount"])
    assert after(approval, "ann", decision="rejected").votes[0].input is None
    for values in (WHY, amount(1)):
        with pytest.raises(InvalidRequest, match="comes with an approval only"):
            voted(approval, "ann", values, decision="rejected")


def test_should_take_no_values_where_none_are_asked_for() -> None:
    with pytest.raises(InvalidRequest, match=r"^input: is for a request with a form"):
        voted(asks(), "ann", WHY)
    with pytest.raises(ValuesRefused, match=r"^changes\.amount: must not be changed"):
        voted(asks(), "ann", amount(1))


def test_should_say_that_a_vote_is_there_already_only_where_it_is_the_same() -> None:
    approval = after(asks(form=REASON), "ann", WHY)
    assert voted(approval, "ann", WHY) is None
    assert voted(approval, "ann") is None
    with pytest.raises(AlreadyDecided, match="already approved this request, with other values"):
        voted(approval, "ann", Values(input={"reason": "dinner"}))
    with pytest.raises(AlreadyDecided):
        voted(approval, "ann", Values(input={"reason": 7}))
    decided = after(approval, "bob", Values(input={"reason": "hunger"}))
    assert voted(decided, "ann", WHY) is None
    with pytest.raises(AlreadyDecided):
        voted(decided, "ann", Values(input={"reason": "dinner"}))


def test_should_give_the_workflow_what_the_last_of_those_who_approved_filled_in() -> None:
    approval = after(asks(form=REASON), "ann", WHY)
    decided = after(approval, "bob", Values(input={"reason": "hunger", "urgent": True}))
    outcome = Outcome.from_snapshot(json.loads(json.dumps(snapshot_of(decided, now=SOON))))
    assert outcome.input == {"reason": "hunger", "urgent": True}
    assert outcome.votes[0].input == {"reason": "lunch", "urgent": False}
    assert outcome.changes == {}


def test_should_ask_everybody_for_the_same_form() -> None:
    approval = asks(form=REASON)
    assert approval.content_digest != asks().content_digest
    assert digest_content(replace(approval, form=None)) != approval.content_digest


# Changes


def test_should_count_only_the_vote_that_brings_the_change() -> None:
    approval = after(asks(editable=["amount"]), "ann")
    transition = voted(approval, "bob", amount(120))
    assert transition is not None
    edited = transition.after
    assert json.loads(edited.context) == {"amount": 120, "to": "Ann"}
    assert edited.status == "pending"
    assert [vote.approver for vote in edited.votes] == ["bob"]
    assert edited.changes == {"amount": Change(100, 120)}
    assert edited.content_digest == digest_content(edited) != approval.content_digest
    assert transition.event.content_digest == edited.content_digest
    assert transition.event.details["changes"] == {"amount": {"before": 100, "after": 120}}
    again = after(edited, "ann")
    assert (again.status, again.decided_by) == ("approved", "ann")


def test_should_approve_at_once_where_one_is_enough() -> None:
    transition = voted(asks(editable=["amount"], policy=Policy()), "ann", amount(120))
    assert transition is not None
    assert transition.event.event == "approved"
    outcome = Outcome.from_snapshot(json.loads(json.dumps(snapshot_of(transition.after, now=SOON))))
    assert outcome.changes == {"amount": Change(100, 120)}


def test_should_not_count_a_rejection_of_what_has_changed_since() -> None:
    policy = replace(TWO, rejections_needed=2)
    approval = after(asks(editable=["amount"], policy=policy), "ann", decision="rejected")
    edited = after(approval, "bob", amount(120))
    assert [vote.approver for vote in edited.votes] == ["bob"]
    assert after(edited, "ann", decision="rejected").status == "pending"


def test_should_not_cover_a_change_by_a_vote_that_did_not_see_it() -> None:
    approval = asks(editable=["amount"])
    edited = after(approval, "ann", amount(120))
    with pytest.raises(ContentChanged):
        voted(edited, "bob", digest=approval.content_digest)
    with pytest.raises(ContentChanged, match="was changed since it was asked"):
        voted(edited, "bob", digest=None)
    assert voted(edited, "bob", digest=None, decision="rejected") is not None
    assert after(approval, "bob", digest=None).votes


def test_should_take_no_change_of_what_nobody_was_shown() -> None:
    approval = asks(editable=["amount"])
    with pytest.raises(InvalidRequest, match=r"^content_digest: is required with changes"):
        voted(approval, "ann", amount(120), digest=None)
    edited = after(approval, "ann", amount(120))
    with pytest.raises(ContentChanged):
        voted(edited, "bob", amount(130), digest=approval.content_digest)


def test_should_take_no_change_of_what_an_earlier_stage_has_approved() -> None:
    stages = Policy(stages=(Stage(["cid"], timeout=timedelta(hours=1)),))
    later = after(asks(policy=stages, approvers=["ann"], editable=["amount"]), "ann")
    assert later.turn.stage == 1
    with pytest.raises(InvalidRequest, match="an earlier stage has approved it as it is"):
        voted(later, "cid", amount(90))
    assert after(later, "cid", amount(100)).status == "approved"


def test_should_take_a_repeated_change_for_the_same() -> None:
    approval = asks(editable=["amount"])
    edited = after(approval, "ann", amount(120))
    assert voted(edited, "ann", amount(120), digest=approval.content_digest) is None
    with pytest.raises(ApprovalError):
        voted(edited, "ann", amount(130), digest=approval.content_digest)
    with pytest.raises(AlreadyDecided):
        voted(edited, "ann", amount(130))
    decided = after(edited, "bob")
    assert voted(decided, "ann", amount(120), digest=approval.content_digest) is None


def test_should_cast_a_plain_vote_where_nothing_is_changed() -> None:
    approval = after(asks(editable=["amount"]), "ann")
    decided = after(approval, "bob", amount(100.0))
    assert decided.status == "approved"
    assert decided.content_digest == approval.content_digest
    assert decided.changes == {}


def test_should_remember_how_it_was_asked_over_several_changes() -> None:
    approval = after(asks(editable=["amount", "to"]), "ann", amount(120))
    approval = after(approval, "bob", Values(changes={"amount": 90, "to": "Bob"}))
    approval = after(approval, "ann", Values(changes={"to": "Ann"}))
    assert approval.changes == {"amount": Change(100, 90)}
    assert [vote.approver for vote in approval.votes] == ["ann"]


def test_should_agree_with_its_trail_however_often_it_is_changed() -> None:
    transitions = [opening(editable=["amount"], form=REASON)]
    for name, values in (
        ("ann", Values({"reason": "lunch"}, {"amount": 120})),
        ("bob", Values({"reason": "less"}, {"amount": 90})),
        ("cid", Values({"reason": "enough"})),
    ):
        found = voted(transitions[-1].after, name, values)
        assert found is not None
        transitions.append(found)
    decided = transitions[-1].after
    events = [json.loads(json.dumps(one.entry)) for one in transitions]
    assert decided.status == "approved"
    assert examine(events, decided) == []
    assert altered_end(decided, events) == []
    for wrong in (
        replace(decided, changes={}),
        replace(decided, votes=decided.votes[1:]),
        replace(decided, votes=(replace(decided.votes[0], input={}), *decided.votes[1:])),
        replace(decided, context='{"amount": 120, "to": "Ann"}'),
    ):
        assert altered_end(wrong, events)


def test_should_see_a_content_that_changed_without_a_vote_for_it() -> None:
    first = opening(editable=["amount"])
    edited = voted(first.after, "ann", amount(120))
    assert edited is not None
    events = [first.entry, edited.entry]
    silent = {**edited.entry, "details": {**edited.entry["details"], "changes": {}}}
    assert "is about another content" in str(examine([first.entry, silent], edited.after))
    assert examine(events, edited.after) == []


# What is shown and what is sent out


def sensitive() -> Transition:
    approval = asks(
        form=REASON, editable=["amount"], sensitive=["amount", "reason"], policy=Policy()
    )
    transition = voted(approval, "ann", Values({"reason": "secret"}, {"amount": 120}))
    assert transition is not None
    return transition


def test_should_mask_what_is_sensitive_wherever_it_is_sent() -> None:
    transition = sensitive()
    event = bus_event(transition.entry, transition.after, deployment="d")
    said = json.loads(event.detail)
    assert said["input"] == {"reason": MASK, "urgent": False}
    assert said["changes"] == {"amount": MASK}
    assert summary(transition.after)["votes"][0]["input"]["reason"] == MASK
    onlooker = Actor("eve", "jwt")
    assert "secret" not in json.dumps(view(transition.after, onlooker))
    assert "120" not in json.dumps(view(transition.after, onlooker))
    assert "secret" in json.dumps(view(transition.after, Actor("bob", "jwt")))
    masked = event_view(transition.salted(lambda: "salt").entry, transition.after, onlooker)
    assert "secret" not in json.dumps(masked)
    assert "salts" not in masked  # by which a guess of what is masked could be tried
    assert masked["details"]["changes"] == {"amount": MASK}
    assert event_view(transition.entry, transition.after, Actor("bob", "jwt")) == transition.entry


def test_should_show_no_value_of_a_record_that_nobody_can_read() -> None:
    entry = sensitive().entry
    assert "secret" not in bus_event(entry, None, deployment="d").detail
    assert "secret" not in json.dumps(event_view(entry, None, Actor("ann", "jwt")))
    assert event_view(entry, None, None) is entry


def test_should_say_nothing_of_values_where_there_are_none() -> None:
    approval = after(asks(), "ann")
    assert not {"form", "editable", "changes"} & view(approval).keys()
    assert "input" not in view(approval)["votes"][0]
    assert "changes" not in snapshot_of(approval, now=SOON)
    entry = voted(asks(), "ann")
    assert entry is not None
    assert (
        not {"input", "changes"}
        & json.loads(bus_event(entry.entry, approval, deployment="d").detail).keys()
    )


def test_should_read_what_was_typed_as_values() -> None:
    approval = asks(form=REASON, editable=["amount"])
    typed = {"reason": "lunch", "urgent": "yes", "amount": "120"}
    assert of_texts(approval, typed) == Values({"reason": "lunch", "urgent": True}, {"amount": 120})
    assert of_texts(approval, {}) == Values({"reason": None, "urgent": None}, {})
    assert [each.default for each in fields_to_change(approval)] == [100]
    assert fields_to_change(asks()) == ()
