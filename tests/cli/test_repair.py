"""`hitl repair`: what the sweep has put aside is due again, and nothing else is written."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from hitl_approval.adapters.dynamodb import DynamoDbStore
from hitl_approval.domain.escalation import SWEEP_GRACE
from hitl_approval.testing import World
from tests.anything import any_opening, any_request

from .conftest import Hitl
from .pending import pending

AGAIN = "is taken up again: messages within a minute, a record by the next sweep"


def put_aside(world: World) -> str:
    approval_id = world.store.create(any_opening(now=world.clock.now())).approval_id
    world.store.postpone(approval_id, found_on="pending", tries=9, until=None, reason="unreadable")
    return approval_id


def test_should_make_due_what_was_put_aside(hitl: Hitl, world: World) -> None:
    approval_id = put_aside(world)
    before = repr((world.store.approvals, world.store.audit))
    result = hitl("repair", approval_id)
    assert (result.status, result.out) == (0, f"{approval_id} {AGAIN}\n")
    (one,) = world.store.postponed()
    assert (one.tries, one.until) == (0, world.clock.now() - SWEEP_GRACE)
    assert repr((world.store.approvals, world.store.audit)) == before


def test_should_take_several(hitl: Hitl, world: World) -> None:
    ids = [put_aside(world), put_aside(world)]
    assert hitl("repair", *ids, "--json").json == {"approval_ids": ids}


def test_should_refuse_what_needs_no_repair(hitl: Hitl, world: World) -> None:
    approval_id = world.store.create(any_opening(now=world.clock.now())).approval_id
    result = hitl("repair", approval_id)
    assert result.status == 1
    assert "needs no repair: nothing of it is put aside" in result.err
    assert hitl("repair", "f" * 32).status == 1


@pytest.mark.parametrize("words", [[], ["--all", "f" * 32]])
def test_should_say_which_is_missing(hitl: Hitl, words: list[str]) -> None:
    result = hitl("repair", *words)
    assert result.status == 2
    assert "name approvals, or pass --all or --dead-letters" in result.err


def test_should_say_that_nothing_is_put_aside(hitl: Hitl, tables: DynamoDbStore) -> None:
    assert hitl("repair", "--all").out == "nothing is put aside\n"
    assert list(tables.postponed()) == []


def test_should_try_again_a_message_that_was_given_up(hitl: Hitl, world: World) -> None:
    world.notifier.unreachable = {"ann"}
    request = any_request(approvers=("ann", "bob"))
    approval_id = pending(world, request=request, timeout=timedelta(days=30))
    world.delivery.take(world.store.history(approval_id))
    while (due := world.messages.next_due()) is not None:
        world.clock.moment = due
        world.delivery.deliver_due()
    assert re.search(r"Not sent +request to ann, 30 tries", hitl("show", approval_id).out)

    world.notifier.unreachable = set()
    assert hitl("repair", approval_id).out == f"{approval_id} {AGAIN}\n"
    world.delivery.deliver_due()
    assert len(re.findall(r"^Sent +request to ", hitl("show", approval_id).out, re.M)) == 2
    assert hitl("repair", approval_id).status == 1
