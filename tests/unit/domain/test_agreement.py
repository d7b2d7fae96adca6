"""A row that is not what its trail says is named, field by field, and nobody acts on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import pytest

from hitl_approval.domain.agreement import altered_end, examine
from hitl_approval.domain.applied_rule import AppliedRule
from hitl_approval.domain.approval import Approval, Transition
from hitl_approval.domain.edit import Change
from hitl_approval.domain.ending import cancel, expire
from hitl_approval.domain.errors import RecordAltered, UnreadableRecord
from hitl_approval.domain.files import FileDigest
from hitl_approval.domain.form import Form
from hitl_approval.domain.policy import OnTimeout, Policy
from hitl_approval.domain.quorum import Quorum
from hitl_approval.domain.request import CONTENT
from hitl_approval.domain.turn import Turn
from hitl_approval.domain.voting import cast_vote
from hitl_approval.testing import World
from tests.anything import NOW, any_opening, any_request, declared

Trail = list[dict[str, Any]]
LATER = NOW + timedelta(minutes=5)
TWO = Policy(quorum=Quorum.at_least(2), on_timeout=OnTimeout.reject())


def trail_of(*steps: Callable[[Approval], Transition | None]) -> tuple[Approval, Trail]:
    opening = any_opening(policy=TWO, request=any_request(context={"eur": 10}))
    approval, events = opening.after, [opening.event.to_dict()]
    for step in steps:
        transition = step(approval)
        assert transition is not None
        approval = transition.after
        events.append(transition.event.to_dict())
    return approval, events


def votes(who: str, decision: Any = "approved") -> Callable[[Approval], Transition | None]:
    return lambda approval: cast_vote(approval, declared(who), decision, f"by {who}", now=LATER)


ENDS: dict[str, tuple[Callable[[Approval], Transition | None], ...]] = {
    "approved": (votes("ann"), votes("bob")),
    "rejected": (votes("ann"), votes("bob", "rejected")),
    "silence": (votes("ann"), lambda a: expire(a, now=a.expires_at)),
    "cancelled": (votes("ann"), lambda a: cancel(a, declared("rita"), "never mind", now=LATER)),
}


@pytest.mark.parametrize("end", ENDS)
def test_should_agree_with_its_own_trail(end: str) -> None:
    approval, events = trail_of(*ENDS[end])
    assert examine(events, approval) == []
    assert altered_end(approval, events) == []


@pytest.mark.parametrize("steps", [(), (votes("ann"),)])
def test_should_agree_while_it_is_pending(
    steps: tuple[Callable[[Approval], Transition | None], ...],
) -> None:
    approval, events = trail_of(*steps)
    assert examine(events, approval) == []


OTHER: dict[str, Any] = {
    **dict.fromkeys(CONTENT, "another"),
    "status": "approved",
    "approvers": ("mallory",),
    "policy": Policy(),
    "context": "{}",
    "content_digest": "0" * 64,
    "created_at": NOW - timedelta(days=1),
    "expires_at": NOW + timedelta(days=9),
    "execution_arn": "arn/another",
    "votes": (),
    "decided_by": "mallory",
    "comments": "another",
    "decided_at": NOW,
    "audit_sequence": 9,
    "audit_hash": "0" * 64,
    "sensitive": ("card",),
    "rule": AppliedRule("d", "small", "approved"),
    "thread_length": 3,
    "files": (FileDigest(name="plan.tfplan", sha256="0" * 64, size=1),),
    "superseded_by": "another",
    "turn": Turn(escalations=1),
    "form": Form.of({"type": "object", "properties": {"x": {"type": "string"}}}),
    "editable": ("card",),
    "changes": {"card": Change(1, 2)},
}
NOT_SHOWN = {
    "approval_id", "creation_token", "callback_id", "version", "resumed", "reminders", "challenge",
    "traceparent",
}  # fmt: skip
"""What no event says: keys, callbacks, counters, reminders."""


def test_should_compare_every_field_that_the_trail_determines() -> None:
    assert {field.name for field in fields(Approval)} == OTHER.keys() | NOT_SHOWN


@pytest.mark.parametrize("field", OTHER)
def test_should_name_a_field_that_was_altered(field: str) -> None:
    approval, events = trail_of(*ENDS["silence"])
    altered = replace(approval, **{field: OTHER[field]})
    assert examine(events, altered) != []
    assert altered_end(altered, events) != []


def test_should_see_a_vote_that_nobody_has_cast() -> None:
    approval, events = trail_of(*ENDS["silence"])
    forged = replace(approval.votes[0], approver="bob")
    (finding,) = examine(events, replace(approval, votes=(*approval.votes, forged)))
    assert "votes" in finding.problem


@pytest.mark.parametrize("steps", [(), (votes("ann"),)], ids=["asked", "one of two"])
def test_should_not_take_a_pending_row_for_approved(
    steps: tuple[Callable[[Approval], Transition | None], ...],
) -> None:
    approval, events = trail_of(*steps)
    flipped = replace(approval, status="approved", decided_by="ann", decided_at=LATER)
    problems = " ".join(finding.problem for finding in examine(events, flipped))
    for field in ("status", "decided_by", "decided_at"):
        assert f"the row's {field} is" in problems
    assert {"status", "decided_by", "decided_at"} <= set(altered_end(flipped, events))
    assert altered_end(flipped, []) == ["audit_hash"]


def test_should_hold_the_last_event_against_its_own_hash() -> None:
    approval, events = trail_of(*ENDS["rejected"])
    forged = [*events[:-1], {**events[-1], "event": "approved"}]
    assert altered_end(replace(approval, status="approved"), forged) == ["audit_hash"]


def test_should_name_what_follows_the_end_of_a_trail() -> None:
    approval, events = trail_of(*ENDS["approved"])
    follows = {**events[1], "sequence": 4}
    for row in (approval, None):
        assert 4 in [finding.sequence for finding in examine([*events, follows], row)]


def test_should_name_an_end_that_was_cut_off_with_its_row() -> None:
    approval, events = trail_of(*ENDS["approved"])
    assert examine(events, None) == []
    (finding,) = examine(events[:-1], None)
    assert finding.problem == "the row is gone, and no event says how it ended"
    (finding,) = examine([], approval)
    assert finding.problem == "the whole trail is missing"


def test_should_name_a_row_that_cannot_be_read() -> None:
    _, events = trail_of(*ENDS["approved"])
    (finding,) = examine(events, UnreadableRecord("a", "policy is missing"))
    assert finding.problem == "the row cannot be read: policy is missing"


@pytest.mark.parametrize("garbage", [{}, {"details": 5, "event": ["x"]}, {"sequence": None}])
@pytest.mark.parametrize("index", range(3))
def test_should_never_stop_at_an_event_that_cannot_be_read(garbage: Any, index: int) -> None:
    approval, events = trail_of(*ENDS["approved"])
    events[index] = garbage
    assert index + 1 in [finding.sequence for finding in examine(events, approval)]
    assert altered_end(approval, events) != []


def asked(world: World) -> Approval:
    return world.store.create(any_opening(now=world.clock.now(), policy=TWO))


def flip(world: World, approval: Approval) -> None:
    """As somebody with rights to the table does, or a function that goes wrong."""
    world.store.approvals[approval.approval_id] = replace(
        world.store.approvals[approval.approval_id],
        status="approved",
        decided_by="bob",
        decided_at=world.clock.now(),
    )


@pytest.mark.parametrize("reads", ["check_status", "register_callback"])
def test_should_not_act_on_a_row_that_its_trail_does_not_bear_out(
    world: World, reads: str, caplog: pytest.LogCaptureFixture
) -> None:
    approval = asked(world)
    flip(world, approval)

    requests = world.requests
    read: Callable[[str], Approval] = (
        requests.check_status
        if reads == "check_status"
        else lambda i: requests.register_callback(i, "callback-2")
    )
    with pytest.raises(RecordAltered, match="status") as raised:
        read(approval.approval_id)

    assert raised.value.code == "RECORD_ALTERED"
    assert {"status", "decided_by"} <= set(raised.value.details["fields"])
    assert world.meter.counted == ["AlteredRecord"]
    assert approval.approval_id in caplog.text
    assert not world.store.approvals[approval.approval_id].resumed  # the sweep goes on to say so


def test_should_read_again_before_it_says_that_two_reads_do_not_agree(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    approval = asked(world)
    for who in ("ann", "bob"):
        world.decisions.decide(approval.approval_id, declared(who), "approved")
    history, seen = type(world.store).history, []

    def late(self: Any, approval_id: str) -> Any:
        seen.append(approval_id)
        events = history(self, approval_id)
        return events if len(seen) > 1 else events[:1]

    monkeypatch.setattr(type(world.store), "history", late)
    assert world.requests.check_status(approval.approval_id).status == "approved"
    assert world.meter.counted == []


def test_should_read_the_trail_once_and_of_what_has_ended_only(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    approval = asked(world)
    history, seen = type(world.store).history, []

    def counted(self: Any, approval_id: str) -> Any:
        seen.append(approval_id)
        return history(self, approval_id)

    monkeypatch.setattr(type(world.store), "history", counted)
    world.requests.check_status(approval.approval_id)
    assert seen == []
    world.clock.advance(timedelta(hours=2))
    assert world.requests.check_status(approval.approval_id).status == "rejected"
    assert len(seen) == 1
