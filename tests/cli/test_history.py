"""`hitl history`: the trail, and whether it was tampered with."""

from __future__ import annotations

from hitl_approval.testing import World

from .conftest import Hitl
from .pending import requested


def test_should_show_an_approval_and_its_history(hitl: Hitl, world: World) -> None:
    approval_id = requested(world, approvers=["bob", "carol"])
    hitl("approve", approval_id, "--yes", "-m", "fine")

    shown = hitl("get", approval_id).out
    trail = hitl("history", approval_id).out

    assert "bob, carol" in shown
    assert "bob (declared) approved: fine" in shown
    assert "requested" in trail
    assert "ok 2 events, chain verified" in trail
    assert "fine" in trail
    assert [e["event"] for e in hitl("history", approval_id, "--json").json["events"]] == [
        "requested",
        "approved",
    ]


def test_should_fail_when_a_trail_was_tampered_with(hitl: Hitl, world: World) -> None:
    approval_id = requested(world)
    hitl("reject", approval_id, "--yes")
    world.store.audit[approval_id].pop(0)

    result = hitl("history", approval_id)

    assert result.status == 1
    assert "tampered event 1: event 2 stands where 1 must" in result.out
    assert hitl("history", approval_id, "--json").status == 1
