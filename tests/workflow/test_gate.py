"""A tool that waits for a person: the approved arguments are the ones that are run."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from aws_durable_execution_sdk_python import DurableContext, durable_execution

from hitl_approval import Outcome, requires_approval

from .conftest import Stage, StageFactory


class Tool:
    """Deletes tables, and keeps which."""

    def __init__(self) -> None:
        self.deleted: list[str] = []
        self.fails = False

    def delete(self, name: str, *, force: bool = False) -> str:
        self.deleted.append(name)
        if self.fails:
            raise RuntimeError("it is gone already")
        return f"deleted {name} force={force}"


@pytest.fixture
def tool() -> Tool:
    return Tool()


def calling(
    tool: Tool, argument: Callable[[], str] = lambda: "orders", **options: Any
) -> Callable[..., Any]:
    def delete_table(name: str, *, force: bool = False) -> str:
        return tool.delete(name, force=force)

    gated = requires_approval(requester="agent", approvers=["ann"], **options)(delete_table)

    @durable_execution
    def handler(event: Any, context: DurableContext) -> dict[str, Any]:
        return {"statusCode": 200, "body": json.dumps({"said": gated(context, argument())})}

    return handler


def asked(stage: Stage) -> str:
    stage.start({})
    stage.suspend()
    return stage.approval.approval_id


def decide(stage: Stage, decision: Any, comments: str = "") -> None:
    from hitl_approval.domain.audit import Actor

    stage.decisions.decide(stage.approval.approval_id, Actor("ann", "declared"), decision, comments)


def test_should_show_the_call_and_run_it_once_when_approved(
    make_stage: StageFactory, tool: Tool
) -> None:
    stage = make_stage(calling(tool))
    asked(stage)
    assert stage.approval.subject == 'Run delete_table(name="orders", force=false)'
    shown = json.loads(stage.approval.context)
    assert shown["arguments"] == {"name": "orders", "force": False}
    assert shown["arguments_digest"] in stage.notifier.sent[0].body
    assert tool.deleted == []

    decide(stage, "approved")

    assert stage.finish() == {"said": "deleted orders force=False"}
    assert tool.deleted == ["orders"]


def test_should_send_no_sensitive_argument_and_run_with_it(
    make_stage: StageFactory, tool: Tool
) -> None:
    stage = make_stage(calling(tool, sensitive=["name"]))
    asked(stage)
    for message in stage.notifier.sent:
        assert "orders" not in message.body + message.subject
    assert 'name="(shown on the page)"' in stage.approval.subject
    assert json.loads(stage.approval.context)["arguments"]["name"] == "orders"

    decide(stage, "approved")

    assert stage.finish() == {"said": "deleted orders force=False"}


def test_should_name_a_sensitive_argument_that_is_none(
    make_stage: StageFactory, tool: Tool
) -> None:
    stage = make_stage(calling(tool, sensitive=["nmae"]))
    stage.start({})
    assert "sensitive: names 'arguments.nmae'" in stage.fail().message


def test_should_not_run_what_was_rejected(make_stage: StageFactory, tool: Tool) -> None:
    stage = make_stage(calling(tool))
    asked(stage)
    decide(stage, "rejected", "in use")
    error = stage.fail()
    assert error.message == "rejected by ann: in use"
    assert error.type == "hitl_approval.NotApproved"
    assert tool.deleted == []


def test_should_tell_an_agent_what_became_of_its_call(make_stage: StageFactory, tool: Tool) -> None:
    def say(outcome: Outcome) -> str:
        return f"{outcome.status}, because: {outcome.comments}"

    stage = make_stage(calling(tool, on_refused=say))
    asked(stage)
    decide(stage, "rejected", "in use")
    assert stage.finish() == {"said": "rejected, because: in use"}
    assert tool.deleted == []


def test_should_not_run_other_arguments_than_those_that_were_approved(
    make_stage: StageFactory, tool: Tool
) -> None:
    thought = iter(["orders", "customers", "customers"])  # a model, asked again on every replay
    stage = make_stage(calling(tool, lambda: next(thought)))
    asked(stage)
    decide(stage, "approved")
    error = stage.fail()
    assert error.type == "hitl_approval.ArgumentsChanged"
    assert "delete_table was not run" in error.message
    assert tool.deleted == []


def test_should_not_run_again_what_failed(make_stage: StageFactory, tool: Tool) -> None:
    tool.fails = True
    stage = make_stage(calling(tool))
    asked(stage)
    decide(stage, "approved")
    assert "it is gone already" in str(stage.fail())
    assert tool.deleted == ["orders"]


def test_should_run_with_what_an_approver_has_changed(make_stage: StageFactory, tool: Tool) -> None:
    from hitl_approval.domain.audit import Actor
    from hitl_approval.domain.values import Values

    stage = make_stage(calling(tool, editable=["name"]))
    asked(stage)
    stage.decisions.decide(
        stage.approval.approval_id,
        Actor("ann", "declared"),
        "approved",
        content_digest=stage.approval.content_digest,
        values=Values(changes={"arguments.name": "orders_old"}),
    )
    assert stage.finish() == {"said": "deleted orders_old force=False"}
    assert tool.deleted == ["orders_old"]
