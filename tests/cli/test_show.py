"""`hitl show`: one approval, whole."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import cast

from hitl_approval.domain.approval import Vote
from hitl_approval.domain.audit import Identity
from hitl_approval.testing import World

from .conftest import Hitl
from .pending import WHOLE, pending, requested


def test_should_show_the_code_that_a_link_asks_for(hitl: Hitl, world: World) -> None:
    pending(world)
    assert "Code" not in hitl("show", WHOLE).out
    approval = world.store.approvals[WHOLE]
    world.store.approvals[WHOLE] = replace(approval, challenge="H7KQ-2M4X")
    assert "Code       H7KQ-2M4X" in hitl("show", WHOLE).out
    assert hitl("show", WHOLE, "--json").json["challenge"] == "H7KQ-2M4X"


def test_should_show_hostile_text_inert(hitl: Hitl, world: World) -> None:
    approval_id = requested(
        world, subject="[bold red]<script>[/] :bomb:", context={"note": "\x1b[2J\u202egnp"}
    )
    shown = hitl("get", approval_id).out
    assert "[bold red]<script>[/] :bomb:" in shown
    assert "\x1b" not in shown
    assert "\u202e" not in shown


def test_should_show_how_a_vote_is_known_and_who_is_asked_inert(hitl: Hitl, world: World) -> None:
    """Whoever may write the row could act on the terminal, or make two people of one."""
    approval_id = requested(world, approvers=["ann, bob", "cid"])
    approval = world.store.approvals[approval_id]
    vote = Vote("cid", cast(Identity, "\x1b[2Jiam[red]"), "approved", "", approval.created_at)
    world.store.approvals[approval_id] = replace(approval, votes=(vote,))
    shown = hitl("get", approval_id).out
    assert '"ann, bob", cid' in shown
    assert "\x1b" not in shown
    assert "\\u001b[2Jiam[red]" in shown


def test_should_show_times_in_the_local_zone(hitl: Hitl, world: World) -> None:
    approval_id = requested(world)
    local = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC).astimezone()
    assert f"{local:%Y-%m-%d %H:%M:%S}" in hitl("get", approval_id).out
    assert hitl("get", approval_id, "--json").json["created_at"] == "2026-01-02T03:04:05.000Z"


def test_should_say_what_each_person_was_sent_and_why_not(hitl: Hitl, world: World) -> None:
    world.notifier.unreachable = {"bob"}
    approval_id = requested(world, approvers=("ann", "bob"))
    world.delivery.take(world.store.history(approval_id))
    shown = hitl("show", approval_id).out
    assert "Sent        request to ann at " in shown
    assert "Being sent  request to bob, 1 try, the next at " in shown
    assert "the topic did not take the message" in shown
    assert shown.index("request to ann") < shown.index("request to bob")
    assert {m["recipient"]: m["state"] for m in hitl("show", approval_id, "--json").json["messages"]
    } == {"ann": "sent", "bob": "open"}  # fmt: skip
