"""From the audit table's stream to the event bus: in order, nothing skipped."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from hitl_approval.domain.policy import OnTimeout, Policy
from hitl_approval.domain.quorum import Quorum
from hitl_approval.domain.values import Values
from hitl_approval.stream import answer_batch
from hitl_approval.testing import World
from tests.anything import any_opening, any_request, declared
from tests.unit.streamed import asked, awaits, batch, decided, publish_all


def test_should_publish_each_committed_event_in_order(world: World) -> None:
    approval_id = decided(world)

    answer = answer_batch(batch(*world.store.history(approval_id)), world.publishing.publish)

    assert answer == {"batchItemFailures": []}
    assert [a.detail_type for a in world.publisher.published] == [
        "Approval Requested",
        "Approval Decided",
    ]
    last = json.loads(world.publisher.published[-1].detail)
    assert last["event_id"] == f"{approval_id}-2"
    assert (last["status"], last["actor"], last["comments"]) == ("approved", "bob", "fine")
    assert last["subject"] == "Q4 Budget Proposal"


def test_should_go_on_from_the_first_event_that_was_not_taken(world: World) -> None:
    events = [event for _ in range(2) for event in world.store.history(decided(world))]
    world.publisher.room = 3

    answer = answer_batch(batch(*events), world.publishing.publish)

    assert answer == {"batchItemFailures": [{"itemIdentifier": "1003"}]}
    assert world.meter.counted == ["Requested", "Approved", "Requested"]


def test_should_measure_how_long_people_took(world: World) -> None:
    answer_batch(batch(*world.store.history(decided(world))), world.publishing.publish)
    assert world.meter.measured == [("TimeToDecision", 120.0, "Seconds")]


def test_should_not_take_silence_for_an_answer(world: World) -> None:
    opening = any_opening(now=world.clock.now(), policy=Policy(on_timeout=OnTimeout.reject()))
    approval_id = world.store.create(opening).approval_id
    world.clock.advance(timedelta(hours=2))
    world.requests.check_status(approval_id)

    answer_batch(batch(*world.store.history(approval_id)), world.publishing.publish)

    assert world.meter.counted == ["Requested", "Rejected"]
    assert world.meter.measured == []


def test_should_put_a_request_before_those_who_may_decide_it(world: World) -> None:
    approval_id = asked(world, "ann", "bob", "rita")
    publish_all(world, approval_id)
    assert awaits(world, "ann") == awaits(world, "bob") == [approval_id]
    assert awaits(world, "rita") == []  # who asked cannot decide


def test_should_take_it_from_who_has_voted_and_from_all_once_decided(world: World) -> None:
    approval_id = asked(world, "ann", "bob", "cid", policy=Policy(quorum=Quorum.at_least(2)))
    publish_all(world, approval_id)
    world.decisions.decide(approval_id, declared("Ann"), "approved")
    publish_all(world, approval_id, first=1)
    assert awaits(world, "ann") == []
    assert awaits(world, "bob") == [approval_id]
    world.decisions.decide(approval_id, declared("bob"), "approved")
    publish_all(world, approval_id, first=2)
    assert awaits(world, "cid") == []


@pytest.mark.parametrize("end", ["timeout", "cancelled"])
def test_should_take_it_from_all_however_it_ends(world: World, end: str) -> None:
    approval_id = asked(world, "ann")
    publish_all(world, approval_id)
    if end == "timeout":
        world.clock.advance(timedelta(hours=2))
        world.requests.check_status(approval_id)
    else:
        world.decisions.cancel(approval_id, declared("rita"))
    publish_all(world, approval_id, first=1)
    assert awaits(world, "ann") == []


def test_should_not_bring_back_what_has_ended_when_a_batch_comes_again(world: World) -> None:
    approval_id = asked(world, "ann")
    world.decisions.decide(approval_id, declared("ann"), "approved")
    for _ in range(2):
        publish_all(world, approval_id)
        assert awaits(world, "ann") == []


def test_should_go_on_from_the_first_event_that_was_not_filed(world: World) -> None:
    first, second = asked(world, "ann"), asked(world, "ann")
    events = [*world.store.history(first), *world.store.history(second)]
    world.inbox.failures = 1
    assert answer_batch(batch(*events), world.publishing.publish)["batchItemFailures"] == [
        {"itemIdentifier": "1000"}
    ]
    assert awaits(world, "ann") == []
    assert world.meter.counted == []
    answer_batch(batch(*events), world.publishing.publish)
    assert sorted(awaits(world, "ann")) == sorted([first, second])


def test_should_put_a_changed_request_before_who_had_answered_again(world: World) -> None:
    request = any_request(
        approvers=("ann", "bob", "cid"), context={"amount": 100}, editable=["amount"]
    )
    opening = any_opening(
        now=world.clock.now(), request=request, policy=Policy(quorum=Quorum.everyone())
    )
    approval = world.store.create(opening)
    world.decisions.decide(approval.approval_id, declared("bob"), "approved")
    events = world.store.history(approval.approval_id)
    assert world.publishing.publish(events) == len(events)
    assert awaits(world, "bob") == []
    world.decisions.decide(
        approval.approval_id,
        declared("ann"),
        "approved",
        content_digest=approval.content_digest,
        values=Values(changes={"amount": 90}),
    )
    for _ in range(2):  # a batch may come again
        world.publishing.publish(world.store.history(approval.approval_id)[1:])
        assert [len(awaits(world, name)) for name in ("ann", "bob", "cid")] == [0, 1, 1]
    [said] = [one for one in world.publisher.published if '"changes"' in one.detail][:1]
    assert json.loads(said.detail)["changes"] == {"amount": {"before": 100, "after": 90}}
