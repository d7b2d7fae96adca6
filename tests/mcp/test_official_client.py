"""The protocol's official Python client asks, and a person decides."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar, Literal

import mcp_types as types
import pytest
from mcp.client import ClientExtension
from mcp.client.extension import ClaimContext, ResultClaim

from hitl_approval.domain.audit import Actor
from hitl_approval.domain.values import NOTHING

from .serving import BOB, PAGE, RITA, Api, connected

ASK = {"subject": "Delete the table orders", "context": {"table": "orders"}, "approvers": [BOB]}


def decide(api: Api, approval_id: str, decision: Literal["approved", "rejected"]) -> None:
    """As the page does for who has signed in there."""
    api.world.decisions.decide(
        approval_id, Actor(BOB, "jwt"), decision, "seen", content_digest=None, values=NOTHING
    )


@pytest.mark.parametrize("mode", ["auto", "legacy", "2026-07-28"])
def test_should_ask_read_and_withdraw_in_each_version(served_api: Api, mode: Any) -> None:
    async def run() -> None:
        async with connected(served_api, mode=mode) as client:
            listed = await client.list_tools()
            assert [tool.name for tool in listed.tools] == [
                "request_approval",
                "get_approval",
                "withdraw_approval",
            ]
            asked = await client.call_tool("request_approval", ASK)
            assert isinstance(asked, types.CallToolResult)
            said = asked.structured_content
            assert said is not None
            assert (said["status"], said["approved"], asked.is_error) == ("pending", False, False)
            assert said["requester"] == RITA
            one = {"approval_id": said["approval_id"]}
            decide(served_api, said["approval_id"], "rejected")
            ended = await client.call_tool("get_approval", one)
            assert ended.structured_content is not None
            assert ended.structured_content["status"] == "rejected"
            late = await client.call_tool("withdraw_approval", one)
            assert late.is_error

    asyncio.run(run())


class Task(types.Result):
    """What the server answers in place of a tool's result."""

    result_type: Literal["task"] = "task"
    task_id: str
    status: str
    ttl_ms: int | None
    poll_interval_ms: int


class Found(types.Result):
    """How a task stands."""

    status: str = ""
    status_message: str = ""
    result: dict[str, Any] | None = None


class OfTask(types.Request[dict[str, Any], str]):
    """A request about a task."""

    name_param: ClassVar[str | None] = "taskId"


class Tasks(ClientExtension):
    """A client that waits for tasks: a person decides after the first poll."""

    identifier = "io.modelcontextprotocol/tasks"

    def __init__(self, api: Api, cancels: bool = False) -> None:
        self.api = api
        self.cancels = cancels
        self.seen: list[str] = []

    def claims(self) -> list[ResultClaim[Any]]:
        return [ResultClaim(result_type="task", model=Task, resolve=self.wait)]

    async def wait(self, task: Task, to: ClaimContext) -> types.CallToolResult:
        while True:
            found = await self.ask(to, "tasks/get", task.task_id)
            self.seen.append(found.status)
            if found.status == "completed":
                return types.CallToolResult.model_validate(found.result)
            if found.status == "cancelled":
                text = types.TextContent(type="text", text=found.status_message)
                return types.CallToolResult(content=[text], is_error=True)
            if self.cancels:
                await self.ask(to, "tasks/cancel", task.task_id)
            else:
                decide(self.api, task.task_id, "approved")

    async def ask(self, to: ClaimContext, method: str, task_id: str) -> Found:
        sent = OfTask(method=method, params={"taskId": task_id})
        return await to.session.send_request(sent, Found)


def test_should_complete_the_task_once_a_person_has_decided(served_api: Api) -> None:
    async def run() -> None:
        tasks = Tasks(served_api)
        async with connected(served_api, extensions=[tasks]) as client:
            ended = await client.call_tool("request_approval", ASK)
        assert tasks.seen == ["working", "completed"]
        assert ended.structured_content is not None
        assert ended.structured_content["approved"] is True
        assert ended.structured_content["decided_by"] == BOB

    asyncio.run(run())


def test_should_withdraw_a_task_that_is_cancelled(served_api: Api) -> None:
    async def run() -> None:
        tasks = Tasks(served_api, cancels=True)
        async with connected(served_api, extensions=[tasks]) as client:
            ended = await client.call_tool("request_approval", ASK)
        assert tasks.seen == ["working", "cancelled"]
        assert ended.is_error
        assert "NOT APPROVED" in ended.content[0].text  # type: ignore[union-attr]

    asyncio.run(run())


@pytest.mark.parametrize("action", ["accept", "decline", "cancel"])
def test_should_show_the_page_and_take_no_answer_for_a_vote(
    served_api: Api, action: Literal["accept", "decline", "cancel"]
) -> None:
    shown: list[Any] = []

    async def elicit(_: Any, params: Any) -> types.ElicitResult:
        shown.append(params)
        return types.ElicitResult(action=action, content={"decision": "approved"})

    async def run() -> None:
        async with connected(served_api, elicitation_callback=elicit) as client:
            asked = await client.call_tool("request_approval", ASK)
        assert asked.structured_content is not None
        assert asked.structured_content["status"] == "pending"
        [params] = shown
        approval_id = asked.structured_content["approval_id"]
        assert params.url == f"{PAGE}/approvals/{approval_id}"
        assert len(served_api.cloud.started) == 1

    asyncio.run(run())
