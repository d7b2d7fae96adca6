"""Somebody who may write the approvals table, and no other, changes a row that is pending.

An approver's answer to it is then committed, and signed, by the deployment's own functions. No
workflow acts on how it ends, and `hitl audit verify` names the change.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest

from hitl_approval.domain.agreement import examine
from hitl_approval.domain.approval import Approval, Vote, digest_content
from hitl_approval.domain.errors import RecordAltered
from hitl_approval.domain.policy import Policy
from hitl_approval.domain.quorum import Quorum
from hitl_approval.domain.request_key import RequestKey
from hitl_approval.testing import World
from hitl_approval.usecases.ask import Defaults, DirectRequests
from tests.anything import declared
from tests.asking import EXECUTION, submit

KEY: Final = RequestKey(EXECUTION, "payout")
HOUR: Final = timedelta(hours=1)


def digested(approval: Approval) -> Approval:
    """With the digest of what the row says now, as somebody computes it who knows the library."""
    return replace(approval, content_digest=digest_content(approval))


CHANGES: Final[dict[str, Callable[[Approval], Approval]]] = {
    "another approver": lambda row: digested(replace(row, approvers=("thief", "cid"))),
    "a smaller quorum": lambda row: digested(replace(row, policy=Policy())),
    "another requester": lambda row: digested(replace(row, requester="nobody")),
    "a vote that nobody cast": lambda row: replace(
        row, votes=(Vote("cid", "jwt", "approved", "", row.created_at),)
    ),
    "more time": lambda row: replace(row, expires_at=row.expires_at + HOUR),
    "another execution": lambda row: replace(row, execution_arn=f"{EXECUTION}2"),
}
VOTES: Final = {
    "another approver": ("thief", "cid"),
    "a smaller quorum": ("bob",),
    "a vote that nobody cast": ("bob",),
}


@pytest.fixture
def asked(world: World) -> Approval:
    requests = DirectRequests(world.requests, Defaults(policy=Policy(quorum=Quorum.at_least(2))))
    submit(requests, KEY, approvers=["bob", "cid"], context={"amount": 7})
    return world.store.approvals[KEY.approval_id]


def approve(world: World, change: str) -> Approval:
    for name in VOTES.get(change, ("bob", "cid")):
        world.decisions.decide(KEY.approval_id, declared(name), "approved")
    return world.store.approvals[KEY.approval_id]


@pytest.mark.parametrize("change", list(CHANGES))
def test_should_let_no_workflow_act_on_an_answer_to_a_changed_row(
    world: World, asked: Approval, change: str
) -> None:
    world.store.approvals[KEY.approval_id] = CHANGES[change](asked)
    ended = approve(world, change)
    assert ended.status == "approved"

    with pytest.raises(RecordAltered):
        world.requests.check_status(KEY.approval_id)

    assert examine(world.store.history(KEY.approval_id), ended)


def test_should_see_a_row_that_was_put_right_after_the_answer(
    world: World, asked: Approval
) -> None:
    world.store.approvals[KEY.approval_id] = CHANGES["another approver"](asked)
    ended = approve(world, "another approver")
    ended = replace(ended, approvers=asked.approvers, content_digest=asked.content_digest)
    world.store.approvals[KEY.approval_id] = ended

    with pytest.raises(RecordAltered):
        world.requests.check_status(KEY.approval_id)

    events = world.store.history(KEY.approval_id)
    assert examine(events, ended)
    assert examine(events, None), "also when the row has expired"


def test_should_act_on_what_nobody_has_changed(world: World, asked: Approval) -> None:
    """Else every failure above would prove nothing."""
    ended = approve(world, "nothing")
    assert world.requests.check_status(KEY.approval_id).status == "approved"
    assert examine(world.store.history(KEY.approval_id), ended) == []
    assert asked.pending
