"""`hitl repair`: what the sweep has put aside is due again, and nothing else is written."""

from __future__ import annotations

import pytest

from hitl_approval.adapters.dynamodb import DynamoDbStore
from hitl_approval.testing import World
from hitl_approval.usecases.sweep import SWEEP_GRACE
from tests.anything import any_opening

from .conftest import Hitl


def put_aside(world: World) -> str:
    approval_id = world.store.create(any_opening(now=world.clock.now())).approval_id
    world.store.postpone(approval_id, found_on="pending", tries=9, until=None, reason="unreadable")
    return approval_id


def test_should_make_due_what_was_put_aside(hitl: Hitl, world: World) -> None:
    approval_id = put_aside(world)
    before = repr((world.store.approvals, world.store.audit))
    result = hitl("repair", approval_id)
    assert (result.status, result.out) == (0, f"{approval_id} is taken up by the next sweep\n")
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
    assert "needs no repair: the sweep has not put it aside" in result.err
    assert hitl("repair", "f" * 32).status == 1


@pytest.mark.parametrize("words", [[], ["--all", "f" * 32]])
def test_should_say_which_is_missing(hitl: Hitl, words: list[str]) -> None:
    result = hitl("repair", *words)
    assert result.status == 2
    assert "name approvals, or pass --all" in result.err


def test_should_say_that_nothing_is_put_aside(hitl: Hitl, tables: DynamoDbStore) -> None:
    assert hitl("repair", "--all").out == "nothing is put aside\n"
    assert list(tables.postponed()) == []
