"""`hitl approve --set`: what is filled in and changed, and what a request says of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hitl_approval.domain.edit import Change
from hitl_approval.domain.policy import Policy
from hitl_approval.domain.quorum import Quorum
from hitl_approval.domain.values import Values
from hitl_approval.testing import World
from tests.anything import any_opening, any_request, declared

from .conftest import Hitl
from .pending import requested

FORM: dict[str, Any] = {
    "type": "object",
    "properties": {
        "reason": {"type": "string", "title": "Why", "minLength": 3},
        "urgent": {"type": "boolean", "default": False},
        "team": {"type": "string", "enum": ["a", "b"]},
    },
    "required": ["reason"],
}
CONTEXT = {"amount": 100, "customer": {"limit": 5}}


def asking(world: World, **fields: Any) -> str:
    given = {"context": CONTEXT, "form": FORM, "editable": ["amount", "customer.limit"]}
    return requested(world, **(given | fields))


def test_should_approve_with_what_is_set(hitl: Hitl, world: World) -> None:
    approval_id = asking(world)
    sets = ["--set", "reason=a=b", "--set", "urgent=yes", "--set", "customer.limit=7"]
    assert hitl("approve", approval_id, *sets, "--yes").status == 0
    approval = world.store.approvals[approval_id]
    assert approval.status == "approved"
    assert approval.votes[0].input == {"reason": "a=b", "urgent": True}
    assert approval.changes == {"customer.limit": Change(5, 7)}


def test_should_show_what_will_be_set_before_it_asks(hitl: Hitl, world: World) -> None:
    approval_id = asking(world)
    sets = ["--set", "reason=lunch", "--set", "amount=120"]
    no = hitl("approve", approval_id, *sets, stdin="n\n", terminal=True)
    assert "You fill in reason: lunch" in no.out
    assert "You change amount to: 120" in no.out
    assert world.store.approvals[approval_id].pending
    assert hitl("approve", approval_id, *sets, stdin="y\n", terminal=True).status == 0
    assert json.loads(world.store.approvals[approval_id].context)["amount"] == 120


@pytest.mark.parametrize(
    ("sets", "said"),
    [
        ([], "input.reason: is required: --set reason=... sets it"),
        (["reason=no"], "input.reason: must be at least 3 characters, got 2: --set reason=..."),
        (["reason=why", "amount=1.5"], "changes.amount: must be a whole number, got 1.5: --set am"),
        (["reason=why", "amount="], "changes.amount: is required: --set amount=... sets it"),
        (["reason"], "--set: must look like name=value, got 'reason'"),
        (["reason=a", "reason=b"], "--set: names 'reason' twice"),
        (["tool=x"], "--set: this request takes reason, urgent, team, amount, customer.limit, got"),
    ],
)
def test_should_refuse_what_does_not_fit_and_say_what_would(
    hitl: Hitl, world: World, sets: list[str], said: str
) -> None:
    approval_id = asking(world)
    words = [word for each in sets for word in ("--set", each)]
    refused = hitl("approve", approval_id, *words, "--yes")
    assert refused.status != 0
    assert said in refused.err
    assert world.store.approvals[approval_id].votes == ()


def test_should_say_that_a_request_takes_no_values(hitl: Hitl, world: World) -> None:
    refused = hitl("approve", requested(world), "--set", "x=1", "--yes")
    assert (refused.status, "this request takes no values" in refused.err) == (2, True)


def test_should_approve_nothing_unseen_that_was_changed(hitl: Hitl, world: World) -> None:
    request = any_request(approvers=["ann", "bob"], context=CONTEXT, editable=["amount"])
    policy = Policy(quorum=Quorum.everyone())
    opening = any_opening(request=request, policy=policy, now=world.clock.now())
    approval = world.store.create(opening)
    world.decisions.decide(
        approval.approval_id,
        declared("ann"),
        "approved",
        content_digest=approval.content_digest,
        values=Values(changes={"amount": 120}),
    )
    refused = hitl("approve", approval.approval_id, "--yes")
    assert "approve it without --yes, which shows it first (APPROVAL_CHANGED)" in refused.err
    seen = hitl("approve", approval.approval_id, stdin="y\n", terminal=True)
    assert "100 -> 120" in seen.out
    assert world.store.approvals[approval.approval_id].status == "approved"


def test_should_show_what_is_asked_for_and_what_became_of_it(hitl: Hitl, world: World) -> None:
    approval_id = asking(world)
    shown = " ".join(hitl("show", approval_id).out.split())
    assert "--set reason=... (Why: text, required)" in shown
    assert "--set urgent=... (yes or no, default no)" in shown
    assert "--set team=... (one of a, b)" in shown
    assert "--set customer.limit=..." in shown
    hitl("approve", approval_id, "--set", "reason=lunch", "--set", "amount=90", "--yes")
    shown = " ".join(hitl("show", approval_id).out.split())
    assert "reason=lunch" in shown
    assert "amount: 100 -> 90" in shown
    assert "--set" not in shown
    assert "changed amount" in " ".join(hitl("history", approval_id).out.split())
