"""A workflow takes back what it asked: nobody is asked in vain when a branch is given up."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest
from aws_durable_execution_sdk_python import DurableContext, durable_execution
from aws_durable_execution_sdk_python.config import CompletionConfig, ParallelConfig

from hitl_approval import ApprovalRequest, InvalidRequest, wait_for_approval, withdraw
from hitl_approval.domain.approval import derive_approval_id
from hitl_approval.domain.audit import Actor
from hitl_approval.testing import World, in_memory
from hitl_approval.testing.virtual_time import eventually
from tests.anything import any_opening

from .conftest import Stage, StageFactory


@pytest.fixture
def world() -> World:
    return in_memory()


def ask(context: DurableContext, name: str) -> str:
    request = ApprovalRequest(subject=f"Ship {name}", requester="rita")
    return wait_for_approval(context, request, name=name).status


@durable_execution
def first_of_two(event: Any, context: DurableContext) -> dict[str, Any]:
    """Whichever comes first will do; the other request is withdrawn."""
    names = ("one", "two")
    context.parallel(
        [partial(ask, name=name) for name in names],
        name="either",
        config=ParallelConfig(completion_config=CompletionConfig(min_successful=1)),
    )
    stands = {name: withdraw(context, name, "the other came first") for name in (*names, "three")}
    return {"statusCode": 200, "body": json.dumps(stands)}


@pytest.mark.parametrize("mode", ["callback", "polling"])
def test_should_withdraw_what_a_branch_had_asked_that_was_given_up(
    make_stage: StageFactory, mode: str
) -> None:
    stage = make_stage(first_of_two, RESUME_MODE=mode)
    stage.start({})
    eventually(lambda: len(stage.notifier.sent) == 2)
    ids = {name: derive_approval_id(stage.arn, name) for name in ("one", "two")}
    eventually(lambda: len(stage.callbacks()) == (2 if mode == "callback" else 0))
    stage.decisions.decide(ids["two"], Actor("bob", "declared"), "approved")

    assert stage.finish() == {"one": "cancelled", "two": "approved", "three": None}
    withdrawn = stage.store.approvals[ids["one"]]
    assert (withdrawn.status, withdrawn.decided_by) == ("cancelled", "hitl-approval")
    assert withdrawn.comments == "the other came first"
    assert all(approval.resumed for approval in stage.store.approvals.values())


def withdrawing(approval: str) -> Any:
    @durable_execution
    def handle(event: Any, context: DurableContext) -> dict[str, Any]:
        try:
            said: Any = withdraw(context, approval)
        except InvalidRequest as error:
            said = str(error)
        return {"statusCode": 200, "body": json.dumps({"said": said})}

    return handle


def run(stage: Stage) -> Any:
    stage.start({})
    return stage.finish()["said"]


def test_should_not_withdraw_what_another_execution_asked(make_stage: StageFactory) -> None:
    stage = make_stage(withdrawing("a" * 32))
    theirs = stage.store.create(any_opening(approval_id="a" * 32, now=stage.clock.now()))
    assert run(stage) == "approval: is another execution's, which alone withdraws it"
    assert stage.store.approvals[theirs.approval_id] == theirs


@pytest.mark.parametrize("when", ["pending", "past its expiry"])
def test_should_withdraw_by_id_what_is_pending(world: World, when: str) -> None:
    opening = any_opening(approval_id="b" * 32, now=world.clock.now(), execution_arn="arn/b")
    world.store.create(opening)
    if when != "pending":
        world.clock.moment = opening.after.expires_at
    stands = world.requests.withdraw("b" * 32, execution_arn="arn/b", reason="moot")
    assert stands == ("cancelled" if when == "pending" else "timeout")
    assert world.store.approvals["b" * 32].resumed
    assert world.requests.withdraw("b" * 32, execution_arn="arn/b", reason="again") == stands
