"""What a wait refuses is the documented error in one sentence, and nobody is asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from aws_durable_execution_sdk_python import DurableContext, durable_execution

from hitl_approval import ApprovalRequest, InvalidRequest, wait_for_approval
from hitl_approval.durable import operations
from hitl_approval.testing.virtual_time import eventually

from .conftest import StageFactory

REQUEST = ApprovalRequest(subject="Ship it", requester="rita")
NOT_IN_A_STEP = (
    "context: must be a handler's or a branch's, not a step's: wait outside of context.step"
)
Body = Callable[[DurableContext], Any]


def handler(body: Body) -> Callable[..., Any]:
    @durable_execution
    def handle(event: Any, context: DurableContext) -> dict[str, Any]:
        try:
            body(context)
        except InvalidRequest as error:
            return {"statusCode": 200, "body": json.dumps({"refused": str(error)})}
        return {"statusCode": 200, "body": json.dumps({})}

    return handle


def in_a_step(context: DurableContext, inner: Callable[[Any], Any]) -> None:
    refused: list[InvalidRequest] = []

    def step(step_context: Any) -> None:
        try:
            inner(step_context)
        except InvalidRequest as error:
            refused.append(error)

    context.step(step, name="mine")
    raise refused[0]


def with_the_handlers_context(context: DurableContext) -> None:
    in_a_step(context, lambda _: wait_for_approval(context, REQUEST, name="ship"))


def with_the_steps_context(context: DurableContext) -> None:
    in_a_step(context, lambda inner: wait_for_approval(inner, REQUEST, name="ship"))


@pytest.mark.parametrize("body", [with_the_handlers_context, with_the_steps_context])
@pytest.mark.parametrize("mode", ["callback", "polling"])
def test_should_not_wait_within_a_step(make_stage: StageFactory, body: Body, mode: str) -> None:
    stage = make_stage(handler(body), RESUME_MODE=mode)
    stage.start({})
    assert stage.finish() == {"refused": NOT_IN_A_STEP}
    assert stage.store.approvals == {}
    assert [name for name in stage.names() if name not in {"mine", "None", "document"}] == []


def twice(context: DurableContext) -> None:
    for _ in range(2):
        wait_for_approval(context, REQUEST, name="document")


def branch(context: DurableContext) -> str:
    try:
        return wait_for_approval(context, REQUEST, name="document").status
    except InvalidRequest as error:
        return str(error)


def in_two_branches(context: DurableContext) -> list[str]:
    return list(context.parallel([branch, branch], name="both").get_results())


def test_should_ask_once_under_a_name_that_two_branches_use(make_stage: StageFactory) -> None:
    @durable_execution
    def handle(event: Any, context: DurableContext) -> dict[str, Any]:
        return {"statusCode": 200, "body": json.dumps({"said": sorted(in_two_branches(context))})}

    stage = make_stage(handle)
    stage.start({})
    eventually(lambda: len(stage.notifier.sent) == 1 and stage.store.approvals)
    eventually(lambda: len(stage.callbacks()) == 2 and "document.withdraw" in stage.names())
    stage.decide("approved")
    assert stage.finish() == {
        "said": ["approved", "name: is used twice in this execution: give each approval its own"]
    }
    assert len(stage.notifier.sent) == 1


@pytest.mark.parametrize(("taken", "fits"), [(300, True), (3_000, False)])
def test_should_not_begin_what_would_take_the_execution_past_its_last_operation(
    make_stage: StageFactory, monkeypatch: pytest.MonkeyPatch, taken: int, fits: bool
) -> None:
    monkeypatch.setattr(operations, "_metered", lambda _: taken)
    stage = make_stage(handler(lambda context: wait_for_approval(context, REQUEST, name="one")))
    monkeypatch.setattr(operations, "MAX_OPERATIONS", 10 * taken if fits else taken)
    stage.start({})
    if fits:
        eventually(lambda: stage.store.approvals)
        return
    refused = stage.finish()["refused"]
    assert refused.startswith("approval: may take ")
    assert "durable operations, and this execution has taken " in refused
    assert stage.store.approvals == {}


def test_should_keep_room_for_the_waits_that_are_open() -> None:
    class State:
        operations: ClassVar[dict[str, Any]] = {}

    context: Any = SimpleNamespace(state=State())
    with operations.reserved(context, 2_000) as first:
        operations.check_room(context, first)
        with operations.reserved(context, 1_001) as second:
            with pytest.raises(InvalidRequest, match="keeps 2000 for approvals that are open"):
                operations.check_room(context, second)
            first.taken = 1
            operations.check_room(context, second)
    with operations.reserved(context, 3_000) as third:
        operations.check_room(context, third)


def test_should_not_ask_under_a_name_whose_approval_has_ended(make_stage: StageFactory) -> None:
    stage = make_stage(handler(twice))
    stage.start({})
    stage.suspend()
    stage.decide("approved")
    assert stage.finish() == {
        "refused": "name: is used twice in this execution: give each approval its own"
    }
    assert [a.status for a in stage.store.approvals.values()] == ["approved"]
    assert len(stage.notifier.sent) == 1
