"""Delegation as people use it: given, found when it counts, seen in the inbox, ended."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hitl_approval.domain.approval import Approval
from hitl_approval.domain.audit import Actor
from hitl_approval.domain.errors import Forbidden, InvalidRequest
from hitl_approval.testing import in_memory
from hitl_approval.testing.memory import World
from tests.anything import any_opening, any_request

ANN, BOB = Actor("ann", "jwt"), Actor("bob", "jwt")


def ask(world: World, *names: str, **fields: Any) -> Approval:
    hours = fields.pop("hours", 1)
    opening = any_opening(
        request=any_request(approvers=list(names), **fields),
        now=world.clock.now(),
        timeout=timedelta(hours=hours),
    )
    approval = world.store.create(opening)
    world.inbox.add(approval, names)
    return approval


def give(world: World, giver: str = "ann", to: str = "bob") -> None:
    world.decisions.delegating.delegate(
        Actor(giver, "jwt"),
        giver=giver,
        to=to,
        starts_at=None,
        until=world.clock.now() + timedelta(days=1),
    )


def seen(world: World, name: str, limit: int = 100) -> list[tuple[str, str | None]]:
    """Of all pages: id, and for whom."""
    found, cursor = [], None
    while True:
        page = world.decisions.awaiting(name, limit=limit, cursor=cursor)
        assert len(page.items) <= limit
        found += [(item["approval_id"], item.get("on_behalf_of")) for item in page.items]
        cursor = page.cursor
        if cursor is None:
            return found


def test_should_let_the_delegate_decide_while_it_runs() -> None:
    world = in_memory()
    approval = ask(world, "ann")
    with pytest.raises(Forbidden):
        world.decisions.decide(approval.approval_id, BOB, "approved")
    give(world)
    answer = world.decisions.decide(approval.approval_id, BOB, "approved")
    assert (answer.approval.status, answer.approval.votes[0].on_behalf_of) == ("approved", "ann")


@pytest.mark.parametrize("end", ["by time", "by ann", "by an operator"])
def test_should_not_let_the_delegate_decide_once_it_has_ended(end: str) -> None:
    world = in_memory()
    approval = ask(world, "ann", hours=48)
    give(world)
    if end == "by time":
        world.clock.advance(timedelta(days=1))
    else:
        world.store.delegations.end("ann")
    with pytest.raises(Forbidden, match="bob is not an approver"):
        world.decisions.decide(approval.approval_id, BOB, "approved")


def test_should_read_again_where_it_was_ended_meanwhile() -> None:
    world = in_memory()
    approval = ask(world, "ann")
    give(world)
    commit = world.store.commit

    class Ending:
        """Ends the delegation after it was read, before the vote is committed."""

        def __getattr__(self, name: str) -> Any:
            return getattr(world.store, name)

        def commit(self, transition: Any) -> None:
            world.store.delegations.end("ann")
            commit(transition)

    service = type(world.decisions)(
        store=Ending(),
        clock=world.clock,
        meter=world.meter,
        callbacks=world.callbacks,
        delegations=world.store.delegations,
    )
    with pytest.raises(Forbidden):
        service.decide(approval.approval_id, BOB, "approved")
    assert world.decisions.get(approval.approval_id).votes == ()


def test_should_read_nothing_more_for_who_is_asked_or_where_anyone_may_answer() -> None:
    world = in_memory()
    give(world)
    before = world.store.delegations.reads
    named, open_to_all = ask(world, "ann"), ask(world)
    world.decisions.decide(named.approval_id, ANN, "approved")
    world.decisions.decide(named.approval_id, ANN, "approved")
    world.decisions.decide(open_to_all.approval_id, BOB, "rejected")
    assert world.store.delegations.reads == before


def test_should_show_what_is_to_be_answered_for_another_beside_ones_own() -> None:
    world = in_memory()
    give(world)
    give(world, "eve")
    theirs = [ask(world, "ann", hours=hours) for hours in (1, 4, 7)]
    own = [ask(world, "bob", hours=hours) for hours in (2, 5, 8)]
    both = ask(world, "eve", "ann", "bob", hours=3)
    for_eve = ask(world, "eve", hours=6)
    ask(world, "ann", requester="bob")
    ask(world, "eve", "ann", requester="eve", hours=9)
    expected = [
        (theirs[0].approval_id, "ann"),
        (own[0].approval_id, None),
        (both.approval_id, None),
        (theirs[1].approval_id, "ann"),
        (own[1].approval_id, None),
        (for_eve.approval_id, "eve"),
        (theirs[2].approval_id, "ann"),
        (own[2].approval_id, None),
    ]
    for limit in (1, 2, 3, 5, 100):
        found = seen(world, "bob", limit)
        assert found[:-1] == expected, limit
        assert found[-1][1] == "ann"
    assert (theirs[0].approval_id, None) in seen(world, "ann")
    assert all(place is None for _, place in seen(world, "ann"))


def test_should_say_what_stands_to_whom_it_concerns() -> None:
    world = in_memory()
    give(world)
    service = world.decisions.delegating
    given, _ = service.standing(ANN, "ann")
    assert given is not None
    assert service.standing(BOB, "bob") == (None, [given])
    with pytest.raises(Forbidden):
        service.standing(BOB, "ann")
    with pytest.raises(Forbidden):
        service.end(BOB, "ann")
    assert service.end(ANN, "ann") == given
    assert service.end(ANN, "ann") is None
    assert service.standing(ANN, "ann") == (None, [])


def test_should_refuse_where_a_deployment_keeps_none() -> None:
    world = in_memory()
    service = type(world.decisions)(
        store=world.store, clock=world.clock, meter=world.meter, callbacks=world.callbacks
    )
    with pytest.raises(InvalidRequest):
        service.delegating.standing(ANN, "ann")
